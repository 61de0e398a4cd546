/// A subscriber to notifications.
struct Listener {
    let channels: [String]
    let continuation: AsyncStream<PostgresNotification>.Continuation
}

/// Notifications: one connection for all listeners, open only while there are any.
extension PoolLoop {
    func listen(_ id: UInt64, _ channels: [String], _ continuation: AsyncStream<PostgresNotification>.Continuation) {
        guard !isShuttingDown else { return continuation.finish() }
        listeners[id] = Listener(channels: channels, continuation: continuation)
        if let wire = listenerWire { subscribe([id], channels, on: wire) } else { connectListener() }
    }

    func unlisten(_ id: UInt64) {
        guard let listener = listeners.removeValue(forKey: id), let wire = listenerWire else { return }
        guard !listeners.isEmpty else { return lose(wire, .connectionClosed) }
        let wanted = Set(listeners.values.flatMap(\.channels))
        let unwanted = Set(listener.channels).subtracting(wanted)
        if !unwanted.isEmpty { control(unwanted.map { "unlisten \(quoted($0))" }, .ignored, on: wire) }
    }

    func connectListener() {
        guard !isShuttingDown, !listeners.isEmpty, listenerWire == nil, !isConnecting(.listener) else { return }
        guard now >= listenerBackOff.notBefore else { return wake(at: listenerBackOff.notBefore) }
        connect(.listener)
    }

    func listenerConnected(_ wire: Wire) {
        guard !listeners.isEmpty else { return lose(wire, .connectionClosed) }
        listenerWire = wire
        subscribe(Array(listeners.keys), Array(Set(listeners.values.flatMap(\.channels))), on: wire)
    }

    func listenerFailed() {
        listenerBackOff.failed(now: now)
        connectListener()
    }

    func listenerLost(_ wire: Wire) {
        guard listenerWire === wire else { return connectListener() }
        listenerWire = nil
        listenerBackOff.lost(after: now - wire.opened, now: now)
        connectListener()
    }

    private func subscribe(_ ids: [UInt64], _ channels: [String], on wire: Wire) {
        control(channels.map { "listen \(quoted($0))" }, .listening(ids), on: wire)
    }

    /// The channels are active: each listener is told to check for what it may have missed.
    func listening(_ ids: [UInt64]) {
        for id in ids { listeners[id]?.continuation.yield(.reconnected) }
    }

    private func control(_ statements: [String], _ completion: Completion, on wire: Wire) {
        guard let last = statements.last else { return }
        send(
            Operation(
                id: pool.nextIdentifier(), controls: Array(statements.dropLast()), statement: SQL(control: last),
                prepares: false, submitted: now, patience: Patience(loop: 0, limit: .max),
                completion: completion), on: wire)
    }

    private func quoted(_ channel: String) -> String {
        "\"" + channel.replacing("\"", with: "\"\"") + "\""
    }

    func deliverNotifications(of wire: Wire) {
        guard !wire.notifications.isEmpty else { return }
        let notifications = wire.notifications
        wire.notifications = []
        guard wire.purpose == .listener, wires[wire.id] === wire else { return }
        for message in notifications {
            for listener in listeners.values where listener.channels.contains(message.channel ?? "") {
                listener.continuation.yield(message)
            }
        }
    }
}
