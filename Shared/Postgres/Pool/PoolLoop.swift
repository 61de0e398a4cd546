import DequeModule
import Logging
import NIOCore
import Synchronization

/// The connections of one event loop, and all state of theirs. It never leaves the loop, so it needs no locks.
///
/// What happens in one turn of the event loop, commands and received data, is followed by one `endTurn`, which sends
/// what has been written meanwhile: one system call for each connection.
final class PoolLoop: WireOwner {
    let pool: Pool
    let index: Int
    let eventLoop: any EventLoop
    var now = MonotonicClock.now
    var wires: [UInt64: Wire] = [:]
    var lastWire: UInt64 = 0
    // Connection attempts: PoolLoop+Attempts.swift
    var attempts: [UInt64: ConnectionAttempt] = [:]
    var lastAttempt: UInt64 = 0
    var touched: [Wire] = []
    /// No timer expires before this.
    private var alarm = UInt64.max
    /// The event loop's timer, and when it expires.
    private var timer: (at: UInt64, scheduled: Scheduled<Void>)?
    private var isInTurn = false
    private var hasEnded = false
    private var shutDown: (deadline: UInt64, promises: [Promise<Void>])?
    private var reportedInFlight = 0
    private var reportedReading = 0
    var connectionsChanged = true

    // Autocommit statements: PoolLoop+Reads.swift
    var shared: [SharedSlot]
    var pending: Deque<Operation> = []
    // Leased connections: PoolLoop+Leases.swift
    var idle: [Wire] = []
    /// By the lease identifier, which is never reused.
    var leased: [UInt64: Wire] = [:]
    /// The leases that only read.
    var readingLeases: Set<UInt64> = []
    /// Released or abandoned, and not ready for the next caller yet.
    var resetting: Set<UInt64> = []
    var leasedBackOff = BackOff()
    var waiters: Deque<Waiter> = []
    // Notifications: PoolLoop+Listeners.swift
    var listeners: [UInt64: Listener] = [:]
    var listenerWire: Wire?
    var listenerBackOff = BackOff()

    /// - Parameter width: the number of connections for reads.
    init(_ pool: Pool, index: Int, width: Int, on eventLoop: any EventLoop) {
        self.pool = pool
        self.index = index
        self.eventLoop = eventLoop
        shared = (0..<width).map { _ in SharedSlot() }
    }

    /// Whether it has the connections for writes and for notifications.
    var isFirst: Bool { index == Pool.first }

    func start() {
        beginTurn()
        reconnect()
    }

    // MARK: - Turns

    /// Must be called by whatever enters: commands, received data, timers.
    func beginTurn() {
        now = MonotonicClock.now
        guard !isInTurn else { return }
        isInTurn = true
        eventLoop.assumeIsolated().execute { self.endTurn() }
    }

    private func endTurn() {
        isInTurn = false
        guard !hasEnded else { return }
        dispatchPending()
        flushTouched()
        if now >= alarm { checkTimers() }
        report()
        if let shutDown, isQuiet || now >= shutDown.deadline { return finish() }
        setTimer()
    }

    func received(_ isWhole: Bool, by wire: Wire) {
        if wire.isSilent {
            wire.isSilent = false
            connectionsChanged = true
        }
        complete(wire)
        guard isWhole else { return lose(wire, .connectionLost) }
        recycle(wire)
        deliverNotifications(of: wire)
    }

    // MARK: - Time

    /// Ensures that `checkTimers` runs at this time or earlier.
    func wake(at time: UInt64) {
        if time < alarm { alarm = time }
    }

    private func setTimer() {
        guard alarm != .max, alarm < timer?.at ?? .max else { return }
        timer?.scheduled.cancel()
        let (at, current) = (alarm, MonotonicClock.now)
        let delay = TimeAmount.nanoseconds(Int64(clamping: at > current ? at - current : 0))
        let scheduled = eventLoop.assumeIsolated().scheduleTask(in: delay) {
            self.timer = nil
            self.beginTurn()
        }
        timer = (at, scheduled)
    }

    /// Ends every wait that has expired, and sets the next timer.
    private func checkTimers() {
        alarm = .max
        if let shutDown { wake(at: shutDown.deadline) }
        for wire in Array(wires.values) {
            noticeSilence(of: wire)
            expire(on: wire)
        }
        expirePending()
        expireWaiters()
        reconnect()
    }

    /// A connection that does not respond is kept: while it is open it counts on the server, and a replacement would
    /// exceed the limit. If the server has vanished, TCP detects it (`tcp_user_timeout`, keep-alive). A commit may
    /// take long. If there are other hosts, the shared connections leave one that is frozen, and reads go to the next
    /// host.
    private func noticeSilence(of wire: Wire) {
        guard let since = wire.waitingSince, !wire.isSilent, !wire.mayBeCommitting else { return }
        guard now >= since + pool.answerLimit else { return wake(at: since + pool.answerLimit) }
        wire.isSilent = true
        connectionsChanged = true
        pool.logger.warning("the database does not answer", metadata: ["connection": "\(wire.id)"])
        guard case .shared = wire.purpose, pool.hasOtherHosts else { return }
        lose(wire, .connectionLost)
        for other in idle + [listenerWire].compactMap(\.self) { lose(other, .connectionClosed) }
    }

    private func expire(on wire: Wire) {
        for index in wire.inFlight.indices where !wire.inFlight[index].isAbandoned {
            let patience = wire.inFlight[index].operation.patience
            guard now >= patience.until else {
                wake(at: patience.until)
                continue
            }
            abandon(index, on: wire, patience.error)
            if wire.purpose == .leased { return }
        }
    }

    // MARK: - Commands

    func handle(_ command: Command) {
        guard !hasEnded else { return command.refuse() }
        beginTurn()
        switch command {
        case .submit(let operation):
            if shutDown == nil { submit(operation) } else { command.refuse() }
        case .submitLeased(let operation, let lease):
            guard let wire = leased[lease] else { return operation.completion.fail(.connectionGone) }
            submitLeased(operation, on: wire)
        case .acquire(let waiter):
            if shutDown == nil { acquire(waiter) } else { command.refuse() }
        case .release(let id, let state): release(id, state)
        case .abandon(let id, let isRepeated): abandon(id, isRepeated: isRepeated)
        case .listen(let id, let channels, let continuation): listen(id, channels, continuation)
        case .unlisten(let id): unlisten(id)
        case .connected(let attempt, let outcome): connected(attempt, outcome)
        case .serverIsBack: serverIsBack()
        case .cancelled(let wire, let isCertain): cancelled(wire, isCertain: isCertain)
        case .shutDown(let grace, let promise):
            shutDown = (
                min(shutDown?.deadline ?? .max, now + grace), (shutDown?.promises ?? []) + [promise].compactMap(\.self)
            )
            wake(at: now + grace)
        }
    }

    /// The waiting task was cancelled.
    ///
    /// - Parameter isRepeated: whether the loop that passed the operation on, perhaps while all loops were told, tells
    ///   the others again.
    private func abandon(_ id: UInt64, isRepeated: Bool) {
        if let index = pending.firstIndex(where: { $0.id == id }) {
            return pending.remove(at: index).completion.fail(.taskCancelled)
        }
        if let index = waiters.firstIndex(where: { $0.id == id }) {
            return waiters.remove(at: index).fail(.taskCancelled)
        }
        for wire in wires.values {
            if let index = wire.inFlight.firstIndex(where: { $0.operation.id == id && !$0.isAbandoned }) {
                return abandon(index, on: wire, .taskCancelled)
            }
        }
        if !isRepeated { pool.abandon(id, besides: index) }
    }

    /// No one waits for the operation any more. On a shared connection its result is dropped when it arrives; a
    /// leased connection is given up, because the state of its transaction is unknown.
    private func abandon(_ index: Int, on wire: Wire, _ error: PostgresError) {
        let operation = wire.inFlight[index].operation
        let error = operation.commits ? error.withUnknownOutcome : error
        pool.metrics.error(error)
        operation.completion.fail(error)
        wire.inFlight[index].operation.completion = .ignored
        if wire.purpose == .leased { retire(wire, .connectionClosed) }
    }

    // MARK: - Shutdown

    private var isQuiet: Bool {
        leased.isEmpty && pending.isEmpty && waiters.isEmpty && wires.values.allSatisfy { $0.inFlight.isEmpty }
    }

    private func finish() {
        hasEnded = true
        timer?.scheduled.cancel()
        for operation in pending { operation.completion.fail(.shutDown) }
        for waiter in waiters { waiter.fail(.shutDown) }
        pending.removeAll()
        waiters.removeAll()
        for wire in Array(wires.values) { lose(wire, .shutDown) }
        for listener in listeners.values { listener.continuation.finish() }
        report()
        pool.ended(index)
        for promise in shutDown?.promises ?? [] { promise.succeed(()) }
    }

    var isShuttingDown: Bool { shutDown != nil }

    // MARK: - Metrics

    private func report() {
        var inFlight = pending.count
        for slot in shared { inFlight += slot.wire?.inFlight.count ?? 0 }
        var oldest = UInt64.max
        // Idle connections have nothing in flight. This runs after every turn of the pool.
        func count(_ wire: Wire) {
            inFlight += wire.inFlight.count
            guard let first = wire.inFlight.first, first.operation.commits else { return }
            oldest = min(oldest, first.commitsSince(pool.answerLimit))
        }
        for wire in leased.values { count(wire) }
        for id in resetting { if let wire = wires[id] { count(wire) } }
        if inFlight != reportedInFlight {
            let all = pool.inFlight.wrappingAdd(inFlight - reportedInFlight, ordering: .relaxed).newValue
            reportedInFlight = inFlight
            pool.metrics.inFlight(all)
        }
        if isFirst { pool.commitsSince.store(oldest, ordering: .relaxed) }
        guard connectionsChanged else { return }
        connectionsChanged = false
        let reading = shared.count { $0.wire.map { !$0.isSilent } ?? false }
        pool.setReadable(index, reading > 0)
        let all = pool.reading.wrappingAdd(reading - reportedReading, ordering: .relaxed).newValue
        reportedReading = reading
        pool.metrics.readConnections(all)
        if isFirst { reportLeased() }
    }

    /// Records whether connections for writes are open, and whether their server accepts writes.
    private func reportLeased() {
        pool.metrics.leasedConnections(
            idle: idle.count, busy: leased.count + resetting.count,
            connecting: attempts.values.count { $0.purpose == .leased })
        let open = wires.values.filter { $0.purpose == .leased && !$0.isSilent }
        if open.count >= min(pool.configuration.leasedMinimum, leasedLimit) {
            pool.isWarm.store(true, ordering: .releasing)
        }
        let state: WriteState = open.isEmpty ? .closed : open.allSatisfy(\.isReadOnly) ? .readOnly : .open
        pool.writes.store(state.rawValue, ordering: .releasing)
    }
}
