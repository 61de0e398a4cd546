import ClubProtocol

/// A kind of job with its handler.
package struct JobRegistration: Sendable {
    let kind: String
    let lease: Duration
    let timeLimit: Duration
    let maximumAttempts: Int
    let concurrency: Int
    let handle: @Sendable ([UInt8], JobContext) async throws -> Void

    /// - Parameters:
    ///   - concurrency: how many of the kind run at once in one process.
    ///   - handler: runs the job. An error means another attempt later, ``JobDiscard`` that there is none. It may run
    ///     twice for one job, unless its effect is in a transaction that calls ``JobContext/finish(in:)``.
    package init<Payload>(
        _ kind: JobKind<Payload>, concurrency: Int = 1,
        handler: @escaping @Sendable (Payload, JobContext) async throws -> Void
    ) {
        precondition(concurrency > 0)
        self.kind = kind.name
        lease = kind.lease
        timeLimit = kind.timeLimit
        maximumAttempts = kind.maximumAttempts
        self.concurrency = concurrency
        handle = { payload, context in
            let value: Payload
            do {
                value = try LenientJSON.decode(Payload.self, from: payload)
            } catch {
                throw JobDiscard("the payload cannot be read")
            }
            try await handler(value, context)
        }
    }
}

/// How long a job that failed waits for its next attempt.
package struct BackOff: Sendable {
    package var first: Duration
    package var longest: Duration

    package init(first: Duration = .seconds(1), longest: Duration = .seconds(600)) {
        self.first = first
        self.longest = longest
    }

    /// Doubles after each attempt; a random half of it is subtracted, so that jobs that failed together are not retried
    /// together.
    ///
    /// - Parameter attempt: the one that failed, 1 for the first.
    package func delay(after attempt: Int) -> Duration {
        let doubled = first * Double(UInt64(1) << UInt64(min(max(attempt - 1, 0), 40)))
        return min(doubled, longest) * Double.random(in: 0.5...1)
    }
}
