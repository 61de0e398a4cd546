import NIOCore
import TestKit
import Testing

@testable import Postgres

extension HandshakeTests {
    @Test("is followed by a request to cancel what the session does")
    func cancel() async throws {
        let cluster = try TestCluster.shared()
        let session = try await SessionFixture.open(try cluster.address(), SessionFixture.parameters()).get()
        async let answer = session.answer(to: "select pg_sleep(600), 'cancelled by a test'")
        try await eventually("it sleeps") {
            try await cluster.administration().query(
                """
                select from pg_stat_activity
                where pid = \(Int(session.processID)) and state = 'active' and query like '%pg_sleep%'
                """
            ).count == 1
        }
        #expect(await requestCancel(of: session))
        #expect(try await answer.contains("57014"))
        #expect(try await session.answer(to: "select 'it works'").contains("it works"))
        #expect(await Result.success(session).isOpen())
        let elsewhere = Session(
            channel: session.channel, address: try SocketAddress(ipAddress: "127.0.0.1", port: 1), processID: 1,
            secretKey: 1, parameters: [:], leftOver: ByteBuffer(), isEncrypted: false)
        #expect(await !requestCancel(of: elsewhere))
    }

    @Test("is followed by at most four requests to cancel at a time, which end when the server closes them")
    func cancelLimit() async throws {
        let script: ScriptedServer.Script = { _, message in
            message.readableBytes == 16 ? [] : ScriptedServer.welcome
        }
        try await ScriptedServer.run(script) { server in
            let session = try await SessionFixture.open(try server.address(), SessionFixture.parameters()).get()
            let requests = (0..<CancelRequest.limit).map { _ in Task { await requestCancel(of: session) } }
            try await eventually("all of them arrived") { server.messages == 1 + CancelRequest.limit }
            #expect(await requestCancel(of: session))
            #expect(server.messages == 1 + CancelRequest.limit)
            server.closeConnections()
            for request in requests { #expect(await request.value) }
        }
    }
}
