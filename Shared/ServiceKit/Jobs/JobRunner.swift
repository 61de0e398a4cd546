import Logging
import Metrics
import Postgres
import ServiceLifecycle

/// Runs the jobs of a service, and its schedules. One in each replica.
///
/// On graceful shutdown it claims no more jobs and lets the running ones end; those that take too long are cancelled
/// and released.
struct JobRunner: Service {
    struct Settings: Sendable {
        /// How often a queue is polled when nothing is notified.
        var poll: Duration = .seconds(5)
        /// How often a queue under load is read from its beginning.
        var wholeReading: Duration = .seconds(1)
        /// How long running jobs may continue after a shutdown began.
        var grace: Duration = .seconds(15)
        var pauseAfterFailure: Duration = .milliseconds(500)
        var backOff = BackOff()
        /// How often the queue is counted for the metrics.
        var counting: Duration = .seconds(15)

        init() {}
    }

    struct DuplicateKind: Error, CustomStringConvertible {
        let kind: String
        var description: String { "two handlers are registered for jobs of kind \(kind)" }
    }

    private let database: PostgresClient
    private let channel: String
    private let settings: Settings
    private let logger: Logger
    private let stopping = Latch()
    private let pools: [JobPool]
    private let scheduler: Scheduler

    /// - Parameters:
    ///   - schema: the service's schema, which names the channel that it is notified on.
    ///   - schedules: each becomes a kind of job of its own, `schedule.<name>`.
    /// - Throws: ``DuplicateKind``.
    init(
        database: PostgresClient, schema: String, jobs: [JobRegistration], schedules: [ScheduleRegistration] = [],
        settings: Settings = Settings(), logger: Logger
    ) throws {
        let all = jobs + schedules.map(\.job)
        if let twice = Dictionary(grouping: all, by: \.kind).first(where: { $0.value.count > 1 }) {
            throw DuplicateKind(kind: twice.key)
        }
        self.database = database
        channel = schema + "_job"
        self.settings = settings
        self.logger = logger
        let store = JobStore(database: database)
        let stopping = stopping
        pools = all.map {
            JobPool($0, store: store, settings: settings, stopping: stopping, logger: logger)
        }
        scheduler = Scheduler(database: database, schedules: schedules, settings: settings, logger: logger)
    }

    /// Claims no more jobs from now on; `run()` ends when the running ones have.
    func stop() {
        stopping.open()
        for pool in pools { pool.signal.raise() }
    }

    func run() async throws {
        await withGracefulShutdownHandler {
            await withTaskGroup(of: Void.self) { group in
                group.addTask { await listen() }
                group.addTask { await scheduler.run() }
                group.addTask { await count() }
                await work()
                group.cancelAll()
            }
        } onGracefulShutdown: {
            stop()
        }
    }

    private func work() async {
        await withTaskGroup(of: Void.self) { group in
            group.addTask {
                await withTaskGroup(of: Void.self) { workers in
                    for pool in pools { workers.addTask { await pool.run() } }
                    // Keeps running without any jobs: a service that ends early ends the process.
                    workers.addTask { await stopping.wait() }
                }
            }
            group.addTask {
                await stopping.wait()
                try? await Task.sleep(for: settings.grace)
            }
            await group.next()
            group.cancelAll()
        }
    }

    private func listen() async {
        let pools = Dictionary(uniqueKeysWithValues: pools.map { ($0.registration.kind, $0) })
        for await notification in database.listen(channel) {
            switch notification {
            case .reconnected:
                for pool in pools.values { pool.signal.raise() }
            case .message(_, let kind):
                pools[kind]?.signal.raise()
            }
        }
    }

    private func count() async {
        let queue = JobQueue(database: database)
        // A gauge that was never above zero makes no series.
        var known: Set<String> = []
        func gauge(_ label: String, _ dimensions: [(String, String)], _ value: Double) {
            let name = dimensions.reduce(label) { "\($0) \($1.1)" }
            guard value != 0 || known.contains(name) else { return }
            known.insert(name)
            Gauge(label: label, dimensions: dimensions).record(value)
        }
        while !Task.isCancelled {
            if let stats = try? await queue.stats() {
                let counted = Dictionary(uniqueKeysWithValues: stats.map { ($0.kind, $0) })
                for kind in Set(counted.keys).union(pools.map(\.registration.kind)) {
                    let numbers = counted[kind]
                    for (state, count) in [
                        (JobState.queued, numbers?.queued), (.running, numbers?.running), (.dead, numbers?.dead),
                    ] {
                        gauge("jobs", [("kind", kind), ("state", state.rawValue)], Double(count ?? 0))
                    }
                    gauge("jobs_behind_seconds", [("kind", kind)], Double(numbers?.secondsBehind ?? 0))
                }
            }
            try? await Task.sleep(for: settings.counting)
        }
    }
}
