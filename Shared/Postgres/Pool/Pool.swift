import Logging
import NIOCore
import NIOPosix
import Synchronization

/// Whether connections for writes are available.
enum WriteState: Int, Sendable {
    /// None are open.
    case closed
    /// None have a server that accepts writes.
    case readOnly
    case open
}

/// The connections of a client, divided among event loops: each loop has connections for reads, and the first one has
/// also those for writes and for notifications.
///
/// A caller that runs on one of the loops, as the handlers of requests do, sends its reads from there and has their
/// results there, without another thread. Everything else reaches a loop as a ``Command``.
final class Pool: Sendable {
    private enum State {
        /// Nothing has asked for a connection yet.
        case new
        case running(PoolLoop)
        case ended
    }

    private struct Member: Sendable {
        let eventLoop: any EventLoop
        let state: NIOLoopBoundBox<State>
    }

    let configuration: PostgresConfiguration
    let logger: Logger
    let metrics = ClientMetrics()
    /// When the oldest commit in progress began to wait for its response; `.max` if none does.
    let commitsSince = Atomic<UInt64>(.max)
    /// A ``WriteState``.
    let writes = Atomic<Int>(WriteState.closed.rawValue)
    /// Whether the minimum number of connections has ever been open.
    let isWarm = Atomic<Bool>(false)
    /// The operations in progress on all loops.
    let inFlight = Atomic<Int>(0)
    /// The connections for reads that work, on all loops.
    let reading = Atomic<Int>(0)
    /// By bits: the loops that have such connections.
    private let readable = Atomic<UInt64>(0)
    /// By bits: the loops that have such connections or those that do not answer; for the log.
    private let connected = Atomic<UInt64>(0)
    private let isUnreachable = Atomic<Bool>(false)
    private let started = Atomic<Bool>(false)
    private let identifiers = Atomic<UInt64>(0)
    private let turns = Atomic<Int>(0)

    /// The client's time limit for a response, in nanoseconds: the server should have cancelled the statement by
    /// then.
    let answerLimit: UInt64
    let acquireLimit: UInt64
    /// After this, a connection attempt gets another one in parallel.
    let companionDelay: UInt64
    let dialer: Dialer
    /// Whether there are other hosts to use instead of a silent server.
    let hasOtherHosts: Bool
    private let members: [Member]

    init(configuration: PostgresConfiguration, logger: Logger) {
        self.configuration = configuration
        self.logger = logger
        answerLimit = configuration.statementTimeout.wholeNanoseconds + 1_000_000_000
        acquireLimit = configuration.acquireTimeout.wholeNanoseconds
        companionDelay = configuration.companionDelay.wholeNanoseconds
        dialer = Dialer(configuration)
        hasOtherHosts = configuration.hosts.count > 1
        let count = min(64, max(1, configuration.sharedConnections))
        members = configuration.eventLoops.makeIterator().prefix(count).map { eventLoop in
            Member(eventLoop: eventLoop, state: .makeBoxSendingValue(.new, eventLoop: eventLoop))
        }
    }

    /// The number of connections for reads on a loop.
    private func width(_ index: Int) -> Int {
        let all = max(1, configuration.sharedConnections)
        return all / members.count + (index < all % members.count ? 1 : 0)
    }

    /// Opens the connections on first use.
    func start() {
        guard !started.load(ordering: .relaxed),
            !started.exchange(true, ordering: .acquiringAndReleasing)
        else { return }
        if let file = configuration.ignoredPasswordFile {
            logger.warning("the password file is ignored, because others can access it", metadata: ["file": "\(file)"])
        }
        for (index, member) in members.enumerated() {
            member.eventLoop.execute { _ = self.connections(index) }
        }
    }

    /// The connections of a loop, on that loop; nil if it has ended. A command may arrive before the one to start.
    private func connections(_ index: Int) -> PoolLoop? {
        let member = members[index]
        switch member.state.value {
        case .new:
            let connections = PoolLoop(self, index: index, width: width(index), on: member.eventLoop)
            member.state.value = .running(connections)
            connections.start()
            return connections
        case .running(let connections): return connections
        case .ended: return nil
        }
    }

    func nextIdentifier() -> UInt64 {
        identifiers.wrappingAdd(1, ordering: .relaxed).newValue
    }

    // MARK: - The log, which has one line for all loops

    func connected(_ index: Int) {
        isUnreachable.store(false, ordering: .relaxed)
        if connected.bitwiseOr(1 << UInt64(index), ordering: .relaxed).oldValue == 0 {
            logger.info("connected to the database")
        }
    }

    func disconnected(_ index: Int) {
        let (old, new) = connected.bitwiseAnd(~(1 << UInt64(index)), ordering: .relaxed)
        if old != 0, new == 0 { logger.warning("the connection to the database was lost") }
    }

    func unreachable(_ error: PostgresError) {
        guard connected.load(ordering: .relaxed) == 0, !isUnreachable.exchange(true, ordering: .relaxed) else { return }
        logger.warning("the database cannot be reached", metadata: ["error": "\(error)"])
    }

    // MARK: - Commands

    /// The loop with the connections for writes and for notifications.
    static let first = 0

    /// The loop whose connections a read should use: the caller's own, otherwise any.
    var nearest: Int {
        if members.count == 1 { return 0 }
        return members.firstIndex { $0.eventLoop.inEventLoop }
            ?? Int(UInt(bitPattern: turns.wrappingAdd(1, ordering: .relaxed).newValue) % UInt(members.count))
    }

    /// Another loop that has connections for reads: the next one, in a circle.
    func readable(after index: Int) -> Int? {
        let others = readable.load(ordering: .relaxed) & ~(1 << UInt64(index))
        guard others != 0 else { return nil }
        let later = others & (.max << UInt64(index))
        return (later == 0 ? others : later).trailingZeroBitCount
    }

    /// Records whether a loop has connections for reads.
    func setReadable(_ index: Int, _ isReadable: Bool) {
        let bit: UInt64 = 1 << UInt64(index)
        guard isReadable else {
            readable.bitwiseAnd(~bit, ordering: .relaxed)
            return
        }
        guard readable.bitwiseOr(bit, ordering: .relaxed).oldValue & bit == 0 else { return }
        serverIsBack(on: index)
    }

    /// Tells the other loops that the server can be reached again.
    func serverIsBack(on index: Int) {
        for other in members.indices where other != index { post(.serverIsBack, to: other) }
    }

    /// Has a loop process a command: at once if the caller runs on it, otherwise soon.
    func send(_ command: Command, to index: Int) {
        if members[index].eventLoop.inEventLoop, let connections = connections(index) {
            connections.handle(command)
        } else {
            post(command, to: index)
        }
    }

    /// Has a loop process a command after what it is doing now; refuses it if the pool has ended.
    func post(_ command: Command, to index: Int) {
        members[index].eventLoop.execute {
            if let connections = self.connections(index) { connections.handle(command) } else { command.refuse() }
        }
    }

    /// Sends a command and waits for its result. Cancelling the task abandons it.
    func perform<Value: Sendable>(
        _ id: UInt64, on index: Int, shielded: Bool = false, _ command: (Promise<Value>) -> Command
    ) async throws -> Value {
        start()
        if shielded {
            return try await Promise.wait { send(command($0), to: index) }
        }
        return try await withTaskCancellationHandler {
            if Task.isCancelled { throw PostgresError.taskCancelled }
            return try await Promise.wait { promise in
                send(command(promise), to: index)
                // The cancellation handler may have run before the command had arrived.
                if Task.isCancelled { abandon(id) }
            }
        } onCancel: {
            abandon(id)
        }
    }

    /// The waiting task was cancelled. Any loop may have the operation.
    private func abandon(_ id: UInt64) {
        for index in members.indices { post(.abandon(id, isRepeated: false), to: index) }
    }

    func abandon(_ id: UInt64, besides index: Int) {
        for other in members.indices where other != index { post(.abandon(id, isRepeated: true), to: other) }
    }

    /// Ends all statements within `grace` nanoseconds, and closes the connections.
    func shutDown(grace: UInt64) async {
        start()
        await withTaskGroup { group in
            for index in members.indices {
                group.addTask { _ = try? await Promise.wait { self.post(.shutDown(grace: grace, $0), to: index) } }
            }
        }
    }

    /// Ends all statements now, and waits for nothing.
    func close() {
        guard started.load(ordering: .acquiring) else { return }
        for index in members.indices { post(.shutDown(grace: 0, nil), to: index) }
    }

    /// Called on the loop, when its connections are closed: what comes later is refused.
    func ended(_ index: Int) {
        members[index].state.value = .ended
    }
}
