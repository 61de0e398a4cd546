import Glibc
import HummingbirdCore
package import Logging
package import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// The listener of a service's API.
///
/// On graceful shutdown it stops accepting, lets each connection finish the request it is at, and ends when nothing works
/// for any of them any more.
package struct APIServer: Service {
    private let server: any Service

    /// - Parameters:
    ///   - port: 0 for a free one.
    ///   - onRunning: is told the port that was bound.
    package init(
        responder: Responder, host: String, port: Int,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        let configuration = ServerConfiguration(
            address: .hostname(host, port: port), backlog: 4096,
            availableConnectionsDelegate: MaximumAvailableConnections(responder.limits.connections, logger: logger))
        server = APIChannel(responder: responder).server(
            configuration: configuration, onServerRunning: { await onRunning($0.localAddress?.port ?? port) },
            eventLoopGroup: eventLoopGroup, logger: logger)
    }

    package func run() async throws {
        Self.raiseDescriptorLimit()
        try await server.run()
    }
}

extension APIServer {
    /// Each connection is a descriptor, and the soft limit that processes start with (1,024) is for programs that use
    /// `select`, which we do not.
    private static func raiseDescriptorLimit() {
        var limit = rlimit()
        guard getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0, limit.rlim_cur < limit.rlim_max
        else {
            return
        }
        limit.rlim_cur = limit.rlim_max
        setrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit)
    }
}

/// What Hummingbird's server puts on each accepted socket: NIO's parser between two handlers of ours.
///
/// It stands in place of Hummingbird's `HTTP1Channel`, for three reasons: that one answers parser errors without a problem
/// document and cannot end a request whose body is not wanted; a request's task runs on the threads of Swift's pool instead
/// of the connection's event loop, which costs two hops between threads a request; and it makes every header field a
/// validated value, of which we read a handful.
struct APIChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let finished: EventLoopFuture<Void>
    }

    let responder: any RequestHandling
    private let turns = TurnsByLoop()

    init(responder: any RequestHandling) {
        self.responder = responder
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = responder.limits.headerBytes
            limits.maxHeaderListSize = responder.limits.headerBytes + responder.limits.uriBytes
            let finished = channel.eventLoop.makePromise(of: Void.self)
            let connection = ConnectionHandler(
                responder: responder, turns: turns.turns(on: channel.eventLoop),
                executor: LoopExecutor(channel.eventLoop), finished: finished)
            // One read a turn: the parser makes everything of it that there is in it, before anybody else is read.
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            // Writable is a channel in which nothing is left.
            try channel.syncOptions?.setOption(.writeBufferWaterMark, value: .init(low: 1, high: 1))
            try channel.syncOptions?.setOption(
                .recvAllocator,
                value: AdaptiveRecvByteBufferAllocator(
                    minimum: 512, initial: 2048, maximum: responder.limits.readBytes))
            let pipeline = channel.pipeline.syncOperations
            try pipeline.addHandler(PreParserTap(connection))
            try pipeline.addHandler(
                ByteToMessageHandler(HTTPRequestDecoder(leftOverBytesStrategy: .dropBytes, limitConfiguration: limits)))
            try pipeline.addHandler(connection)
            return Value(channel: channel, finished: finished.futureResult)
        }
    }

    func handle(value: Value, logger: Logger) async {
        await withTaskCancellationHandler {
            try? await value.finished.get()
        } onCancel: {
            value.channel.close(promise: nil)
        }
    }
}

/// Tells the connection of bytes before they are parsed: when they come, and what they were when the parser refuses them.
private final class PreParserTap: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer

    private let connection: ConnectionHandler

    init(_ connection: ConnectionHandler) {
        self.connection = connection
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        connection.bytesArriving(unwrapInboundIn(data))
        context.fireChannelRead(data)
        connection.bytesArrived()
    }
}

/// Runs tasks on an event loop.
final class LoopExecutor: TaskExecutor {
    private let eventLoop: any EventLoop

    init(_ eventLoop: any EventLoop) {
        self.eventLoop = eventLoop
    }

    func enqueue(_ job: consuming ExecutorJob) {
        let job = UnownedJob(job)
        eventLoop.execute { job.runSynchronously(on: self.asUnownedTaskExecutor()) }
    }
}
