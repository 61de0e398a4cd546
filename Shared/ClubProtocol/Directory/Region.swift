/// The official code of a région: `75` is Nouvelle-Aquitaine.
package struct Region: TextValue, ExpressibleByStringLiteral, Comparable {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard text.utf8.count == 2, text.isASCII, Self.departements[text] != nil else {
            throw InvalidText("is not a région code")
        }
        self.text = text
    }

    /// The thirteen of metropolitan France and the five overseas (loi n° 2015-29, code officiel géographique).
    package static let all: [Region] = departements.keys.sorted().map { Region(stringLiteral: $0) }

    private static let departements: [String: String] = [
        "01": "971",
        "02": "972",
        "03": "973",
        "04": "974",
        "06": "976",
        "11": "75 77 78 91 92 93 94 95",
        "24": "18 28 36 37 41 45",
        "27": "21 25 39 58 70 71 89 90",
        "28": "14 27 50 61 76",
        "32": "02 59 60 62 80",
        "44": "08 10 51 52 54 55 57 67 68 88",
        "52": "44 49 53 72 85",
        "53": "22 29 35 56",
        "75": "16 17 19 23 24 33 40 47 64 79 86 87",
        "76": "09 11 12 30 31 32 34 46 48 65 66 81 82",
        "84": "01 03 07 15 26 38 42 43 63 69 73 74",
        "93": "04 05 06 13 83 84",
        "94": "2A 2B",
    ]

    /// The région of a département; nil for overseas collectivities and Monaco.
    package init?(of departement: Departement) {
        guard let region = Self.all.first(where: { $0.departements.contains(departement) }) else { return nil }
        self = region
    }

    /// Its départements, in the order of their codes.
    package var departements: [Departement] {
        (Self.departements[text] ?? "").split(atByte: UInt8(ascii: " "), omittingEmpty: true).map {
            Departement(stringLiteral: String($0))
        }
    }

    package static var schema: TextSchema { TextSchema(pattern: "^[0-9]{2}$", example: "75") }
    package static func < (left: Region, right: Region) -> Bool { left.text < right.text }
}
