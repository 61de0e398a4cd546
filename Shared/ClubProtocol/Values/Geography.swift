/// A postal code. A French one (France, overseas, Monaco, the armed forces) is five digits, kept as text. A foreign
/// one follows its country's code, as on envelopes: `BE-1050`, `CH-1201`, `GB-SW1A 1AA` (ISO 3166-1, UPU S42). The
/// familiar vehicle codes (`B-1050`, `L-1009`) are accepted too.
package struct PostalCode: TextValue, ExpressibleByStringLiteral {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count <= 16, let code = Self.read(Array(text.utf8)) else {
            throw InvalidText("is not a valid postal code (5 digits)")
        }
        self.text = code
    }

    package static var schema: TextSchema {
        TextSchema(pattern: "^([0-9]{5}|[A-Z]{2}-[A-Z0-9][A-Z0-9 -]{0,8}[A-Z0-9])$", example: "64000")
    }

    /// Whether the code belongs to the French postal system.
    package var isFrench: Bool { text.utf8.count == 5 }

    private static func read(_ bytes: [UInt8]) -> String? {
        if isFrench(bytes[...]) { return String(decoding: bytes, as: UTF8.self) }
        let upper = bytes.map { (0x61...0x7A).contains($0) ? $0 - 0x20 : $0 }
        guard let hyphen = upper.prefix(3).firstIndex(of: UInt8(ascii: "-")) else { return nil }
        let letters = String(decoding: upper[..<hyphen], as: UTF8.self)
        let (country, code) = (ofCars[letters] ?? letters, upper[(hyphen + 1)...])
        if ofFrenchPost.contains(country) { return isFrench(code) ? String(decoding: code, as: UTF8.self) : nil }
        guard countries.contains(country), (2...10).contains(code.count), isSign(code.first), isSign(code.last),
            code.allSatisfy({ isSign($0) || $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "-") })
        else { return nil }
        return "\(country)-\(String(decoding: code, as: UTF8.self))"
    }

    private static func isFrench(_ bytes: ArraySlice<UInt8>) -> Bool {
        bytes.count == 5 && bytes.allSatisfy { (0x30...0x39).contains($0) } && !bytes.elementsEqual("00000".utf8)
    }

    private static func isSign(_ byte: UInt8?) -> Bool {
        guard let byte else { return false }
        return (0x30...0x39).contains(byte) || (0x41...0x5A).contains(byte)
    }

    private static let ofCars = [
        "A": "AT", "B": "BE", "D": "DE", "E": "ES", "F": "FR", "I": "IT", "L": "LU", "P": "PT",
    ]

    private static let ofFrenchPost: Set<String> = [
        "FR", "BL", "GF", "GP", "MC", "MF", "MQ", "NC", "PF", "PM", "RE", "TF", "WF", "YT",
    ]

    /// ISO 3166-1, alpha-2.
    private static let countries: Set<String> = Set(
        """
        AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG \
        CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL \
        GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA \
        LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP \
        NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV \
        SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW
        """.split(separator: " ").map(String.init))  // text: a constant
}

/// The official code of a département: `01`…`95`, `2A`, `2B`, `971`…`976`; of an overseas collectivity: `975`, `977`,
/// `978`, `986`, `987`, `988`; `980` for Monaco, which has French postal codes; and `990` for everywhere abroad.
package struct Departement: TextValue, ExpressibleByStringLiteral, Comparable {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard (2...3).contains(text.utf8.count), text.utf8.allSatisfy({ $0 < 0x80 }), Self.codes.contains(text) else {
            throw InvalidText("is not a valid département code")
        }
        self.text = text
    }

    /// The code of the département that a postal code lies in, as far as the code tells.
    ///
    /// A postal code names the office that sorts the letter, not the place of the building: some twenty communes have
    /// a code of the neighbouring département (Claret, 05110, lies in 04), and CEDEX codes have numbers of their own.
    /// By La Poste's list of codes: in Corsica the third digit decides (`203`, `205` and `207` are CEDEX codes of the
    /// south); `977` and `978` are CEDEX codes of La Réunion, while Saint-Barthélemy and Saint-Martin have `97133`
    /// and `97150`, and CEDEX codes that begin with `970`.
    ///
    /// The database has the same rules (`directory.departement_of`). Nil for the armed forces and for unassigned
    /// codes.
    package init?(postalCode: PostalCode) {
        guard postalCode.isFrench else {
            self = .abroad
            return
        }
        let digits = Array(postalCode.text.utf8).map { Int($0) - 0x30 }
        let (three, last) = (digits[0] * 100 + digits[1] * 10 + digits[2], digits[3] * 10 + digits[4])
        let code: String
        switch (three, last) {
        case (200...209, _): code = [0, 1, 3, 5, 7].contains(digits[2]) ? "2A" : "2B"
        case (971, 33), (970, 90...99): code = "977"
        case (971, 50), (970, 50...89): code = "978"
        case (977, _), (978, _): code = "974"
        case (971...976, _), (980, _), (986...988, _): code = String(three)
        case (970...999, _): return nil
        default: code = String(postalCode.text.prefix(2))
        }
        guard let departement = try? Departement(validating: code) else { return nil }
        self = departement
    }

    /// Where a record lies: the given département, unless the postal code rules it out; otherwise the one that the
    /// code tells.
    ///
    /// A mainland postal code does not rule out any mainland département, because some communes have a neighbour's
    /// code. A Corsican or overseas code decides. No combination is refused. The database has the same rules
    /// (`directory.departement_at`).
    package init?(said: Departement?, postalCode: PostalCode?) {
        let told = postalCode.flatMap { Departement(postalCode: $0) }
        switch (said, told) {
        case (let said?, let told?): self = said.isMainland && told.isMainland ? said : told
        case (let said?, nil): self = said
        case (nil, let told?): self = told
        case (nil, nil): return nil
        }
    }

    private var isMainland: Bool { text.utf8.count == 2 && text.utf8.last ?? 0 < 0x41 }

    /// The maximum number of départements that one record may name: more than exist.
    package static let mostOfOne = 200

    /// Every code except the one for abroad, in official order: 96 of metropolitan France (20 is `2A` and `2B`), five
    /// overseas départements, six collectivities and Monaco.
    package static let all: [Departement] = codes.subtracting(["990"]).sorted().map { Departement(stringLiteral: $0) }

    /// Outside all of them.
    package static let abroad: Departement = "990"

    private static let codes: Set<String> = Set(
        (1...95).filter { $0 != 20 }.map { $0 < 10 ? "0\($0)" : "\($0)" }
            + ["2A", "2B", "971", "972", "973", "974", "975", "976", "977", "978", "980", "986", "987", "988", "990"])

    package static var schema: TextSchema {
        TextSchema(pattern: "^([0-9]{2}|2[AB]|97[1-8]|98[0678]|990)$", example: "64")
    }

    package static func < (left: Departement, right: Departement) -> Bool { left.text < right.text }
}
