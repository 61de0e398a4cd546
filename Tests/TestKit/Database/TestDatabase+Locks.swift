import Postgres

/// Lock waits in a test's database.
extension TestDatabase {
    /// Returns once this number of sessions wait for locks of others.
    package func untilWaiting(_ sessions: Int = 1) async throws {
        try await withClient { client in
            try await eventually("\(sessions) sessions wait for a lock") {
                let row = try await client.first(
                    """
                    select count(*) as count from pg_stat_activity
                    where datname = current_database() and wait_event_type = 'Lock'
                    """)
                return try row?["count", as: Int.self] ?? 0 >= sessions
            }
        }
    }
}
