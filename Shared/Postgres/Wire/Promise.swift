/// A waiting caller. The promise is fulfilled exactly once, by the loop's thread alone, so an unchecked continuation
/// is safe. It saves a lock and an allocation per statement.
@safe
struct Promise<Value: Sendable>: Sendable {
    private let continuation: UnsafeContinuation<Value, any Error>

    func succeed(_ value: Value) {
        unsafe continuation.resume(returning: value)
    }

    func fail(_ error: PostgresError) {
        unsafe continuation.resume(throwing: error)
    }

    /// Suspends the task until the promise is fulfilled.
    static func wait(_ body: (Promise<Value>) -> Void) async throws -> Value {
        try await unsafe withUnsafeThrowingContinuation { continuation in
            body(unsafe Promise(continuation: continuation))
        }
    }
}
