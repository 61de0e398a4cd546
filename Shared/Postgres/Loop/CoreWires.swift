import CLibpq
import DequeModule
import Foundation
import Glibc
import Logging

/// Connections: made, written to, read from, lost.
extension Core {
    func connect(_ purpose: Purpose) {
        connectionsChanged = true
        let loop = self.loop
        // On a thread of its own: libpq resolves names in a blocking way.
        Thread.detachNewThread {
            loop.mailbox.post(.connected(purpose, ConnectionHandle.connect(loop.configuration)))
        }
    }

    func connected(_ purpose: Purpose, _ outcome: Result<ConnectionHandle, PostgresError>) {
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

    /// Sends on a wire; what cannot be sent fails.
    func send(_ operation: Operation, on wire: Wire) {
        switch wire.send(operation, now: now) {
        case .sent:
            touch(wire)
            wake(at: operation.patience.until)
            wake(at: now + loop.answerLimit)
        case .refused(let operation, let error): operation.completion.fail(error)
        case .broken(var operation):
            lose(wire, .connectionLost)
            // Its synchronisation point never left, and without it the server does nothing that lasts.
            guard mayRepeat(operation, of: wire) else { return operation.completion.fail(.connectionGone) }
            operation.repeats += 1
            submit(operation)
        }
    }

    func begin(_ operation: RawOperation, on wire: Wire) {
        guard wire.begin(operation, now: now) else { return lose(wire, .connectionLost) }
        touch(wire)
        wake(at: operation.patience.until)
        wake(at: now + loop.answerLimit)
        // Data that came with the previous step waits in libpq's buffer, and epoll knows nothing of it.
        settle(wire)
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
            flush(wire)
        }
    }

    private func flush(_ wire: Wire) {
        guard wires[wire.id] === wire else { return }
        guard let isFull = wire.flush() else { return lose(wire, .connectionLost) }
        if !isFull { wire.drained() }
        var events = isFull ? EPOLLOUT.rawValue : 0
        if wire.raw.wantsInput { events |= EPOLLIN.rawValue }
        watch(wire, events)
    }

    private func watch(_ wire: Wire, _ events: UInt32) {
        guard wire.interest != events || !wire.isWatched else { return }
        var event = unsafe epoll_event(events: events, data: epoll_data_t(u64: wire.id))
        unsafe epoll_ctl(epoll, wire.isWatched ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, wire.descriptor, &event)
        wire.isWatched = true
        wire.interest = events
    }

    func handle(_ id: UInt64, _ events: UInt32) {
        guard let wire = wires[id] else { return }
        if events & EPOLLOUT.rawValue != 0 {
            wire.progress = now
            flush(wire)
        }
        guard events & ~EPOLLOUT.rawValue != 0, wires[id] === wire else { return }
        let isWhole = wire.receive(now: now)
        complete(wire)
        guard isWhole else { return lose(wire, .connectionLost) }
        settle(wire)
        if wire.purpose != .shared(0) { deliverNotifications(of: wire) }
    }

    /// Goes on with a COPY or script, and asks for the events that its new step needs.
    private func settle(_ wire: Wire) {
        guard !wire.raw.isNone else { return }
        guard wire.advance() else { return lose(wire, .connectionLost) }
        touch(wire)
    }

    /// Hands out what a wire has finished.
    private func complete(_ wire: Wire) {
        guard !wire.finished.isEmpty else { return }
        for entry in wire.finished { complete(entry, of: wire) }
        wire.finished.removeAll(keepingCapacity: true)
    }

    private func complete(_ entry: InFlight, of wire: Wire) {
        let operation = entry.operation
        loop.metrics.operation(nanoseconds: now &- operation.submitted)
        if var failure = entry.failure {
            if entry.isStale { failure.effect = .none }
            if entry.isStale, operation.repeats < Operation.maximumRepeats, operation.controls.isEmpty,
                operation.more.isEmpty,
                !entry.isAbandoned,
                canRepeat(on: wire)
            {
                var again = operation
                again.repeats += 1
                return send(again, on: wire)
            }
            loop.metrics.error(failure)
            if case .reset = operation.completion { return discard(wire, cancel: false, .connectionClosed) }
            return operation.completion.fail(failure)
        }
        guard let first = entry.first else { return operation.completion.fail(.connectionLost) }
        switch operation.completion {
        case .one(let promise): promise.succeed(Rows(first))
        case .many(let promise): promise.succeed([Rows(first)] + entry.more.map { Rows($0) })
        case .listening(let ids): listening(ids)
        case .reset: wasReset(wire)
        case .nobody: break
        }
    }

    /// A statement that was refused as stale has done nothing: outside of a transaction it can be sent again.
    private func canRepeat(on wire: Wire) -> Bool {
        if case .shared = wire.purpose { return true }
        return wire.isIdle
    }

    /// A connection is gone: what is under way on it fails now, and another one is made.
    func lose(_ wire: Wire, _ error: PostgresError) {
        guard wires.removeValue(forKey: wire.id) != nil else { return }
        connectionsChanged = true
        epoll_ctl(epoll, EPOLL_CTL_DEL, wire.descriptor, nil)
        let wasCut = error == .connectionLost
        if wasCut { wire.salvage() }
        complete(wire)
        let raw = wire.raw.waiting
        wire.raw = .none
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
            if let state = entry.failure?.sqlState { error.sqlState = state }
            if !entry.isAbandoned { loop.metrics.error(error) }
            operation.completion.fail(error)
        }
        wire.inFlight.removeAll()
        raw?.operation.promise.fail(error)
        switch wire.purpose {
        case .shared(let index): sharedLost(index, wire)
        case .leased: leasedLost(wire)
        case .listener: listenerLost(wire)
        }
        for operation in again { submit(operation) }
    }

    private func mayRepeat(_ operation: Operation, of wire: Wire) -> Bool {
        guard case .shared = wire.purpose, !isShuttingDown else { return false }
        return operation.repeats < Operation.maximumRepeats && !operation.isCall
    }

    /// Gives a connection up, and has the server cancel what it does.
    func discard(_ wire: Wire, cancel: Bool, _ error: PostgresError) {
        if cancel { wire.handle.requestCancel() }
        lose(wire, error)
    }
}
