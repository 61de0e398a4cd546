import ClubProtocol
import Postgres
import ServiceKit

/// The content of the sitemap.
enum SitemapStore {
    struct Entry: Decodable {
        var id: String
        var changedOn: Day
    }

    private static let columns: SQL = """
        id::text as id, (updated_at at time zone 'Europe/Paris')::date as "changedOn"
        """

    /// How many experts are published; at most `limit` + 1.
    static func count(upTo limit: Int, on executor: any PostgresExecutor) async throws -> Int {
        try await executor.first(
            "select count(*) as count from (select from expert where \(.published) limit \(limit + 1)) as found")?[
                "count"] ?? 0
    }

    /// How many members are published; at most `limit` + 1.
    static func countMembers(upTo limit: Int, on executor: any PostgresExecutor) async throws -> Int {
        try await executor.first(
            """
            select count(*) as count
            from (select from organization where \(.publicMember) limit \(limit + 1)) as found
            """)?["count"] ?? 0
    }

    static func members(
        after last: String?, limit: Int, on executor: any PostgresExecutor
    ) async throws -> [Entry] {
        let rules: [SQL] = [.publicMember] + (last.map { ["organization.id > \($0)::text::uuid"] } ?? [])
        return try await executor.query(
            "select \(columns) from organization where \(rules.all) order by organization.id limit \(limit)"
        ).decode(Entry.self)
    }

    /// By identifier: new experts come last, so earlier files do not change.
    static func experts(
        from start: Expert.ID?, limit: Int, on executor: any PostgresExecutor
    ) async throws -> [Entry] {
        let rules: [SQL] = [.published] + (start.map { ["expert.id >= \($0)"] } ?? [])
        return try await executor.query(
            "select \(columns) from expert where \(rules.all) order by expert.id limit \(limit)"
        ).decode(Entry.self)
    }

    /// The first expert of each file.
    static func starts(every size: Int, on executor: any PostgresExecutor) async throws -> [Expert.ID] {
        try await executor.query(
            """
            select id from (
                select id, row_number() over (order by id) as place from expert where \(.published)) as published
            where (place - 1) % \(size) = 0 order by id
            """
        ).map { try $0["id"] }
    }
}
