import ClubProtocol
import Synchronization

/// Admits a few registrations per event to the database at a time; the others wait here, first come, first served.
///
/// They would wait for the session's lock anyway, but each would hold a connection: a rush on one session would leave
/// none for other requests, and requests that get no connection fail at the pool's timeout. The semaphore decides
/// nothing about seats, and each replica has its own.
final class KeyedSemaphore: Sendable {
    /// Permission to go ahead; released with the last reference to it.
    final class Pass: Sendable {
        private let semaphore: KeyedSemaphore
        private let event: Event.ID

        fileprivate init(_ semaphore: KeyedSemaphore, _ event: Event.ID) {
            self.semaphore = semaphore
            self.event = event
        }

        deinit { semaphore.leave(event) }
    }

    private struct Waiter {
        var number: UInt64
        var continuation: CheckedContinuation<Void, any Error>
    }

    private struct Queue {
        var inside = 0
        var waiting: [Waiter] = []
    }

    private struct State {
        var queues: [Event.ID: Queue] = [:]
        var next: UInt64 = 0
    }

    private let width: Int
    private let state = Mutex(State())

    /// - Parameter width: how many registrations for one event go ahead at once.
    init(width: Int) {
        self.width = max(1, width)
    }

    /// Waits for a pass.
    ///
    /// - Throws: `CancellationError` when the task is cancelled while it waits.
    func enter(_ event: Event.ID) async throws -> Pass {
        let number = state.withLock { state in
            state.next += 1
            return state.next
        }
        try await withTaskCancellationHandler {
            try await withCheckedThrowingContinuation { continuation in
                let answer: Result<Void, any Error>? = state.withLock { state in
                    if Task.isCancelled { return .failure(CancellationError()) }
                    if state.queues[event, default: Queue()].inside < width {
                        state.queues[event, default: Queue()].inside += 1
                        return .success(())
                    }
                    state.queues[event]?.waiting.append(Waiter(number: number, continuation: continuation))
                    return nil
                }
                if let answer { continuation.resume(with: answer) }
            }
        } onCancel: {
            let waiter = state.withLock { state -> Waiter? in
                guard let index = state.queues[event]?.waiting.firstIndex(where: { $0.number == number }) else {
                    return nil
                }
                return state.queues[event]?.waiting.remove(at: index)
            }
            waiter?.continuation.resume(throwing: CancellationError())
        }
        return Pass(self, event)
    }

    /// How many tasks wait for a pass.
    func waiting(for event: Event.ID) -> Int {
        state.withLock { $0.queues[event]?.waiting.count ?? 0 }
    }

    /// Passes the place to the next waiter, or frees it.
    private func leave(_ event: Event.ID) {
        let next = state.withLock { state -> Waiter? in
            guard var queue = state.queues[event] else { return nil }
            var next: Waiter?
            if queue.waiting.isEmpty {
                queue.inside -= 1
            } else {
                next = queue.waiting.removeFirst()
            }
            state.queues[event] = queue.inside == 0 ? nil : queue
            return next
        }
        next?.continuation.resume()
    }
}
