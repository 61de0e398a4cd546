import ClubProtocol

/// A card while it is read: what of it is kept.
struct CardDraft {
    /// The most properties of a card.
    static let mostProperties = 1000
    /// The most addresses, and the most telephones, those counted that say the same again: more are not looked at.
    static let mostOfOne = 50

    /// Whether it is of version 2.1.
    private(set) var isOld = false
    /// Whether the next line may begin a card of somebody else within this one.
    var isBeforeAgent = false

    private var cells: [String: String] = [:]
    private var emails: [(preference: Int, text: String)] = []
    private var telephones: [(preference: Int, text: String)] = []
    /// What stands in these, addresses in lower case: the same is kept once.
    private var knownEmails: Set<ByteKey> = []
    private var knownTelephones: Set<ByteKey> = []
    private var emailCount = 0
    private var telephoneCount = 0
    private var name: CardProperty?
    private var fault: String?
    private var count = 0
    private var size = 0
    /// Whether the line before was bytes in text, which some programs break without saying so.
    private var isInData = false

    /// What is kept, and what only says how the rest is to be read, or the same again.
    private static let kept: Set<String> = [
        "N", "UID", "EMAIL", "TEL", "ORG", "TITLE", "VERSION", "KIND", "X-ADDRESSBOOKSERVER-KIND", "X-ABSHOWAS",
        "AGENT",
    ]
    private static let silent: Set<String> = [
        "FN", "REV", "PRODID", "BEGIN", "END", "SORT-STRING", "CLIENTPIDMAP", "PROFILE",
    ]

    /// Telephones at which nobody answers.
    private static let deaf: Set<String> = ["FAX", "PAGER", "MODEM", "BBS"]

    /// - Parameter property: nil for a line that is none.
    mutating func take(_ property: CardProperty?, isTooLong: Bool, leftOut: inout [String]) {
        isBeforeAgent = false
        guard let property else {
            if !isInData { refuse(isTooLong ? Self.tooLong : "has a line that is not a property") }
            return
        }
        isInData = property.isData
        count += 1
        guard count <= Self.mostProperties else { return refuse("has more than \(Self.mostProperties) properties") }
        guard Self.kept.contains(property.name) else {
            if !Self.silent.contains(property.name), !leftOut.contains(property.name), leftOut.count < 100 {
                leftOut.append(property.name)
            }
            return
        }
        guard !isTooLong else { return refuse(Self.tooLong) }
        size += property.size
        guard size <= CSVReader.limit else { return refuse("is longer than \(CSVReader.limit >> 10) KiB") }
        do throws(InvalidText) {
            try read(property)
        } catch {
            refuse("cannot be read: \(property.name) \(error.reason)")
        }
    }

    private static var tooLong: String { "has a line of more than \(CardLines.longest >> 10) KiB" }

    /// The first reason counts.
    private mutating func refuse(_ reason: String) {
        if fault == nil { fault = reason }
    }

    private mutating func read(_ property: CardProperty) throws(InvalidText) {
        switch property.name {
        case "VERSION": isOld = try plain(property).hasSameBytes(as: "2.1")
        // In 2.1 the comma parts nothing, and it may come before the version: it is read when all is known.
        case "N": if name == nil { name = property }
        case "UID": say("id", Self.identifier(try plain(property)))
        case "EMAIL": try readEmail(property)
        case "TEL": try readTelephone(property)
        // What follows the name are parts of the organization.
        case "ORG": say("organization", CardProperty.unescaped(Self.first(of: try property.text())))
        case "TITLE": say("jobTitle", CardProperty.unescaped(try property.text()))
        case "AGENT":
            let text = try plain(property).asciiUppercased
            isBeforeAgent = text.isEmpty
        default:
            let kind = try plain(property).asciiUppercased
            guard kind.isEmpty || kind.hasSameBytes(as: "INDIVIDUAL") || kind.hasSameBytes(as: "PERSON") else {
                throw InvalidText("is not the card of a person (KIND)")
            }
        }
    }

    private static func first(of text: String) -> String {
        CardProperty.parts(text, at: UInt8(ascii: ";"), most: 1)[0]
    }

    private func plain(_ property: CardProperty) throws(InvalidText) -> String {
        String(CardProperty.unescaped(try property.text()).trimmingBlanks)
    }

    /// Of two values the first counts.
    private mutating func say(_ column: String, _ text: String) {
        if cells[column] == nil, !text.isBlank { cells[column] = text }
    }

    /// `urn:uuid:…`, as ours, or a bare one; whatever else is another program's (see ``ImportReader``).
    private static func identifier(_ text: String) -> String {
        let scheme = "urn:uuid:"
        return Substring(text.utf8.prefix(scheme.utf8.count)).asciiLowercased.hasSameBytes(as: scheme)
            ? String(Substring(text.utf8.dropFirst(scheme.utf8.count))) : text
    }

    private static func check(_ count: Int) throws(InvalidText) {
        guard count <= mostOfOne else { throw InvalidText("stands there more than \(mostOfOne) times") }
    }

    private mutating func readEmail(_ property: CardProperty) throws(InvalidText) {
        var text = try plain(property)
        guard !text.isEmpty, !property.types.contains("X400") else { return }
        emailCount += 1
        try Self.check(emailCount)
        if Substring(text.utf8.prefix(7)).asciiLowercased.hasSameBytes(as: "mailto:") {
            text = String(Substring(text.utf8.dropFirst(7)))
        }
        // A domain has accents or A-labels, and is one address.
        let key = (try? EmailAddress(validating: text))?.text ?? text
        guard knownEmails.insert(ByteKey(key.asciiLowercased)).inserted else { return }
        emails.append((property.preference, key))
    }

    private mutating func readTelephone(_ property: CardProperty) throws(InvalidText) {
        var text = try plain(property)
        let isSpoken = property.types.contains("VOICE") || property.types.contains("CELL")
        guard !text.isEmpty, isSpoken || Self.deaf.isDisjoint(with: property.types) else { return }
        // RFC 3966: parameters follow the number; how to call somebody by another protocol is no number.
        if Substring(text.utf8.prefix(4)).asciiLowercased.hasSameBytes(as: "tel:") {
            text = String(Substring(text.utf8.dropFirst(4).prefix { $0 != UInt8(ascii: ";") }))
        } else if property.isAddress {
            return
        }
        telephoneCount += 1
        try Self.check(telephoneCount)
        let key = (try? Cell.telephone(text))?.text ?? text
        guard knownTelephones.insert(ByteKey(key)).inserted else { return }
        telephones.append((property.preference, key))
    }

    // MARK: The record

    /// What the card says, in the order of ``CardReader/columns``.
    func record(fault ending: String?) -> CSVReader.Record {
        var draft = self
        if ending == nil { draft.finish() }
        guard ending == nil, draft.fault == nil else { return .init(cells: [], fault: ending ?? draft.fault) }
        return .init(cells: CardReader.columns.map { draft.cells[$0.name] ?? "" })
    }

    private mutating func finish() {
        do throws(InvalidText) {
            if let name { try readName(name) }
        } catch {
            refuse("cannot be read: N \(error.reason)")
        }
        place(emails, first: "email", others: "otherEmails")
        place(telephones, first: "telephone", others: "otherTelephones")
    }

    /// Family name, given name, further names, prefixes, suffixes (RFC 6350, 6.2.2); each may be several.
    private mutating func readName(_ property: CardProperty) throws(InvalidText) {
        let parts = CardProperty.parts(try property.text(), at: UInt8(ascii: ";"), most: 4).map { part in
            let several = isOld ? [part] : CardProperty.parts(part, at: UInt8(ascii: ","), most: 100)
            return several.map(CardProperty.unescaped).joined(separator: " ")
        }
        for (column, part) in zip(["familyName", "givenName", "", "honorificPrefix"], parts) where !column.isEmpty {
            say(column, part)
        }
    }

    /// The most preferred first, else in their order.
    private mutating func place(_ values: [(preference: Int, text: String)], first: String, others: String) {
        let sorted = values.enumerated().sorted { one, other in
            (one.element.preference, one.offset) < (other.element.preference, other.offset)
        }.map(\.element.text)
        guard let value = sorted.first else { return }
        cells[first] = value
        if sorted.count > 1 { cells[others] = Cell.list(of: Array(sorted.dropFirst())) }
    }
}
