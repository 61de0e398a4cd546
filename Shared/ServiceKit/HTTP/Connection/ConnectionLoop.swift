import NIOCore
import Synchronization

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
