import ClubProtocol
import NIOCore

/// The one event that a connection waits for with a time limit, apart from a client that reads.
struct ConnectionTimeout {
    enum Kind {
        /// The rest of a header that has begun.
        case head
        /// More of a body.
        case body
        /// The client's close after the last response.
        case linger
    }

    private var current: (kind: Kind, task: Scheduled<Void>)?

    func isSet(_ kind: Kind) -> Bool { current?.kind == kind }

    /// Replaces any previous timeout.
    mutating func set(_ kind: Kind, in delay: TimeAmount, on eventLoop: any EventLoop, _ ring: @escaping () -> Void) {
        cancel()
        current = (kind, eventLoop.assumeIsolated().scheduleTask(in: delay, ring))
    }

    mutating func cancel() {
        current?.task.cancel()
        current = nil
    }

    mutating func cancel(_ kind: Kind) {
        if isSet(kind) { cancel() }
    }
}

extension ConnectionHandler {
    func arm(_ kind: ConnectionTimeout.Kind, _ delay: Duration) {
        guard let context, !alarm.isSet(kind) else { return }
        if kind == .body { receivedInTime = 0 }
        alarm.set(kind, in: TimeAmount(delay), on: context.eventLoop) { [weak self] in self?.ring(kind) }
    }

    private func ring(_ kind: ConnectionTimeout.Kind) {
        alarm.cancel()
        guard let context else { return }
        switch kind {
        case .head where phase == .idle: refuse(Problem(.requestTimeout))
        case .body where phase == .receiving && !uploadIsFull:
            if bodyIsLate { refuse(Problem(.requestTimeout)) } else { expectBody() }
        case .body where phase == .discarding: close()
        case .linger: context.close(mode: .all, promise: nil)
        case .head, .body: break
        }
    }

    /// Set once and moved when it fires, so that a request costs no timer.
    func scheduleIdle(in delay: TimeAmount) {
        guard let context, idleAlarm == nil else { return }
        idleAlarm = context.eventLoop.assumeIsolated().scheduleTask(in: delay) { [weak self] in
            guard let self else { return }
            self.idleAlarm = nil
            let rest = self.lastActive + TimeAmount(self.limits.idleTimeout) - .now()
            if rest > .zero {
                self.scheduleIdle(in: rest)
            } else if self.phase == .idle {
                self.context?.close(promise: nil)
            } else {
                self.scheduleIdle(in: TimeAmount(self.limits.idleTimeout))
            }
        }
    }
}
