/// Stops calls to a peer that does not answer, and tries again a little later: a pure state machine that is passed the
/// time.
///
/// ```
///             limit failures in a row                pause over
///   closed ──────────────────────────▶ open ──────────────────────────▶ probing
///     ▲                                 ▲                                 │ │
///     │                                 └──── probe failed: pause × 2 ────┘ │
///     └───────────────────────── probe succeeded ───────────────────────────┘
/// ```
struct CircuitBreaker: Sendable {
    enum State: Hashable, Sendable {
        /// Calls are let through.
        case closed(failures: Int)
        /// None is let through until then.
        case open(until: ContinuousClock.Instant, pause: Duration)
        /// One call is in progress, and its outcome decides.
        case probing(pause: Duration)
    }

    /// How a call was let through; its outcome is reported together with it.
    enum Admission: Hashable, Sendable {
        case ordinary, probe
    }

    enum Outcome: Hashable, Sendable {
        /// The peer answered.
        case success
        /// It did not, or reported that it cannot.
        case failure
        /// The call ended before the peer's state was known.
        case unknown
    }

    let limit: Int
    let pause: Duration
    let longestPause: Duration
    private(set) var state = State.closed(failures: 0)

    init(limit: Int = 5, pause: Duration = .seconds(1), longestPause: Duration = .seconds(4)) {
        self.limit = limit
        self.pause = pause
        self.longestPause = longestPause
    }

    /// Lets a call through, or refuses it with nil.
    mutating func admit(at now: ContinuousClock.Instant) -> Admission? {
        switch state {
        case .closed: return .ordinary
        case .probing: return nil
        case .open(let until, let pause):
            guard now >= until else { return nil }
            state = .probing(pause: pause)
            return .probe
        }
    }

    /// Every admitted call reports exactly once. Ordinary calls that return after the circuit has opened change
    /// nothing: only the probe closes it.
    mutating func report(_ outcome: Outcome, of admission: Admission, at now: ContinuousClock.Instant) {
        switch (state, admission, outcome) {
        case (.closed, .ordinary, .success):
            state = .closed(failures: 0)
        case (.closed(let failures), .ordinary, .failure):
            state =
                failures + 1 < limit
                ? .closed(failures: failures + 1) : .open(until: now.advanced(by: pause), pause: pause)
        case (.probing, .probe, .success):
            state = .closed(failures: 0)
        case (.probing(let pause), .probe, .failure):
            let longer = min(pause * 2, longestPause)
            state = .open(until: now.advanced(by: longer), pause: longer)
        case (.probing(let pause), .probe, .unknown):
            state = .open(until: now, pause: pause)
        default:
            break
        }
    }
}

/// Keeps retries from multiplying the load on a struggling peer: each call earns a fifth of a retry, so that at most
/// 1.2 requests are sent for each call. Starts empty unless given some retries; saves up at most `most` retries.
struct RetryBudget: Sendable {
    private static let price = 5

    let most: Int
    /// In fifths of a retry.
    private var savings = 0

    /// - Parameter saved: retries available from the start: for a program that makes a few calls and exits.
    init(most: Int = 10, saved: Int = 0) {
        self.most = most
        savings = min(saved, most) * Self.price
    }

    /// A call is sent for the first time.
    mutating func earn() {
        savings = min(savings + 1, most * Self.price)
    }

    /// Spends one retry, if there is one.
    mutating func spend() -> Bool {
        guard savings >= Self.price else { return false }
        savings -= Self.price
        return true
    }
}
