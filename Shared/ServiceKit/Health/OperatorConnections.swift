import HummingbirdCore
import Logging
import NIOCore

/// The API's channel, with two limits in front of it. A response must begin some seconds after the first byte of its
/// request (or after the connection was opened), so that no client can send headers or bodies drop by drop. When there
/// are too many connections, the one that has been idle longest is closed.
struct OperatorChannel: ServerChildChannel {
    let inner: APIChannel
    let connections: OperatorConnections

    func setup(channel: any Channel, logger: Logger) -> EventLoopFuture<APIChannel.Value> {
        channel.eventLoop.makeCompletedFuture {
            try channel.pipeline.syncOperations.addHandler(RequestWatch(connections))
        }.flatMap {
            inner.setup(channel: channel, logger: logger)
        }
    }

    func handle(value: APIChannel.Value, logger: Logger) async {
        await inner.handle(value: value, logger: logger)
    }
}

/// The open connections of the operator port, which has one event loop.
final class OperatorConnections: Sendable {
    private let limit: Int
    fileprivate let requestTime: TimeAmount
    private let open: NIOLoopBoundBox<[ObjectIdentifier: RequestWatch]>

    init(limit: Int, requestTime: Duration, on eventLoop: any EventLoop) {
        self.limit = limit
        self.requestTime = TimeAmount(requestTime)
        open = .makeBoxSendingValue([:], eventLoop: eventLoop)
    }

    fileprivate func add(_ watch: RequestWatch) {
        if open.value.count >= limit { open.value.values.min { $0.lastActive < $1.lastActive }?.close() }
        open.value[ObjectIdentifier(watch)] = watch
    }

    fileprivate func remove(_ watch: RequestWatch) {
        open.value[ObjectIdentifier(watch)] = nil
    }
}

/// Observes the bytes of a connection before they are parsed and after they are written.
private final class RequestWatch: ChannelDuplexHandler {
    typealias InboundIn = ByteBuffer
    typealias InboundOut = ByteBuffer
    typealias OutboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer

    private let connections: OperatorConnections
    private var context: ChannelHandlerContext?
    /// Set from the first byte of a request to the first byte of its response.
    private var alarm: Scheduled<Void>?
    private(set) var lastActive = NIODeadline.now()

    init(_ connections: OperatorConnections) {
        self.connections = connections
    }

    func handlerAdded(context: ChannelHandlerContext) {
        self.context = context
        connections.add(self)
        begin(context)
    }

    func handlerRemoved(context: ChannelHandlerContext) {
        self.context = nil
        alarm?.cancel()
        connections.remove(self)
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        lastActive = .now()
        if alarm == nil { begin(context) }
        context.fireChannelRead(data)
    }

    func write(context: ChannelHandlerContext, data: NIOAny, promise: EventLoopPromise<Void>?) {
        alarm?.cancel()
        alarm = nil
        context.write(data, promise: promise)
    }

    fileprivate func close() {
        connections.remove(self)
        context?.close(promise: nil)
    }

    private func begin(_ context: ChannelHandlerContext) {
        alarm = context.eventLoop.assumeIsolated().scheduleTask(in: connections.requestTime) { [weak self] in
            self?.close()
        }
    }
}
