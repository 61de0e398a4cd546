import DequeModule
import Logging
import Synchronization

/// The slot of one shared connection.
struct SharedSlot {
    var wire: Wire?
    var backOff = BackOff()
}

/// Read-only autocommit statements, which any shared connection can take. The server refuses writes on these
/// connections (`default_transaction_read_only`), and the statement is then sent on a leased one: reads never queue
/// behind commits.
extension Core {
    /// The maximum queue on a connection: statements that wait here can still go to another one.
    private static let depth = 1_024
    /// How long a statement waits for a connection when none works.
    static let connectionLimit: UInt64 = 1_500_000_000

    func submit(_ operation: Operation) {
        if operation.isAlone { return submitAlone(operation) }
        guard pending.isEmpty, let wire = leastBusy() else {
            pending.append(operation)
            wake(at: operation.patience.until)
            wake(at: operation.submitted + Core.connectionLimit)
            return
        }
        send(operation, on: wire)
    }

    /// A slow statement delays those behind it on its connection, so the shortest queue is the best guess.
    private func leastBusy() -> Wire? {
        var best: Wire?
        var least = Core.depth
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
            let limit = operation.submitted + Core.connectionLimit
            if now >= operation.patience.until {
                operation.completion.fail(operation.patience.isDeadline ? .deadlinePassed : .notConnected)
            } else if isDown && now >= limit {
                operation.completion.fail(.notConnected)
            } else {
                kept.append(operation)
                wake(at: operation.patience.until)
                wake(at: isDown ? limit : now + Core.connectionLimit)
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
        let wasDown = shared.allSatisfy { $0.wire == nil }
        shared[index].wire = wire
        if wasDown { loop.logger.info("connected to the database") }
    }

    /// If no other connection works, waiting statements fail at once rather than wait for the next attempt.
    func sharedFailed(_ index: Int, _ error: PostgresError) {
        guard shared[index].wire == nil, !isConnecting(.shared(index)) else { return }
        shared[index].backOff.failed(now: now)
        connectShared(index)
        guard !isAlive else { return }
        if shared[index].backOff.failures == 1 {
            loop.logger.warning("the database cannot be reached", metadata: ["error": "\(error)"])
        }
        for operation in pending { operation.completion.fail(error) }
        pending.removeAll()
    }

    func sharedLost(_ index: Int, _ wire: Wire) {
        guard shared[index].wire === wire else { return }
        shared[index].wire = nil
        if shared.allSatisfy({ $0.wire == nil }), !isShuttingDown {
            loop.logger.warning("the connection to the database was lost")
        }
        shared[index].backOff.lost(after: now - wire.opened, now: now)
        connectShared(index)
    }

    func reconnect() {
        for index in shared.indices { connectShared(index) }
        connectLeased()
        connectListener()
    }
}
