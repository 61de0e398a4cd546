/// A telephone number in international form: `+` and 7 to 15 digits (ITU-T E.164).
///
/// One function parses what people write, whatever its source. A ten-digit number belongs to the French plan (ARCEP,
/// décision n° 2018-0881 and later): its first digits say whether it belongs to +33 or to a territory with a code of
/// its own. After a territory's code only its own numbers can be dialled: `+590 559…` is a number of Pau after the
/// code of Guadeloupe. A trunk prefix `0` after the country code is dropped: in brackets, except in the few countries
/// whose numbers begin with it; without brackets, where the national plan is known to have one. Spaces, dots,
/// hyphens, slashes and brackets are ignored. Short numbers are accepted if organizations are called by them, `3BPQ`,
/// `10YT` and `118XYZ`: they cannot be dialled from abroad and have no other form.
///
/// The database has the same rules (`directory.telephone`).
package struct Telephone: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count <= 40, let number = Self.read(Array(text.utf8)) else {
            throw InvalidText(Self.refusal)
        }
        self.text = number
    }

    /// Decodes input and stored values. A stored number that was valid under an older plan is still accepted.
    package init(from decoder: any Decoder) throws {
        let container = try decoder.singleValueContainer()
        let text = try container.decode(String.self)
        let comesIn = decoder.userInfo[.comesIn] != nil
        guard let number = comesIn ? try? Telephone(validating: text) : Telephone(kept: text) else {
            throw DecodingError.dataCorruptedError(in: container, debugDescription: Self.refusal)
        }
        self = number
    }

    /// A stored number, valid under whatever plan; nil for a text that never was a number.
    package init?(kept text: String) {
        guard let number = (try? Telephone(validating: text))?.text ?? (Self.isKept(text) ? text : nil) else {
            return nil
        }
        self.text = number
    }

    private static func isKept(_ text: String) -> Bool {
        let digits = text.utf8.dropFirst()
        return text.utf8.first == UInt8(ascii: "+") && (7...15).contains(digits.count) && digits.first != zero
            && digits.allSatisfy { (0x30...0x39).contains($0) }
    }

    private static let refusal = "is not a telephone number that can be dialled"

    package static var schema: TextSchema { TextSchema(maxLength: 40, example: "+33559000000") }

    /// Formatted for people: `05 59 00 00 00`, `+262 692 00 00 00`, `+44 2071838750`, `39 49`.
    package var written: String {
        guard let digits = text.utf8.first == UInt8(ascii: "+") ? text.dropFirst() : nil else {
            return text.utf8.count == 4
                ? Self.grouped(text[...], by: 2, first: 2) : Self.grouped(text[...], by: 3, first: 3)
        }
        let code = Self.codeLength(Array(digits.utf8)[...]) ?? 1
        let (country, rest) = (digits.prefix(code), digits.dropFirst(code))
        switch country {
        case "33": return Self.grouped("0\(rest)", by: 2, first: 2)
        case "262", "590", "594", "596": return "+\(country) \(Self.grouped(rest, by: 2, first: 3))"
        case "508": return "+\(country) \(Self.grouped(rest, by: 2, first: rest.utf8.count % 2 == 0 ? 2 : 3))"
        default: return "+\(country) \(rest)"
        }
    }

    /// RFC 3966.
    package var uri: String { text.utf8.first == UInt8(ascii: "+") ? "tel:\(text)" : "tel:\(text);phone-context=+33" }

    private static func grouped(_ digits: Substring, by size: Int, first: Int) -> String {
        var groups = [digits.prefix(first)]
        var rest = digits.dropFirst(first)
        while !rest.isEmpty {
            groups.append(rest.prefix(size))
            rest = rest.dropFirst(size)
        }
        return groups.joined(separator: " ")
    }

    // MARK: Reading

    /// - Parameter bytes: at most 40.
    private static func read(_ bytes: [UInt8]) -> String? {
        guard var digits = digits(of: bytes) else { return nil }
        var isWhole = false
        if digits.first == UInt8(ascii: "+") {
            digits.removeFirst()
            isWhole = true
        } else if digits.starts(with: "00".utf8) {
            digits.removeFirst(2)
            isWhole = true
        } else if digits.count == 10, digits[0] == zero, digits[1] != zero {
            digits.replaceSubrange(0..<1, with: "33".utf8)
        } else if isShort(digits) {
            return String(decoding: digits, as: UTF8.self)
        }
        guard !digits.isEmpty, digits.allSatisfy({ (0x30...0x39).contains($0) }), let code = codeLength(digits[...])
        else {
            return nil
        }
        let country = String(decoding: digits[..<code], as: UTF8.self)
        var national = digits[code...]
        guard let plan = french[country] else {
            guard isWhole else { return nil }
            if trunkPrefixed.contains(country), national.first == zero {
                digits.remove(at: code)
                national = digits[code...]
            }
            guard (7...15).contains(digits.count), isDialled(country, national) else { return nil }
            return "+\(String(decoding: digits, as: UTF8.self))"
        }
        if plan, national.first == zero { national = national.dropFirst() }
        guard national.first != zero else { return nil }
        return french(country, national)
    }

    /// Removes characters that only group the digits; nil if there is any other character.
    private static func digits(of bytes: [UInt8]) -> [UInt8]? {
        var digits: [UInt8] = []
        var hasTrunkPrefix = false
        var index = 0
        while index < bytes.count {
            switch bytes[index] {
            case 0x30...0x39: digits.append(bytes[index])
            case UInt8(ascii: "+"):
                guard digits.isEmpty else { return nil }
                digits.append(bytes[index])
            case UInt8(ascii: "("):
                guard !hasTrunkPrefix, let end = trunkPrefix(at: index, of: bytes) else { break }
                hasTrunkPrefix = true
                if isCountryCode(digits) { index = end }
            case UInt8(ascii: " "), UInt8(ascii: "."), UInt8(ascii: "-"), UInt8(ascii: "/"), UInt8(ascii: ")"):
                break
            default:
                guard let blank = blanks.first(where: { bytes[index...].starts(with: $0) }) else { return nil }
                index += blank.count - 1
            }
            index += 1
        }
        return digits
    }

    /// The end of `(0)` that begins at an index; nil for brackets around anything else.
    private static func trunkPrefix(at index: Int, of bytes: [UInt8]) -> Int? {
        guard let end = bytes[index...].firstIndex(of: UInt8(ascii: ")")) else { return nil }
        return bytes[(index + 1)..<end].filter { $0 != UInt8(ascii: " ") } == [zero] ? end : nil
    }

    /// Whether what has been read so far is a country code after which a `0` in brackets is a trunk prefix.
    private static func isCountryCode(_ digits: [UInt8]) -> Bool {
        let code =
            digits.starts(with: "+".utf8)
            ? digits.dropFirst() : digits.starts(with: "00".utf8) ? digits.dropFirst(2) : []
        return (1...3).contains(code.count) && !withLeadingZero.contains(String(decoding: code, as: UTF8.self))
    }

    /// In Italy, San Marino, Côte d’Ivoire and the Congo the 0 is dialled from abroad too.
    private static let withLeadingZero: Set<String> = ["39", "378", "225", "242"]

    /// Neighbouring countries, and others where members have numbers: there the 0 is a trunk prefix.
    private static let trunkPrefixed: Set<String> = [
        "31", "32", "40", "41", "43", "44", "46", "49", "61", "212", "213", "353",
    ]

    private static let zero = UInt8(ascii: "0")

    /// U+00A0, U+202F and the hyphens U+2010 to U+2013.
    private static let blanks: [[UInt8]] =
        [[0xC2, 0xA0], [0xE2, 0x80, 0xAF]] + (0x90...0x93).map { [0xE2, 0x80, $0] }

    private static func isShort(_ digits: [UInt8]) -> Bool {
        switch digits.count {
        case 4: digits[0] == UInt8(ascii: "3") || digits.starts(with: "10".utf8)
        case 6: digits.starts(with: "118".utf8)
        default: false
        }
    }

    /// A number with a country code of the French plan, assigned to the territory that its first digits belong to.
    private static func french(_ country: String, _ national: ArraySlice<UInt8>) -> String? {
        let number = String(decoding: national, as: UTF8.self)
        if country == "508" {
            let isKnown =
                national.count == 6
                ? isMiquelon(national) : national.count == 9 && national.starts(withOneOf: ["508", "708", "8", "9"])
            return isKnown ? "+508\(number)" : nil
        }
        guard national.count == 9 else { return nil }
        if let further = others[country] {
            let own = territories.first { $0.country == country }?.prefixes ?? []
            return national.starts(withOneOf: own + further) ? "+\(country)\(number)" : nil
        }
        if national.starts(with: "508".utf8) { return isMiquelon(national.dropFirst(3)) ? "+\(number)" : nil }
        let territory = territories.first { national.starts(withOneOf: $0.prefixes) }
        return "+\(territory?.country ?? country)\(number)"
    }

    /// - Parameter national: the six digits of Saint-Pierre-et-Miquelon.
    private static func isMiquelon(_ national: ArraySlice<UInt8>) -> Bool { national.first ?? zero > UInt8(ascii: "1") }

    /// The country codes of the French plan, and whether their national numbers are dialled with a leading 0.
    private static let french = ["33": true, "262": true, "590": true, "594": true, "596": true, "508": false]

    private static let territories: [(country: String, prefixes: [String])] = [
        ("590", ["590", "690", "691", "7090"]),
        ("594", ["594", "694", "70930", "70931", "70932", "70933", "70934"]),
        ("596", ["596", "696", "697", "7091"]),
        (
            "262",
            ["262", "263", "269", "639", "692", "693", "7092", "70935", "70936", "70937", "70938", "70939"]
        ),
    ]

    /// Other prefixes valid after a territory's code: further geographic, special and internet telephony numbers,
    /// which in ten digits cannot be told from those of +33.
    private static let others = [
        "590": ["5987", "8", "9"], "594": ["5988", "8", "9"], "596": ["5989", "8", "9"],
        "262": ["2688", "2689", "8", "9"],
    ]

    /// Whether a number of another plan has valid digits, as far as this is checked: North America, Wallis-et-Futuna,
    /// Nouvelle-Calédonie and Polynésie française.
    private static func isDialled(_ country: String, _ national: ArraySlice<UInt8>) -> Bool {
        let first = national.first ?? zero
        return switch country {
        case "1": national.count == 10 && first > UInt8(ascii: "1")
        case "681":
            national.count == 6
                ? national.starts(withOneOf: ["4", "7", "8", "9"]) : national.count == 9 && first == UInt8(ascii: "8")
        case "687": national.count == 6 && (first > UInt8(ascii: "1") || national.starts(with: "050".utf8))
        case "689":
            first == UInt8(ascii: "4") && [6, 8].contains(national.count)
                || first == UInt8(ascii: "8") && [8, 9].contains(national.count)
        default: true
        }
    }

    /// The number of digits of the country code; nil for one that the ITU has not assigned (E.164, list of 2025).
    private static func codeLength(_ digits: ArraySlice<UInt8>) -> Int? {
        var code = 0
        for (place, digit) in digits.prefix(3).enumerated() {
            code = code * 10 + Int(digit - zero)
            if countryCodes[place].contains(code) { return place + 1 }
        }
        return nil
    }

    private static let countryCodes: [Set<Int>] = [
        [1, 7],
        [
            20, 27, 30, 31, 32, 33, 34, 36, 39, 40, 41, 43, 44, 45, 46, 47, 48, 49, 51, 52, 53, 54, 55, 56, 57, 58, 60,
            61,
            62, 63, 64, 65, 66, 81, 82, 84, 86, 90, 91, 92, 93, 94, 95, 98,
        ],
        Set(
            [211, 212, 213, 216, 218] + Array(220...258) + Array(260...269) + [290, 291, 297, 298, 299]
                + Array(350...359) + Array(370...378) + [380, 381, 382, 383, 385, 386, 387, 389, 420, 421, 423]
                + Array(500...509) + Array(590...599) + [670] + Array(672...683) + Array(685...692)
                + [800, 808, 850, 852, 853, 855, 856, 870, 878, 880, 881, 882, 883, 886, 888] + Array(960...968)
                + Array(970...977) + [979, 992, 993, 994, 995, 996, 998]),
    ]
}

extension ArraySlice<UInt8> {
    fileprivate func starts(withOneOf prefixes: [String]) -> Bool { prefixes.contains { starts(with: $0.utf8) } }
}

extension CodingUserInfoKey {
    /// Set by decoders of caller input, which is checked by today's rules.
    static let comesIn = CodingUserInfoKey(rawValue: "club.comesIn") ?? { preconditionFailure("a key has a name") }()
}
