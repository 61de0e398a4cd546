package import ClubProtocol
package import Postgres
package import ServiceLifecycle

/// What the features of a service put together: the service's ``ServiceApplication/assemble(_:into:)`` fills it.
package struct ServiceBuilder {
    /// The handlers of the API.
    package var routes = Routes()
    /// How callers whom a record stands behind are looked up; where the service says nothing, it asks the directory.
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

    /// Works on the jobs of a kind.
    ///
    /// - Parameters:
    ///   - concurrency: how many at a time, in this process.
    ///   - work: throwing means once more, later; ``JobDiscard`` means never again.
    package mutating func job<Payload: Codable & Sendable>(
        _ kind: JobKind<Payload>, concurrency: Int = 1,
        _ work: @escaping @Sendable (Payload, JobContext) async throws -> Void
    ) {
        jobs.append(JobRegistration(kind, concurrency: concurrency, handler: work))
    }

    /// Does something again and again: once each time that it is due, however many replicas there are.
    ///
    /// - Parameter name: lower-case words joined by hyphens: `expire-tokens`.
    package mutating func schedule(
        _ name: String, _ schedule: Schedule, _ work: @escaping @Sendable (JobContext) async throws -> Void
    ) {
        schedules.append(ScheduleRegistration(name, schedule, handler: work))
    }

    /// Says what the followers of this service's feed get to see of an entity: a statement that gives `id` and `data` of
    /// those with these identifiers. The state is read when the feed is; the feed itself keeps none.
    package mutating func snapshot(_ entity: String, _ statement: @escaping @Sendable (ChangedIDs) -> SQL) {
        snapshots.append(ChangeSnapshot(entity, query: statement))
    }

    /// Follows another service's feed. `apply` gets the changes in their order, in the transaction that also keeps how
    /// far we have come: each change is applied once.
    ///
    /// - Parameter name: of this follower; it has its own place in the feed.
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
            // The start was refused unless every peer that the service calls has an address.
            preconditionFailure("\(backend.name.rawValue) follows \(service.rawValue), which is not among its peers")
        }
    }

    /// Warns on the health page, `component:measurement`, while there is something for operators to see to.
    ///
    /// - Parameters:
    ///   - gauge: the metric that has the count.
    ///   - output: what the warning says of that many, one or more.
    ///   - count: asked every five seconds in each replica, so it must be cheap.
    package mutating func watch(
        _ component: String, _ measurement: String, gauge: String, output: @escaping @Sendable (Int) -> String,
        count: @escaping @Sendable () async throws -> Int
    ) {
        let watch = OperatorAlert(component, measurement, gauge: gauge, output: output, count: count)
        watches.append(watch)
        background.append(watch)
    }

    /// Runs something for as long as the service runs. It begins when the schema is ready; it must end when it is asked to
    /// shut down gracefully.
    package mutating func run(_ service: any Service) {
        background.append(service)
    }
}
