/// An account number (ISO 13616): no spaces, upper case, with valid check digits.
package struct IBAN: TextValue {
    package let text: String

    /// Accepts spaces, as people group the digits.
    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count <= 100 else { throw InvalidText("is not a valid IBAN") }
        let number = text.removingScalars(where: \.isBlank).asciiUppercased
        let bytes = Array(number.utf8)
        guard (15...34).contains(bytes.count), bytes[..<2].allSatisfy({ (0x41...0x5A).contains($0) }),
            bytes[2..<4].allSatisfy({ (0x30...0x39).contains($0) }), Modulo97.isRight(bytes)
        else { throw InvalidText("is not a valid IBAN") }
        self.text = number
    }

    package static var schema: TextSchema {
        TextSchema(minLength: 15, maxLength: 34, example: "FR7630006000011234567890189")
    }
}

/// The reference a creditor asks payers to quote in a transfer (ISO 11649): `RF`, two check digits and the creditor's
/// own reference.
package enum CreditorReference {
    /// The creditor's own part; nil if the text is not such a reference.
    ///
    /// - Parameter text: may be grouped with spaces.
    package static func body(of text: String) -> String? {
        guard text.utf8.count <= 60 else { return nil }
        let bytes = Array(text.removingScalars(where: \.isBlank).asciiUppercased.utf8)
        guard (5...25).contains(bytes.count), bytes.starts(with: "RF".utf8),
            bytes[2..<4].allSatisfy({ (0x30...0x39).contains($0) }), Modulo97.isRight(bytes)
        else { return nil }
        return String(decoding: bytes[4...], as: UTF8.self)
    }
}

/// The check digits shared by both (ISO/IEC 7064, MOD 97-10).
private enum Modulo97 {
    static func isRight(_ bytes: [UInt8]) -> Bool {
        var rest = 0
        for byte in bytes[4...] + bytes[..<4] {
            switch byte {
            case 0x30...0x39: rest = (rest * 10 + Int(byte - 0x30)) % 97
            case 0x41...0x5A: rest = (rest * 100 + Int(byte - 0x41) + 10) % 97
            default: return false
            }
        }
        return rest == 1
    }
}
