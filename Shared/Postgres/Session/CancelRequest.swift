import NIOCore
import NIOPosix
import Synchronization

/// Asks the server to cancel what a session is doing (PostgreSQL documentation, 55.2.7): on a connection of its own,
/// which the server closes once it has sent the signal.
enum CancelRequest {
    /// Requests beyond this number are left to the server's `statement_timeout`.
    static let limit = 4
    static let patience = TimeAmount.seconds(10)
    private static let running = Atomic<Int>(0)

    /// Whether a place was free.
    fileprivate static func take() -> Bool {
        let isFree = running.add(1, ordering: .relaxed).newValue <= limit
        if !isFree { release() }
        return isFree
    }

    fileprivate static func release() { running.subtract(1, ordering: .relaxed) }
}

/// Whether the server has taken the request, or nothing was sent because too many requests are in progress: then it
/// cannot affect anything sent later.
func requestCancel(of session: Session) async -> Bool {
    guard CancelRequest.take() else { return true }
    defer { CancelRequest.release() }
    let deadline = NIODeadline.now() + CancelRequest.patience
    let request = HandshakeRequest.cancel(processID: session.processID, secretKey: session.secretKey)
    let connected = ClientBootstrap(group: session.channel.eventLoop).connectTimeout(CancelRequest.patience)
        .connect(to: session.address)
    let taken = connected.flatMap { channel in
        let promise = channel.eventLoop.makePromise(of: Bool.self)
        do {
            try channel.pipeline.syncOperations.addHandler(CancelHandler(request, deadline, promise))
        } catch {
            promise.succeed(false)
        }
        return promise.futureResult
    }
    return (try? await taken.get()) ?? false
}

/// Sends a request and waits for the server to close the connection.
private final class CancelHandler: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let request: ByteBuffer
    private let deadline: NIODeadline
    private let promise: EventLoopPromise<Bool>
    private var isSent = false
    private var isOver = false
    private var timer: Scheduled<Void>?

    init(_ request: ByteBuffer, _ deadline: NIODeadline, _ promise: EventLoopPromise<Bool>) {
        self.request = request
        self.deadline = deadline
        self.promise = promise
    }

    func handlerAdded(context: ChannelHandlerContext) {
        let eventLoop = context.eventLoop.assumeIsolated()
        let channel = context.channel
        timer = eventLoop.scheduleTask(deadline: deadline) { [self] in
            end(false)
            channel.close(promise: nil)
        }
        context.writeAndFlush(wrapOutboundOut(request)).assumeIsolated().whenSuccess { [self] in isSent = true }
    }

    func handlerRemoved(context: ChannelHandlerContext) { end(isSent) }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {}

    /// The connection's end follows.
    func errorCaught(context: ChannelHandlerContext, error: any Error) {}

    func channelInactive(context: ChannelHandlerContext) { end(isSent) }

    private func end(_ isTaken: Bool) {
        guard !isOver else { return }
        isOver = true
        timer?.cancel()
        promise.succeed(isTaken)
    }
}
