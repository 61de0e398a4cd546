package import ClubProtocol
package import Postgres

/// Enqueues jobs of this service, and reports what is in the queue.
package struct JobQueue: Sendable {
    let database: PostgresClient

    package init(database: PostgresClient) {
        self.database = database
    }

    /// Enqueues a job that runs once the executor's transaction has committed, and never if it does not.
    ///
    /// - Parameters:
    ///   - unique: at most one job of the kind with this key is queued or running.
    ///   - at: not before this time; at once if nil.
    /// - Returns: the job's number, or nil if one with the same unique key is queued or running.
    /// - Throws: `PostgresError`; errors of encoding the payload.
    @discardableResult package func enqueue<Payload>(
        _ kind: JobKind<Payload>, _ payload: Payload, unique: String? = nil, at: Timestamp? = nil,
        in executor: any PostgresExecutor
    ) async throws -> Int64? {
        let json = JSONText(String(decoding: try WireJSON.encode(payload), as: UTF8.self))
        let row = try await executor.write(
            """
            with added as (
                insert into job (kind, payload, unique_key, due_at, maximum_attempts)
                values (\(kind.name), \(json), \(unique), coalesce(\(at), now()), \(kind.maximumAttempts)::integer)
                on conflict (kind, unique_key) where state <> 'dead' and unique_key is not null do nothing
                returning id
            )
            select id, pg_notify(current_schema() || '_job', \(kind.name)) from added
            """
        ).first
        return try row?["id"]
    }

    /// Enqueues many jobs of a kind in one statement.
    ///
    /// - Parameter unique: the unique key of each payload.
    /// - Returns: how many were added; those whose unique key is already queued or running are left out.
    @discardableResult package func enqueue<Payload>(
        _ kind: JobKind<Payload>, all payloads: [Payload], unique: (Payload) -> String? = { _ in nil },
        at: Timestamp? = nil, in executor: any PostgresExecutor
    ) async throws -> Int {
        guard !payloads.isEmpty else { return 0 }
        let texts = try payloads.map { String(decoding: try WireJSON.encode($0), as: UTF8.self) }
        let row = try await executor.write(
            """
            with added as (
                insert into job (kind, payload, unique_key, due_at, maximum_attempts)
                select \(kind.name), payload::jsonb, unique_key, coalesce(\(at), now()), \(kind.maximumAttempts)::integer
                from unnest(\(texts), \(payloads.map(unique))) as wanted (payload, unique_key)
                on conflict (kind, unique_key) where state <> 'dead' and unique_key is not null do nothing
                returning id
            )
            select count(*) as added, pg_notify(current_schema() || '_job', \(kind.name)) from added
            """
        ).first
        return try row?["added"] ?? 0
    }

    /// Withdraws queued jobs of a kind; a running one is not affected.
    ///
    /// - Returns: whether there was a queued job with this key.
    package func withdraw<Payload>(
        _ kind: JobKind<Payload>, unique: String, in executor: any PostgresExecutor
    ) async throws -> Bool {
        try await executor.execute(
            """
            delete from job where kind = \(kind.name) and unique_key = \(unique) and state = \(JobState.queued.rawValue)
            """) > 0
    }

    /// The number of jobs in the queue, by kind.
    func stats() async throws -> [JobStatistics] {
        try await database.query(
            """
            select kind,
                count(*) filter (where state = 'queued') as queued,
                count(*) filter (where state = 'running') as running,
                count(*) filter (where state = 'dead') as dead,
                coalesce(extract(epoch from now() - min(due_at) filter (where state <> 'dead' and due_at < now())), 0)
                    ::bigint as "secondsBehind"
            from job group by kind order by kind
            """
        ).decode(JobStatistics.self)
    }
}

/// The counts of one kind of job.
struct JobStatistics: Codable, Hashable, Sendable {
    var kind: String
    var queued: Int
    var running: Int
    var dead: Int
    /// How long the oldest job has been overdue.
    var secondsBehind: Int
}
