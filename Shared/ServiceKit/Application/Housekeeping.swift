import Postgres

/// The kit's clean-up in every service, by schedules that run once across all replicas.
enum Housekeeping {
    static func schedules(_ database: PostgresClient) -> [ScheduleRegistration] {
        [
            ScheduleRegistration("purge-idempotency", .every(.seconds(600))) { job in
                try await IdempotencyClaim.purge(on: database) { try await job.heartbeat() }
            },
            ScheduleRegistration("feed-compaction", .every(.seconds(86_400))) { job in
                try await FeedCompaction(database: database).run { try await job.heartbeat() }
            },
        ]
    }
}
