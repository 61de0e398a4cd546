import CLibpq
import Glibc
import Logging

/// A connection attempt.
struct ConnectionAttempt {
    let purpose: Purpose
    let since: UInt64
}

/// Connection attempts: each on its own thread, each counted before the server knows of it.
///
/// A lost packet or a silent host delays one attempt, but not the next: a slow attempt gets a second one in parallel,
/// starting with the next host. These additional attempts take places of the leased pool, so the server never has
/// more connections of this client than allowed.
extension Core {
    /// Starts a connection attempt.
    func connect(_ purpose: Purpose) {
        connectionsChanged = true
        lastAttempt += 1
        let (id, loop, isCompanion) = (lastAttempt, self.loop, hasSlowAttempt(purpose))
        attempts[id] = ConnectionAttempt(purpose: purpose, since: now)
        BackgroundThread.start("connect") {
            loop.mailbox.post(.connected(attempt: id, loop.dialer.connect(for: purpose, isCompanion: isCompanion)))
        }
    }

    func connected(_ id: UInt64, _ outcome: Result<ConnectionHandle, PostgresError>) {
        guard let purpose = attempts.removeValue(forKey: id)?.purpose else { return }
        connectionsChanged = true
        switch outcome {
        case .success(let handle):
            lastWire += 1
            let wire = Wire(
                id: lastWire, purpose: purpose, handle: handle, cacheSize: loop.configuration.statementCacheSize,
                now: now)
            wires[wire.id] = wire
            watch(wire, EPOLLIN.rawValue)
            switch purpose {
            case .shared(let index): sharedConnected(index, wire)
            case .leased: leasedConnected(wire)
            case .listener: listenerConnected(wire)
            }
        case .failure(let error):
            loop.metrics.error(error)
            loop.logger.debug("no connection to the database", metadata: ["error": "\(error)"])
            switch purpose {
            case .shared(let index): sharedFailed(index, error)
            case .leased: leasedFailed(error)
            case .listener: listenerFailed()
            }
        }
    }

    private func hasSlowAttempt(_ purpose: Purpose) -> Bool {
        attempts.values.contains { $0.purpose == purpose && now >= $0.since + loop.companionDelay }
    }

    func isConnecting(_ purpose: Purpose) -> Bool { attempts.values.contains { $0.purpose == purpose } }

    /// Whether any connection works. If so, callers may go on waiting for another one.
    var isAlive: Bool { wires.values.contains { !$0.isSilent } }

    /// Parallel attempts beyond the first for each purpose, except for leased connections.
    var companions: Int {
        let others = attempts.values.filter { $0.purpose != .leased }
        return others.count - Set(others.map(\.purpose)).count
    }

    /// The places taken in the leased pool, by connections in any state and by attempts.
    var leasedPlaces: Int {
        idle.count + leased.count + resetting.count + attempts.values.count { $0.purpose == .leased } + companions
    }

    var leasedLimit: Int { max(1, loop.configuration.leasedConnections) }

    /// Starts a second attempt in parallel with a slow one, if there is none yet and a place is free.
    func accompany(_ purpose: Purpose) {
        let since = attempts.values.filter { $0.purpose == purpose }.map(\.since)
        guard since.count == 1, let first = since.first else { return }
        guard now >= first + loop.companionDelay else { return wake(at: first + loop.companionDelay) }
        if leasedPlaces < leasedLimit { connect(purpose) }
    }
}
