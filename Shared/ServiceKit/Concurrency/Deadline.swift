/// The time allowed for a call has passed.
struct DeadlinePassed: Error {}

/// Runs `body` until `deadline`; then it is cancelled, and ``DeadlinePassed`` is thrown once it has stopped.
func withDeadline<Value: Sendable>(
    _ deadline: ContinuousClock.Instant, _ body: @escaping @Sendable () async throws -> Value
) async throws -> Value {
    try await withThrowingTaskGroup(of: Value?.self) { group in
        group.addTask { try await body() }
        group.addTask {
            try await Task.sleep(until: deadline, clock: .continuous)
            return nil
        }
        defer { group.cancelAll() }
        guard let finished = try await group.next(), let value = finished else { throw DeadlinePassed() }
        return value
    }
}
