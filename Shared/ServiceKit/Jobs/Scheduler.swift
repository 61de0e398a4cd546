import ClubProtocol
import Logging
import Postgres

/// Something that runs by a schedule, once for all replicas.
///
/// Each time it is due, one replica enqueues a job of kind `schedule.<name>`; so it is leased, retried and reported
/// like any other. If runs became due while no replica was up, one run makes up for them; a run that becomes due while
/// the previous one is in progress is skipped. A dead run is kept until the next one is due, which does the same work.
struct ScheduleRegistration: Sendable {
    let name: String
    let schedule: Schedule
    let job: JobRegistration
    let kind: JobKind<Empty>

    /// - Parameters:
    ///   - name: lower-case words joined by hyphens: `expire-tokens`.
    ///   - maximumAttempts: after so many the run is dead; the next run starts at its time all the same.
    init(
        _ name: String, _ schedule: Schedule, maximumAttempts: Int = 3, timeLimit: Duration = .seconds(600),
        handler: @escaping @Sendable (JobContext) async throws -> Void
    ) {
        precondition(name.utf8.allSatisfy { (97...122).contains($0) || $0 == UInt8(ascii: "-") }, name)
        if case .every(let interval) = schedule { precondition(interval >= .milliseconds(1), name) }
        self.name = name
        self.schedule = schedule
        kind = JobKind("schedule.\(name)", maximumAttempts: maximumAttempts, timeLimit: timeLimit)
        job = JobRegistration(kind) { _, context in try await handler(context) }
    }
}

/// Enqueues what is due. Every replica tries; the database decides which one does it.
struct Scheduler: Sendable {
    let database: PostgresClient
    let schedules: [ScheduleRegistration]
    let settings: JobRunner.Settings
    let logger: Logger

    /// Runs until the task is cancelled.
    func run() async {
        guard !schedules.isEmpty else { return }
        var registered = false
        while !Task.isCancelled {
            var pause = settings.pauseAfterFailure
            do {
                if !registered { try await register() }
                registered = true
                pause = try await enqueueDue()
            } catch {
                logger.warning("the schedules cannot be read", metadata: ["reason": "\(error.loggable)"])
            }
            try? await Task.sleep(for: pause)
        }
    }

    /// A new or changed schedule starts from now, by the database's clock.
    func register() async throws {
        let now = try await now()
        for registration in schedules {
            let schedule = registration.schedule
            try await database.execute(
                """
                insert into schedule (name, rule, next_run)
                values (\(registration.name), \(schedule.description), \(schedule.next(after: now)))
                on conflict (name) do update set rule = excluded.rule, next_run = excluded.next_run
                where schedule.rule <> excluded.rule
                """)
        }
    }

    /// Enqueues each schedule that is due, and returns the time until the next one is.
    func enqueueDue() async throws -> Duration {
        let rows = try await database.query(
            """
            select name, next_run, now() as now, next_run <= now() as due from schedule
            where name = any(\(schedules.map(\.name)))
            """)
        let known = Dictionary(uniqueKeysWithValues: schedules.map { ($0.name, $0) })
        var pause = settings.poll
        for row in rows {
            guard let registration = known[try row["name"]] else { continue }
            let now: Timestamp = try row["now"]
            var next: Timestamp = try row["next_run"]
            if try row["due"] {
                next = registration.schedule.next(after: now)
                try await take(registration, next: next)
            }
            pause = min(pause, .microseconds(max(1_000, next.microseconds - now.microseconds)))
        }
        return pause
    }

    /// Advances the schedule and enqueues its job, in one statement: the second replica to try finds that it is not
    /// due.
    ///
    /// - Returns: whether this call enqueued it, with no earlier run still in progress.
    @discardableResult func take(_ registration: ScheduleRegistration, next: Timestamp) async throws -> Bool {
        try await database.write(
            """
            with due as (
                update schedule set next_run = \(next), last_run = now()
                where name = \(registration.name) and next_run <= now()
                returning name
            ), added as (
                insert into job (kind, payload, unique_key, maximum_attempts)
                select \(registration.kind.name), '{}', name, \(registration.kind.maximumAttempts)::integer from due
                on conflict (kind, unique_key) where state <> 'dead' and unique_key is not null do nothing
                returning kind
            ), followed as (
                delete from job using due where kind = \(registration.kind.name) and state = 'dead'
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
