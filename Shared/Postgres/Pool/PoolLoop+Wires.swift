import DequeModule
import Logging

/// The life cycle of connections: opened, written to, read from, lost.
extension PoolLoop {
    /// Sends an operation on a wire; if it cannot be sent, it fails.
    func send(_ operation: Operation, on wire: Wire) {
        switch wire.send(operation, now: now) {
        case .sent:
            touch(wire)
            wake(at: operation.patience.until)
            wake(at: now + pool.answerLimit)
        case .writes(let operation): submitAlone(operation)
        }
    }

    func touch(_ wire: Wire) {
        guard !wire.isTouched else { return }
        wire.isTouched = true
        touched.append(wire)
    }

    func flushTouched() {
        guard !touched.isEmpty else { return }
        let wires = touched
        touched.removeAll(keepingCapacity: true)
        for wire in wires {
            wire.isTouched = false
            wire.flush()
        }
    }

    /// Delivers the results that a wire has completed.
    func complete(_ wire: Wire) {
        while let entry = wire.finished.popFirst() { complete(entry, of: wire) }
    }

    private func complete(_ entry: InFlight, of wire: Wire) {
        let operation = entry.operation
        if entry.wasIgnored { return sendSeparately(entry) }
        pool.metrics.operation(nanoseconds: now &- operation.submitted)
        if var failure = entry.failure {
            // The next connection subscribes again.
            if case .listening = operation.completion {
                pool.metrics.error(failure)
                return lose(wire, .connectionClosed)
            }
            if failure.sqlState == SQLState.readOnlyTransaction {
                if case .shared = wire.purpose { return sendElsewhere(entry, from: wire) }
                distrust(wire)
            }
            if entry.isStale { failure.effect = .none }
            if entry.isStale, operation.repeats < Operation.maximumRepeats, operation.controls.isEmpty,
                operation.more.isEmpty,
                !entry.isAbandoned, !operation.isCall, canRepeat(on: wire)
            {
                var again = operation
                again.repeats += 1
                return send(again, on: wire)
            }
            pool.metrics.error(failure)
            if case .reset = operation.completion { return lose(wire, .connectionClosed) }
            operation.completion.fail(failure)
            if operation.isAlone { release(operation.id, .clean) }
            return
        }
        defer { if operation.isAlone { release(operation.id, .clean) } }
        // An empty script has no result.
        guard let first = entry.results.first ?? entry.operation.script.map({ _ in .empty }) else {
            return operation.completion.fail(.connectionLost)
        }
        switch operation.completion {
        case .one(let promise): promise.succeed(Rows(first))
        case .many(let promise): promise.succeed(entry.results.map { Rows($0) })
        case .listening(let ids): listening(ids)
        case .reset: wasReset(wire)
        case .ignored: break
        }
    }

    /// A statement that writes was refused on a read-only connection, without any effect.
    private func sendElsewhere(_ entry: InFlight, from wire: Wire) {
        wire.statements.markWriting(entry.operation.statement)
        guard !entry.isAbandoned else { return }
        submitAlone(entry.operation)
    }

    /// Another statement failed before it, when they shared a synchronization point.
    private func sendSeparately(_ entry: InFlight) {
        guard !entry.isAbandoned else { return }
        var operation = entry.operation
        operation.isSeparate = true
        submit(operation)
    }

    /// The server accepts no writes (25006), so it is the wrong one. Its connections are closed; those opened in
    /// their place look for the right server.
    private func distrust(_ wire: Wire) {
        wire.isSpoiled = true
        for idler in idle { lose(idler, .connectionClosed) }
    }

    /// A statement refused as stale had no effect: outside a transaction it can be sent again.
    private func canRepeat(on wire: Wire) -> Bool {
        if case .shared = wire.purpose { return true }
        return wire.isIdle
    }

    /// A connection was lost: its operations in progress fail now, and another connection is opened.
    func lose(_ wire: Wire, _ error: PostgresError) {
        guard wires.removeValue(forKey: wire.id) != nil else { return }
        connectionsChanged = true
        wire.close()
        let wasCut = error == .connectionLost
        complete(wire)
        let nothingWasDone = wire.nothingWasDone
        var again: [Operation] = []
        for entry in wire.inFlight {
            var operation = entry.operation
            if nothingWasDone, mayRepeat(operation, of: wire), !entry.isAbandoned {
                operation.repeats += 1
                again.append(operation)
                continue
            }
            var error = error
            if wasCut { error.effect = .undoneUnlessCommitted }
            error.sqlState = entry.failure?.sqlState
            // A server that is stopped may have committed and said so before it says that it ends.
            let mayHaveCommitted = entry.failure == nil || !entry.results.isEmpty
            if operation.commits, !nothingWasDone, mayHaveCommitted { error = error.withUnknownOutcome }
            if !entry.isAbandoned { pool.metrics.error(error) }
            operation.completion.fail(error)
        }
        wire.inFlight.removeAll()
        switch wire.purpose {
        case .shared(let index): sharedLost(index, wire)
        case .leased: leasedLost(wire)
        case .listener: listenerLost(wire)
        }
        for operation in again { submit(operation) }
    }

    private func mayRepeat(_ operation: Operation, of wire: Wire) -> Bool {
        guard !isShuttingDown else { return false }
        if case .shared = wire.purpose {} else if !operation.isAlone { return false }
        return operation.repeats < Operation.maximumRepeats && !operation.isCall
    }

    /// No one waits for the work on a leased connection any more; anyone who still does is failed. The server goes on
    /// with it, perhaps for long (a commit that waits for a standby). Until it has responded, the connection keeps
    /// its place in the pool, so that the server never has too many.
    func retire(_ wire: Wire, _ error: PostgresError) {
        guard wires[wire.id] === wire else { return }
        if let lease = wire.lease { endLease(lease) }
        wire.lease = nil
        connectionsChanged = true
        resetting.insert(wire.id)
        if !wire.isQuiet, !wire.mayBeCommitting { cancel(wire) }
        for index in wire.inFlight.indices where !wire.inFlight[index].isAbandoned {
            let operation = wire.inFlight[index].operation
            wire.inFlight[index].operation.completion = .ignored
            operation.completion.fail(operation.commits ? error.withUnknownOutcome : error)
        }
        wire.isRetired = true
        recycle(wire)
    }

    private func cancel(_ wire: Wire) {
        wire.isBeingCancelled = true
        let (id, session, pool, index) = (wire.id, wire.session, self.pool, self.index)
        Task { pool.post(.cancelled(wire: id, isCertain: await requestCancel(of: session)), to: index) }
    }

    func cancelled(_ id: UInt64, isCertain: Bool) {
        guard let wire = wires[id] else { return }
        wire.isBeingCancelled = false
        if !isCertain { wire.isSpoiled = true }
        recycle(wire)
    }

    /// Resets a retired connection for the next caller, once the server has responded to everything sent on it.
    func recycle(_ wire: Wire) {
        guard wire.isRetired, wire.isQuiet, !wire.isBeingCancelled, wires[wire.id] === wire else { return }
        wire.isRetired = false
        if wire.isSpoiled { lose(wire, .connectionClosed) } else { reset(wire) }
    }
}
