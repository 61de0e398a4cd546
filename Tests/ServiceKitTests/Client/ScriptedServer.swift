import NIOCore
import NIOHTTP1
import NIOPosix
import Synchronization

/// An HTTP server that does exactly what a test tells it to, including faults.
final class ScriptedServer: Sendable {
    /// What it does with one request.
    enum Reaction: Sendable {
        case answer(Int, headers: [(String, String)] = [], body: String = "")
        /// Chunks, then the end as HTTP requires it.
        case chunks([String])
        /// Chunks, then the connection is closed.
        case cutOff([String])
        /// Chunks, then nothing more.
        case halting([String])
        /// Lines of this many bytes for as long as the client reads them, at most `count`.
        case flood(line: Int, count: Int)
        /// Never sends a byte.
        case stall
        /// Closes the connection without a response.
        case hangUp

        static func json(_ body: String, headers: [(String, String)] = []) -> Reaction {
            .answer(200, headers: [("Content-Type", "application/json")] + headers, body: body)
        }

        static func problem(_ status: Int, _ slug: String, headers: [(String, String)] = []) -> Reaction {
            .answer(
                status, headers: [("Content-Type", "application/problem+json")] + headers,
                body: "{\"type\":\"urn:club:problem:\(slug)\",\"title\":\"t\",\"status\":\(status)}")
        }
    }

    struct Received: Sendable {
        var method: String
        var uri: String
        var headers: HTTPHeaders
        var body: String
    }

    private let channel: any Channel
    private let log: Log
    let url: String

    final class Log: Sendable {
        let received = Mutex<[Received]>([])
        let flooded = Mutex(0)
    }

    private init(channel: any Channel, log: Log) {
        self.channel = channel
        self.log = log
        url = "http://127.0.0.1:\(channel.localAddress?.port ?? 0)"
    }

    /// The requests that have arrived complete, in order.
    var received: [Received] { log.received.withLock { $0 } }
    /// How many lines of a flood were written to the connection.
    var flooded: Int { log.flooded.withLock { $0 } }

    /// Runs a server while `body` runs; `react` gets the number of the request, from 1.
    static func with<Result>(
        _ react: @escaping @Sendable (Received, Int) -> Reaction, _ body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let log = Log()
        let connections = Mutex<[any Channel]>([])
        let channel = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                connections.withLock { $0.append(channel) }
                return channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.configureHTTPServerPipeline()
                    try channel.pipeline.syncOperations.addHandler(Handler(log: log, react: react))
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        func stop() async {
            try? await channel.close()
            for connection in connections.withLock({ $0 }) { try? await connection.close() }
        }
        do {
            let result = try await body(ScriptedServer(channel: channel, log: log))
            await stop()
            return result
        } catch {
            await stop()
            throw error
        }
    }

    private final class Handler: ChannelInboundHandler {
        typealias InboundIn = HTTPServerRequestPart
        typealias OutboundOut = HTTPServerResponsePart

        private let log: Log
        private let react: @Sendable (Received, Int) -> Reaction
        private var request: Received?
        private var flood: (line: ByteBuffer, left: Int)?

        init(log: Log, react: @escaping @Sendable (Received, Int) -> Reaction) {
            self.log = log
            self.react = react
        }

        func channelRead(context: ChannelHandlerContext, data: NIOAny) {
            switch unwrapInboundIn(data) {
            case .head(let head):
                request = Received(method: head.method.rawValue, uri: head.uri, headers: head.headers, body: "")
            case .body(let buffer):
                request?.body += String(buffer: buffer)
            case .end:
                guard let request else { return }
                let number = log.received.withLock { received in
                    received.append(request)
                    return received.count
                }
                perform(react(request, number), context)
            }
        }

        func channelWritabilityChanged(context: ChannelHandlerContext) { goOn(context) }

        private func perform(_ reaction: Reaction, _ context: ChannelHandlerContext) {
            switch reaction {
            case .answer(let status, let headers, let body):
                var head = HTTPResponseHead(version: .http1_1, status: .init(statusCode: status))
                head.headers = HTTPHeaders(headers)
                if status != 204 { head.headers.add(name: "Content-Length", value: "\(body.utf8.count)") }
                context.write(wrapOutboundOut(.head(head)), promise: nil)
                context.write(wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: body)))), promise: nil)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .chunks(let chunks):
                start(chunks, context)
                context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
            case .cutOff(let chunks):
                start(chunks, context)
                context.close(promise: nil)
            case .halting(let chunks): start(chunks, context)
            case .flood(let length, let count):
                start([], context)
                let line = ByteBuffer(string: "{\"number\":1\(String(repeating: " ", count: max(0, length - 13)))}\n")
                flood = (line, count)
                goOn(context)
            case .stall: break
            case .hangUp: context.close(promise: nil)
            }
        }

        private func start(_ chunks: [String], _ context: ChannelHandlerContext) {
            let head = HTTPResponseHead(
                version: .http1_1, status: .ok, headers: ["Transfer-Encoding": "chunked"])
            context.writeAndFlush(wrapOutboundOut(.head(head)), promise: nil)
            for chunk in chunks {
                context.writeAndFlush(
                    wrapOutboundOut(.body(.byteBuffer(ByteBuffer(string: chunk)))), promise: nil)
            }
        }

        private func goOn(_ context: ChannelHandlerContext) {
            while let (line, left) = flood, context.channel.isWritable {
                guard left > 0 else {
                    flood = nil
                    context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
                    return
                }
                flood = (line, left - 1)
                log.flooded.withLock { $0 += 1 }
                context.writeAndFlush(wrapOutboundOut(.body(.byteBuffer(line))), promise: nil)
            }
        }
    }
}
