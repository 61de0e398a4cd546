import ClubProtocol
import Logging
package import Postgres

/// Something that is done by a schedule, once for all replicas.
///
/// Each time it is due, one replica puts a job of kind `cron.<name>` into the queue; so it is leased, retried and seen like
/// any other. What was due while no replica ran is done once when one is back; what is due while the last run still goes on is
/// left out. A run that is dead is seen until the next one is due, which has the same work.
package struct CronRegistration: Sendable {
    package let name: String
    package let schedule: CronSchedule
    let job: JobRegistration
    let kind: JobKind<Empty>

    /// - Parameters:
    ///   - name: as in `expire-tokens`.
    ///   - maximumAttempts: after so many the run is dead; the next comes at its time all the same.
    package init(
        _ name: String, _ schedule: CronSchedule, maximumAttempts: Int = 3, timeLimit: Duration = .seconds(600),
        handler: @escaping @Sendable (JobContext) async throws -> Void
    ) {
        self.name = name
        self.schedule = schedule
        kind = JobKind("cron.\(name)", maximumAttempts: maximumAttempts, timeLimit: timeLimit)
        job = JobRegistration(kind) { _, context in try await handler(context) }
    }
}

extension CronRegistration {
    /// Removes the stored answers to requests that are older than a day: each service has it.
    package static func idempotencyPurge(_ database: PostgresClient) -> CronRegistration {
        CronRegistration("purge-idempotency", .every(.seconds(600))) { job in
            // In pieces, so that no statement takes long and none locks many rows; by their places, as the planner reads the whole of a
            // small table for a piece that is named by keys. The time is looked at again: a key may be used anew meanwhile.
            while try await database.execute(
                """
                delete from idempotency
                where created_at < now() - interval '24 hours' and ctid = any(array(
                    select ctid from idempotency where created_at < now() - interval '24 hours' limit 1000))
                """) > 0
            {
                try await job.heartbeat()
            }
        }
    }
}

/// Puts what is due into the queue. Every replica looks; the database says who does it.
struct CronScheduler: Sendable {
    let database: PostgresClient
    let crons: [CronRegistration]
    let settings: JobRunner.Settings
    let logger: Logger

    /// Until the task is cancelled.
    func run() async {
        guard !crons.isEmpty else { return }
        var registered = false
        while !Task.isCancelled {
            var pause = settings.pauseAfterFailure
            do {
                if !registered { try await register() }
                registered = true
                pause = try await enqueueDue()
            } catch {
                logger.warning("the schedules cannot be read", metadata: ["reason": "\(JobFailure.reason(error))"])
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// A schedule that is new, or is not what it was, starts from now; by the database's clock.
    func register() async throws {
        let now = try await now()
        for cron in crons {
            try await database.execute(
                """
                insert into cron (name, schedule, next_run)
                values (\(cron.name), \(cron.schedule.description), \(cron.schedule.next(after: now)))
                on conflict (name) do update set schedule = excluded.schedule, next_run = excluded.next_run
                where cron.schedule <> excluded.schedule
                """)
        }
    }

    /// Takes each schedule that is due, and gives the time until the next one is.
    func enqueueDue() async throws -> Duration {
        let rows = try await database.query(
            """
            select name, next_run, now() as now, next_run <= now() as due from cron where name = any(\(crons.map(\.name)))
            """)
        let known = Dictionary(uniqueKeysWithValues: crons.map { ($0.name, $0) })
        var pause = settings.poll
        for row in rows {
            guard let cron = known[try row["name"]] else { continue }
            let now: Timestamp = try row["now"]
            var next: Timestamp = try row["next_run"]
            if try row["due"] {
                next = cron.schedule.next(after: now)
                try await take(cron, next: next)
            }
            pause = min(pause, .microseconds(max(1_000, next.microseconds - now.microseconds)))
        }
        return pause
    }

    /// Moves the schedule on and enqueues its job, in one statement: whoever comes second finds that it is not due.
    ///
    /// - Returns: whether it was us, and no earlier run is still under way.
    @discardableResult func take(_ cron: CronRegistration, next: Timestamp) async throws -> Bool {
        try await database.write(
            """
            with due as (
                update cron set next_run = \(next), last_run = now()
                where name = \(cron.name) and next_run <= now()
                returning name
            ), added as (
                insert into job (kind, payload, unique_key, maximum_attempts)
                select \(cron.kind.name), '{}', name, \(cron.kind.maximumAttempts)::integer from due
                on conflict (kind, unique_key) where state <> 'dead' and unique_key is not null do nothing
                returning kind
            ), followed as (
                delete from job using due where kind = \(cron.kind.name) and state = 'dead'
            )
            select pg_notify(current_schema() || '_job', kind) from added
            """
        ).first != nil
    }

    private func now() async throws -> Timestamp {
        guard let row = try await database.first("select now() as now") else {
            throw PostgresError(.decoding, message: "no time")
        }
        return try row["now"]
    }
}
