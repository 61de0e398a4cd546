import Postgres

/// What the kit cleans up in every service, by schedules that run once across all replicas.
enum Housekeeping {
    static func crons(_ database: PostgresClient) -> [CronRegistration] {
        [
            CronRegistration.idempotencyPurge(database),
            CronRegistration("feed-compaction", .every(.seconds(86_400))) { job in
                try await compactFeed(database) { try await job.heartbeat() }
            },
        ]
    }

    /// Leaves out of the feed what says nothing any more: of each thing, changes older than 30 days that a later one
    /// follows. Whoever reads the feed from its beginning still meets every thing, in its present state.
    static func compactFeed(_ database: PostgresClient, betweenPieces: () async throws -> Void = {}) async throws {
        let atOnce = 10_000
        var removed = atOnce
        while removed == atOnce {
            try await betweenPieces()
            removed = try await database.execute(
                """
                delete from change where (xid, id) in (
                    select xid, id
                    from (
                        select xid, id, at, lead(id) over (partition by entity, subject order by xid, id) as later
                        from change
                    ) as each
                    where later is not null and at < now() - interval '30 days'
                    limit \(atOnce)
                )
                """)
        }
    }
}
