import NIOCore
import Synchronization

/// A cache of host addresses, so that no request waits for DNS.
///
/// Addresses stay valid until newer ones are found; they are refreshed in the background. A slow lookup gets another
/// one in parallel, because usually a DNS packet was lost, and the system's resolver waits five seconds before it
/// retries.
final class AddressBook: Sendable {
    private typealias Waiter = CheckedContinuation<Void, Never>

    private struct Entry {
        var addresses: [String] = []
        /// When the addresses were found.
        var found: UInt64 = 0
        var running = 0
        /// When the latest lookup began.
        var begun: UInt64 = 0
        var isUnknown = false
        /// Of this host, or all of them.
        var waiters: [UInt64: Waiter] = [:]
        /// The number of lookups that have ended.
        var lookups = 0
    }

    private struct State {
        var entries: [String: Entry] = [:]
        var lastWaiter: UInt64 = 0
    }

    private enum Answer {
        case addresses([String])
        /// Wait for a lookup to end, or this time.
        case wait(until: UInt64, lookups: Int)
    }

    /// After this, addresses are refreshed when they are used.
    private static let freshness: UInt64 = 30_000_000_000
    /// After this, a lookup gets another one in parallel.
    private static let slowness: UInt64 = 500_000_000
    /// The maximum number of parallel lookups of a name: each takes a thread.
    private static let limit = 3
    /// The maximum number of addresses tried for a name.
    private static let most = 8

    private let resolve: @Sendable (String) -> [String]
    private let state = Mutex(State())

    init(_ resolve: @escaping @Sendable (String) -> [String]) {
        self.resolve = resolve
    }

    /// The addresses of a host: at once if they were ever found, otherwise within `limit` nanoseconds. Empty if none
    /// are found.
    ///
    /// - Parameter eventLoop: for the time limits.
    func addresses(of host: String, within limit: UInt64, on eventLoop: any EventLoop) async -> [String] {
        let end = MonotonicClock.now + limit
        state.withLock { $0.entries[host, default: Entry()].isUnknown = false }
        while true {
            switch look(up: host, until: end) {
            case .addresses(let addresses): return addresses
            case .wait(let time, let lookups):
                await wait(for: host, after: lookups, until: time, on: eventLoop)
            }
        }
    }

    /// Refreshes a host's addresses in the background, because none of them worked.
    func refresh(_ host: String) {
        state.withLock { lookUp(host, MonotonicClock.now, &$0.entries[host, default: Entry()]) }
    }

    private func look(up host: String, until end: UInt64) -> Answer {
        state.withLock { state in
            let now = MonotonicClock.now
            let entry = state.entries[host] ?? Entry()
            if !entry.addresses.isEmpty {
                if now - entry.found > Self.freshness { lookUp(host, now, &state.entries[host, default: Entry()]) }
                return .addresses(entry.addresses)
            }
            guard !entry.isUnknown, now < end else { return .addresses([]) }
            lookUp(host, now, &state.entries[host, default: Entry()])
            return .wait(until: min(end, now + Self.slowness), lookups: entry.lookups)
        }
    }

    /// Returns once more lookups than this number have ended, or at a time.
    private func wait(
        for host: String, after lookups: Int, until time: UInt64, on eventLoop: any EventLoop
    ) async {
        let number = state.withLock { state in
            state.lastWaiter += 1
            return state.lastWaiter
        }
        let timer = eventLoop.scheduleTask(deadline: .uptimeNanoseconds(time)) { [self] in
            state.withLock { $0.entries[host]?.waiters.removeValue(forKey: number) }?.resume()
        }
        await withCheckedContinuation { waiter in
            let isLate = state.withLock { state in
                guard state.entries[host]?.lookups == lookups, MonotonicClock.now < time else { return true }
                state.entries[host]?.waiters[number] = waiter
                return false
            }
            if isLate { waiter.resume() }
        }
        timer.cancel()
    }

    /// With the lock held.
    private func lookUp(_ host: String, _ now: UInt64, _ entry: inout Entry) {
        let isSlow = now >= entry.begun + Self.slowness
        guard entry.running == 0 || entry.running < Self.limit && isSlow else { return }
        entry.begun = now
        let isRunning = BackgroundThread.start("resolver") { [self] in
            let found = Array(resolve(host).prefix(Self.most))
            state.withLock { note(found, &$0.entries[host, default: Entry()]) }.forEach { $0.resume() }
        }
        if isRunning { entry.running += 1 }
    }

    /// Notes what a lookup has found. Returns who waits for it.
    private func note(_ found: [String], _ entry: inout Entry) -> [Waiter] {
        entry.running -= 1
        entry.lookups += 1
        if !found.isEmpty {
            entry.addresses = found
            entry.found = MonotonicClock.now
        } else if entry.running == 0 {
            entry.isUnknown = true
        }
        defer { entry.waiters = [:] }
        return Array(entry.waiters.values)
    }
}
