import Foundation
import NIOCore
import NIOPosix
import TestKit
import Testing

@testable import Postgres

@Suite("A session's beginning") struct HandshakeTests {
    private static let methods: [AuthenticationMethod] = [.none, .password, .md5, .scramSHA256]

    private static func role(_ method: AuthenticationMethod) -> String { "by_\(method)".lowercased() }

    /// A role for each method, with the password `secret`.
    private func withRoles(
        isSecure: Bool = false, rules: [String] = [], _ body: (TestCluster) async throws -> Void
    ) async throws {
        try await TestCluster.private { cluster in
            let client = try cluster.administration()
            try await client.withConnection { connection in
                for method in Self.methods {
                    try await connection.execute(
                        script: Array(
                            """
                            set password_encryption = '\(method == .md5 ? "md5" : "scram-sha-256")';
                            create role \(Self.role(method)) login password 'secret'
                            """.utf8))
                }
            }
            let own = [
                "host all by_none all trust", "host all by_password all password", "host all by_md5 all md5",
                "host all by_scramsha256 all scram-sha-256",
            ]
            try cluster.restart(rules: rules + own, isSecure: isSecure)
            try await body(cluster)
        }
    }

    @Test("authenticates by each method, with the right password only, and over TLS too", arguments: [false, true])
    func passwords(isSecure: Bool) async throws {
        try await withRoles(isSecure: isSecure) { cluster in
            let address = try cluster.address()
            let tls = isSecure ? TLSMode.require : .disable
            for method in Self.methods {
                let right = SessionFixture.parameters(Self.role(method), password: "secret", tls: tls)
                let session = try await SessionFixture.open(address, right).get()
                #expect(session.isEncrypted == isSecure)
                #expect(session.processID != 0)
                #expect(session.parameters["server_version"] != nil)
                #expect(try await session.answer(to: "select 'it works'").contains("it works"))
                #expect(await Result.success(session).isOpen())
                for password in ["wrong", "", nil] where method != .none {
                    var wrong = right
                    wrong.password = password
                    let error = await SessionFixture.open(address, wrong).error
                    #expect(error?.kind == .connection)
                    #expect(error?.sqlState == (password == "wrong" ? "28P01" : nil))
                    #expect(error?.message.contains("wrong") == false)
                }
            }
        }
    }

    @Test("salts passwords outside ASCII as the server does")
    func preparedPasswords() async throws {
        try await withRoles { cluster in
            for password in ["é²µ€", "a\u{A0}\u{AD}b", "\u{1F600}\u{AD}", "ÀŒß漢字"] {
                try await cluster.administration().withConnection { connection in
                    try await connection.execute(
                        script: Array("alter role by_scramsha256 password '\(password)'".utf8))
                }
                let parameters = SessionFixture.parameters("by_scramsha256", password: password)
                #expect(await SessionFixture.open(try cluster.address(), parameters).isOpen())
            }
        }
    }

    @Test("refuses a method that is not accepted, before anything secret is sent")
    func acceptedMethods() async throws {
        try await withRoles { cluster in
            for method in Self.methods {
                var parameters = SessionFixture.parameters(Self.role(method), password: "secret")
                parameters.acceptedMethods = [method]
                #expect(await SessionFixture.open(try cluster.address(), parameters).isOpen())
                parameters.acceptedMethods = Set(Self.methods).subtracting([method])
                let error = await SessionFixture.open(try cluster.address(), parameters).error
                #expect(error?.message.contains("authentication method \(method.rawValue)") == true)
            }
        }
    }

    @Test("fails with the server's SQLSTATE for an unknown database or role")
    func unknown() async throws {
        let address = try TestCluster.shared().address()
        var parameters = SessionFixture.parameters()
        parameters.database = "nothing"
        let database = await SessionFixture.open(address, parameters).error
        #expect(database?.sqlState == "3D000")
        #expect(database?.isUnavailable == true)
        let role = await SessionFixture.open(address, SessionFixture.parameters("unknown")).error
        #expect(role?.sqlState == "28000")
        #expect(role?.message.contains("unknown") == true)
        parameters = SessionFixture.parameters()
        parameters.startup = [("search_path", "a\0database\0nothing")]
        #expect(await SessionFixture.open(address, parameters).error != nil)
    }

    @Test("sets the parameters of the start-up message, and stops reading")
    func parameters() async throws {
        var parameters = SessionFixture.parameters()
        parameters.startup = [("application_name", "test of sessions"), ("options", "-c search_path=pg_catalog")]
        let session = try await SessionFixture.open(try TestCluster.shared().address(), parameters).get()
        #expect(session.parameters["application_name"] == "test of sessions")
        #expect(session.leftOver.readableBytes == 0)
        #expect(try await session.channel.getOption(.autoRead).get() == false)
        #expect(try await session.answer(to: "show search_path").contains("pg_catalog"))
        #expect(await Result.success(session).isOpen())
    }

    @Test("works through a Unix socket, without TLS whatever the mode")
    func unixSocket() async throws {
        try await withRoles(isSecure: true) { cluster in
            let file = "\(try cluster.socketFolder())/.s.PGSQL.\(cluster.port)"
            let address = try SocketAddress(unixDomainSocketPath: file)
            let parameters = SessionFixture.parameters(tls: .verifyFull)
            let session = try await SessionFixture.open(address, parameters, host: nil).get()
            #expect(!session.isEncrypted)
            #expect(try await session.answer(to: "select 'it works'").contains("it works"))
            #expect(await Result.success(session).isOpen())
        }
    }

    // MARK: - TLS

    /// Whether a session is encrypted; nil if there is none.
    private func isEncrypted(
        _ cluster: TestCluster, _ user: String, _ mode: TLSMode, roots: String? = nil, host: String = "localhost"
    ) async throws -> Bool? {
        var parameters = SessionFixture.parameters(user, tls: mode)
        parameters.rootCertificates = roots ?? "/nowhere"
        let session = try? await SessionFixture.open(try cluster.address(), parameters, host: host).get()
        try await session?.channel.close()
        return session?.isEncrypted
    }

    @Test("uses TLS as the mode says with a server that can")
    func modes() async throws {
        let rules = ["hostssl all secured all trust", "hostnossl all bare all trust"]
        try await withRoles(isSecure: true, rules: rules) { cluster in
            try await cluster.administration().withConnection {
                try await $0.execute(script: Array("create role secured login; create role bare login".utf8))
            }
            let expected: [(TLSMode, anywhere: Bool?, secured: Bool?, bare: Bool?)] = [
                (.disable, false, nil, false), (.allow, false, true, false), (.prefer, true, true, false),
                (.require, true, true, nil), (.verifyCA, nil, nil, nil), (.verifyFull, nil, nil, nil),
            ]
            for (mode, anywhere, secured, bare) in expected {
                #expect(try await isEncrypted(cluster, "by_none", mode) == anywhere, "\(mode)")
                #expect(try await isEncrypted(cluster, "secured", mode) == secured, "\(mode)")
                #expect(try await isEncrypted(cluster, "bare", mode) == bare, "\(mode)")
            }
            let parameters = SessionFixture.parameters("bare", tls: .require)
            #expect(await SessionFixture.open(try cluster.address(), parameters).error?.sqlState == "28000")
        }
    }

    @Test("uses TLS as the mode says with a server that cannot")
    func modesWithoutTLS() async throws {
        let cluster = try TestCluster.shared()
        for mode in [TLSMode.disable, .allow, .prefer] {
            #expect(try await isEncrypted(cluster, "postgres", mode) == false)
        }
        let folder = FileManager.default.temporaryDirectory.appending(path: "roots-\(UUID().uuidString)")
        try Data(LoopbackCertificate.pem.utf8).write(to: folder)
        defer { try? FileManager.default.removeItem(at: folder) }
        for mode in [TLSMode.require, .verifyCA, .verifyFull] {
            #expect(try await isEncrypted(cluster, "postgres", mode, roots: folder.path) == nil)
        }
    }

    @Test("trusts a certificate of the given authorities, for the right name where that matters")
    func certificates() async throws {
        let folder = FileManager.default.temporaryDirectory.appending(path: "roots-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        defer { try? FileManager.default.removeItem(at: folder) }
        let (right, other) = (folder.appending(path: "right").path, folder.appending(path: "other").path)
        try Data(LoopbackCertificate.pem.utf8).write(to: URL(filePath: right))
        try Data(CertificateTests.subjectOnly.utf8).write(to: URL(filePath: other))
        try await withRoles(isSecure: true) { cluster in
            for host in ["localhost", "127.0.0.1", "database.test"] {
                let isRight = host != "database.test"
                #expect(try await isEncrypted(cluster, "by_none", .prefer, roots: right, host: host) == true)
                #expect(try await isEncrypted(cluster, "by_none", .require, roots: right, host: host) == true)
                #expect(try await isEncrypted(cluster, "by_none", .verifyCA, roots: right, host: host) == true)
                let full = try await isEncrypted(cluster, "by_none", .verifyFull, roots: right, host: host)
                #expect(full == (isRight ? true : nil))
            }
            // With a file of authorities every mode checks the certificate, and `prefer` goes without TLS then.
            #expect(try await isEncrypted(cluster, "by_none", .prefer, roots: other) == false)
            for mode in [TLSMode.require, .verifyCA, .verifyFull] {
                #expect(try await isEncrypted(cluster, "by_none", mode, roots: other) == nil)
            }
            #expect(try await isEncrypted(cluster, "by_none", .verifyFull, roots: "system") == nil)
            #expect(try await isEncrypted(cluster, "by_none", .require, roots: "system") == nil)
            var parameters = SessionFixture.parameters("by_none", tls: .verifyFull)
            parameters.rootCertificates = right
            let wrong = await SessionFixture.open(try cluster.address(), parameters, host: "database.test").error
            #expect(wrong?.message == "the server's certificate is not for \"database.test\"")
            parameters.rootCertificates = other
            let unknown = await SessionFixture.open(try cluster.address(), parameters, host: "localhost").error
            #expect(unknown?.message.contains("CERTIFICATE_VERIFY_FAILED") == true)
            #expect(await SessionFixture.open(try cluster.address(), parameters, host: nil).error != nil)
        }
    }
}
