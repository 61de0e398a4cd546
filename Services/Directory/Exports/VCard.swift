import ClubProtocol

/// A person as a vCard: 4.0 (RFC 6350), or 3.0 (RFC 2426). An import of cards reads it back.
struct Card: Decodable {
    var id: Person.ID
    var honorificPrefix: String?
    var givenName: String?
    var familyName: String
    /// The preferred one, before the others.
    var email: String?
    var otherEmails: [String]?
    var telephone: Telephone?
    var otherTelephones: [Telephone]?
    var organization: String?
    var jobTitle: String?
    var updatedAt: Timestamp

    /// With a line end after every line, including the last.
    func text(_ version: CardVersion) -> String {
        var text = Self.line("BEGIN", "VCARD") + Self.line("VERSION", version.rawValue)
        text += Self.line("UID", "urn:uuid:\(id)")
        text += Self.line("FN", Self.escaped([givenName, familyName].compactMap(\.self).joined(separator: " ")))
        let name = [familyName, givenName ?? "", "", honorificPrefix ?? "", ""]
        text += Self.line("N", name.map(Self.escaped).joined(separator: ";"))
        let emails = (email.map { [$0] } ?? []) + (otherEmails ?? [])
        for (place, email) in emails.enumerated() {
            let isPreferred = place == 0 && emails.count > 1
            text += Self.line("EMAIL\(Self.emailParameters(version, isPreferred))", Self.escaped(email))
        }
        let telephones = (telephone.map { [$0] } ?? []) + (otherTelephones ?? [])
        for (place, telephone) in telephones.enumerated() {
            let isPreferred = place == 0 && telephones.count > 1
            let value = version == .v3 ? telephone.text : telephone.uri
            text += Self.line("TEL\(Self.telephoneParameters(version, isPreferred))", value)
        }
        if let organization { text += Self.line("ORG", Self.escaped(organization)) }
        if let jobTitle { text += Self.line("TITLE", Self.escaped(jobTitle)) }
        text += Self.line("REV", updatedAt.text.filter { $0 != "-" && $0 != ":" }.prefix(15) + "Z")
        return text + Self.line("END", "VCARD")
    }

    /// RFC 6350, 5.3 and 6.4.2; RFC 2426, 3.3.2.
    private static func emailParameters(_ version: CardVersion, _ isPreferred: Bool) -> String {
        switch version {
        case .v3: ";TYPE=INTERNET,WORK" + (isPreferred ? ",PREF" : "")
        case .v4: ";TYPE=work" + (isPreferred ? ";PREF=1" : "")
        }
    }

    /// RFC 6350, 6.4.1; RFC 2426, 3.3.1: a number there, not a URI.
    private static func telephoneParameters(_ version: CardVersion, _ isPreferred: Bool) -> String {
        switch version {
        case .v3: ";TYPE=WORK,VOICE" + (isPreferred ? ",PREF" : "")
        case .v4: ";VALUE=uri;TYPE=\"voice,work\"" + (isPreferred ? ";PREF=1" : "")
        }
    }

    /// RFC 6350, 3.4; RFC 2426, 4: escapes characters that are special in a value.
    private static func escaped(_ text: String) -> String {
        var result = ""
        for character in text.unicodeScalars {
            switch character {
            case "\\", ",", ";": result += "\\\(character)"
            case "\n": result += "\\n"
            case "\r": break
            default: result.unicodeScalars.append(character)
            }
        }
        return result
    }

    /// A line folded at 75 octets, each continuation beginning with a space; no character is split (RFC 6350, 3.2).
    static func line(_ name: String, _ value: some StringProtocol) -> String {
        var result = ""
        var length = 0
        for character in "\(name):\(value)".unicodeScalars {
            let size = UTF8.width(character)
            if length + size > 75 {
                result += "\r\n "
                length = 1
            }
            result.unicodeScalars.append(character)
            length += size
        }
        return result + "\r\n"
    }
}
