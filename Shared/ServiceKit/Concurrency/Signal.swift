import Synchronization

/// Wakes one waiting task. If raised while no task waits, it wakes the next one that does, once.
final class Signal: Sendable {
    private struct State {
        var isRaised = false
        var waiting: CheckedContinuation<Void, Never>?
    }

    private let state = Mutex(State())

    func raise() {
        let waiting = state.withLock { state -> CheckedContinuation<Void, Never>? in
            guard let waiting = state.waiting else {
                state.isRaised = true
                return nil
            }
            state.waiting = nil
            return waiting
        }
        waiting?.resume()
    }

    /// Waits until it is raised, or the task is cancelled.
    func wait() async {
        await withTaskCancellationHandler {
            await withCheckedContinuation { continuation in
                let goesOn = state.withLock { state in
                    if state.isRaised || Task.isCancelled {
                        state.isRaised = false
                        return true
                    }
                    state.waiting = continuation
                    return false
                }
                if goesOn { continuation.resume() }
            }
        } onCancel: {
            let waiting = state.withLock { state in
                defer { state.waiting = nil }
                return state.waiting
            }
            waiting?.resume()
        }
    }

    /// Waits until it is raised, the time is over, or the task is cancelled.
    func wait(upTo limit: Duration) async {
        guard limit > .zero else { return }
        await withTaskGroup(of: Void.self) { group in
            group.addTask { await self.wait() }
            group.addTask { try? await Task.sleep(for: limit) }
            await group.next()
            group.cancelAll()
        }
    }
}

/// Something that happens once and stays so; any number of tasks may wait for it.
final class Latch: Sendable {
    private struct State {
        var isOpen = false
        var next: UInt64 = 0
        var waiting: [UInt64: Signal] = [:]
    }

    private let state = Mutex(State())

    var isOpen: Bool { state.withLock { $0.isOpen } }

    func open() {
        let waiting = state.withLock { state in
            state.isOpen = true
            defer { state.waiting = [:] }
            return Array(state.waiting.values)
        }
        for signal in waiting { signal.raise() }
    }

    /// Waits until it is open, or the task is cancelled.
    func wait() async {
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
