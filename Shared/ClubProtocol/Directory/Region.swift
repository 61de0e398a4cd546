/// The code of a région, as the State writes it: `75` is Nouvelle-Aquitaine.
package struct Region: TextValue, ExpressibleByStringLiteral, Comparable {
    package let text: String

    package init(validating text: String) throws(InvalidText) {
        guard Self.codes.contains(text) else { throw InvalidText("is no région code") }
        self.text = text
    }

    package init(stringLiteral value: String) {
        do { try self.init(validating: value) } catch { preconditionFailure(error.reason) }
    }

    /// The thirteen of the metropole and the five overseas (loi n° 2015-29, code officiel géographique).
    package static let all: [Region] = codes.sorted().map { Region(stringLiteral: $0) }

    private static let codes: Set<String> = [
        "01", "02", "03", "04", "06", "11", "24", "27", "28", "32", "44", "52", "53", "75", "76", "84", "93", "94",
    ]

    package static var schema: TextSchema { TextSchema(pattern: "^[0-9]{2}$", example: "75") }
    package static func < (left: Region, right: Region) -> Bool { left.text < right.text }
}
