import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import Postgres

/// With servers that are none, or want to be taken for another.
@Suite("A session's beginning with a hostile server") struct HostileHandshakeTests {
    private func failure(
        with parameters: SessionParameters = SessionFixture.parameters(password: "secret"),
        limit: TimeAmount = .seconds(60), _ script: @escaping ScriptedServer.Script
    ) async throws -> PostgresError {
        try await ScriptedServer.run(script) { server in
            let outcome = await SessionFixture.open(try server.address(), parameters, limit: limit)
            return try #require(outcome.error)
        }
    }

    @Test(
        "ends at the first message that does not belong there",
        arguments: [
            Array("HTTP/1.1 400 Bad Request\r\n\r\n".utf8), Array("220 mail.example ESMTP\r\n".utf8),
            ScriptedServer.message("T"), ScriptedServer.message("Z", Array("I".utf8)),
            ScriptedServer.message("K", [0, 0, 0, 1, 0, 0, 0, 2]), ScriptedServer.parameter("a", "b"),
            ScriptedServer.message("R"), ScriptedServer.message("R", [0, 0]), ScriptedServer.authentication(0, [0]),
            ScriptedServer.authentication(3, [0]), ScriptedServer.authentication(5, [1, 2, 3]),
            ScriptedServer.authentication(99), ScriptedServer.authentication(11), ScriptedServer.authentication(12),
            ScriptedServer.authentication(10, Array("SCRAM-SHA-256".utf8)),
            ScriptedServer.authentication(10, Array("SCRAM-SHA-256\0".utf8)),
            ScriptedServer.authentication(10, Array("SCRAM-SHA-256\0\0x".utf8)),
            ScriptedServer.message("E"), ScriptedServer.message("E", Array("Mno code\0\0".utf8)),
            ScriptedServer.message("E", Array("C28000".utf8)), ScriptedServer.message("E", Array("C28000\0".utf8)),
            ScriptedServer.message("v", [0, 0, 0, 0, 0, 0, 0, 1]), ScriptedServer.message("v", [0]),
            ScriptedServer.authentication(0) + ScriptedServer.authentication(0),
            ScriptedServer.authentication(0) + ScriptedServer.message("Z", Array("I".utf8)),
            ScriptedServer.authentication(0) + ScriptedServer.message("S", Array("name\0value".utf8)),
            ScriptedServer.authentication(0) + ScriptedServer.message("S", Array("name\0value\0x".utf8)),
            ScriptedServer.authentication(0) + ScriptedServer.message("K", [0, 0, 0, 1]),
            ScriptedServer.authentication(0) + ScriptedServer.message("D"),
            ScriptedServer.authentication(0) + ScriptedServer.message("K", [0, 0, 0, 1, 0, 0, 0, 2])
                + ScriptedServer.message("Z", Array("T".utf8)),
            [UInt8(ascii: "R"), 0, 1, 0, 1], [UInt8(ascii: "R"), 0x7F, 0xFF, 0xFF, 0xFF],
            [UInt8(ascii: "R"), 0xFF, 0xFF, 0xFF, 0xFF], [UInt8(ascii: "R"), 0, 0, 0, 3],
            [UInt8](repeating: 0, count: 1_000),
        ])
    func unexpected(bytes: [UInt8]) async throws {
        let error = try await failure { number, _ in number == 0 ? bytes : [] }
        #expect(error.kind == .connection)
        #expect(error.message == "the server speaks another protocol")
    }

    @Test("ends with a server that talks without an end")
    func endless() async throws {
        let notice = ScriptedServer.message("N", [UInt8](repeating: 65, count: 60_000))
        let error = try await failure { _, _ in (0..<20).flatMap { _ in notice } }
        #expect(error == .otherProtocol)
    }

    @Test("ends at its time limit with a server that says nothing, or not all of it")
    func silent() async throws {
        for part in [[], [UInt8(ascii: "R")], [UInt8(ascii: "R"), 0, 0, 0, 8, 0, 0], ScriptedServer.authentication(0)] {
            let error = try await failure(limit: .milliseconds(200)) { _, _ in part }
            #expect(error.message == "connecting took too long")
        }
        for mode in [TLSMode.prefer, .require] {
            for part in [[], [UInt8(ascii: "S")]] {
                let parameters = SessionFixture.parameters(tls: mode)
                let error = try await failure(with: parameters, limit: .milliseconds(200)) { _, _ in part }
                #expect(error.message == "connecting took too long")
            }
        }
    }

    @Test("ends with a server that closes the connection")
    func closing() async throws {
        let error = try await failure { _, _ in nil }
        #expect(error.kind == .connection)
        let half = try await failure { number, _ in number == 0 ? ScriptedServer.authentication(3) : nil }
        #expect(half.kind == .connection)
        let refused = await SessionFixture.open(
            try SocketAddress(ipAddress: "127.0.0.1", port: 1), SessionFixture.parameters()
        ).error
        #expect(refused?.kind == .connection)
    }

    @Test("takes nothing that came before TLS for the server's own")
    func injected() async throws {
        for mode in [TLSMode.prefer, .require] {
            for more in [[UInt8](ScriptedServer.welcome), [0]] {
                let parameters = SessionFixture.parameters(tls: mode)
                let error = try await failure(with: parameters) { number, _ in
                    number == 0 ? [UInt8(ascii: "S")] + more : []
                }
                #expect(error == .otherProtocol)
            }
        }
        let parameters = SessionFixture.parameters(tls: .prefer)
        let words = ScriptedServer.message("E", Array("C28000\0Minjected\0\0".utf8))
        let believed = try await failure(with: parameters) { _, _ in words }
        #expect(!believed.message.contains("injected"))
        #expect(believed.sqlState == nil)
        let single = try await failure(with: parameters) { _, _ in [UInt8(ascii: "E")] }
        #expect(single.message == "the server could not begin TLS")
        let garbage = try await failure(with: SessionFixture.parameters(tls: .require)) { number, _ in
            number == 0 ? [UInt8(ascii: "S")] : ScriptedServer.welcome
        }
        #expect(garbage.message.hasPrefix("TLS failed"))
    }

    // MARK: - SCRAM

    /// A server that offers SCRAM, answers our nonce by `challenge`, and our proof by `last`.
    private func scram(
        challenge: @escaping @Sendable (_ nonce: String) -> String, last: [UInt8] = []
    ) -> ScriptedServer.Script {
        { number, message in
            switch number {
            case 0: return ScriptedServer.authentication(10, Array("SCRAM-SHA-256\0\0".utf8))
            case 1:
                let nonce = String(String(buffer: message).split(separator: ",r=").last ?? "")
                return ScriptedServer.authentication(11, Array(challenge(nonce).utf8))
            default: return last
            }
        }
    }

    @Test("ends if the server does not know the password")
    func wrongSignature() async throws {
        let signature = Array("v=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=".utf8)
        let challenge: @Sendable (String) -> String = { "r=\($0)more,s=AAAA,i=4096" }
        let error = try await failure(
            scram(challenge: challenge, last: ScriptedServer.authentication(12, signature) + ScriptedServer.welcome))
        #expect(error.message.contains("does not know the password"))
        // One that leaves its proof out, altogether or before it has seen ours.
        for last in [ScriptedServer.welcome, ScriptedServer.authentication(12, Array("e=other-error".utf8))] {
            #expect(try await failure(scram(challenge: challenge, last: last)).kind == .connection)
        }
        let early = try await failure { number, message in
            number == 1
                ? ScriptedServer.welcome
                : self.scram(challenge: challenge)(number, message)
        }
        #expect(early == .otherProtocol)
        let hasty = try await failure { number, message in
            guard let answer = self.scram(challenge: challenge)(number, message) else { return nil }
            return number == 1 ? answer + ScriptedServer.welcome : answer
        }
        #expect(hasty == .otherProtocol)
    }

    @Test("does not compute as long as the server likes")
    func iterations() async throws {
        let computed = Mutex(false)
        let error = try await failure { number, message in
            if number > 1 { computed.withLock { $0 = true } }
            return self.scram(challenge: { "r=\($0)more,s=AAAA,i=1000000000" })(number, message)
        }
        #expect(error.message.contains("number of iterations"))
        #expect(!computed.withLock { $0 })
    }

    @Test("ends if the nonce is not ours, or no mechanism is known")
    func otherExchange() async throws {
        let nonce = try await failure(scram(challenge: { _ in "r=other,s=AAAA,i=4096" }))
        #expect(nonce.message.contains("nonce"))
        let mechanism = try await failure { _, _ in ScriptedServer.authentication(10, Array("OTHER\0\0".utf8)) }
        #expect(mechanism.message.contains("no SASL mechanism"))
        for method: UInt8 in [2, 6, 7, 8, 9] {
            let error = try await failure { _, _ in ScriptedServer.authentication(method) }
            #expect(error.message.contains("not supported"))
        }
    }

    // MARK: - What is accepted

    @Test("passes on what came after ReadyForQuery, in one piece or in many")
    func leftOver() async throws {
        let notice = ScriptedServer.message("N", Array("C00000\0Mvalue\0\0".utf8))
        let later = ScriptedServer.parameter("in_hot_standby", "on")
        let rest = notice + later.prefix(7)
        let script: ScriptedServer.Script = { _, _ in
            notice + ScriptedServer.message("v", [0, 3, 0, 0, 0, 0, 0, 0]) + ScriptedServer.welcome + rest
        }
        try await ScriptedServer.run(script) { server in
            let session = try await SessionFixture.open(try server.address(), SessionFixture.parameters()).get()
            #expect(Array(session.leftOver.readableBytesView) == rest)
            #expect((session.processID, session.secretKey) == (1, 2))
            #expect(session.parameters["in_hot_standby"] == "off")
            #expect(await Result.success(session).isOpen())
        }
    }

    @Test("refuses servers before version 14, and those that are not wanted")
    func wanted() {
        func server(_ version: String, standby: String? = nil, readOnly: String? = nil) -> [String: String] {
            ["server_version": version, "in_hot_standby": standby, "default_transaction_read_only": readOnly]
                .compactMapValues { $0 }
        }
        for version in ["13.14", "9.6.24", "", "x"] {
            #expect(WantedServer.any.objection(to: server(version, standby: "off", readOnly: "off")) != nil)
        }
        for version in ["14.0", "15.18 (Debian 15.18-0+deb12u1)", "18beta1", "19devel"] {
            #expect(WantedServer.any.objection(to: server(version)) == nil)
            #expect(WantedServer.primary.objection(to: server(version)) != nil)
        }
        let kinds: [(standby: String, readOnly: String, wanted: Set<WantedServer>)] = [
            ("off", "off", [.any, .primary, .readWrite]), ("off", "on", [.any, .primary, .readOnly]),
            ("on", "off", [.any, .standby, .readOnly]), ("on", "on", [.any, .standby, .readOnly]),
        ]
        for kind in kinds {
            let server = server("15.6", standby: kind.standby, readOnly: kind.readOnly)
            for wish in [WantedServer.any, .primary, .standby, .readWrite, .readOnly] {
                #expect((wish.objection(to: server) == nil) == kind.wanted.contains(wish))
            }
        }
    }
}
