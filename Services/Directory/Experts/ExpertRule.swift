import ClubProtocol
import Postgres

/// A condition on experts, and which indexes cover it.
struct ExpertRule {
    let condition: SQL
    /// Whether the indexes of the orders contain its columns: it is checked without reading the row.
    let isInOrder: Bool
    /// Whether so few rows meet it that it is best to skip the others in the index alone.
    let isRare: Bool
    /// Posting lists of which each contains every row that meets it, and all together no other row. Each is an array of
    /// terms, as named by `directory.expert_terms`: a row with any of them is in the list.
    let lists: [SQL]

    init(_ condition: SQL, isInOrder: Bool = false, isRare: Bool = false, lists: [SQL] = []) {
        self.condition = condition
        self.isInOrder = isInOrder
        self.isRare = isRare
        self.lists = lists
    }

    // MARK: In the order

    static var published: Self { Self(.published, isInOrder: true) }

    static func isA(_ subKind: Expert.SubKind) -> Self { Self("sub_kind = \(subKind)", isInOrder: true) }

    static func isLocated(in departement: Departement) -> Self { Self("departement = \(departement)", isInOrder: true) }

    static func isFresh(_ freshness: Freshness) -> Self {
        Self(.isFresh(freshness), isInOrder: true, isRare: freshness != .fresh)
    }

    static func isEnrolled(_ enrolled: Bool) -> Self { Self(.isEnrolled(enrolled), isInOrder: true) }

    // MARK: In lists

    static func isLocated(in region: Region) -> Self {
        Self(.isExpertLocated(in: region), lists: [terms("region", [region.text])])
    }

    static func serves(_ departement: Departement) -> Self {
        Self(.serves(departement), lists: [terms("serves", [departement.text])])
    }

    static func serves(_ region: Region) -> Self {
        Self(.serves(region), lists: [terms("serves", region.departements.map(\.text))])
    }

    static func resells(_ brand: Line) -> Self {
        Self(.resells(brand), lists: ["array['brand:' || directory.folded(\(brand.text))]"])
    }

    /// Words as they were read; each has a list. Without any word nothing matches: no expert has an empty name.
    static func has(_ readings: [ExpertWordStore.Reading]) -> Self {
        // In `to_tsquery` syntax: all words, each in one of its readings. Words consist of letters and digits only.
        let query = readings.map { "(\(([$0.typed] + $0.takenFor).joined(separator: " | ")))" }.joined(separator: " & ")
        return Self(
            readings.isEmpty ? "false" : "search @@ to_tsquery('directory.expert_words', \(query))",
            lists: readings.map { terms("word", $0.lexemes) })
    }

    private static func terms(_ kind: String, _ values: [String]) -> SQL {
        "\(values.map { "\(kind):\($0)" })::text[]"
    }

    // MARK: In the row

    /// Many experts are about each topic: a list of them would hardly be shorter than that of all.
    static func isAbout(_ topic: Topic) -> Self { Self(.isAbout(topic)) }

    static func hasChanged(since time: Timestamp) -> Self { Self(.hasChanged(since: time)) }
}
