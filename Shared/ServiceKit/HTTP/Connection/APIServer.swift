import Glibc
import HummingbirdCore
import Logging
import NIOCore
import NIOHTTP1
import NIOPosix
import ServiceLifecycle

/// The listener of a service's API.
///
/// On graceful shutdown it stops accepting, lets each connection finish its current request, and ends when no work is
/// left for any of them.
struct APIServer: Service {
    private let server: any Service
    /// Accepts connections on one of the event loops: Swift's pool would wake a thread of its own for each.
    private let executor: LoopExecutor

    /// - Parameters:
    ///   - port: 0 for a free one.
    ///   - onRunning: called with the bound port.
    init(
        responder: Responder, host: String, port: Int,
        eventLoopGroup: any EventLoopGroup = MultiThreadedEventLoopGroup.singleton, logger: Logger,
        onRunning: @escaping @Sendable (Int) async -> Void = { _ in }
    ) {
        let configuration = ServerConfiguration(
            address: .hostname(host, port: port), backlog: 4096,
            availableConnectionsDelegate: MaximumAvailableConnections(responder.limits.connections, logger: logger))
        executor = LoopExecutor(eventLoopGroup.next())
        server = APIChannel(responder: responder).server(
            configuration: configuration, onServerRunning: { await onRunning($0.localAddress?.port ?? port) },
            eventLoopGroup: eventLoopGroup, logger: logger)
    }

    func run() async throws {
        Self.raiseDescriptorLimit()
        try await withTaskExecutorPreference(executor) { try await server.run() }
    }
}

extension APIServer {
    /// Each connection is a descriptor, and the soft limit that processes start with (1,024) is meant for programs that
    /// use `select`, which we do not.
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

/// What Hummingbird's server installs on each accepted socket: NIO's parser between two handlers of ours.
///
/// It replaces Hummingbird's `HTTP1Channel` for three reasons. That one answers parser errors without a problem
/// document, and cannot end a request whose body is not wanted. It runs a request's task on the threads of Swift's pool
/// instead of the connection's event loop, which costs two thread hops per request. And it makes a validated value of
/// every header field, of which we read a handful.
struct APIChannel: ServerChildChannel {
    struct Value: ServerChildChannelValue {
        let channel: any Channel
        let finished: EventLoopFuture<Void>
    }

    let responder: any RequestHandling
    private let loops = ConnectionLoops()

    init(responder: any RequestHandling) {
        self.responder = responder
    }

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<Value> {
        channel.eventLoop.makeCompletedFuture {
            var limits = NIOHTTPDecoderLimitConfiguration()
            limits.maxHeaderFieldSize = responder.limits.headerBytes
            limits.maxHeaderListSize = responder.limits.headerBytes + responder.limits.uriBytes
            let finished = channel.eventLoop.makePromise(of: Void.self)
            let loop = loops.loop(channel.eventLoop)
            let connection = ConnectionHandler(responder: responder, loop: loop, finished: finished)
            // One read per turn: the parser processes all of it before any other connection is read.
            try channel.syncOptions?.setOption(.maxMessagesPerRead, value: 1)
            // The channel is writable only when nothing is left in it.
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

/// Tells the connection about bytes before they are parsed: when they arrive, and what they were if the parser refuses
/// them.
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
