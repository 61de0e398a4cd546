import ClubProtocol
import DequeModule
import NIOCore
import Synchronization

/// How many requests are processed at the same time. Beyond that some wait a moment, and all others are refused at
/// once: fail fast rather than queue.
final class Admission: Sendable {
    private struct Waiter {
        let since: NIODeadline
        let continuation: CheckedContinuation<Bool, Never>
    }

    private struct State {
        var running = 0
        var waiting: Deque<Waiter> = []
        /// Requests that released their place while they waited for something outside; they go before new ones.
        var returning: Deque<CheckedContinuation<Void, Never>> = []
        /// Since when the queue has not been empty.
        var crowdedSince: NIODeadline?
        var isSweeping = false
    }

    private let places: Int
    private let seats: Int
    private let patience: TimeAmount
    private let state = Mutex(State())

    init(places: Int, seats: Int, patience: Duration) {
        self.places = places
        self.seats = seats
        self.patience = TimeAmount(patience)
    }

    /// Requests in progress.
    var running: Int { state.withLock { $0.running } }

    /// Whether any request waits for a place, and whether any waits to have its place back.
    var hasWaiting: Bool { state.withLock { !$0.waiting.isEmpty } }
    var hasReturning: Bool { state.withLock { !$0.returning.isEmpty } }

    /// Whether a new request could not even wait: checked before anything is spent on it.
    var isFull: Bool { state.withLock { $0.running >= places && $0.waiting.count >= seats } }

    /// Takes a place, waiting for one if necessary. Each `true` must be followed by one ``leave()``.
    func enter() async -> Bool {
        let isIn = state.withLock { state in
            guard state.running < places, state.waiting.isEmpty else { return false }
            state.running += 1
            return true
        }
        return isIn ? true : await wait()
    }

    /// Not inlined, so that requests which need not wait need no memory for it.
    @inline(never)
    private func wait() async -> Bool {
        await withCheckedContinuation { continuation in
            let (decision, mustSweep) = state.withLock { state -> (Bool?, Bool) in
                if state.running < places, state.waiting.isEmpty {
                    state.running += 1
                    return (true, false)
                }
                guard state.waiting.count < seats else { return (false, false) }
                let now = NIODeadline.now()
                if state.waiting.isEmpty { state.crowdedSince = now }
                state.waiting.append(Waiter(since: now, continuation: continuation))
                defer { state.isSweeping = true }
                return (nil, !state.isSweeping)
            }
            if let decision { continuation.resume(returning: decision) }
            if mustSweep { Task { await sweep() } }
        }
    }

    /// Takes a place again after ``leave()``, however long that takes: a request that has begun is not refused. Must be
    /// followed by one ``leave()``.
    func comeBack() async {
        func isIn(_ state: inout State) -> Bool {
            guard state.running < places else { return false }
            state.running += 1
            return true
        }
        if state.withLock({ isIn(&$0) }) { return }
        await withCheckedContinuation { continuation in
            let goesOn = state.withLock { state in
                if isIn(&state) { return true }
                state.returning.append(continuation)
                return false
            }
            if goesOn { continuation.resume() }
        }
    }

    /// Passes the place to a returning request, or to the one that has waited longest within its limit.
    func leave() {
        let isDone = state.withLock { state in
            guard state.returning.isEmpty, state.waiting.isEmpty else { return false }
            state.running -= 1
            return true
        }
        if !isDone { pass() }
    }

    private func pass() {
        let now = NIODeadline.now()
        let (back, late, next) = state.withLock { state -> (CheckedContinuation<Void, Never>?, [Waiter], Waiter?) in
            if let back = state.returning.popFirst() { return (back, [], nil) }
            guard !state.waiting.isEmpty else {
                state.running -= 1
                return (nil, [], nil)
            }
            let late = Self.dropLate(&state, patience, now)
            let next = state.waiting.popFirst()
            if next == nil { state.running -= 1 }
            if state.waiting.isEmpty { state.crowdedSince = nil }
            return (nil, late, next)
        }
        back?.resume()
        for waiter in late { waiter.continuation.resume(returning: false) }
        next?.continuation.resume(returning: true)
    }

    /// Refuses requests that have waited too long, for as long as any are waiting.
    private func sweep() async {
        while true {
            try? await Task.sleep(for: .milliseconds(20))
            let (late, isDone) = state.withLock { state -> ([Waiter], Bool) in
                let late = Self.dropLate(&state, patience, .now())
                if state.waiting.isEmpty {
                    state.crowdedSince = nil
                    state.isSweeping = false
                }
                return (late, state.waiting.isEmpty)
            }
            for waiter in late { waiter.continuation.resume(returning: false) }
            if isDone { return }
        }
    }

    private static func dropLate(_ state: inout State, _ patience: TimeAmount, _ now: NIODeadline) -> [Waiter] {
        guard let crowdedSince = state.crowdedSince else { return [] }
        let isBurst = now - crowdedSince < .seconds(1)
        let limit = isBurst ? patience : .nanoseconds(patience.nanoseconds / 10)
        var late: [Waiter] = []
        while let first = state.waiting.first, now - first.since > limit {
            late.append(first)
            state.waiting.removeFirst()
        }
        return late
    }
}
