import FoundationEssentials
import Postgres

/// A job that we have claimed, until its lease expires by the database's clock.
struct ClaimedJob: Sendable {
    let id: Int64
    let attempt: Int
    let token: UUID
    let payload: [UInt8]
}

/// The statements for the transitions of jobs. Each one for a running job names its lease and attempt: if another
/// worker has the job by now, it changes no row.
struct JobStore: Sendable {
    let database: PostgresClient

    struct Claim: Sendable {
        var jobs: [ClaimedJob] = []
        /// Jobs that are now dead, because their last attempt ended without a result.
        var died: [Int64] = []
        /// The position in the queue of the last claimed job.
        var last: Place?
    }

    /// A position in the order of the queue.
    struct Place: Sendable {
        /// As the server prints it, to full precision.
        let due: String
        let id: Int64
    }

    /// Claims what is due, in order: queued jobs, and running ones whose lease has expired.
    ///
    /// - Parameter from: claims nothing before this position. While an old transaction keeps the server from removing
    ///   dead rows, each claim would scan all of them again.
    func claim(kind: String, lease: Duration, limit: Int, from: Place? = nil) async throws -> Claim {
        let token = UUID()
        let floor: SQL = from.map { "and (due_at, id) >= (\($0.due)::timestamptz, \($0.id))" } ?? .empty
        let rows = try await database.write(
            """
            with taken as (
                select id, due_at from job
                where kind = \(kind) and state <> 'dead' and due_at <= now() \(floor)
                order by due_at, id limit \(limit)
                for update skip locked
            ), moved as (
                update job set
                    state = case when attempt < maximum_attempts then 'running' else 'dead' end,
                    attempt = least(attempt + 1, maximum_attempts),
                    lease_token = case when attempt < maximum_attempts then \(token) end,
                    due_at = now() + make_interval(secs => \(lease.seconds)),
                    died_at = case when attempt < maximum_attempts then null else now() end,
                    last_error = case when attempt < maximum_attempts then last_error else 'the last lease expired' end
                from taken where job.id = taken.id
                returning job.id, job.state, job.attempt, job.payload, taken.due_at as was_due
            )
            select id, state, attempt, payload, was_due::text as due from moved order by was_due, id
            """)
        var claim = Claim()
        for row in rows {
            let id: Int64 = try row["id"]
            if try row["state"] == JobState.running.rawValue {
                let payload: String = try row["payload"]
                claim.jobs.append(
                    ClaimedJob(id: id, attempt: try row["attempt"], token: token, payload: Array(payload.utf8)))
            } else {
                claim.died.append(id)
            }
            claim.last = Place(due: try row["due"], id: id)
        }
        return claim
    }

    /// Seconds until the next job of a kind is due; nil if there is none.
    func secondsToNext(kind: String) async throws -> Double? {
        try await database.first(
            """
            select greatest(extract(epoch from due_at - clock_timestamp()), 0)::float8 as seconds from job
            where kind = \(kind) and state <> 'dead' order by due_at, id limit 1
            """)?["seconds"]
    }

    /// Renews the lease. In a transaction it also keeps the job from being claimed until the transaction has ended.
    func renew(_ job: ClaimedJob, lease: Duration, on executor: any PostgresExecutor) async throws -> Bool {
        try await executor.execute(
            """
            update job set due_at = clock_timestamp() + make_interval(secs => \(lease.seconds))
            where \(held(job))
            """) == 1
    }

    /// From running to done.
    func finish(_ job: ClaimedJob, on executor: any PostgresExecutor) async throws -> Bool {
        try await executor.execute("delete from job where \(held(job))") == 1
    }

    /// From running back to queued.
    func retry(_ job: ClaimedJob, after delay: Duration, reason: String) async throws -> Bool {
        try await database.execute(
            """
            update job set state = 'queued', lease_token = null, last_error = \(reason),
                due_at = now() + make_interval(secs => \(delay.seconds))
            where \(held(job))
            """) == 1
    }

    /// From running back to queued, without counting the attempt: for one that we interrupted ourselves.
    func release(_ job: ClaimedJob) async throws -> Bool {
        try await database.write(
            """
            with returned as (
                update job set state = 'queued', lease_token = null, due_at = now(), attempt = attempt - 1
                where \(held(job)) returning kind
            )
            select kind, pg_notify(current_schema() || '_job', kind) from returned
            """
        ).first != nil
    }

    /// From running to dead.
    func discard(_ job: ClaimedJob, reason: String) async throws -> Bool {
        try await database.execute(
            """
            update job set state = 'dead', lease_token = null, last_error = \(reason), died_at = now()
            where \(held(job))
            """) == 1
    }

    /// The fencing condition: this attempt, under this lease.
    private func held(_ job: ClaimedJob) -> SQL {
        "id = \(job.id) and state = 'running' and lease_token = \(job.token) and attempt = \(job.attempt)"
    }
}
