import DequeModule

/// Connections that one caller has for itself: transactions, COPY, session-level use. Opened when needed, given out first come,
/// first served.
extension Core {
    func acquire(_ waiter: Waiter) {
        if waiters.isEmpty, let wire = idle.popLast() { return grant(wire, to: waiter) }
        waiters.append(waiter)
        wake(at: waiter.patience.until)
        wake(at: waiter.since + Core.connectionLimit)
        connectLeased()
    }

    private func grant(_ wire: Wire, to waiter: Waiter) {
        connectionsChanged = true
        leased.insert(wire.id)
        loop.metrics.waited(nanoseconds: now &- waiter.since)
        waiter.promise.succeed(wire.id)
    }

    /// Opens as many connections as callers wait for, within the limit.
    func connectLeased() {
        guard !isShuttingDown else { return }
        let limit = max(1, loop.configuration.leasedConnections)
        while waiters.count > leasedConnecting, idle.count + leased.count + resetting.count + leasedConnecting < limit {
            guard now >= leasedBackOff.notBefore else { return wake(at: leasedBackOff.notBefore) }
            leasedConnecting += 1
            connect(.leased)
        }
    }

    func leasedConnected(_ wire: Wire) {
        leasedConnecting -= 1
        leasedBackOff.succeeded()
        makeAvailable(wire)
    }

    private func makeAvailable(_ wire: Wire) {
        connectionsChanged = true
        if let waiter = waiters.popFirst() { grant(wire, to: waiter) } else { idle.append(wire) }
    }

    func leasedFailed(_ error: PostgresError) {
        leasedConnecting -= 1
        leasedBackOff.failed(now: now)
        // If others hold connections, one of them will come back; else there is nothing to wait for.
        if leased.isEmpty && idle.isEmpty && resetting.isEmpty {
            for waiter in waiters { waiter.promise.fail(error) }
            waiters.removeAll()
        }
        connectLeased()
    }

    func leasedLost(_ wire: Wire) {
        leased.remove(wire.id)
        resetting.remove(wire.id)
        idle.removeAll { $0 === wire }
        connectLeased()
    }

    func giveBack(_ id: UInt64, _ state: Return) {
        guard let wire = wires[id], leased.remove(id) != nil else { return }
        connectionsChanged = true
        guard state != .discard, wire.isIdle else {
            return discard(wire, cancel: !wire.isIdle, .connectionClosed)
        }
        if state == .reset { reset(wire) } else { makeAvailable(wire) }
    }

    /// What the session was left with goes; only then it is somebody else's.
    private func reset(_ wire: Wire) {
        resetting.insert(wire.id)
        wire.statements.removeAll()
        send(
            Operation(
                id: loop.nextIdentifier(), statement: SQL(control: "discard all"), prepares: false, submitted: now,
                patience: Patience(loop: now, limit: loop.answerLimit), completion: .reset), on: wire)
    }

    func wasReset(_ wire: Wire) {
        if resetting.remove(wire.id) != nil { makeAvailable(wire) }
    }

    func expireWaiters() {
        guard !waiters.isEmpty else { return }
        let isDown = leased.isEmpty && idle.isEmpty && resetting.isEmpty
        var kept: Deque<Waiter> = []
        for waiter in waiters {
            let limit = waiter.since + Core.connectionLimit
            if now >= waiter.patience.until {
                let error: PostgresError = waiter.patience.isDeadline ? .deadlinePassed : .acquireTimeout
                loop.metrics.error(error)
                waiter.promise.fail(error)
            } else if isDown && now >= limit {
                waiter.promise.fail(.notConnected)
            } else {
                kept.append(waiter)
                wake(at: waiter.patience.until)
                wake(at: isDown ? limit : now + Core.connectionLimit)
            }
        }
        waiters = kept
    }
}
