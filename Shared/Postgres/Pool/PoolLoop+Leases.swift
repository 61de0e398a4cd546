import DequeModule

/// Connections for exclusive use by one caller: transactions, session-level use, and statements that commit by
/// themselves. A few are kept open, the others are opened on demand; they are granted first come, first served. A
/// quarter is reserved for reads, because commits waiting for a standby could occupy all the others.
extension PoolLoop {
    private var writingLimit: Int { leasedLimit - leasedLimit / 4 }

    /// Connections used by leases that may write, or not ready for use.
    private var writing: Int { leased.count - readingLeases.count + resetting.count }

    private func mayHaveOne(_ waiter: Waiter) -> Bool { waiter.reads || writing < writingLimit }

    func acquire(_ waiter: Waiter) {
        waiters.append(waiter)
        serveWaiters()
        guard waiters.last?.id == waiter.id else { return }
        wake(at: waiter.patience.until)
        wake(at: waiter.since + PoolLoop.connectionLimit)
        connectLeased()
    }

    /// Sends a statement on a connection that it has to itself.
    func submitAlone(_ operation: Operation) {
        var operation = operation
        operation.isAlone = true
        operation.commits = true
        guard isFirst else { return pool.post(.submit(operation), to: Pool.first) }
        let patience = operation.patience.shortened(to: now &+ pool.acquireLimit)
        acquire(Waiter(id: operation.id, since: now, patience: patience, wish: .statement(operation)))
    }

    private func grant(_ wire: Wire, to waiter: Waiter) {
        connectionsChanged = true
        leased[waiter.id] = wire
        if waiter.reads { readingLeases.insert(waiter.id) }
        wire.lease = waiter.id
        pool.metrics.waited(nanoseconds: now &- waiter.since)
        switch waiter.wish {
        case .lease(let promise, _): promise.succeed(())
        case .statement(let operation): send(operation, on: wire)
        }
    }

    /// Sends a statement of a lease. The first one of a transaction to arrive here begins it, and no other does.
    func submitLeased(_ operation: Operation, on wire: Wire) {
        guard operation.transaction != 0 else { return send(operation, on: wire) }
        var operation = operation
        if operation.transaction == wire.transaction { operation.controls = [] }
        wire.transaction = operation.transaction
        send(operation, on: wire)
    }

    /// Opens as many connections as there are waiting callers, or as are needed for the minimum, within the limit.
    ///
    /// Slow attempts are not relied on: further ones are started in parallel. While none has succeeded, half of the
    /// places are reserved for those.
    func connectLeased() {
        guard isFirst, !isShuttingDown, idle.count + leased.count + resetting.count < leasedLimit else { return }
        while true {
            let since = attempts.values.filter { $0.purpose == .leased }.map(\.since)
            let missing =
                min(pool.configuration.leasedMinimum, leasedLimit) - idle.count - leased.count - resetting.count
            let readers = waiters.count(where: \.reads)
            let wanted = max(readers + min(waiters.count - readers, max(0, writingLimit - writing)), missing)
            let fresh = since.filter { now < $0 + pool.companionDelay }
            guard fresh.count < wanted, since.count < 2 * wanted, leasedPlaces < leasedLimit else {
                if wanted > 0, let next = fresh.min() { wake(at: next + pool.companionDelay) }
                return
            }
            let isFirst = idle.isEmpty && leased.isEmpty && resetting.isEmpty
            if isFirst, let next = fresh.min(), fresh.count >= max(1, leasedLimit / 2) {
                return wake(at: next + pool.companionDelay)
            }
            guard now >= leasedBackOff.notBefore else { return wake(at: leasedBackOff.notBefore) }
            connect(.leased)
        }
    }

    func leasedConnected(_ wire: Wire) {
        leasedBackOff.succeeded()
        makeAvailable(wire)
        connectLeased()
    }

    private func makeAvailable(_ wire: Wire) {
        // The connection may have been lost while its last response was being delivered.
        guard wires[wire.id] === wire else { return }
        connectionsChanged = true
        idle.append(wire)
        serveWaiters()
    }

    private func serveWaiters() {
        while !idle.isEmpty, let index = waiters.firstIndex(where: mayHaveOne) {
            grant(idle.removeLast(), to: waiters.remove(at: index))
        }
    }

    /// Ends a lease: its holder can no longer use the connection.
    func endLease(_ lease: UInt64) {
        leased[lease] = nil
        readingLeases.remove(lease)
    }

    func leasedFailed(_ error: PostgresError) {
        leasedBackOff.failed(now: now)
        // While any connection works, the next attempt may succeed; otherwise callers fail at once.
        if !isAlive && !isConnecting(.leased) {
            for waiter in waiters { waiter.fail(error) }
            waiters.removeAll()
        }
        connectLeased()
    }

    func leasedLost(_ wire: Wire) {
        if let lease = wire.lease { endLease(lease) }
        resetting.remove(wire.id)
        idle.removeAll { $0 === wire }
        serveWaiters()
        // Many connections lost at once count as one failure for the back-off.
        if now >= leasedBackOff.notBefore { leasedBackOff.lost(after: now - wire.opened, now: now) }
        connectLeased()
    }

    func release(_ id: UInt64, _ state: Return) {
        guard let wire = leased[id] else { return }
        guard state != .discard, wire.isIdle else { return retire(wire, .connectionClosed) }
        endLease(id)
        wire.lease = nil
        connectionsChanged = true
        if wire.isSpoiled { return lose(wire, .connectionClosed) }
        if state == .reset { reset(wire) } else { makeAvailable(wire) }
    }

    /// Discards the session state before the connection goes to another caller.
    func reset(_ wire: Wire) {
        resetting.insert(wire.id)
        wire.statements.removeAll()
        if !wire.isIdle { control("rollback", .ignored, on: wire) }
        if wires[wire.id] === wire { control("discard all", .reset, on: wire) }
    }

    private func control(_ text: String, _ completion: Completion, on wire: Wire) {
        send(
            Operation(
                id: pool.nextIdentifier(), statement: SQL(control: text), prepares: false, submitted: now,
                patience: Patience(loop: 0, limit: .max), completion: completion), on: wire)
    }

    func wasReset(_ wire: Wire) {
        guard resetting.remove(wire.id) != nil else { return }
        if wire.isSpoiled { lose(wire, .connectionClosed) } else { makeAvailable(wire) }
    }

    func expireWaiters() {
        guard !waiters.isEmpty else { return }
        let isDown = !isAlive
        var kept: Deque<Waiter> = []
        for waiter in waiters {
            let limit = waiter.since + PoolLoop.connectionLimit
            if now >= waiter.patience.until {
                let error: PostgresError = waiter.patience.isDeadline ? .deadlinePassed : .acquireTimeout
                pool.metrics.error(error)
                waiter.fail(error)
            } else if isDown && now >= limit {
                waiter.fail(.notConnected)
            } else {
                kept.append(waiter)
                wake(at: waiter.patience.until)
                wake(at: isDown ? limit : now + PoolLoop.connectionLimit)
            }
        }
        waiters = kept
    }
}
