import ClubProtocol
import ServiceKit

/// Reads the cards of a vCard file as its bytes arrive: 4.0 (RFC 6350), 3.0 (RFC 2426), and 2.1 as old phones write it.
/// Its memory is one card without the properties that are dropped.
///
/// Each card becomes a record like that of a table, with a header as the first record: so cards are processed exactly
/// like tables. What is wrong with a card as a whole is its record's fault.
struct CardReader {
    /// The columns by their names in the API, and the corresponding properties.
    static let columns: [(name: String, title: String)] = [
        ("id", "UID"), ("familyName", "N (family name)"), ("givenName", "N (given name)"),
        ("honorificPrefix", "N (prefix)"), ("email", "EMAIL"), ("otherEmails", "EMAIL (further)"), ("telephone", "TEL"),
        ("otherTelephones", "TEL (further)"), ("organization", "ORG"), ("jobTitle", "TITLE"),
    ]

    /// The names of ignored properties, each once, in order of appearance; at most a hundred.
    private(set) var leftOut: [String] = []

    private var transcoder = TextTranscoder()
    private var lines = CardLines()
    private var card: CardDraft?
    /// How many nested cards are open within the card; they describe someone else (vCard 2.1, AGENT).
    private var depth = 0
    private var hasBegun = false
    /// Whether there is stray content before the current position, outside any card; it is reported once.
    private var isAstray = false

    /// Takes the next bytes of the file and returns the records completed by them.
    mutating func read(_ bytes: some Collection<UInt8>) -> [CSVReader.Record] {
        var records: [CSVReader.Record] = []
        accept(transcoder.transcode(bytes), into: &records)
        return records
    }

    /// Returns what is left when the file has ended: for a file without a card nothing at all, not even a header.
    mutating func finish() -> [CSVReader.Record] {
        var records: [CSVReader.Record] = []
        accept(transcoder.finish(), into: &records)
        if let line = lines.finish() { take(line, into: &records) }
        end(fault: "has no end: END:VCARD is missing", into: &records)
        return records
    }

    private mutating func accept(_ bytes: [UInt8], into records: inout [CSVReader.Record]) {
        var index = 0
        while let line = lines.next(in: bytes, from: &index) { take(line, into: &records) }
    }

    private mutating func take(_ line: CardLines.Line, into records: inout [CSVReader.Record]) {
        guard line.isTooLong || line.bytes.contains(where: { $0 != UInt8(ascii: " ") && $0 != UInt8(ascii: "\t") })
        else {
            return
        }
        let property = CardProperty(line)
        switch property?.mark {
        case .begin:
            if card?.isBeforeAgent == true || depth > 0 {
                card?.isBeforeAgent = false
                depth += 1
            } else {
                end(fault: "has no end: another one begins within it", into: &records)
                begin(into: &records)
            }
        case .end where depth > 0: depth -= 1
        case .end where card != nil: end(fault: nil, into: &records)
        default:
            if depth > 0 { return }
            guard card != nil else { return stray(into: &records) }
            card?.take(property, isTooLong: line.isTooLong, leftOut: &leftOut)
            lines.keepsBlanks = card?.isOld == true
        }
    }

    private mutating func begin(into records: inout [CSVReader.Record]) {
        if !hasBegun {
            hasBegun = true
            records.append(.init(cells: Self.columns.map(\.name)))
            if isAstray { records.append(Self.nothing) }
        }
        isAstray = false
        card = CardDraft()
        lines.keepsBlanks = false
    }

    private mutating func end(fault: String?, into records: inout [CSVReader.Record]) {
        depth = 0
        guard let ended = card else { return }
        card = nil
        records.append(ended.record(fault: fault))
    }

    /// Once for all stray content between two cards.
    private mutating func stray(into records: inout [CSVReader.Record]) {
        if hasBegun && !isAstray { records.append(Self.nothing) }
        isAstray = true
    }

    private static let nothing = CSVReader.Record(
        cells: [], fault: "is not one: it is not between BEGIN:VCARD and END:VCARD")
}

extension CardProperty {
    fileprivate enum Mark {
        case begin, end
    }

    /// Whether a card begins or ends here; other objects, such as calendars, do not count.
    fileprivate var mark: Mark? {
        guard name == "BEGIN" || name == "END", let text = try? text() else { return nil }
        guard text.trimmingBlanks.asciiUppercased.hasSameBytes(as: "VCARD") else { return nil }
        return name == "BEGIN" ? .begin : .end
    }
}
