import DequeModule
import NIOCore

/// How connections continue that have pipelined more requests than one turn of their event loop takes: one at a time,
/// with a pause after each.
///
/// An event loop polls its sockets only when none of its tasks is due, and a task added by another one is due at once.
/// The pause is what lets other connections be read: between two polls, all pipelining connections together have one
/// turn, however many they are.
final class LoopTurns {
    static let pause = TimeAmount.milliseconds(1)

    private let eventLoop: any EventLoop
    private var waiting: Deque<ConnectionHandler> = []
    private var isSet = false

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    /// Lets the connection continue when it is its turn; see ``ConnectionHandler/takeTurn()``.
    func wait(_ connection: ConnectionHandler) {
        waiting.append(connection)
        setNext()
    }

    private func setNext() {
        guard !isSet, !waiting.isEmpty else { return }
        isSet = true
        eventLoop.assumeIsolated().scheduleTask(in: Self.pause) {
            self.isSet = false
            // Connections closed in the meantime need no turn.
            while let next = self.waiting.popFirst(), !next.takeTurn() {}
            self.setNext()
        }
    }
}
