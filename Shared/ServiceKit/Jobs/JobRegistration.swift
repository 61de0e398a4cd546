import ClubProtocol

/// A kind of job with its handler.
struct JobRegistration: Sendable {
    let kind: String
    let lease: Duration
    let timeLimit: Duration
    let maximumAttempts: Int
    let concurrency: Int
    let handle: @Sendable ([UInt8], JobContext) async throws -> Void

    /// - Parameters:
    ///   - concurrency: how many of the kind run at once in one process.
    ///   - handler: runs the job. An error means another attempt later, ``JobDiscard`` that there is none. It may run
    ///     twice for one job, unless its effect is in a transaction that calls `JobContext.finish(in:)`.
    init<Payload>(
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
