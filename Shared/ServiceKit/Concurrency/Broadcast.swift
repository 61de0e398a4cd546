import Synchronization

/// Notifies all subscribers.
final class Broadcast: Sendable {
    private struct State {
        var next: UInt64 = 0
        var signals: [UInt64: Signal] = [:]
    }

    private let state = Mutex(State())

    func ring() {
        let signals = state.withLock { Array($0.signals.values) }
        for signal in signals { signal.raise() }
    }

    /// Passes `body` a signal that is raised each time this rings.
    func listening<T>(_ body: (Signal) async throws -> T) async rethrows -> T {
        let signal = Signal()
        let ticket = state.withLock { state in
            state.next += 1
            state.signals[state.next] = signal
            return state.next
        }
        defer { state.withLock { _ = $0.signals.removeValue(forKey: ticket) } }
        return try await body(signal)
    }
}
