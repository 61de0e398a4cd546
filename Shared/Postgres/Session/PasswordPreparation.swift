/// SASLprep (RFC 4013) as the server does it before it salts a password, so that both salt the same bytes.
///
/// Unlike the server we have no tables of Unicode's compatibility normalization. Those of Latin-1 are here; a password
/// with other characters that normalization could change is refused, rather than taken for a wrong one.
enum PasswordPreparation {
    static func prepare(_ password: String) throws(PostgresError) -> [UInt8] {
        let raw = Array(password.utf8)
        let isASCII = raw.allSatisfy { $0 < 0x80 }
        guard !isASCII else { return raw }
        let mapped = password.unicodeScalars.compactMap(map)
        // What may not be prepared is used as it is.
        guard !mapped.isEmpty, mapped.allSatisfy(isAllowed), isOneDirection(mapped) else { return raw }
        guard mapped.allSatisfy(isNormalizedHere) else {
            throw .noSession("the password has characters that need Unicode normalization, beyond Latin-1")
        }
        var prepared = ""
        for scalar in mapped { prepared += latin[scalar] ?? String(scalar) }
        return Array(prepared.utf8)
    }

    /// Tables C.1.2 and B.1 of RFC 3454: other spaces become the ASCII one, and some characters nothing.
    private static func map(_ scalar: Unicode.Scalar) -> Unicode.Scalar? {
        switch scalar.value {
        case 0xA0, 0x1680, 0x2000...0x200B, 0x202F, 0x205F, 0x3000: " "
        case 0xAD, 0x34F, 0x1806, 0x180B...0x180D, 0x200C, 0x200D, 0x2060, 0xFE00...0xFE0F, 0xFEFF: nil
        default: scalar
        }
    }

    /// Not in the tables C.2 to C.9 nor A.1, which has what Unicode 3.2 did not assign.
    private static func isAllowed(_ scalar: Unicode.Scalar) -> Bool {
        guard let age = scalar.properties.age, (age.major, age.minor) <= (3, 2) else { return false }
        switch scalar.value {
        case 0x340, 0x341, 0x6DD, 0x70F, 0x180E, 0x2028, 0x2029, 0x2FF0...0x2FFB, 0xFFF9...0xFFFD: return false
        default: break
        }
        switch scalar.properties.generalCategory {
        case .control, .format, .privateUse, .surrogate, .unassigned: return false
        default: return true
        }
    }

    /// RFC 3454, 6: text from right to left has no letters from left to right, and begins and ends with its own.
    private static func isOneDirection(_ text: [Unicode.Scalar]) -> Bool {
        let isRightToLeft = text.map(isFromRightToLeft)
        guard isRightToLeft.contains(true) else { return true }
        guard isRightToLeft.first == true, isRightToLeft.last == true else { return false }
        return !zip(text, isRightToLeft).contains { scalar, isRight in !isRight && scalar.properties.isAlphabetic }
    }

    /// Hebrew, Arabic, Syriac and Thaana letters, with their presentation forms.
    private static func isFromRightToLeft(_ scalar: Unicode.Scalar) -> Bool {
        switch scalar.value {
        case 0x5BE...0x7B1, 0xFB1D...0xFDFC, 0xFE70...0xFEFC:
            scalar.properties.generalCategory != .nonspacingMark
                && scalar.properties.generalCategory != .decimalNumber
        default: false
        }
    }

    private static func isNormalizedHere(_ scalar: Unicode.Scalar) -> Bool {
        if scalar.value <= 0xFF { return true }
        switch scalar.properties.generalCategory {
        // They may combine with what is before them.
        case .nonspacingMark, .spacingMark, .enclosingMark: return false
        default: break
        }
        // So do the parts of Korean syllables.
        if (0x1100...0x11FF).contains(scalar.value) { return false }
        // Normalization with folding of case leaves it alone, so normalization without does too.
        return scalar.properties.lowercaseMapping.unicodeScalars.allSatisfy { !$0.properties.changesWhenNFKCCaseFolded }
    }

    /// The characters of Latin-1 that compatibility normalization changes.
    private static let latin: [Unicode.Scalar: String] = [
        "\u{A8}": " \u{308}", "\u{AA}": "a", "\u{AF}": " \u{304}", "\u{B2}": "2", "\u{B3}": "3", "\u{B4}": " \u{301}",
        "\u{B5}": "\u{3BC}", "\u{B8}": " \u{327}", "\u{B9}": "1", "\u{BA}": "o", "\u{BC}": "1\u{2044}4",
        "\u{BD}": "1\u{2044}2", "\u{BE}": "3\u{2044}4",
    ]
}
