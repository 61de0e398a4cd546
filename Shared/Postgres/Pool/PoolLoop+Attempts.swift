import Logging

/// A connection attempt.
struct ConnectionAttempt {
    let purpose: Purpose
    let since: UInt64
}

/// Connection attempts, each counted before the server knows of it.
///
/// A lost packet or a silent host delays one attempt, but not the next: a slow attempt of the first loop gets a second
/// one in parallel, starting with the next host. These additional attempts take places of the leased pool, so the server
/// never has more connections of this client than allowed. The other loops pass their reads on meanwhile.
extension PoolLoop {
    /// Starts a connection attempt.
    func connect(_ purpose: Purpose) {
        connectionsChanged = true
        lastAttempt += 1
        let (id, pool, index, isCompanion) = (lastAttempt, self.pool, self.index, hasSlowAttempt(purpose))
        attempts[id] = ConnectionAttempt(purpose: purpose, since: now)
        let eventLoop = self.eventLoop
        Task {
            let outcome = await pool.dialer.connect(for: purpose, isCompanion: isCompanion, on: eventLoop)
            pool.post(.connected(attempt: id, outcome), to: index)
        }
    }

    func connected(_ id: UInt64, _ outcome: Result<Session, PostgresError>) {
        guard let purpose = attempts.removeValue(forKey: id)?.purpose else { return }
        connectionsChanged = true
        switch outcome {
        case .success(let session): opened(session, for: purpose)
        case .failure(let error): failed(error, for: purpose)
        }
    }

    private func opened(_ session: Session, for purpose: Purpose) {
        lastWire += 1
        let wire = Wire(
            id: lastWire, purpose: purpose, session: session, cacheSize: pool.configuration.statementCacheSize,
            owner: self)
        // The server may have closed it meanwhile.
        guard wire.open() else {
            wire.close()
            return failed(.connectionLost, for: purpose)
        }
        let wasDown = wires.isEmpty
        wires[wire.id] = wire
        switch purpose {
        case .shared(let index): sharedConnected(index, wire)
        case .leased: leasedConnected(wire)
        case .listener: listenerConnected(wire)
        }
        if wasDown {
            serverIsBack()
            pool.serverIsBack(on: index)
        }
    }

    private func failed(_ error: PostgresError, for purpose: Purpose) {
        pool.metrics.error(error)
        pool.logger.debug("no connection to the database", metadata: ["error": "\(error)"])
        switch purpose {
        case .shared(let index): sharedFailed(index, error)
        case .leased: leasedFailed(error)
        case .listener: listenerFailed()
        }
    }

    private func hasSlowAttempt(_ purpose: Purpose) -> Bool {
        attempts.values.contains { $0.purpose == purpose && now >= $0.since + pool.companionDelay }
    }

    func isConnecting(_ purpose: Purpose) -> Bool { attempts.values.contains { $0.purpose == purpose } }

    /// Whether any connection works. If so, callers may go on waiting for another one.
    var isAlive: Bool { wires.values.contains { !$0.isSilent } }

    /// Attempts beyond the one connection for each purpose, except for leased connections.
    var companions: Int {
        let others = attempts.values.filter { $0.purpose != .leased }
        return others.count - Set(others.map(\.purpose)).count { !isConnected($0) }
    }

    private func isConnected(_ purpose: Purpose) -> Bool {
        switch purpose {
        case .shared(let index): shared[index].wire != nil
        case .listener: listenerWire != nil
        case .leased: false
        }
    }

    /// The places taken in the leased pool, by connections in any state and by attempts.
    var leasedPlaces: Int {
        idle.count + leased.count + resetting.count + attempts.values.count { $0.purpose == .leased } + companions
    }

    var leasedLimit: Int { max(1, pool.configuration.leasedConnections) }

    /// Starts a second attempt in parallel with a slow one, if there is none yet and a place is free. Only on the first
    /// loop, which counts the places.
    func accompany(_ purpose: Purpose) {
        guard isFirst else { return }
        let since = attempts.values.filter { $0.purpose == purpose }.map(\.since)
        guard since.count == 1, let first = since.first else { return }
        guard now >= first + pool.companionDelay else { return wake(at: first + pool.companionDelay) }
        if leasedPlaces < leasedLimit { connect(purpose) }
    }
}
