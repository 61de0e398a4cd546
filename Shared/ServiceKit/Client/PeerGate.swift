package import ClubProtocol
import Metrics
import Synchronization

/// How a peer has been answering, for the warnings of the health page.
package struct PeerState: Hashable, Sendable {
    package enum Condition: String, Sendable {
        /// Nobody has called it yet.
        case untried
        case up
        /// It did not answer the last call that tells.
        case down
    }

    package var condition: Condition
    /// Since when it has been so.
    package var since: Timestamp
    /// Why it counts as down, in a few fixed words.
    package var reason: String?
}

/// What all calls of this process to one peer share: the circuit breaker, the retry budget, the number under way.
final class PeerGate: Sendable {
    /// A call under way; the place is given back when the last reference goes.
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
            gate.inFlightGauge.record(count)
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
    private let inFlightGauge: Gauge
    private let retries: Counter
    private let duration: Timer
    private let outcomes: [CallOutcome: Counter]

    init(_ name: ServiceName, maximumInFlight: Int, breaker: CircuitBreaker, budget: RetryBudget = RetryBudget()) {
        self.name = name
        self.maximumInFlight = maximumInFlight
        state = Mutex(State(breaker: breaker, budget: budget))
        let peer = ("peer", name.rawValue)
        inFlightGauge = Gauge(label: "service_client_in_flight", dimensions: [peer])
        retries = Counter(label: "service_client_retries_total", dimensions: [peer])
        duration = Timer(label: "service_client_duration_seconds", dimensions: [peer])
        outcomes = CallOutcome.allCases.reduce(into: [:]) { counters, outcome in
            counters[outcome] = Counter(
                label: "service_client_calls_total", dimensions: [peer, ("outcome", outcome.rawValue)])
        }
    }

    var peerState: PeerState { state.withLock { $0.peer } }

    func enter() throws(ServiceClientError) -> Place {
        let count: Int? = state.withLock { state in
            guard state.inFlight < maximumInFlight else { return nil }
            state.inFlight += 1
            return state.inFlight
        }
        guard let count else { throw .unavailable(name, reason: "too many calls at once") }
        inFlightGauge.record(count)
        return Place(self)
    }

    func admit(retry: Bool) throws(ServiceClientError) -> CircuitBreaker.Admission {
        let admission = state.withLock { state in
            let admission = state.breaker.admit(at: .now)
            if admission != nil, !retry { state.budget.earn() }
            return admission
        }
        guard let admission else { throw .unavailable(name, reason: "circuit open") }
        if retry { retries.increment() }
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

    func count(_ outcome: CallOutcome, since start: ContinuousClock.Instant) {
        outcomes[outcome]?.increment()
        duration.record(duration: ContinuousClock.now - start)
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
