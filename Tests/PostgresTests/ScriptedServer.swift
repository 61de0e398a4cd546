import NIOCore
import NIOPosix
import Synchronization

/// A server on loopback that answers a client's messages as a test tells it to.
final class ScriptedServer: Sendable {
    /// What it sends for a message, by its number on the connection from 0; nil to close the connection.
    typealias Script = @Sendable (_ number: Int, _ message: ByteBuffer) -> [UInt8]?

    private let listener: any Channel
    fileprivate let state = Mutex(State())

    fileprivate struct State {
        var connections: [any Channel] = []
        var messages = 0
    }

    private init(listener: any Channel) {
        self.listener = listener
    }

    /// Runs a server while `body` runs.
    static func run<Result: Sendable>(
        _ script: @escaping Script, _ body: (ScriptedServer) async throws -> Result
    ) async throws -> Result {
        let box = Mutex<ScriptedServer?>(nil)
        let listener = try await ServerBootstrap(group: MultiThreadedEventLoopGroup.singleton)
            .serverChannelOption(.socketOption(.so_reuseaddr), value: 1)
            .childChannelInitializer { channel in
                channel.eventLoop.makeCompletedFuture {
                    try channel.pipeline.syncOperations.addHandler(
                        ScriptedConnection(script) { note in
                            box.withLock { $0 }?.state.withLock { note(&$0, channel) }
                        })
                }
            }
            .bind(host: "127.0.0.1", port: 0).get()
        let server = ScriptedServer(listener: listener)
        box.withLock { $0 = server }
        do {
            let result = try await body(server)
            await server.stop()
            return result
        } catch {
            await server.stop()
            throw error
        }
    }

    /// The messages that arrived, on all connections.
    var messages: Int { state.withLock { $0.messages } }

    func address() throws -> SocketAddress {
        try SocketAddress(ipAddress: "127.0.0.1", port: listener.localAddress?.port ?? 0)
    }

    func closeConnections() {
        for channel in state.withLock({ $0.connections }) { channel.close(promise: nil) }
    }

    private func stop() async {
        closeConnections()
        try? await listener.close()
    }

    /// A message of the server.
    static func message(_ kind: Character, _ body: [UInt8] = []) -> [UInt8] {
        var message = ByteBuffer()
        message.writeString(String(kind))
        message.writeInteger(Int32(body.count + 4))
        message.writeBytes(body)
        return Array(message.readableBytesView)
    }

    /// An Authentication message.
    static func authentication(_ code: UInt8, _ rest: [UInt8] = []) -> [UInt8] {
        message("R", [0, 0, 0, code] + rest)
    }

    static func parameter(_ name: String, _ value: String) -> [UInt8] {
        message("S", Array("\(name)\0\(value)\0".utf8))
    }

    /// What a server without data answers: the client's messages one by one, and each statement with no rows.
    ///
    /// - Parameters:
    ///   - text: the statement that the client has prepared last.
    ///   - isFailed: whether the server says that the transaction has failed.
    static func answer(to message: ByteBuffer, _ text: inout String, isFailed: Bool = false) -> [UInt8] {
        var message = message
        guard let kind = message.readInteger(as: UInt8.self), message.readInteger(as: UInt32.self) != nil else {
            return []
        }
        switch kind {
        case UInt8(ascii: "P"):
            _ = message.readNullTerminatedString()
            text = message.readNullTerminatedString() ?? ""
            return Self.message("1")
        case UInt8(ascii: "B"): return Self.message("2")
        case UInt8(ascii: "D"):
            let isOfStatement = message.readInteger(as: UInt8.self) == UInt8(ascii: "S")
            return (isOfStatement ? Self.message("t", [0, 0]) : []) + Self.message("n")
        case UInt8(ascii: "E"):
            let tag = text.prefix { $0 != " " }.uppercased()
            return Self.message("C", Array("\(tag)\0".utf8))
        case UInt8(ascii: "S"): return Self.message("Z", Array((isFailed ? "E" : "I").utf8))
        default: return []
        }
    }

    /// An error of the server.
    static func error(_ sqlState: String, severity: String = "ERROR") -> [UInt8] {
        message("E", Array("S\(severity)\0V\(severity)\0C\(sqlState)\0Mtold\0\0".utf8))
    }

    /// What a server says from the end of the authentication to ReadyForQuery.
    static let welcome =
        authentication(0) + parameter("server_version", "15.6 (Debian)") + parameter("in_hot_standby", "off")
        + parameter("default_transaction_read_only", "off") + message("K", [0, 0, 0, 1, 0, 0, 0, 2])
        + message("Z", Array("I".utf8))
}

/// Splits what a client sends into messages: those before the start-up message have no type.
private final class ScriptedConnection: ChannelInboundHandler {
    typealias InboundIn = ByteBuffer
    typealias OutboundOut = ByteBuffer
    typealias Note = (inout ScriptedServer.State, any Channel) -> Void

    private let script: ScriptedServer.Script
    private let note: (Note) -> Void
    private var received = ByteBuffer()
    private var hasStarted = false
    private var count = 0

    init(_ script: @escaping ScriptedServer.Script, note: @escaping (Note) -> Void) {
        self.script = script
        self.note = note
    }

    func channelActive(context: ChannelHandlerContext) {
        note { state, channel in state.connections.append(channel) }
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        var bytes = unwrapInboundIn(data)
        received.writeBuffer(&bytes)
        while let message = next() {
            note { state, _ in state.messages += 1 }
            let answer = script(count, message)
            count += 1
            guard let answer else { return context.close(promise: nil) }
            context.writeAndFlush(wrapOutboundOut(ByteBuffer(bytes: answer)), promise: nil)
        }
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    private func next() -> ByteBuffer? {
        // The client begins TLS.
        if !hasStarted, received.getInteger(at: received.readerIndex, as: UInt8.self) == 0x16 {
            return received.readSlice(length: received.readableBytes)
        }
        let offset = hasStarted ? 1 : 0
        guard let length = received.getInteger(at: received.readerIndex + offset, as: Int32.self),
            let message = received.readSlice(length: Int(length) + offset)
        else { return nil }
        if message.getInteger(at: message.readerIndex + 4, as: Int32.self) == 196_608 { hasStarted = true }
        return message
    }
}
