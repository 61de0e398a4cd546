import Metrics
import Synchronization

/// The client's metrics, named by OpenTelemetry's conventions for database clients, in Prometheus's spelling. Each
/// metric is created on first use and kept: looking it up for each statement would cost more than the statement's own
/// bookkeeping.
struct ClientMetrics: Sendable {
    private let durations = LazyMetric {
        Timer(label: "db_client_operation_duration_seconds", dimensions: [("db_system_name", "postgresql")])
    }
    private let inFlight = LazyMetric { Gauge(label: "db_client_active_operations") }
    private let poolWait = LazyMetric {
        Timer(label: "db_client_connection_wait_time_seconds", dimensions: [pool("leased")])
    }
    private let timeouts = LazyMetric {
        Counter(label: "db_client_connection_timeouts_total", dimensions: [pool("leased")])
    }
    private let sharedUsed = ClientMetrics.connections("shared", "used")
    private let leasedIdle = ClientMetrics.connections("leased", "idle")
    private let leasedUsed = ClientMetrics.connections("leased", "used")
    private let leasedConnecting = ClientMetrics.connections("leased", "connecting")

    private static func pool(_ name: String) -> (String, String) { ("db_client_connection_pool_name", name) }

    private static func connections(_ name: String, _ state: String) -> LazyMetric<Gauge> {
        LazyMetric {
            Gauge(
                label: "db_client_connection_count", dimensions: [("db_client_connection_state", state), pool(name)])
        }
    }

    func operation(nanoseconds: UInt64) {
        durations.made.recordNanoseconds(Int64(clamping: nanoseconds))
    }

    func waited(nanoseconds: UInt64) {
        poolWait.made.recordNanoseconds(Int64(clamping: nanoseconds))
    }

    func inFlight(_ count: Int) {
        inFlight.made.record(count)
    }

    func readConnections(_ count: Int) {
        sharedUsed.record(count)
    }

    func leasedConnections(idle: Int, busy: Int, connecting: Int) {
        leasedIdle.record(idle)
        leasedUsed.record(busy)
        leasedConnecting.record(connecting)
    }

    /// Errors are rare enough to be looked up. Errors from the server are labelled by SQLSTATE, our own by kind.
    func error(_ error: PostgresError) {
        if case .poolExhausted = error.kind { timeouts.made.increment() }
        let label =
            error.sqlState.map { ("db_response_status_code", $0) } ?? ("error_type", "\(error.kind)")
        Counter(
            label: "db_client_operation_errors_total", dimensions: [("db_system_name", "postgresql"), label]
        ).increment()
    }
}

/// A metric created on first use: without use there is no series.
final class LazyMetric<Metric: AnyObject & Sendable>: Sendable {
    private let reference = AtomicLazyReference<Metric>()
    private let make: @Sendable () -> Metric

    init(_ make: @escaping @Sendable () -> Metric) {
        self.make = make
    }

    /// Does not lock after the first use.
    var made: Metric { reference.load() ?? reference.storeIfNil(make()) }

    /// Whether it was ever used.
    var isMade: Bool { reference.load() != nil }
}

extension LazyMetric where Metric == Gauge {
    /// A first value of zero is not recorded: a pool that was never used has no series.
    func record(_ count: Int) {
        if count != 0 || isMade { made.record(count) }
    }
}
