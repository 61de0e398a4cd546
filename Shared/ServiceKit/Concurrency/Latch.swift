import Synchronization

/// Something that happens once and stays so; any number of tasks may wait for it.
package final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var next: UInt64 = 0
        var waiting: [UInt64: Signal] = [:]
    }

    private let state = Mutex(State())

    package init() {}

    package var isOpen: Bool { state.withLock { $0.isOpen } }

    package func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for signal in waiting { signal.raise() }
    }

    /// Waits until it is open, or the task is cancelled.
    package func wait() async {
        let signal = Signal()
        let ticket = state.withLock { state -> UInt64? in
            guard !state.isOpen else { return nil }
            state.next += 1
            state.waiting[state.next] = signal
            return state.next
        }
        guard let ticket else { return }
        await signal.wait()
        state.withLock { _ = $0.waiting.removeValue(forKey: ticket) }
    }
}
