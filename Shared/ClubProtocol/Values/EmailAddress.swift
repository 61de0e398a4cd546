/// An e-mail address: the subset of RFC 5321 that is in common use, at most 254 bytes. The domain is stored in lower
/// case with A-labels: `contact@école.example` is kept as `contact@xn--cole-9oa.example`.
package struct EmailAddress: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        let refusal = InvalidText("is not a valid e-mail address")
        // A character of the domain may take four bytes and its A-label fewer, so the result is measured as well.
        guard text.utf8.count <= 64 + 1 + 253 else { throw refusal }
        let bytes = Array(text.utf8)
        guard let at = bytes.firstIndex(of: UInt8(ascii: "@")), Self.isLocalPart(bytes[..<at]),
            let domain = DomainName.ascii(bytes[(at + 1)...])
        else { throw refusal }
        let kept = "\(String(decoding: bytes[..<at], as: UTF8.self))@\(domain)"
        guard kept.utf8.count <= 254 else { throw refusal }
        self.text = kept
    }

    package static var schema: TextSchema {
        TextSchema(format: "email", maxLength: 254, example: "contact@example.org")
    }

    /// `Dot-string` of RFC 5321, 4.1.2.
    private static func isLocalPart(_ bytes: ArraySlice<UInt8>) -> Bool {
        (1...64).contains(bytes.count)
            && bytes.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { atom in
                !atom.isEmpty && atom.allSatisfy(isAtomText)
            }
    }

    /// `atext` of RFC 5322, 3.2.3.
    private static func isAtomText(_ byte: UInt8) -> Bool {
        switch byte {
        case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"),
            UInt8(ascii: "0")...UInt8(ascii: "9"):
            true
        default: "!#$%&'*+-/=?^_`{|}~".utf8.contains(byte)
        }
    }
}
