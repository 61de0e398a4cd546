package import ClubProtocol
import FoundationEssentials
import Metrics
import Synchronization

/// How a peer has been answering, for warnings on the health page.
package struct PeerState: Hashable, Sendable {
    package enum Condition: String, Sendable {
        /// Not called yet.
        case untried
        case up
        /// It did not answer the last call that was conclusive.
        case down
    }

    package var condition: Condition
    /// Since when the condition has held.
    package var since: Timestamp
    /// Why it counts as down, in a few fixed words.
    package var reason: String?
}

/// What all calls of this process to one peer share: the circuit breaker, the retry budget, the number in flight.
final class PeerGate: Sendable {
    /// The place of a call in flight, released with its last reference.
    final class Place: Sendable {
        private let gate: PeerGate

        fileprivate init(_ gate: PeerGate) {
            self.gate = gate
        }

        deinit {
            let count = gate.state.withLock { state in
                state.inFlight -= 1
                return state.inFlight
            }
            gate.underWay(count)
        }
    }

    private struct State: Sendable {
        var breaker: CircuitBreaker
        var budget: RetryBudget
        var inFlight = 0
        var peer = PeerState(condition: .untried, since: .now)
    }

    private let name: ServiceName
    private let maximumInFlight: Int
    private let state: Mutex<State>
    /// `server_address` and `server_port` of OpenTelemetry's conventions for HTTP clients.
    private let server: [(String, String)]

    /// - Parameter address: scheme, host and port of the peer; nil if it has none.
    init(
        _ name: ServiceName, address: String?, maximumInFlight: Int, breaker: CircuitBreaker,
        budget: RetryBudget = RetryBudget()
    ) {
        self.name = name
        self.maximumInFlight = maximumInFlight
        state = Mutex(State(breaker: breaker, budget: budget))
        let url = address.flatMap { URLComponents(string: $0) }
        server = [
            ("server_address", url?.host ?? name.rawValue),
            ("server_port", String(url?.port ?? (url?.scheme == "https" ? 443 : 80))),
        ]
    }

    // MARK: Metrics

    // A metric is looked up each time: the cost is negligible beside a call, and an event that never happens makes no
    // series.

    private func underWay(_ count: Int) {
        Gauge(label: "http_client_active_requests", dimensions: server).record(count)
    }

    /// Records one request that was sent, up to the head of its response.
    ///
    /// - Parameter result: `("http_response_status_code", "200")`, or `("error_type", "timeout")` if no response came.
    func sent(_ method: String, _ result: (String, String), since start: ContinuousClock.Instant) {
        let dimensions = server + [("http_request_method", method)]
        Timer(label: "http_client_request_duration_seconds", dimensions: dimensions)
            .record(duration: ContinuousClock.now - start)
        Counter(label: "http_client_requests_total", dimensions: dimensions + [result]).increment()
    }

    /// Records one call, retries included.
    func count(_ outcome: CallOutcome) {
        Counter(
            label: "service_client_calls_total", dimensions: [("peer", name.rawValue), ("outcome", outcome.rawValue)]
        ).increment()
    }

    // MARK: Calls

    var peerState: PeerState { state.withLock { $0.peer } }

    func enter() throws(ServiceClientError) -> Place {
        let count: Int? = state.withLock { state in
            guard state.inFlight < maximumInFlight else { return nil }
            state.inFlight += 1
            return state.inFlight
        }
        guard let count else { throw .unavailable(name, reason: "too many calls at once") }
        underWay(count)
        return Place(self)
    }

    func admit(retry: Bool) throws(ServiceClientError) -> CircuitBreaker.Admission {
        let admission = state.withLock { state in
            let admission = state.breaker.admit(at: .now)
            if admission != nil, !retry { state.budget.earn() }
            return admission
        }
        guard let admission else { throw .unavailable(name, reason: "circuit open") }
        if retry {
            Counter(label: "service_client_retries_total", dimensions: [("peer", name.rawValue)]).increment()
        }
        return admission
    }

    func mayRetry() -> Bool { state.withLock { $0.budget.spend() } }

    func report(_ outcome: CircuitBreaker.Outcome, of admission: CircuitBreaker.Admission, reason: String? = nil) {
        state.withLock { state in
            state.breaker.report(outcome, of: admission, at: .now)
            let condition: PeerState.Condition
            switch outcome {
            case .success: condition = .up
            case .failure: condition = .down
            case .unknown: return
            }
            if state.peer.condition != condition { state.peer.since = .now }
            state.peer.condition = condition
            state.peer.reason = reason
        }
    }
}

/// How a call ended, in the metrics.
enum CallOutcome: String, CaseIterable, Sendable {
    case answered, problem, unavailable, deadline, malformed, cancelled

    init(_ error: any Error) {
        switch error as? ServiceClientError {
        case .problem: self = .problem
        case .unavailable: self = .unavailable
        case .deadline: self = .deadline
        case .malformed: self = .malformed
        case nil: self = error is CancellationError ? .cancelled : .malformed
        }
    }
}
