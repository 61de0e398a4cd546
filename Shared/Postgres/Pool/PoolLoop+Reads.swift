import DequeModule
import Logging
import Synchronization

/// The slot of one shared connection.
struct SharedSlot {
    var wire: Wire?
    var backOff = BackOff()
    /// The attempts that have failed since one succeeded.
    var failedAttempts = 0
}

/// Read-only autocommit statements, which any shared connection can take. The server refuses writes on these
/// connections (`default_transaction_read_only`), and the statement is then sent on a leased one: reads never queue
/// behind commits.
extension PoolLoop {
    /// The maximum queue on a connection: statements that wait here can still go to another one.
    private static let depth = 1_024
    /// A connection that has sent nothing for so long does not get further statements if another loop has one.
    private static let holdUpLimit: UInt64 = 10_000_000
    /// How long a statement waits for a connection when none works.
    static let connectionLimit: UInt64 = 1_500_000_000

    func submit(_ operation: Operation) {
        if operation.isAlone { return submitAlone(operation) }
        let wire = pending.isEmpty ? leastBusy() : nil
        if let wire, !isHeldUp(wire) { return send(operation, on: wire) }
        if passOn(operation) { return }
        if let wire { return send(operation, on: wire) }
        if isKnownToBeDown { return operation.completion.fail(.notConnected) }
        pending.append(operation)
        wake(at: operation.patience.until)
        wake(at: operation.submitted + PoolLoop.connectionLimit)
    }

    /// The last attempts have all failed: the next one decides for those that waited before, not for more.
    private var isKnownToBeDown: Bool { !isAlive && shared.allSatisfy { $0.failedAttempts > 1 } }

    /// A slow statement runs on it, and would delay those behind it.
    private func isHeldUp(_ wire: Wire) -> Bool {
        !wire.inFlight.isEmpty && now >= wire.progress + PoolLoop.holdUpLimit
    }

    /// Sends the operation to another loop that has a connection. Only once, so that none travels without an end.
    private func passOn(_ operation: Operation) -> Bool {
        guard !operation.isPassedOn, let other = pool.readable(after: index) else { return false }
        var operation = operation
        operation.isPassedOn = true
        pool.post(.submit(operation), to: other)
        return true
    }

    /// A connection was opened: attempts that were to come later are made now, and what waits is passed on.
    func serverIsBack() {
        for index in shared.indices where shared[index].failedAttempts > 0 {
            shared[index].failedAttempts = 0
            shared[index].backOff.succeeded()
            connectShared(index)
        }
        if leastBusy() == nil { passOnPending() }
    }

    private func passOnPending() {
        let operations = pending
        pending = []
        for operation in operations where !passOn(operation) { pending.append(operation) }
    }

    /// A slow statement delays those behind it on its connection, so the shortest queue is the best guess.
    private func leastBusy() -> Wire? {
        var best: Wire?
        var least = PoolLoop.depth
        for slot in shared {
            guard let wire = slot.wire, !wire.isSilent else { continue }
            let count = wire.inFlight.count
            if count < least {
                best = wire
                least = count
            }
        }
        return best
    }

    func dispatchPending() {
        while !pending.isEmpty, let wire = leastBusy(), let operation = pending.popFirst() {
            send(operation, on: wire)
        }
    }

    func expirePending() {
        guard !pending.isEmpty else { return }
        let isDown = !isAlive
        var kept: Deque<Operation> = []
        for operation in pending {
            let limit = operation.submitted + PoolLoop.connectionLimit
            if now >= operation.patience.until {
                operation.completion.fail(operation.patience.isDeadline ? .deadlinePassed : .notConnected)
            } else if isDown && now >= limit {
                operation.completion.fail(.notConnected)
            } else {
                kept.append(operation)
                wake(at: operation.patience.until)
                wake(at: isDown ? limit : now + PoolLoop.connectionLimit)
            }
        }
        pending = kept
    }

    func connectShared(_ index: Int) {
        guard !isShuttingDown, shared[index].wire == nil else { return }
        guard !isConnecting(.shared(index)) else { return accompany(.shared(index)) }
        guard now >= shared[index].backOff.notBefore else { return wake(at: shared[index].backOff.notBefore) }
        connect(.shared(index))
        accompany(.shared(index))
    }

    func sharedConnected(_ index: Int, _ wire: Wire) {
        // A parallel attempt was faster.
        guard shared[index].wire == nil else { return lose(wire, .connectionClosed) }
        shared[index].wire = wire
        shared[index].failedAttempts = 0
        pool.connected(self.index)
    }

    /// If no other connection works, waiting statements fail at once rather than wait for the next attempt.
    func sharedFailed(_ index: Int, _ error: PostgresError) {
        guard shared[index].wire == nil, !isConnecting(.shared(index)) else { return }
        shared[index].backOff.failed(now: now)
        shared[index].failedAttempts += 1
        connectShared(index)
        guard !isAlive else { return }
        if shared[index].backOff.failures == 1 { pool.unreachable(error) }
        passOnPending()
        for operation in pending { operation.completion.fail(error) }
        pending.removeAll()
    }

    func sharedLost(_ index: Int, _ wire: Wire) {
        guard shared[index].wire === wire else { return }
        shared[index].wire = nil
        if shared.allSatisfy({ $0.wire == nil }), !isShuttingDown { pool.disconnected(self.index) }
        shared[index].backOff.lost(after: now - wire.opened, now: now)
        connectShared(index)
    }

    func reconnect() {
        for index in shared.indices { connectShared(index) }
        connectLeased()
        connectListener()
    }
}
