/// A kind of job: its name, its payload, and how long it is attempted.
package struct JobKind<Payload: Codable & Sendable>: Sendable {
    /// The name in the queue, such as `delivery.send`; it never changes once there are rows with it.
    package let name: String
    /// The job is dead after this many attempts.
    package let maximumAttempts: Int
    /// How long a worker that no longer responds keeps the job. The lease is renewed while the handler runs.
    package let lease: Duration
    /// How long one attempt may take; then its task is cancelled, and the attempt has failed.
    package let timeLimit: Duration

    package init(
        _ name: String, maximumAttempts: Int = 20, lease: Duration = .seconds(30), timeLimit: Duration = .seconds(600)
    ) {
        precondition(!name.isEmpty && name.count <= 100 && maximumAttempts > 0 && lease > .zero)
        self.name = name
        self.maximumAttempts = maximumAttempts
        self.lease = lease
        self.timeLimit = timeLimit
    }
}

/// Thrown by a handler to discard the job: no attempt can succeed, so it is dead at once.
package struct JobDiscard: Error, Sendable {
    /// A few fixed words: they are stored and logged, so they must not contain values.
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// Thrown by a handler that knows when the next attempt makes sense; replaces the back-off.
struct JobSnooze: Error, Sendable {
    let delay: Duration
    /// A few fixed words: they are stored and logged, so they must not contain values.
    let reason: String

    init(for delay: Duration, _ reason: String) {
        self.delay = delay
        self.reason = reason
    }
}

/// The lease is no longer ours: another worker has the job, or it is done. Nothing more may be written for it.
struct LeaseLost: Error, Sendable {
    init() {}
}
