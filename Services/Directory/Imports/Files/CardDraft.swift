import ClubProtocol
import ServiceKit

/// A card while it is read: the part that is kept.
struct CardDraft {
    /// The maximum number of properties of a card.
    static let mostProperties = 1000
    /// The maximum number of addresses, and of telephones, duplicates included: further ones are ignored.
    static let mostOfOne = 50

    /// Whether it is of version 2.1.
    private(set) var isOld = false
    /// Whether the next line may begin another person's card nested in this one.
    var isBeforeAgent = false

    private var cells: [String: String] = [:]
    private var emails: [(preference: Int, text: String)] = []
    private var telephones: [(preference: Int, text: String)] = []
    /// Their values, addresses in lower case: each is kept once.
    private var knownEmails: Set<ByteKey> = []
    private var knownTelephones: Set<ByteKey> = []
    private var emailCount = 0
    private var telephoneCount = 0
    private var name: CardProperty?
    private var fault: String?
    private var count = 0
    private var size = 0
    /// Whether the previous line was encoded binary data, which some programs break without marking it.
    private var isInData = false

    /// Properties that are kept, and those that only affect how others are read or duplicate them.
    private static let kept: Set<String> = [
        "N", "UID", "EMAIL", "TEL", "ORG", "TITLE", "VERSION", "KIND", "X-ADDRESSBOOKSERVER-KIND", "X-ABSHOWAS",
        "AGENT",
    ]
    private static let silent: Set<String> = [
        "FN", "REV", "PRODID", "BEGIN", "END", "SORT-STRING", "CLIENTPIDMAP", "PROFILE",
    ]

    /// Telephone types that are not answered by a person.
    private static let deaf: Set<String> = ["FAX", "PAGER", "MODEM", "BBS"]

    /// - Parameter property: nil for a line that is not one.
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
        // In 2.1 the comma is not a separator, and the name may come before the version: it is parsed at the end.
        case "N": if name == nil { name = property }
        case "UID": say("id", Self.identifier(try plain(property)))
        case "EMAIL": try readEmail(property)
        case "TEL": try readTelephone(property)
        // Further components are units of the organization.
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

    /// `urn:uuid:…`, as in our exports, or a bare one; anything else is another program's (see ``ImportReader``).
    private static func identifier(_ text: String) -> String {
        let scheme = "urn:uuid:"
        return Substring(text.utf8.prefix(scheme.utf8.count)).asciiLowercased.hasSameBytes(as: scheme)
            ? String(Substring(text.utf8.dropFirst(scheme.utf8.count))) : text
    }

    private static func check(_ count: Int) throws(InvalidText) {
        guard count <= mostOfOne else { throw InvalidText("occurs more than \(mostOfOne) times") }
    }

    private mutating func readEmail(_ property: CardProperty) throws(InvalidText) {
        var text = try plain(property)
        guard !text.isEmpty, !property.types.contains("X400") else { return }
        emailCount += 1
        try Self.check(emailCount)
        if Substring(text.utf8.prefix(7)).asciiLowercased.hasSameBytes(as: "mailto:") {
            text = String(Substring(text.utf8.dropFirst(7)))
        }
        // An internationalized domain may be written in Unicode or as A-labels; both are the same address.
        let key = (try? EmailAddress(validating: text))?.text ?? text
        guard knownEmails.insert(ByteKey(key.asciiLowercased)).inserted else { return }
        emails.append((property.preference, key))
    }

    private mutating func readTelephone(_ property: CardProperty) throws(InvalidText) {
        var text = try plain(property)
        let isSpoken = property.types.contains("VOICE") || property.types.contains("CELL")
        guard !text.isEmpty, isSpoken || Self.deaf.isDisjoint(with: property.types) else { return }
        // RFC 3966: parameters follow the number; a URI with another scheme is not a telephone number.
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

    /// The card's values, in the order of ``CardReader/columns``.
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

    /// Family name, given name, additional names, prefixes, suffixes (RFC 6350, 6.2.2); each may have several values.
    private mutating func readName(_ property: CardProperty) throws(InvalidText) {
        let parts = CardProperty.parts(try property.text(), at: UInt8(ascii: ";"), most: 4).map { part in
            let several = isOld ? [part] : CardProperty.parts(part, at: UInt8(ascii: ","), most: 100)
            return several.map(CardProperty.unescaped).joined(separator: " ")
        }
        for (column, part) in zip(["familyName", "givenName", "", "honorificPrefix"], parts) where !column.isEmpty {
            say(column, part)
        }
    }

    /// The most preferred first, otherwise in their order.
    private mutating func place(_ values: [(preference: Int, text: String)], first: String, others: String) {
        let sorted = values.enumerated().sorted { one, other in
            (one.element.preference, one.offset) < (other.element.preference, other.offset)
        }.map(\.element.text)
        guard let value = sorted.first else { return }
        cells[first] = value
        if sorted.count > 1 { cells[others] = Cell.list(of: Array(sorted.dropFirst())) }
    }
}
