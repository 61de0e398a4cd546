import CLibpq
import Foundation
import Synchronization

/// Sends cancel requests. A server that does not answer keeps a thread each, so there are only a few at a time; beyond that the
/// server's `statement_timeout` has to do.
final class Cancellation: Sendable {
    static let shared = Cancellation()

    private static let limit = 4
    private let running = Atomic<Int>(0)

    /// Takes ownership of the `PGcancel`.
    func send(_ cancel: OpaquePointer) {
        guard running.add(1, ordering: .relaxed).newValue <= Cancellation.limit else {
            running.subtract(1, ordering: .relaxed)
            unsafe PQfreeCancel(cancel)
            return
        }
        let request = unsafe Request(pointer: cancel)
        Thread.detachNewThread { [self] in
            request.send()
            running.subtract(1, ordering: .relaxed)
        }
    }

    @safe
    private struct Request: @unchecked Sendable {
        let pointer: OpaquePointer

        init(pointer: OpaquePointer) {
            unsafe self.pointer = pointer
        }

        func send() {
            var reason = [CChar](repeating: 0, count: 256)
            unsafe PQcancel(pointer, &reason, Int32(reason.count))
            unsafe PQfreeCancel(pointer)
        }
    }
}
