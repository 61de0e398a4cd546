import CLibpq
import Glibc
import Logging

/// A connection that is being made.
struct ConnectionAttempt {
    let purpose: Purpose
    let since: UInt64
}

/// Connections on their way: each on a thread of its own, each counted before the server knows of it.
///
/// A lost packet or a silent host holds one attempt back, and not the next one: beside an attempt that takes long another is begun,
/// with the host that comes after. Those further ones take places of the leased pool, so that the server never has more connections
/// of this client than it may have.
extension Core {
    /// Begins to connect.
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

    /// Some connection works: whoever waits for another one may do so for as long as it likes.
    var isAlive: Bool { wires.values.contains { !$0.isSilent } }

    /// Attempts beside the first of their purpose, for what is no leased connection.
    var companions: Int {
        let others = attempts.values.filter { $0.purpose != .leased }
        return others.count - Set(others.map(\.purpose)).count
    }

    /// Places of the leased pool that are taken: by connections, whoever has them, and by attempts.
    var leasedPlaces: Int {
        idle.count + leased.count + resetting.count + attempts.values.count { $0.purpose == .leased } + companions
    }

    var leasedLimit: Int { max(1, loop.configuration.leasedConnections) }

    /// Begins a second attempt beside one that takes long, if there is none yet and a place for it.
    func accompany(_ purpose: Purpose) {
        let since = attempts.values.filter { $0.purpose == purpose }.map(\.since)
        guard since.count == 1, let first = since.first else { return }
        guard now >= first + loop.companionDelay else { return wake(at: first + loop.companionDelay) }
        if leasedPlaces < leasedLimit { connect(purpose) }
    }
}
