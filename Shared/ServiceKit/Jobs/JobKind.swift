/// A kind of job: its name, what it needs to know, and how long it is tried.
package struct JobKind<Payload: Codable & Sendable>: Sendable {
    /// The name under which it stands in the queue, as in `delivery.send`; it never changes once rows bear it.
    package let name: String
    /// After so many attempts the job is dead.
    package let maximumAttempts: Int
    /// How long somebody who went silent keeps the job. It is renewed while the handler runs.
    package let lease: Duration
    /// How long one attempt may take; then its task is cancelled and the attempt has failed.
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

/// Thrown by a handler for a job that no attempt can do: it is dead at once.
package struct JobDiscard: Error, Sendable {
    /// A few fixed words: they are stored and logged, so no value belongs in them.
    package let reason: String

    package init(_ reason: String) {
        self.reason = reason
    }
}

/// Thrown by a handler that knows when the next attempt makes sense, instead of the back-off.
package struct JobSnooze: Error, Sendable {
    package let delay: Duration
    /// A few fixed words: they are stored and logged, so no value belongs in them.
    package let reason: String

    package init(for delay: Duration, _ reason: String) {
        self.delay = delay
        self.reason = reason
    }
}

/// The lease is no longer ours: somebody else has the job, or it was done. Nothing may be written in its name.
package struct LeaseLost: Error, Sendable {
    package init() {}
}
