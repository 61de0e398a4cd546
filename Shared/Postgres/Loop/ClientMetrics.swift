import Metrics

/// The client's figures. Made once: looking a metric up for each statement would cost more than the statement's own bookkeeping.
struct ClientMetrics: Sendable {
    private let shared = Timer(
        label: "postgres_client_operation_duration_seconds", dimensions: [("kind", "shared")])
    private let leased = Timer(
        label: "postgres_client_operation_duration_seconds", dimensions: [("kind", "leased")])
    private let inFlight = Gauge(label: "postgres_client_in_flight")
    private let poolWait = Timer(label: "postgres_client_pool_wait_seconds")
    private let sharedConnected = ClientMetrics.connections("shared", "connected")
    private let leasedIdle = ClientMetrics.connections("leased", "idle")
    private let leasedBusy = ClientMetrics.connections("leased", "busy")
    private let leasedConnecting = ClientMetrics.connections("leased", "connecting")

    private static func connections(_ pool: String, _ state: String) -> Gauge {
        Gauge(label: "postgres_client_connections", dimensions: [("pool", pool), ("state", state)])
    }

    func operation(purpose: Purpose, nanoseconds: UInt64) {
        (purpose == .leased ? leased : shared).recordNanoseconds(Int64(clamping: nanoseconds))
    }

    func waited(nanoseconds: UInt64) {
        poolWait.recordNanoseconds(Int64(clamping: nanoseconds))
    }

    func inFlight(_ count: Int) {
        inFlight.record(count)
    }

    func connections(shared: Int, idle: Int, busy: Int, connecting: Int) {
        sharedConnected.record(shared)
        leasedIdle.record(idle)
        leasedBusy.record(busy)
        leasedConnecting.record(connecting)
    }

    /// Errors are rare enough to be looked up.
    func error(_ error: PostgresError) {
        let state = error.sqlState ?? "\(error.kind)"
        Counter(label: "postgres_client_errors_total", dimensions: [("sqlstate", state)]).increment()
    }
}
