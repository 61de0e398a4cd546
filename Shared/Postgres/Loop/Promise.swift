/// A caller that waits. Whoever holds it keeps it exactly once: the loop's thread alone decides, which is why the unchecked kind
/// of continuation, without a lock and an allocation for each statement, is good enough.
@safe
struct Promise<Value: Sendable>: Sendable {
    private let continuation: UnsafeContinuation<Value, any Error>

    func succeed(_ value: Value) {
        unsafe continuation.resume(returning: value)
    }

    func fail(_ error: PostgresError) {
        unsafe continuation.resume(throwing: error)
    }

    /// Suspends the task until the promise is kept.
    static func wait(_ body: (Promise<Value>) -> Void) async throws -> Value {
        try await unsafe withUnsafeThrowingContinuation { continuation in
            body(unsafe Promise(continuation: continuation))
        }
    }
}
