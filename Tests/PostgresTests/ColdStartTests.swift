import Foundation
import Logging
import Postgres
import Synchronization
import TestKit
import Testing

/// The first connections of a process, while the name service and the network lose the first packets.
@Suite("Cold starts") struct ColdStartTests {
    /// A few in a short run; `LONG_TESTS=1` runs the full fifty.
    private static let starts = ProcessInfo.processInfo.environment["LONG_TESTS"] == "1" ? 50 : 3

    /// Which connections are lost and which are delayed. The first two are the read-only ones.
    private static func fate(_ number: Int) -> FaultyNetwork.Fate {
        switch number {
        case 3...6: .lost
        case 7...: number.isMultiple(of: 2) ? .late(.milliseconds(700)) : .pass
        default: .pass
        }
    }

    /// Starts a client, waits until it would be called ready, and starts seventy concurrent writes; returns the errors.
    private func start(_ database: TestDatabase, isGuarded: Bool) async throws -> [any Error] {
        let network = try FaultyNetwork(to: database.cluster.port, fate: Self.fate)
        defer { network.stop() }
        var configuration = try PostgresConfiguration(
            url: "postgres://postgres@database.test:\(network.port)/\(database.name)")
        let asked = Mutex(0)
        configuration.resolve = { _ in
            let number = asked.withLock { asked in
                asked += 1
                return asked
            }
            // A lost response: the system's resolver asks again after five seconds.
            if number == 1 { Thread.sleep(forTimeInterval: 5) }
            return ["127.0.0.1"]
        }
        configuration.acquireTimeout = .seconds(1)
        if !isGuarded {
            configuration.leasedMinimum = 0
            configuration.companionDelay = .seconds(3_600)
        }
        return try await withPostgresClient(configuration, logger: Logger(label: "test")) { client in
            try await eventually("it is ready") {
                if isGuarded { return (try? await client.serverRole()) == .primary }
                return (try? await client.query("select 1")) != nil
            }
            return await withTaskGroup(of: (any Error)?.self) { group in
                for number in 0..<70 {
                    group.addTask {
                        do {
                            try await client.transaction {
                                try await $0.execute("insert into thing values (\(number))")
                            }
                            return nil
                        } catch {
                            return error
                        }
                    }
                }
                return await group.reduce(into: []) { if let error = $1 { $0.append(error) } }
            }
        }
    }

    @Test("seventy concurrent writes all get a connection, but not without those opened in advance")
    func seventy() async throws {
        try await withDatabase { database in
            try await database.withClient { try await $0.execute("create table thing (n int)") }
            for _ in 0..<Self.starts {
                let errors = try await start(database, isGuarded: true)
                #expect(errors.isEmpty, "\(errors)")
            }
            try await database.withClient { client in
                let written = try await client.query("select from thing").count
                #expect(written == 70 * Self.starts)
            }
            let unguarded = try await start(database, isGuarded: false)
            #expect(!unguarded.isEmpty)
        }
    }

    @Test("a few connections for writes are always open, and are reopened when they are lost")
    func kept() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: { $0.applicationName = "kept" }) { client in
                func backends() async throws -> Int {
                    try await database.cluster.administration().query(
                        "select from pg_stat_activity where datname = \(database.name) and application_name = 'kept'"
                    ).count
                }
                try await client.query("select 1")
                for _ in 0..<3 {
                    try await eventually("two that read and two that write") { try await backends() == 4 }
                    try await database.cluster.terminateAllConnections(database.name)
                }
                try await eventually("they are back") { try await backends() == 4 }
            }
        }
    }

    private func patiently(_ body: @Sendable () async throws -> Int) async throws -> Int {
        try await PostgresDeadline.$current.withValue(.now + .seconds(60)) { try await body() }
    }

    @Test("a waiting caller has its own timeout while another connection works")
    func patience() async throws {
        try await withDatabase { database in
            // Once the read-only connection works, all others are lost for as long as the test wants.
            let isLossy = Mutex(false)
            let network = try FaultyNetwork(to: database.cluster.port) { _ in
                isLossy.withLock { $0 } ? .lost : .pass
            }
            defer { network.stop() }
            var configuration = try PostgresConfiguration(
                url: "postgres://postgres@127.0.0.1:\(network.port)/\(database.name)")
            configuration.connectTimeout = .milliseconds(500)
            configuration.acquireTimeout = .milliseconds(100)
            configuration.sharedConnections = 1
            configuration.leasedMinimum = 0
            try await withPostgresClient(configuration, logger: Logger(label: "test")) { client in
                try await client.query("select 1")
                isLossy.withLock { $0 = true }
                let writes = [
                    Task { try await patiently { try await client.execute("create table thing (n int)") } },
                    Task {
                        try await patiently {
                            try await client.transaction { try await $0.execute("create table other (n int)") }
                        }
                    },
                ]
                // Without a timeout of its own, a caller waits as long as the client's.
                let refused = await #expect(throws: PostgresError.self) { try await client.transaction { _ in } }
                #expect(refused?.kind == .poolExhausted)
                // Longer than a caller waits when no connection works.
                try await eventually("several attempts were lost") { network.count > 10 }
                isLossy.withLock { $0 = false }
                for write in writes { _ = try await write.value }
                let error = await #expect(throws: PostgresError.self) {
                    try await PostgresDeadline.$current.withValue(.now) { try await client.execute("select 1") }
                }
                #expect(error?.kind == .timeout)
            }
        }
    }
}
