import NIOCore
import NIOHTTP1

/// From one request to the next, and to those that have arrived ahead: a limited number in one turn of the event loop.
extension ConnectionHandler {
    func becomeIdle() {
        phase = unsent > 0 ? .sending : .idle
        hasStreamHead = false
        hasPartOfHead = false
        alarm.cancel()
        received = 0
        // A request that is processed here may finish in this very function.
        guard !isUnparking else { return }
        isUnparking = true
        while !phase.isBusy, phase != .closing, let next = parked.first {
            if isTurnOver(for: next.part) {
                yieldTurn()
            } else {
                parked.removeFirst()
                aheadReservation?.release(next.bytes)
                process(next.part)
            }
        }
        isUnparking = false
        switch phase {
        case .idle where isQuiescing: context?.close(promise: nil)
        case .idle, .receiving, .discarding: goOn()
        case .answering, .sending, .yielding, .closing: releaseRead()
        }
    }

    /// Whether this part begins a request beyond the limit of one turn.
    func isTurnOver(for part: HTTPServerRequestPart) -> Bool {
        if case .head = part { requestsInTurn >= limits.requestsPerTurn } else { false }
    }

    func yieldTurn() {
        phase = .yielding
        loop.turns.wait(self)
    }

    /// Continues after other connections have been read.
    ///
    /// - Returns: whether the connection was waiting for its turn.
    func takeTurn() -> Bool {
        guard phase == .yielding else { return false }
        requestsInTurn = 0
        becomeIdle()
        return true
    }

    /// Nothing is parked any more, and the last request is answered or its body is still to come.
    private func goOn() {
        // A discarded request already has its response.
        if let parkedFault { return phase == .discarding ? close() : refuse(parkedFault) }
        switch phase {
        case .receiving where inputHasEnded:
            endUpload(with: ConnectionLost())
            context?.close(promise: nil)
        case _ where inputHasEnded: close()
        case .receiving, .discarding:
            if !uploadIsFull { expectBody() }
            releaseRead()
        default:
            if lineOfUnknownMethod != nil { awaitHead() }
            releaseRead()
        }
    }
}
