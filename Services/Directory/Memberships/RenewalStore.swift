import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of renewals: members of a year whose membership is extended to the next.
enum RenewalStore {
    /// A membership that lasts until the last day of a year, and is its organization's last.
    struct Ending: Decodable {
        var organization: Organization.ID
        var tier: Tier
    }

    /// In the order of renewal: two concurrent renewals wait for each other at the first one.
    static func ending(_ year: Int, in transaction: PostgresTransaction) async throws -> [Ending] {
        try await transaction.query(
            """
            select organization, tier from membership
            where during @> make_date(\(year)::integer, 12, 31) and until_day = make_date(\(year)::integer, 12, 31)
                and \(isLast)
            order by organization
            """
        ).decode(Ending.self)
    }

    /// Adds a membership for the year after `year` to each. One renewed meanwhile is skipped: memberships of one
    /// organization exclude each other.
    static func renew(
        _ endings: [Ending], after year: Int, in transaction: PostgresTransaction
    ) async throws -> [Membership.ID] {
        try await transaction.query(
            """
            insert into membership (id, organization, tier, from_day, until_day)
            select id, organization, tier, make_date(\(year + 1)::integer, 1, 1), make_date(\(year + 1)::integer, 12, 31)
            from unnest(
                \(endings.map { _ in Membership.ID() }), \(endings.map(\.organization)), \(endings.map(\.tier))::text[]
            ) with ordinality as ending (id, organization, tier, place)
            order by place
            on conflict do nothing
            returning id
            """
        ).map { try $0["id"] }
    }

    /// The number of members whose last membership ended within the year but before its last day: they left, and are
    /// not renewed.
    static func endedEarlier(_ year: Int, in transaction: PostgresTransaction) async throws -> Int {
        let row = try await transaction.first(
            """
            select count(*) as count from membership
            where during && daterange(make_date(\(year)::integer, 1, 1), make_date(\(year)::integer, 12, 31))
                and until_day between make_date(\(year)::integer, 1, 1) and make_date(\(year)::integer, 12, 30)
                and \(isLast)
            """)
        return try row?["count"] ?? 0
    }

    private static let isLast: SQL = """
        not exists (
            select from membership as later
            where later.organization = membership.organization and later.from_day > membership.until_day)
        """
}
