import Synchronization

/// The memory that everything which has arrived and is not processed yet may use together.
///
/// Two rules keep one caller from taking all of it: no address holds more than its share, and the last quarter is
/// reserved for the first ``small`` bytes of each body, so that short bodies find room however many long ones are held.
final class BodyBudget: Sendable {
    static let small = 16 << 10

    private struct State {
        var used = 0
        var clients: [String: Int] = [:]
    }

    private let limit: Int
    private let share: Int
    private let state = Mutex(State())

    /// - Parameters:
    ///   - limit: in bytes, for all together.
    ///   - share: in bytes, for one address.
    init(limit: Int, share: Int) {
        self.limit = limit
        self.share = share
    }

    var used: Int { state.withLock { $0.used } }

    /// Whether `count` more bytes may be kept; if so, they must be released later.
    ///
    /// - Parameter held: how many bytes the same body already holds.
    func take(_ count: Int, held: Int, for client: ClientAddress) -> Bool {
        let limit = held + count > Self.small ? self.limit / 4 * 3 : self.limit
        return state.withLock { state in
            guard state.used + count <= limit else { return false }
            if !client.isShared {
                let own = state.clients[client.bucket, default: 0] + count
                guard own <= share else { return false }
                state.clients[client.bucket] = own
            }
            state.used += count
            return true
        }
    }

    func release(_ count: Int, for client: ClientAddress) {
        guard count > 0 else { return }
        state.withLock { state in
            state.used -= count
            guard !client.isShared else { return }
            let own = state.clients[client.bucket, default: 0] - count
            state.clients[client.bucket] = own > 0 ? own : nil
        }
    }
}

/// The part of the budget that one body uses, or what a connection has read ahead or not yet sent. What is left of it is
/// released with the last reference.
final class BodyReservation: Sendable {
    private let budget: BodyBudget
    private let client: ClientAddress
    private let held = Atomic<Int>(0)
    /// The unused part: a body that arrives in pieces reserves room for several at once, because each reservation takes
    /// a lock that all connections share.
    private let spare = Atomic<Int>(0)
    private static let step = 4 << 10

    init(_ budget: BodyBudget, for client: ClientAddress) {
        self.budget = budget
        self.client = client
    }

    deinit { budget.release(held.load(ordering: .relaxed), for: client) }

    /// Takes `count` more bytes if there is room for them. Not to be called concurrently.
    func take(_ count: Int) -> Bool {
        let spare = spare.load(ordering: .relaxed)
        guard spare < count else {
            self.spare.store(spare - count, ordering: .relaxed)
            return true
        }
        let held = held.load(ordering: .relaxed)
        let missing = count - spare
        // A body that arrives in one piece takes exactly its length; so does one for which there is no room for a whole
        // step.
        if held > 0, missing < Self.step, budget.take(Self.step, held: held, for: client) {
            self.held.add(Self.step, ordering: .relaxed)
            self.spare.store(Self.step - missing, ordering: .relaxed)
            return true
        }
        guard budget.take(missing, held: held, for: client) else { return false }
        self.held.add(missing, ordering: .relaxed)
        self.spare.store(0, ordering: .relaxed)
        return true
    }

    /// Changes what is held to `count` bytes. Shrinking always succeeds; without room for more, nothing is taken.
    func resize(to count: Int) -> Bool {
        let change = count - held.load(ordering: .relaxed) + spare.load(ordering: .relaxed)
        if change > 0 { return take(change) }
        release(-change)
        return true
    }

    func release(_ count: Int) {
        held.subtract(count, ordering: .relaxed)
        budget.release(count, for: client)
    }
}

/// How many connections each address has open.
final class ConnectionCount: Sendable {
    /// How many refused connections at once get a response with the reason. Sending it takes some time, during which
    /// they need resources too.
    private static let mostRefused = 256

    private let share: Int
    private let clients = Mutex<[String: Int]>([:])
    private let refused = Atomic<Int>(0)

    /// - Parameter share: the connections of one address.
    init(share: Int) {
        self.share = share
    }

    /// Whether the address may open one more connection; if so, its end must be reported by ``close(_:)``.
    func open(_ client: ClientAddress) -> Bool {
        guard !client.isShared else { return true }
        return clients.withLock { clients in
            let count = clients[client.bucket, default: 0]
            guard count < share else { return false }
            clients[client.bucket] = count + 1
            return true
        }
    }

    /// Whether one more refused connection gets a response; if so, its end must be reported by ``endRefusal()``.
    func refuse() -> Bool {
        guard refused.add(1, ordering: .relaxed).newValue <= Self.mostRefused else {
            refused.subtract(1, ordering: .relaxed)
            return false
        }
        return true
    }

    func endRefusal() { refused.subtract(1, ordering: .relaxed) }

    func close(_ client: ClientAddress) {
        guard !client.isShared else { return }
        clients.withLock { clients in
            let count = clients[client.bucket, default: 0] - 1
            clients[client.bucket] = count > 0 ? count : nil
        }
    }
}
