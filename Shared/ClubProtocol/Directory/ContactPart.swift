/// Part of an e-mail address or telephone number, for looking up a record: `@chambre.ex`, `06 12 34`, `+33 6 12`.
///
/// At least three letters or digits. If it is only digits and their usual separators it is a number, otherwise an
/// address.
package struct ContactPart: TextValue {
    package let text: String
    /// The part as stored: of an address in lower case, of a number in dialled form.
    package let pattern: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count <= 100 else { throw InvalidText("is longer than 100 characters") }
        let bytes = try Self.ascii(text.removingScalars { $0 == "\u{A0}" || $0 == "\u{202F}" })
        guard bytes.allSatisfy({ (0x20..<0x7F).contains($0) }) else {
            throw InvalidText("is not part of an e-mail address or a telephone number")
        }
        let signs = Array(" .-/()+".utf8)
        let isNumber = bytes.allSatisfy { Self.isDigit($0) || signs.contains($0) }
        let pattern =
            isNumber
            ? Self.number(bytes) : String(decoding: bytes, as: UTF8.self).asciiLowercased.trimmingBlanks.description
        guard pattern.utf8.count(where: { Self.isDigit($0) || (0x61...0x7A).contains($0) }) >= 3 else {
            throw InvalidText("has fewer than three letters or digits")
        }
        self.text = text
        self.pattern = pattern
    }

    /// Converts internationalized domain labels to A-labels, in which addresses are stored: `@münchen`,
    /// `contact@école.example`. Only whole labels match: the A-label of a partial label cannot be derived.
    private static func ascii(_ text: String) throws(InvalidText) -> [UInt8] {
        guard !text.isASCII else { return Array(text.utf8) }
        let at = text.utf8.lastIndex(of: UInt8(ascii: "@"))
        let start = at.map { text.utf8.index(after: $0) } ?? text.startIndex
        let labels = text[start...].trimmingBlanks.split(atByte: UInt8(ascii: "."))
        var parts: [String] = []
        for label in labels {
            guard label.isASCII || DomainName.label(label.utf8) != nil else {
                throw InvalidText("is not part of an e-mail address or a telephone number")
            }
            parts.append(label.isASCII ? String(label) : DomainName.label(label.utf8) ?? "")
        }
        return Array((String(text[..<start]) + parts.joined(separator: ".")).utf8)
    }

    /// The dialled form: `00` becomes `+`, and a `0` in brackets after the country code is dropped.
    private static func number(_ bytes: [UInt8]) -> String {
        // text: at most a hundred bytes of ASCII
        var digits = String(decoding: bytes, as: UTF8.self).replacing("(0)", with: "").utf8.filter(isDigit)
        if digits.starts(with: "00".utf8) { digits.removeFirst(2) }
        return String(decoding: digits, as: UTF8.self)
    }

    private static func isDigit(_ byte: UInt8) -> Bool { (0x30...0x39).contains(byte) }

    package static var schema: TextSchema { TextSchema(minLength: 3, maxLength: 100, example: "06 12 34") }
}
