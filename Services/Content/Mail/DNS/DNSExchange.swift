import NIOCore
import NIOPosix

/// One query to one server: over UDP, or over TCP where the response does not fit a datagram (RFC 7766).
struct DNSExchange: Sendable {
    /// What went wrong, as a clause about the server.
    struct Failure: Error {
        var reason: String
    }

    let query: DNSQuery
    let server: SocketAddress
    /// For each of the two.
    let timeLimit: Duration

    /// - Throws: ``Failure``.
    func response() async throws -> DNSResponse {
        let response = try await response(over: .datagram)
        guard response == .truncated else { return response }
        return try await self.response(over: .stream)
    }

    private enum Carrier {
        case datagram, stream
    }

    private func response(over carrier: Carrier) async throws -> DNSResponse {
        // A random identifier and, by a new socket, a random port: a forged response has to guess both (RFC 5452, 9).
        let id = UInt16.random(in: .min ... .max)
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        let response = loop.makePromise(of: DNSResponse.self)
        let limit = TimeAmount.nanoseconds(Int64(timeLimit / .nanoseconds(1)))
        let timer = loop.scheduleTask(in: limit) {
            response.fail(Failure(reason: "did not answer within \(timeLimit)"))
        }
        defer { timer.cancel() }
        connect(carrier, on: loop, within: limit) { bytes throws(DNSMessageFault) in
            response.succeed(try DNSResponse(bytes, to: query, id: id))
        } failed: { error in
            response.fail(error)
        }.whenComplete { result in
            switch result {
            case .success(let channel):
                response.futureResult.whenComplete { _ in channel.close(promise: nil) }
                let message = query.message(id: id)
                var buffer = channel.allocator.buffer(capacity: message.count + 2)
                if carrier == .stream { buffer.writeInteger(UInt16(message.count)) }
                buffer.writeBytes(message)
                channel.writeAndFlush(buffer).cascadeFailure(to: response)
            case .failure(let error): response.fail(error)
            }
        }
        do {
            return try await response.futureResult.get()
        } catch let failure as Failure {
            throw failure
        } catch is DNSMessageFault {
            throw Failure(reason: "sent an invalid response")
        } catch {
            throw Failure(reason: "cannot be reached")
        }
    }

    private func connect(
        _ carrier: Carrier, on loop: any EventLoop, within limit: TimeAmount,
        received: @escaping DNSReceiver.Received, failed: @escaping DNSReceiver.Failed
    ) -> EventLoopFuture<any Channel> {
        // A connected datagram socket receives from this server only, and learns at once that nobody listens.
        switch carrier {
        case .datagram:
            DatagramBootstrap(group: loop)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandlers(
                            DatagramPayload(), DNSReceiver(isStream: false, received: received, failed: failed))
                    }
                }
                .connect(to: server)
        case .stream:
            ClientBootstrap(group: loop)
                .connectTimeout(limit)
                .channelInitializer { channel in
                    channel.eventLoop.makeCompletedFuture {
                        try channel.pipeline.syncOperations.addHandler(
                            DNSReceiver(isStream: true, received: received, failed: failed))
                    }
                }
                .connect(to: server)
        }
    }
}

/// Passes on the bytes of datagrams, whose sender the socket has checked.
private final class DatagramPayload: ChannelInboundHandler {
    typealias InboundIn = AddressedEnvelope<ByteBuffer>
    typealias InboundOut = ByteBuffer

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        context.fireChannelRead(wrapInboundOut(unwrapInboundIn(data).data))
    }
}

/// Splits what a server sends into messages: each a datagram, or after its length (RFC 1035, 4.2.2).
private final class DNSReceiver: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias Received = @Sendable ([UInt8]) throws(DNSMessageFault) -> Void
    typealias Failed = @Sendable (any Error) -> Void

    private let isStream: Bool
    private let received: Received
    private let failed: Failed
    /// An incomplete message of a stream; the length bounds it.
    private var unread = ByteBuffer()

    init(isStream: Bool, received: @escaping Received, failed: @escaping Failed) {
        self.isStream = isStream
        self.received = received
        self.failed = failed
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        guard isStream else { return finish(bytes) }
        unread.writeBuffer(&bytes)
        guard let length = unread.getInteger(at: unread.readerIndex, as: UInt16.self),
            let message = unread.getSlice(at: unread.readerIndex + 2, length: Int(length))
        else { return }
        finish(message)
    }

    private func finish(_ message: ByteBuffer) {
        do {
            try received(Array(message.readableBytesView))
        } catch {
            // A datagram that does not respond to our query may be forged, and the response may still come.
            if isStream || error != .foreign { failed(error) }
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        failed(error)
    }

    func channelInactive(context: ChannelHandlerContext) {
        failed(ChannelError.eof)
    }
}
