import ClubProtocol
import Postgres
import ServiceKit

extension SearchExperts.Filter {
    /// Of everything but the words, which must be read first.
    var rules: [ExpertRule] {
        var rules: [ExpertRule] = []
        if let subKind { rules.append(.isA(subKind)) }
        if let departement { rules.append(.isLocated(in: departement)) }
        if let region { rules.append(.isLocated(in: region)) }
        if let serves { rules.append(.serves(serves)) }
        if let topic { rules.append(.isAbout(topic)) }
        if let brand { rules.append(.resells(brand)) }
        if let freshness { rules.append(.isFresh(freshness)) }
        if let enrolled { rules.append(.isEnrolled(enrolled)) }
        if let updatedSince { rules.append(.hasChanged(since: updatedSince)) }
        return rules
    }
}

/// Searches in one read-only transaction, whose statements are planned with their values: whether a word is rare or in
/// every third name decides between two plans whose costs differ by a factor of a thousand. ``ExpertWalk`` explains how
/// a page is found.
enum ExpertSearchStore {
    private static let facetLimit = 10_000
    /// The maximum cost of finding the rows to count, in the planner's units; beyond it, only `facetSample` are
    /// counted.
    private static let facetCost = 2500.0
    private static let facetSample = 1000

    static func list(
        _ query: SearchExperts.Query, _ page: PageRequest, for principal: Principal, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let search = try await Search(query.filter.first, for: principal, in: transaction)
        let walk = ExpertWalk(
            columns: #"document as "_document""#, rules: search.rules,
            order: try await .init(near: query.near, words: query.q, search.readings, in: transaction))
        return try await walk.page(after: page.stage, limit: page.limit + 1, in: transaction)
    }

    static func facets(
        _ query: CountExperts.Query, for principal: Principal, in transaction: PostgresTransaction
    ) async throws -> ExpertFacets {
        let search = try await Search(query, for: principal, in: transaction)
        let conditions = search.rules.map(\.condition)
        let cost = try await ExpertEstimate(of: conditions, in: transaction).cost
        let limit = cost > facetCost ? facetSample : facetLimit
        let rows = try await transaction.query(
            """
            with found as materialized (
                select sub_kind, departement, topics, brands, \(SQL.freshness) as freshness from expert
                where \(conditions.all) limit \(limit + 1)
            ), counted (kind, value, count) as (
                -- Rows that are the same are counted first, since the rest costs several times as much for each.
                select case when grouping(sub_kind) = 0 then 'subKind' when grouping(departement) = 0 then 'departement'
                        when grouping(freshness) = 0 then 'freshness' else 'all' end,
                    coalesce(sub_kind, departement, freshness, ''), coalesce(sum(count), 0)::bigint
                from (select sub_kind, departement, freshness, count(*) from found group by 1, 2, 3) as cell
                group by grouping sets ((sub_kind), (departement), (freshness), ())
                union all
                select 'topic', topic, sum(count)::bigint
                from (select topics, count(*) from found group by topics) as list cross join unnest(topics) as topic
                group by topic
                union all
                select 'brand', brand, sum(count)::bigint
                from (select brands, count(*) from found group by brands) as list cross join unnest(brands) as brand
                group by brand
            ), facet as (
                select * from counted
                union all
                select 'region', region, sum(count)::bigint from counted join departement on code = value
                where kind = 'departement' and region is not null group by region
            ), placed as (
                select *, row_number() over (partition by kind order by count desc, value) as place from facet
            )
            select kind, value, count from placed where place <= 20 order by kind, count desc, value
            """)
        var counts: [String: [FacetCount]] = [:]
        for row in rows {
            counts[try row["kind"], default: []].append(
                FacetCount(value: try row["value"], count: try row["count"]))
        }
        let all = counts["all"]?.first?.count ?? 0
        return ExpertFacets(
            counted: all, isComplete: all <= limit, subKinds: counts["subKind"] ?? [],
            regions: counts["region"] ?? [], departements: counts["departement"] ?? [], topics: counts["topic"] ?? [],
            brands: counts["brand"] ?? [], freshness: counts["freshness"] ?? [],
            // A word may be the name of an expert who must stay hidden from this caller.
            readings: ExpertStore.rules(for: principal).isEmpty
                ? search.readings.filter { !$0.isKnown }.map { .init(typed: $0.typed, takenFor: $0.takenFor) } : [])
    }
}

/// One search, with its words read.
private struct Search {
    let rules: [ExpertRule]
    let readings: [ExpertWordStore.Reading]

    init(
        _ filter: SearchExperts.Filter, for principal: Principal, in transaction: PostgresTransaction
    ) async throws {
        try await ExpertWalk.prepare(transaction)
        readings =
            if let words = filter.q {
                try await ExpertWordStore.read(
                    words, published: ExpertStore.seesOnlyPublished(principal), in: transaction)
            } else { [] }
        rules = filter.rules + ExpertStore.rules(for: principal) + (filter.q == nil ? [] : [.has(readings)])
    }
}

extension PageRequest {
    /// Where a search continues; nil on its first page.
    var stage: ExpertWalk.Position? {
        get throws {
            guard let after else { return nil }
            guard after.count == 3, let stage = Int(after[0]), let id = try? Expert.ID(validating: after[2]) else {
                throw Problem(.malformed, "The cursor does not belong to this list.")
            }
            return ExpertWalk.Position(stage: stage, key: after[1], id: id)
        }
    }
}
