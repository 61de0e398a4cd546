import DequeModule
import NIOCore
import Synchronization

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

/// What the connections of one event loop share.
final class ConnectionLoop {
    let turns: LoopTurns
    let executor: LoopExecutor
    private static let keptCapacity = 128 << 10
    /// Most responses leave at once, so that the memory of one serves for the next.
    private var response = ByteBuffer()

    init(_ eventLoop: any EventLoop) {
        turns = LoopTurns(eventLoop)
        executor = LoopExecutor(eventLoop)
    }

    /// A response as it is sent; valid for as long as it is kept.
    func encode(_ answer: RawResponse, _ form: ResponseEncoder.Form) -> ByteBuffer {
        // Another memory, if an earlier response is still in this one.
        response.clear(minimumCapacity: 384 + answer.body.count)
        ResponseEncoder.encode(answer, form, into: &response)
        defer { if response.capacity > Self.keptCapacity { response = ByteBuffer() } }
        return response
    }
}

/// The event loops that a listener has connections on.
final class ConnectionLoops: Sendable {
    private let loops = Mutex<[ObjectIdentifier: NIOLoopBound<ConnectionLoop>]>([:])

    /// Call it on the event loop.
    func loop(_ eventLoop: any EventLoop) -> ConnectionLoop {
        loops.withLock { loops in
            if let known = loops[ObjectIdentifier(eventLoop)] { return known }
            let made = NIOLoopBound(ConnectionLoop(eventLoop), eventLoop: eventLoop)
            loops[ObjectIdentifier(eventLoop)] = made
            return made
        }.value
    }
}
