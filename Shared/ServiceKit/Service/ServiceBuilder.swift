package import ClubProtocol
package import Postgres
package import ServiceLifecycle

/// Collects the features of a service: filled in by the service's ``ServiceApplication/assemble(_:into:)``.
package struct ServiceBuilder {
    /// The handlers of the API.
    package var routes = Routes()
    /// How callers with a record are looked up; by default, the directory is asked.
    package var callers: CallerCheck?
    private let backend: Backend
    private(set) var jobs: [JobRegistration] = []
    private(set) var schedules: [ScheduleRegistration] = []
    private(set) var snapshots: [ChangeSnapshot] = []
    private(set) var background: [any Service] = []
    private(set) var watches: [OperatorAlert] = []

    init(backend: Backend) {
        self.backend = backend
    }

    /// Handles the jobs of a kind.
    ///
    /// - Parameters:
    ///   - concurrency: how many at a time, in this process.
    ///   - work: throwing an error means another attempt later; ``JobDiscard`` means none.
    package mutating func job<Payload: Codable & Sendable>(
        _ kind: JobKind<Payload>, concurrency: Int = 1,
        _ work: @escaping @Sendable (Payload, JobContext) async throws -> Void
    ) {
        jobs.append(JobRegistration(kind, concurrency: concurrency, handler: work))
    }

    /// Does something repeatedly: once each time it is due, however many replicas there are.
    ///
    /// - Parameter name: lower-case words joined by hyphens: `expire-tokens`.
    package mutating func schedule(
        _ name: String, _ schedule: Schedule, _ work: @escaping @Sendable (JobContext) async throws -> Void
    ) {
        schedules.append(ScheduleRegistration(name, schedule, handler: work))
    }

    /// Sets what followers of this service's feed see of an entity: a statement that returns `id` and `data` of the
    /// records with these identifiers. The state is read when the feed is read; the feed itself stores none.
    package mutating func snapshot(_ entity: EntityName, _ statement: @escaping @Sendable (ChangedIDs) -> SQL) {
        snapshots.append(ChangeSnapshot(entity, query: statement))
    }

    /// Follows another service's feed. `apply` receives the changes in order, in the transaction that also stores the
    /// cursor: each change is applied once.
    ///
    /// - Parameter name: of this follower, which has its own cursor.
    package mutating func follow(
        _ service: ServiceName, name: String,
        _ apply: @escaping @Sendable ([Change], PostgresTransaction) async throws -> Void
    ) {
        do {
            background.append(
                FeedFollower(
                    following: try backend.peers[service], name: name, database: backend.database,
                    logger: backend.logger, apply: apply))
        } catch {
            // The service would not have started without an address for each of its peers.
            preconditionFailure("\(backend.name.rawValue) follows \(service.rawValue), which is not among its peers")
        }
    }

    /// Warns on the health page, as `component:measurement`, while there is something for operators to attend to.
    ///
    /// - Parameters:
    ///   - gauge: the metric that holds the count.
    ///   - help: the meaning of that metric.
    ///   - output: the text of the warning for a count of one or more.
    ///   - count: called every five seconds in each replica, so it must be cheap.
    package mutating func watch(
        _ component: String, _ measurement: String, gauge: String, help: String,
        output: @escaping @Sendable (Int) -> String, count: @escaping @Sendable () async throws -> Int
    ) {
        Observability.metrics.describe(gauge, help)
        let watch = OperatorAlert(component, measurement, gauge: gauge, output: output, count: count)
        watches.append(watch)
        background.append(watch)
    }

    /// Runs something for as long as the service runs. It starts when the schema is ready; it must end on a graceful
    /// shutdown.
    package mutating func run(_ service: any Service) {
        background.append(service)
    }
}
