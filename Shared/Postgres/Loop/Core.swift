import CLibpq
import DequeModule
import Glibc
import Logging
import Synchronization

/// All state of a client. It is created on the loop's thread and never leaves it, so it needs no locks.
final class Core {
    let loop: Loop
    let epoll: Int32
    var now = MonotonicClock.now
    var wires: [UInt64: Wire] = [:]
    var lastWire: UInt64 = 0
    // Connection attempts: CoreAttempts.swift
    var attempts: [UInt64: ConnectionAttempt] = [:]
    var lastAttempt: UInt64 = 0
    var touched: [Wire] = []
    private var commands: [Command] = []
    /// No timer expires before this.
    private var alarm = UInt64.max
    private var shutDown: (deadline: UInt64, promises: [Promise<Void>])?
    private var reportedInFlight = 0
    var connectionsChanged = true

    // Autocommit statements: CoreShared.swift
    var shared: [SharedSlot]
    var pending: Deque<Operation> = []
    // Leased connections: CoreLeased.swift
    var idle: [Wire] = []
    /// By the lease identifier, which is never reused.
    var leased: [UInt64: Wire] = [:]
    /// The leases that only read.
    var readingLeases: Set<UInt64> = []
    /// Released or abandoned, and not ready for the next caller yet.
    var resetting: Set<UInt64> = []
    var leasedBackOff = BackOff()
    var waiters: Deque<Waiter> = []
    // Notifications: CoreListener.swift
    var listeners: [UInt64: Listener] = [:]
    var listenerWire: Wire?
    var listenerBackOff = BackOff()

    private static let events = 64
    /// The identifier of the wake-up descriptor in epoll's events; wires count from 1.
    private static let wakeUp: UInt64 = 0

    init(_ loop: Loop) {
        self.loop = loop
        epoll = epoll_create1(Int32(EPOLL_CLOEXEC))
        shared = (0..<max(1, loop.configuration.sharedConnections)).map { _ in SharedSlot() }
        var event = unsafe epoll_event(
            events: EPOLLIN.rawValue | EPOLLET.rawValue, data: epoll_data_t(u64: Core.wakeUp))
        unsafe epoll_ctl(epoll, EPOLL_CTL_ADD, loop.mailbox.wakeDescriptor, &event)
    }

    deinit {
        close(epoll)
    }

    func run() {
        reconnect()
        let events = UnsafeMutablePointer<epoll_event>.allocate(capacity: Core.events)
        defer { unsafe events.deallocate() }
        while true {
            let timeout = loop.mailbox.fallAsleep() ? timeoutMilliseconds() : 0
            let count = unsafe epoll_wait(epoll, events, Int32(Core.events), timeout)
            now = MonotonicClock.now
            // Received data is processed before anything is sent, so that a lost connection is noticed before it is
            // used again.
            for index in 0..<Int(max(0, count)) {
                let event = unsafe events[index]
                unsafe handle(event.data.u64, event.events)
            }
            loop.mailbox.take(&commands)
            for command in commands { handle(command) }
            commands.removeAll(keepingCapacity: true)
            dispatchPending()
            flushTouched()
            if now >= alarm { checkTimers() }
            report()
            if let shutDown, isQuiet || now >= shutDown.deadline { break }
        }
        finish()
    }

    // MARK: - Time

    /// Ensures that `checkTimers` runs at this time or earlier.
    func wake(at time: UInt64) {
        if time < alarm { alarm = time }
    }

    private func timeoutMilliseconds() -> Int32 {
        guard alarm != .max else { return -1 }
        let current = MonotonicClock.now
        guard alarm > current else { return 0 }
        return Int32(clamping: (alarm - current) / 1_000_000 + 1)
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
        guard now >= since + loop.answerLimit else { return wake(at: since + loop.answerLimit) }
        wire.isSilent = true
        connectionsChanged = true
        loop.logger.warning("the database does not answer", metadata: ["connection": "\(wire.id)"])
        guard case .shared = wire.purpose, loop.hasOtherHosts else { return }
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
        if let waiting = wire.raw.waiting, waiting.operation.promise != nil {
            let patience = waiting.operation.patience
            if now >= patience.until { retire(wire, patience.error) } else { wake(at: patience.until) }
        }
    }

    // MARK: - Commands

    private func handle(_ command: Command) {
        switch command {
        case .submit(let operation):
            if shutDown == nil { submit(operation) } else { command.refuse() }
        case .submitLeased(let operation, let lease):
            guard let wire = leased[lease] else { return operation.completion.fail(.connectionGone) }
            send(operation, on: wire)
        case .raw(let operation, let lease):
            guard let wire = leased[lease] else {
                operation.promise?.fail(.connectionGone)
                return
            }
            begin(operation, on: wire)
        case .acquire(let waiter):
            if shutDown == nil { acquire(waiter) } else { command.refuse() }
        case .release(let id, let state): release(id, state)
        case .abandon(let id): abandon(id)
        case .listen(let id, let channels, let continuation): listen(id, channels, continuation)
        case .unlisten(let id): unlisten(id)
        case .connected(let attempt, let outcome): connected(attempt, outcome)
        case .cancelled(let wire, let isCertain): cancelled(wire, isCertain: isCertain)
        case .shutDown(let grace, let promise):
            shutDown = (
                min(shutDown?.deadline ?? .max, now + grace), (shutDown?.promises ?? []) + [promise].compactMap(\.self)
            )
            wake(at: now + grace)
        }
    }

    /// The waiting task was cancelled.
    private func abandon(_ id: UInt64) {
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
            if let waiting = wire.raw.waiting, waiting.operation.id == id, waiting.operation.promise != nil {
                return retire(wire, .taskCancelled)
            }
        }
    }

    /// No one waits for the operation any more. On a shared connection its result is dropped when it arrives; a
    /// leased connection is given up, because the state of its transaction is unknown.
    private func abandon(_ index: Int, on wire: Wire, _ error: PostgresError) {
        let operation = wire.inFlight[index].operation
        let error = operation.commits ? error.withUnknownOutcome : error
        loop.metrics.error(error)
        operation.completion.fail(error)
        wire.inFlight[index].operation.completion = .ignored
        if wire.purpose == .leased { retire(wire, .connectionClosed) }
    }

    // MARK: - Shutdown

    private var isQuiet: Bool {
        leased.isEmpty && pending.isEmpty && waiters.isEmpty && wires.values.allSatisfy { $0.inFlight.isEmpty }
    }

    private func finish() {
        loop.mailbox.closeDown()
        for operation in pending { operation.completion.fail(.shutDown) }
        for waiter in waiters { waiter.fail(.shutDown) }
        pending.removeAll()
        waiters.removeAll()
        for wire in Array(wires.values) { lose(wire, .shutDown) }
        for listener in listeners.values { listener.continuation.finish() }
        for promise in shutDown?.promises ?? [] { promise.succeed(()) }
    }

    var isShuttingDown: Bool { shutDown != nil }

    // MARK: - Metrics

    private func report() {
        var inFlight = pending.count
        for slot in shared { inFlight += slot.wire?.inFlight.count ?? 0 }
        var oldest = UInt64.max
        // Idle connections have nothing in flight. This runs after every turn of the loop.
        func count(_ wire: Wire) {
            inFlight += wire.inFlight.count
            guard let first = wire.inFlight.first, first.operation.commits else { return }
            oldest = min(oldest, first.commitsSince(loop.answerLimit))
        }
        for wire in leased.values { count(wire) }
        for id in resetting { if let wire = wires[id] { count(wire) } }
        if inFlight != reportedInFlight {
            reportedInFlight = inFlight
            loop.metrics.inFlight(inFlight)
        }
        loop.commitsSince.store(oldest, ordering: .relaxed)
        guard connectionsChanged else { return }
        connectionsChanged = false
        let ready = shared.count { $0.wire.map { !$0.isSilent } ?? false }
        reportLeased()
        loop.metrics.connections(
            shared: ready, idle: idle.count, busy: leased.count + resetting.count,
            connecting: attempts.values.count { $0.purpose == .leased })
    }

    /// Records whether connections for writes are open, and whether their server accepts writes.
    private func reportLeased() {
        let open = wires.values.filter { $0.purpose == .leased && !$0.isSilent }
        if open.count >= min(loop.configuration.leasedMinimum, leasedLimit) {
            loop.isWarm.store(true, ordering: .releasing)
        }
        let state: WriteState = open.isEmpty ? .closed : open.allSatisfy(\.isReadOnly) ? .readOnly : .open
        loop.writes.store(state.rawValue, ordering: .releasing)
    }
}
