import Foundation
import NIOCore
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import Postgres

@Suite("A session's server") struct DialerTests {
    private let eventLoop = MultiThreadedEventLoopGroup.singleton.next()

    private func dialer(
        _ hosts: [String], _ parameters: String = "", adjust: (inout PostgresConfiguration) -> Void = { _ in }
    ) throws -> Dialer {
        var configuration = try PostgresConfiguration(
            url: "postgres://postgres@\(hosts.joined(separator: ","))/postgres\(parameters)")
        configuration.applicationName = "test"
        configuration.connectTimeout = .seconds(60)
        adjust(&configuration)
        return Dialer(configuration)
    }

    /// The port of the server that a session is with.
    private func port(_ dialer: Dialer, isCompanion: Bool = false) async throws -> Int? {
        let session = try await dialer.connect(for: .leased, isCompanion: isCompanion, on: eventLoop).get()
        try await session.channel.close()
        return session.address.port
    }

    @Test("is looked for among the hosts in turn, each with its own time limit, beginning with the last good one")
    func hosts() async throws {
        let cluster = try TestCluster.shared()
        let silent = try FaultyNetwork(to: cluster.port) { _ in .lost }
        defer { silent.stop() }
        let hosts = ["127.0.0.1:1", "127.0.0.1:\(silent.port)", "127.0.0.1:\(cluster.port)"]
        let dialer = try dialer(hosts) { $0.connectTimeout = .seconds(1) }
        for _ in 0..<3 { #expect(try await port(dialer) == cluster.port) }
        #expect(silent.count == 1)
        let alone = try self.dialer([hosts[1]]) { $0.connectTimeout = .milliseconds(200) }
        let error = await alone.connect(for: .leased, isCompanion: false, on: eventLoop).error
        #expect(error?.message.hasPrefix("connecting took too long") == true)
        #expect(error?.message.contains("port \(silent.port)") == true)
    }

    @Test("is found by a companion while another attempt waits for a silent host")
    func companion() async throws {
        let cluster = try TestCluster.shared()
        let silent = try FaultyNetwork(to: cluster.port) { _ in .lost }
        let dialer = try dialer(["127.0.0.1:\(silent.port)", "127.0.0.1:\(cluster.port)"])
        let first = Task { try await port(dialer) }
        try await eventually("it waits") { silent.count == 1 }
        #expect(try await port(dialer, isCompanion: true) == cluster.port)
        #expect(silent.count == 1)
        // The host is gone: the next one.
        silent.stop()
        #expect(try await first.value == cluster.port)
    }

    @Test("is found at any of the addresses of its name, which are looked up again when none works")
    func names() async throws {
        let cluster = try TestCluster.shared()
        let asked = Mutex(0)
        let working = try dialer(["database.test:\(cluster.port)"]) {
            $0.resolve = { _ in
                asked.withLock { $0 += 1 }
                return ["127.0.0.2", "127.0.0.1"]
            }
        }
        for _ in 0..<3 { #expect(try await port(working) == cluster.port) }
        #expect(asked.withLock { $0 } == 1)
        let broken = try dialer(["database.test:1"]) {
            $0.resolve = { _ in
                asked.withLock { $0 += 1 }
                return ["127.0.0.1"]
            }
        }
        #expect(await broken.connect(for: .leased, isCompanion: false, on: eventLoop).error != nil)
        try await eventually("it asks again") { asked.withLock { $0 } == 3 }
        let unknown = try dialer(["database.test"]) { $0.resolve = { _ in [] } }
        let error = await unknown.connect(for: .leased, isCompanion: false, on: eventLoop).error
        #expect(error?.message.hasPrefix("the database's host has no known address") == true)
    }

    @Test("is verified by the host's name, whatever address that has")
    func verified() async throws {
        try await TestCluster.private { cluster in
            try cluster.restart(rules: [], isSecure: true)
            let roots = FileManager.default.temporaryDirectory.appending(path: "roots-\(UUID().uuidString)")
            try Data(LoopbackCertificate.pem.utf8).write(to: roots)
            defer { try? FileManager.default.removeItem(at: roots) }
            for (host, isRight) in [("localhost", true), ("database.test", false)] {
                let dialer = try dialer(
                    ["\(host):\(cluster.port)"], "?sslmode=verify-full&sslrootcert=\(roots.path)"
                ) { $0.resolve = { _ in ["127.0.0.1"] } }
                let outcome = await dialer.connect(for: .leased, isCompanion: false, on: eventLoop)
                #expect((try? outcome.get().isEncrypted) == (isRight ? true : nil))
                _ = await outcome.isOpen()
            }
        }
    }

    @Test("is one that the URL wants: by default the one that accepts writes")
    func wanted() async throws {
        try await TestCluster.private { primary in
            try await primary.withStandby { standby in
                let hosts = [standby, primary].map { "\($0.host):\($0.port)" }
                let expected = [
                    "": primary, "?target_session_attrs=read-write": primary, "?target_session_attrs=primary": primary,
                    "?target_session_attrs=standby": standby, "?target_session_attrs=read-only": standby,
                    "?target_session_attrs=prefer-standby": standby, "?target_session_attrs=any": standby,
                ]
                for (parameters, server) in expected {
                    let dialer = try dialer(hosts, parameters)
                    #expect(try await port(dialer) == server.port, "\(parameters)")
                    // Whose session refuses writes by itself.
                    let shared = try await dialer.connect(for: .shared(0), isCompanion: false, on: eventLoop).get()
                    #expect(shared.parameters["default_transaction_read_only"] == "on")
                    if parameters != "?target_session_attrs=read-only" { #expect(shared.address.port == server.port) }
                    try await shared.channel.close()
                }
                let alone = try dialer([hosts[0]])
                let error = await alone.connect(for: .leased, isCompanion: false, on: eventLoop).error
                #expect(error?.message.hasPrefix("the server accepts no writes") == true)
                #expect(error?.isUnavailable == true)
                let preferred = try dialer([hosts[1]], "?target_session_attrs=prefer-standby")
                #expect(try await port(preferred) == primary.port)
            }
        }
    }

    @Test("has its name looked up once for all who wait, and again while a lookup is slow")
    func lookups() async throws {
        let gate = Gate()
        let asked = Mutex(0)
        let book = AddressBook { _ in
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            // Only the first one is lost.
            if number == 1 { gate.wait() }
            return ["127.0.0.\(number)"]
        }
        let waiters = (0..<50).map { _ in
            Task { await book.addresses(of: "database.test", within: 60_000_000_000, on: eventLoop) }
        }
        for waiter in waiters { #expect(await !waiter.value.isEmpty) }
        #expect((2...3).contains(asked.withLock { $0 }))
        gate.open()
        let silent = AddressBook { _ in
            gate.wait()
            return []
        }
        #expect(await silent.addresses(of: "database.test", within: 1, on: eventLoop) == [])
    }
}

/// Lets threads through once it is open.
private final class Gate: Sendable {
    private let semaphore = DispatchSemaphore(value: 0)

    func wait() {
        semaphore.wait()
        semaphore.signal()
    }

    func open() { semaphore.signal() }
}
