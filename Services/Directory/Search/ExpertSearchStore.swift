import ClubProtocol
import Postgres
import ServiceKit

/// What a search asks for, besides its words and its order.
struct ExpertFilter {
    var subKind: Expert.SubKind?
    var departement: Departement?
    var region: Region?
    var serves: Departement?
    var topic: Topic?
    var brand: Line?
    var updatedSince: Timestamp?

    fileprivate var rules: [SQL] {
        var rules: [SQL] = []
        if let subKind { rules.append("sub_kind = \(subKind)") }
        if let departement { rules.append("departement = \(departement)") }
        if let region { rules.append("departement in (select code from departement where region = \(region))") }
        if let serves { rules.append(.serves(serves)) }
        if let topic { rules.append(.isAbout(topic)) }
        if let brand { rules.append(.sells(brand)) }
        if let updatedSince { rules.append(.hasChanged(since: updatedSince)) }
        return rules
    }
}

/// Searches in one read-only transaction, whose statements are planned with their values: whether a word is rare or in every
/// third name decides between two plans that are a thousand times apart.
///
/// What few experts answer to is found and then sorted. What many answer to is walked in its order, by the index of that order,
/// until the page is full. So no search sorts or counts more than ``few`` experts, however many there are.
enum ExpertSearchStore {
    private static let few = 2000
    private static let facetLimit = 10_000

    static func list(
        _ query: SearchExperts.Query, _ page: PageRequest, for principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let search = try await Search(query.q, ExpertFilter(query), near: query.near, for: principal, in: transaction)
        let after = try page.stage
        let found = try await transaction.first(
            "select count(*) as count from (select from expert where \(search.rules.all) limit \(few + 1)) as found")
        let isFew = try found?["count", as: Int.self] ?? 0 <= few
        return isFew
            ? try await search.sort(after, limit: page.limit + 1, in: transaction)
            : try await search.walk(after, limit: page.limit + 1, in: transaction)
    }

    static func facets(
        _ query: CountExperts.Query, for principal: Principal, in transaction: PostgresTransaction
    ) async throws -> ExpertFacets {
        let search = try await Search(query.q, ExpertFilter(query), near: nil, for: principal, in: transaction)
        let rows = try await transaction.query(
            """
            with found as materialized (
                select sub_kind, expert.departement, topics, brands from expert
                where \(search.rules.all) limit \(facetLimit + 1)
            ), facet (kind, value) as (
                select 'subKind', sub_kind from found
                union all select 'departement', departement from found
                union all select 'region', region from found join departement on code = found.departement
                union all select 'topic', topic from found cross join unnest(topics) as topic
                union all select 'brand', brand from found cross join unnest(brands) as brand
            ), counted as (
                select kind, value, count(*) as count,
                    row_number() over (partition by kind order by count(*) desc, value) as place
                from facet group by kind, value
            )
            select kind, value, count from counted where place <= 20
            union all select 'all', '', count(*) from found
            order by kind, count desc, value
            """)
        var counts: [String: [FacetCount]] = [:]
        for row in rows {
            counts[try row["kind"], default: []].append(
                FacetCount(value: try row["value"], count: try row["count"]))
        }
        let all = counts["all"]?.first?.count ?? 0
        return ExpertFacets(
            counted: all, isComplete: all <= facetLimit, subKinds: counts["subKind"] ?? [],
            regions: counts["region"] ?? [], departements: counts["departement"] ?? [], topics: counts["topic"] ?? [],
            brands: counts["brand"] ?? [],
            // A word may be the name of an expert whom this caller is not to know of.
            readings: ExpertStore.rules(for: principal).isEmpty
                ? search.readings.filter { !$0.isKnown }.map { .init(typed: $0.typed, takenFor: $0.takenFor) } : [])
    }
}

/// One search, its words read.
private struct Search {
    /// What an expert must be.
    let rules: [SQL]
    let readings: [ExpertWordStore.Reading]
    /// The stages of the order: whoever is in an earlier one comes first.
    private let stages: Stages

    private enum Stages {
        case one
        /// Those whose name begins with this text, then the others.
        case beginning(Line)
        /// The same postal code, the same first three digits, then the départements from the nearest on.
        case near(PostalCode, Departement)
    }

    /// How far a list has come.
    struct Position {
        var stage: Int
        var key: String
        var id: Expert.ID
    }

    /// How many stages one statement looks through. The others of a word with which many names begin may be few, and far between.
    private var stride: Int { if case .near = stages { 8 } else { 1 } }
    private static let columns: SQL = #"document as "_document", sort_key as "_key", id as "_id""#

    init(
        _ words: Line?, _ filter: ExpertFilter, near: PostalCode?, for principal: Principal,
        in transaction: PostgresTransaction
    ) async throws {
        try await transaction.query(
            """
            select set_config('plan_cache_mode', 'force_custom_plan', true), set_config('enable_seqscan', 'off', true),
                set_config('jit', 'off', true),
                set_config('pg_trgm.similarity_threshold', '0.2', true)
            """)
        var rules = filter.rules + ExpertStore.rules(for: principal)
        if let words {
            readings = try await ExpertWordStore.read(words, in: transaction)
            // Nothing but blanks and signs: no expert is called that.
            rules.append(
                readings.isEmpty ? "false" : "search @@ to_tsquery('directory.french_folded', \(readings.query))")
        } else {
            readings = []
        }
        self.rules = rules
        if let near, let departement = Departement(postalCode: near) {
            stages = .near(near, departement)
        } else {
            stages = words.map { .beginning($0) } ?? .one
        }
    }

    /// All that answer to the search, sorted.
    func sort(_ after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        let stage: SQL =
            switch stages {
            case .one: "0"
            case .beginning(let text): "case when \(Self.begins(text)) then 0 else 1 end"
            case .near(let code, let departement):
                """
                case when postal_code = \(code) then 0
                    when left(postal_code, 3) = left(\(code)::text, 3) then 1
                    else 2 + (
                        select rank from departement_near as near
                        where near.origin = \(departement) and near.departement = expert.departement) end
                """
            }
        let goesOn: SQL =
            after.map { "(\"_stage\", \"_key\", \"_id\") > (\($0.stage)::integer, \($0.key), \($0.id))" } ?? "true"
        return try await transaction.query(
            """
            select * from (
                select \(Self.columns), \(stage) as "_stage" from expert where \(rules.all)
            ) as found
            where \(goesOn)
            order by "_stage", "_key", "_id" limit \(limit)
            """)
    }

    /// Stage after stage by the index of each, until the page is full.
    func walk(_ after: Position?, limit: Int, in transaction: PostgresTransaction) async throws -> Rows {
        let places = try await places(in: transaction)
        let start = min(after?.stage ?? 0, places.count - 1)
        var range = start..<min(start + stride, places.count)
        while true {
            let parts = range.map { stage -> SQL in
                var conditions = rules + places[stage]
                if let after, after.stage == stage { conditions.append("(sort_key, id) > (\(after.key), \(after.id))") }
                return """
                    (select \(Self.columns), \(stage)::integer as "_stage" from expert where \(conditions.all)
                    order by sort_key, id limit \(limit))
                    """
            }
            let rows = try await transaction.query(
                """
                select * from (\(parts.joined(separator: " union all "))) as found
                order by "_stage", "_key", "_id" limit \(limit)
                """)
            if rows.count >= limit || range.upperBound == places.count { return rows }
            // One statement gives the page: if some were found already, it looks through all that is left.
            range =
                rows.isEmpty
                ? range.upperBound..<min(range.upperBound + stride, places.count) : start..<places.count
        }
    }

    /// What an expert of each stage must be.
    private func places(in transaction: PostgresTransaction) async throws -> [[SQL]] {
        switch stages {
        case .one: return [[]]
        case .beginning(let text): return [[Self.begins(text)], ["not (\(Self.begins(text)))"]]
        case .near(let code, let departement):
            let near = try await transaction.query(
                "select departement from departement_near where origin = \(departement) order by rank")
            let elsewhere: SQL = "left(postal_code, 3) <> left(\(code)::text, 3)"
            let around: SQL = """
                postal_code >= left(\(code)::text, 3) || '00' and postal_code <= left(\(code)::text, 3) || '99'
                """
            return try [["postal_code = \(code)"], [around, "postal_code <> \(code)"]]
                + near.map { ["departement = \(try $0["departement", as: Departement.self])", elsewhere] }
        }
    }

    private static func begins(_ text: Line) -> SQL {
        """
        sort_key >= directory.sort_key(\(text.text)) and sort_key < directory.sort_key(\(text.text)) || chr(1114111)
        """
    }
}

extension PageRequest {
    /// Where a search goes on; nil on its first page.
    fileprivate var stage: Search.Position? {
        get throws {
            guard let after else { return nil }
            guard after.count == 3, let stage = Int(after[0]), let id = try? Expert.ID(validating: after[2]) else {
                throw Problem(.malformed, "The cursor does not belong to this list.")
            }
            return Search.Position(stage: stage, key: after[1], id: id)
        }
    }
}

extension ExpertFilter {
    init(_ query: SearchExperts.Query) {
        self.init(
            subKind: query.subKind, departement: query.departement, region: query.region, serves: query.serves,
            topic: query.topic, brand: query.brand, updatedSince: query.updatedSince)
    }

    init(_ query: CountExperts.Query) {
        self.init(
            subKind: query.subKind, departement: query.departement, region: query.region, serves: query.serves,
            topic: query.topic, brand: query.brand, updatedSince: query.updatedSince)
    }
}
