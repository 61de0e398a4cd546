import NIOCore
import NIOPosix
import TestKit

@testable import Postgres

/// Opens sessions as a test wants them.
enum SessionFixture {
    static func parameters(
        _ user: String = "postgres", password: String? = nil, tls: TLSMode = .disable
    ) -> SessionParameters {
        SessionParameters(
            user: user, database: "postgres", password: password, tls: tls, startup: [],
            keepAlive: KeepAlive(isOn: true, idle: 10, interval: 3, count: 3, userTimeout: 10_000))
    }

    /// - Parameter limit: after which nothing more is expected of the server.
    static func open(
        _ address: SocketAddress, _ parameters: SessionParameters, host: String? = "127.0.0.1",
        wanted: WantedServer = .any, limit: TimeAmount = .seconds(60)
    ) async -> Result<Session, PostgresError> {
        await SessionAttempt(
            parameters: parameters, hostName: host, address: address, wanted: wanted, deadline: .now() + limit,
            plans: TLSPlanCache()
        ).open(on: MultiThreadedEventLoopGroup.singleton.next())
    }
}

extension TestCluster {
    func address() throws -> SocketAddress { try SocketAddress(ipAddress: host, port: port) }
}

extension Result where Success == Session, Failure == PostgresError {
    var error: PostgresError? {
        if case .failure(let error) = self { error } else { nil }
    }

    /// Whether there is a session, which is closed then.
    func isOpen() async -> Bool {
        guard case .success(let session) = self else { return false }
        try? await session.channel.close()
        return true
    }
}

extension Session {
    /// Runs a statement, and returns everything that the server sends up to ReadyForQuery.
    func answer(to statement: String) async throws -> String {
        let promise = channel.eventLoop.makePromise(of: String.self)
        try await channel.eventLoop.submit { [channel] in
            try channel.pipeline.syncOperations.addHandler(AnswerCollector(promise))
            try channel.syncOptions?.setOption(.autoRead, value: true)
            var message = ByteBuffer(string: "Q")
            message.writeInteger(Int32(statement.utf8.count + 5))
            message.writeNullTerminatedString(statement)
            channel.writeAndFlush(message, promise: nil)
        }.get()
        return try await promise.futureResult.get()
    }
}

private final class AnswerCollector: ChannelInboundHandler, RemovableChannelHandler {
    typealias InboundIn = ByteBuffer

    private let promise: EventLoopPromise<String>
    private var received = ByteBuffer()

    init(_ promise: EventLoopPromise<String>) {
        self.promise = promise
    }

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        received.writeImmutableBuffer(unwrapInboundIn(data))
        let ready = ScriptedServer.message("Z", Array("I".utf8))
        if received.readableBytesView.suffix(ready.count).elementsEqual(ready) {
            context.pipeline.syncOperations.removeHandler(self, promise: nil)
            promise.succeed(String(buffer: received))
        }
    }

    func channelInactive(context: ChannelHandlerContext) { promise.fail(ChannelError.eof) }
}
