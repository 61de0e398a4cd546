import CLibpq
import Synchronization

/// Sends cancel requests. Each occupies a thread while the server does not respond, so only a few run at a time; any
/// others are left to the server's `statement_timeout`.
final class Cancellation: Sendable {
    static let shared = Cancellation()

    private static let limit = 4
    private let running = Atomic<Int>(0)

    /// Takes ownership of the `PGcancel`.
    ///
    /// - Parameter ended: called when the request is over, on any thread: true if the server accepted it or nothing
    ///   was sent, so that it cannot affect anything sent later.
    func send(_ cancel: OpaquePointer, ended: @escaping @Sendable (Bool) -> Void) {
        guard running.add(1, ordering: .relaxed).newValue <= Cancellation.limit else {
            running.subtract(1, ordering: .relaxed)
            unsafe PQfreeCancel(cancel)
            return ended(true)
        }
        let request = unsafe Request(pointer: cancel)
        BackgroundThread.start("cancellation") { [self] in
            let wasTaken = request.send()
            running.subtract(1, ordering: .relaxed)
            ended(wasTaken)
        }
    }

    @safe
    private struct Request: @unchecked Sendable {
        let pointer: OpaquePointer

        init(pointer: OpaquePointer) {
            unsafe self.pointer = pointer
        }

        /// libpq waits until the server closes the request's connection, which happens after the signal was sent.
        func send() -> Bool {
            var reason = [CChar](repeating: 0, count: 256)
            let wasTaken = unsafe PQcancel(pointer, &reason, Int32(reason.count)) == 1
            unsafe PQfreeCancel(pointer)
            return wasTaken
        }
    }
}
