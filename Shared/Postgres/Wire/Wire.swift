import DequeModule
import NIOCore

/// The pool, which its wires tell about what they receive. It outlives them.
protocol WireOwner: AnyObject {
    /// The time at the beginning of this turn of the event loop.
    var now: UInt64 { get }

    /// Sets `now`. Must be called before what has arrived is processed.
    func beginTurn()

    /// A wire has processed what it received; responses are in `finished`.
    ///
    /// - Parameter isWhole: false if the connection is broken.
    func received(_ isWhole: Bool, by wire: Wire)
}

/// One session in pipeline mode, with the operations sent on it that have no response yet. Used only on its event loop.
///
/// An operation ends with a synchronization point, so that none is affected by the failure of another. Only reads that
/// are known to be quick and that leave in the same turn of the event loop share one: the server then answers all of
/// them with one system call. If one fails, those behind it are sent again, each with its own.
final class Wire: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    let id: UInt64
    let purpose: Purpose
    let session: Session
    let opened: UInt64

    var inFlight = Deque<InFlight>()
    /// Complete, to be delivered by the pool.
    var finished = Deque<InFlight>()
    var notifications: [PostgresNotification] = []
    var statements: StatementCache
    /// When data last arrived from the server.
    var progress: UInt64
    /// When the server could begin with the oldest group that has no response yet.
    var groupBegan: UInt64
    /// The operations written since the last synchronization point.
    private var groupSize = 0
    /// It must be flushed in this turn.
    var isTouched = false
    /// The lease that holds it.
    var lease: UInt64?
    /// No one waits for its work. It counts until the server has responded; only then may another caller have it.
    var isRetired = false
    /// A cancel request is under way, which could affect whatever is sent next.
    var isBeingCancelled = false
    /// It is closed once its work is complete.
    var isSpoiled = false
    /// The server has not responded within the time limit: nothing more is sent until it does.
    var isSilent = false
    /// Why this session cannot write, as far as the server reports it: a standby, or configured so.
    var readOnlyReasons: Set<String> = []

    /// The transaction that the last lease began last.
    var transaction: UInt64 = 0
    /// Statements that the server may still have, and that are used no more: closed with the next operation.
    var unclosed: [StatementName] = []

    private static let (initialCapacity, keptCapacity) = (4_096, 65_536)
    /// The first result of a group waits for the last one, so that groups are small.
    private static let longestGroup = 16
    /// A statement is quick if it took less than this, in nanoseconds, with all of its group.
    static let quickLimit: UInt64 = 5_000_000
    unowned let owner: any WireOwner
    private var context: ChannelHandlerContext?
    private var outgoing: ByteBuffer
    /// The beginning of a message whose end has not arrived.
    var incoming: ByteBuffer?
    /// The state of the session after the last response.
    var status = BackendMessage.idle
    /// The rows of the result that is arriving, and their columns.
    var rows = RowBuffer()
    var description: RowDescription?
    /// Whether the next description is of the statement that is being prepared.
    var describesStatement = false

    init(id: UInt64, purpose: Purpose, session: Session, cacheSize: Int, owner: any WireOwner) {
        self.id = id
        self.purpose = purpose
        self.session = session
        self.owner = owner
        opened = owner.now
        progress = owner.now
        groupBegan = owner.now
        statements = StatementCache(capacity: cacheSize)
        outgoing = session.channel.allocator.buffer(capacity: Self.initialCapacity)
        for (name, value) in session.parameters { noteParameter(name, value) }
    }

    var isReadOnly: Bool { !readOnlyReasons.isEmpty }

    /// Whether the session is outside any transaction. Meaningful only while nothing is in flight.
    var isIdle: Bool { inFlight.isEmpty && status == BackendMessage.idle }

    /// Nothing is in progress.
    var isQuiet: Bool { inFlight.isEmpty }

    /// The work in progress may be committing: cancelling it would only make the outcome unknown.
    var mayBeCommitting: Bool { inFlight.contains { $0.operation.commits } }

    /// When the oldest pending statement was sent, or last had a partial response. Scripts have no time limit of their
    /// own (a migration may build an index), only the task's deadline.
    var waitingSince: UInt64? {
        guard let first = inFlight.first, first.operation.script == nil else { return nil }
        return max(progress, first.sent)
    }

    /// The server ended the connection by command (57P01) before responding to the first queued statement. Then none
    /// of the queued statements had any effect: an autocommit statement commits after its response, and those behind
    /// it had not begun.
    var nothingWasDone: Bool {
        guard let first = inFlight.first else { return false }
        return first.failure?.sqlState == SQLState.adminShutdown && first.results.isEmpty
    }

    // MARK: - The channel's events

    /// Takes over the channel. False if it is closed already.
    func open() -> Bool {
        do {
            try session.channel.pipeline.syncOperations.addHandler(self)
            if session.leftOver.readableBytes > 0, !receive(session.leftOver) { return false }
            try session.channel.syncOptions?.setOption(.autoRead, value: true)
            return session.channel.isActive
        } catch {
            return false
        }
    }

    func close() {
        guard let context else { return session.channel.close(promise: nil) }
        self.context = nil
        outgoing.clear()
        outgoing.writeTerminate()
        context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
        context.close(promise: nil)
    }

    func handlerAdded(context: ChannelHandlerContext) { self.context = context }

    func handlerRemoved(context: ChannelHandlerContext) { self.context = nil }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        guard self.context != nil else { return }
        owner.beginTurn()
        owner.received(receive(unwrapInboundIn(data)), by: self)
    }

    func channelInactive(context: ChannelHandlerContext) {
        guard self.context != nil else { return }
        owner.beginTurn()
        owner.received(false, by: self)
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: - Sending

    enum Sending {
        case sent
        /// The server has refused this statement on a read-only connection before.
        case writes(Operation)
    }

    /// Sends an operation with the next flush.
    func send(_ operation: Operation, now: UInt64) -> Sending {
        let entry = InFlight(operation, sent: now)
        if sendInGroup(entry) { return .sent }
        endGroup()
        for name in unclosed { outgoing.writeClose(name) }
        unclosed.removeAll()
        for control in operation.controls { outgoing.writeOnce(SQL(control: control)) }
        if let script = operation.script {
            outgoing.writeScript(script)
        } else {
            entry.first = write(operation.statement, for: entry)
            if entry.writes { return .writes(operation) }
            for statement in operation.more { entry.others.append(write(statement, for: entry)) }
            outgoing.writeSync()
        }
        append(entry)
        return .sent
    }

    private func append(_ entry: InFlight) {
        if inFlight.isEmpty { (progress, groupBegan) = (entry.sent, entry.sent) }
        inFlight.append(entry)
    }

    /// Writes a read that is known to be quick, without a synchronization point. False if it needs its own.
    private func sendInGroup(_ entry: InFlight) -> Bool {
        let statement = entry.operation.statement
        guard case .shared = purpose, !entry.operation.isSeparate, unclosed.isEmpty,
            let prepared = statements.find(statement), prepared.isQuick
        else { return false }
        outgoing.writeExecute(prepared.name, statement.parameters)
        entry.first = prepared
        entry.serial = prepared.serial
        entry.isLastOfGroup = false
        append(entry)
        groupSize += 1
        if groupSize == Self.longestGroup { endGroup() }
        return true
    }

    private func endGroup() {
        guard groupSize > 0 else { return }
        groupSize = 0
        outgoing.writeSync()
        inFlight.last?.isLastOfGroup = true
    }

    private func write(_ statement: SQL, for entry: InFlight) -> PreparedStatement? {
        guard entry.operation.prepares, !statement.isPlannedByValue else {
            outgoing.writeOnce(statement)
            return nil
        }
        let prepared = statements.find(statement) ?? prepare(statement, for: entry)
        // Only a single statement is marked as writing, before anything of it is written.
        guard !prepared.isWriting else {
            entry.writes = true
            return nil
        }
        entry.serial = max(entry.serial, prepared.serial)
        outgoing.writeExecute(prepared.name, statement.parameters)
        return prepared
    }

    private func prepare(_ statement: SQL, for entry: InFlight) -> PreparedStatement {
        let (new, evicted) = statements.insert(statement)
        if let evicted {
            outgoing.writeClose(evicted.name)
            entry.evicted.append(evicted.name)
        }
        outgoing.writePrepare(statement, as: new.name)
        entry.fresh.append((statement, new))
        return new
    }

    func flush() {
        endGroup()
        guard let context, outgoing.readableBytes > 0 else { return }
        context.writeAndFlush(wrapOutboundOut(outgoing), promise: nil)
        // A large parameter does not keep its memory.
        if outgoing.capacity <= Self.keptCapacity {
            outgoing.clear()
        } else {
            outgoing = context.channel.allocator.buffer(capacity: Self.initialCapacity)
        }
    }
}
