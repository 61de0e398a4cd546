import ClubProtocol

/// A person as a vCard 4.0 (RFC 6350).
struct Card: Decodable {
    var id: Person.ID
    var givenName: String
    var familyName: String
    var email: String?
    var telephone: Telephone?
    var organization: String?
    var updatedAt: Timestamp

    /// With a line end after every line, the last one too.
    var text: String {
        var text = Self.line("BEGIN", "VCARD") + Self.line("VERSION", "4.0")
        text += Self.line("UID", "urn:uuid:\(id)")
        text += Self.line("FN", Self.escaped("\(givenName) \(familyName)"))
        text += Self.line("N", "\(Self.escaped(familyName));\(Self.escaped(givenName));;;")
        if let email { text += Self.line("EMAIL;TYPE=work", Self.escaped(email)) }
        if let telephone {
            text += Self.line("TEL;VALUE=uri;TYPE=\"voice,work\"", telephone.uri)
        }
        if let organization { text += Self.line("ORG", Self.escaped(organization)) }
        text += Self.line("REV", updatedAt.text.filter { $0 != "-" && $0 != ":" }.prefix(15) + "Z")
        return text + Self.line("END", "VCARD")
    }

    /// RFC 6350, 3.4: what has a meaning in a value is told from what has none.
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

    /// A line of at most 75 octets, gone on with in the next one after a blank; no character is cut (RFC 6350, 3.2).
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
