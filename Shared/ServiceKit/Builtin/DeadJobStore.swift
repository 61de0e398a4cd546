import ClubProtocol
import Postgres

/// The jobs that are no longer attempted, as operators see them.
enum DeadJobStore {
    /// The latest first.
    static func list(_ page: PageRequest, on executor: any PostgresExecutor) async throws -> Rows {
        let place = try page.place(of: 2) { key in Int64(key[1]).map { (died: key[0], id: $0) } }
        let after: SQL =
            if let (died, id) = place {
                "and died_at <= \(died)::timestamptz and (died_at < \(died)::timestamptz or id > \(id))"
            } else { "" }
        return try await executor.query(
            """
            select id, kind, attempt as attempts, created_at as "createdAt", died_at as "diedAt", last_error as reason,
                died_at::text as "_died"
            from job where state = 'dead' \(after)
            order by died_at desc, id limit \(page.limit + 1)
            """)
    }

    static func count(on executor: any PostgresExecutor) async throws -> Int {
        try await executor.first("select count(*) as count from job where state = 'dead'")?["count"] ?? 0
    }

    /// From dead to queued, with all its attempts again.
    ///
    /// - Throws: 404 if there is no dead job of this number; by `job_unique` if a live one has its unique key.
    static func revive(_ id: Int64, in transaction: PostgresTransaction) async throws {
        let revived = try await transaction.first(
            """
            with revived as (
                update job set state = 'queued', due_at = now(), attempt = 0, died_at = null
                where id = \(id) and state = 'dead' returning kind
            )
            select kind, pg_notify(current_schema() || '_job', kind) from revived
            """)
        guard revived != nil else { throw Problem(.notFound) }
    }

    /// - Throws: 404 if there is no dead job of this number.
    static func remove(_ id: Int64, in transaction: PostgresTransaction) async throws {
        let removed = try await transaction.execute("delete from job where id = \(id) and state = 'dead'")
        guard removed > 0 else { throw Problem(.notFound) }
    }
}
