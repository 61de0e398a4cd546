import Synchronization

/// The memory that everything which has arrived and is not worked on yet may take together.
///
/// Two rules keep it from being one caller's: nobody's address holds more than a share of it, and the last quarter is for the
/// first ``small`` bytes of each body, so that however many long ones are held, a short one finds room.
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
    ///   - limit: bytes of all together.
    ///   - share: bytes of one address.
    init(limit: Int, share: Int) {
        self.limit = limit
        self.share = share
    }

    var used: Int { state.withLock { $0.used } }

    /// Whether `count` more bytes may be kept; if so, they are to be given back.
    ///
    /// - Parameter held: how many the same body has already.
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

    func giveBack(_ count: Int, for client: ClientAddress) {
        guard count > 0 else { return }
        state.withLock { state in
            state.used -= count
            guard !client.isShared else { return }
            let own = state.clients[client.bucket, default: 0] - count
            state.clients[client.bucket] = own > 0 ? own : nil
        }
    }
}

/// What one body, or what else a connection has read ahead, holds of the budget. What is left goes back when nobody has it any more.
final class BodyHold: Sendable {
    private let budget: BodyBudget
    private let client: ClientAddress
    private let held = Atomic<Int>(0)
    /// What of it is not used yet: a body that comes in pieces takes room for several of them at once, for each time all connections
    /// share one lock.
    private let spare = Atomic<Int>(0)
    private static let step = 4 << 10

    init(_ budget: BodyBudget, for client: ClientAddress) {
        self.budget = budget
        self.client = client
    }

    deinit { budget.giveBack(held.load(ordering: .relaxed), for: client) }

    /// Whether there is room for `count` more bytes. To be called by one at a time.
    func take(_ count: Int) -> Bool {
        let spare = spare.load(ordering: .relaxed)
        guard spare < count else {
            self.spare.store(spare - count, ordering: .relaxed)
            return true
        }
        let held = held.load(ordering: .relaxed)
        let missing = count - spare
        // What comes in one piece holds what it is long, and so does what finds no room for more.
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

    /// Holds as many as `count` from now on. What is given back always is; nothing is taken where there is no room.
    func resize(to count: Int) -> Bool {
        let change = count - held.load(ordering: .relaxed) + spare.load(ordering: .relaxed)
        if change > 0 { return take(change) }
        giveBack(-change)
        return true
    }

    func giveBack(_ count: Int) {
        held.subtract(count, ordering: .relaxed)
        budget.giveBack(count, for: client)
    }
}

/// How many connections each address has.
final class ConnectionCount: Sendable {
    /// Those that are told why they are refused, which takes some time; so many at once, for they have places, too.
    private static let mostRefused = 256

    private let share: Int
    private let clients = Mutex<[String: Int]>([:])
    private let refused = Atomic<Int>(0)

    /// - Parameter share: of one address.
    init(share: Int) {
        self.share = share
    }

    /// Whether one more may come; if so, it is to be told when it goes.
    func open(_ client: ClientAddress) -> Bool {
        guard !client.isShared else { return true }
        return clients.withLock { clients in
            let count = clients[client.bucket, default: 0]
            guard count < share else { return false }
            clients[client.bucket] = count + 1
            return true
        }
    }

    /// Whether one that may not come is told so; if so, that is to be said when it goes.
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
