import Logging
import Synchronization
import TestKit
import Testing

@testable import Postgres

@Suite("Server faults") struct FaultTests {
    /// Retries until the database responds again.
    private func heal(_ client: PostgresClient) async throws {
        while true {
            do {
                try await client.query("select 1")
                return
            } catch let error as PostgresError where error.isUnavailable {
                try await Task.sleep(for: .milliseconds(2))
            }
        }
    }

    @Test("after all connections were cut, the next statement works")
    func terminated() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                for _ in 0..<5 {
                    try await client.query("select 1")
                    try await client.transaction { try await $0.query("select 1").count }
                    try await database.cluster.terminateAllConnections(database.name)
                    let rows = try await client.query("select 1")
                    #expect(rows.count == 1)
                    let count = try await client.transaction { try await $0.query("select 1").count }
                    #expect(count == 1)
                }
            }
        }
    }

    @Test("statements in progress on a cut connection fail as unavailable, and do not hang")
    func inFlight() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                let errors = try await withThrowingTaskGroup(of: PostgresError?.self) { group in
                    for index in 0..<20 {
                        group.addTask {
                            do {
                                if index % 2 == 0 {
                                    try await client.query("select pg_sleep(60)")
                                } else {
                                    try await client.transaction { try await $0.query("select pg_sleep(60)").count }
                                }
                                return nil
                            } catch {
                                return error as? PostgresError
                            }
                        }
                    }
                    let administration = try database.cluster.administration()
                    // The others wait behind them on their connection, or for a connection.
                    while try await administration.query(
                        "select from pg_stat_activity where datname = \(database.name) and query like 'select pg_sleep%'"
                    ).count < 3 { try await Task.sleep(for: .milliseconds(2)) }
                    // What had no effect yet is retried a few times.
                    let cutter = Task {
                        while !Task.isCancelled {
                            try await database.cluster.terminateAllConnections(database.name)
                            try await Task.sleep(for: .milliseconds(50))
                        }
                    }
                    defer { cutter.cancel() }
                    let errors = try await group.reduce(into: [PostgresError]()) {
                        if let error = $1 { $0.append(error) }
                    }
                    return errors
                }
                #expect(errors.count == 20)
                #expect(errors.filter(\.isUnavailable).count == 20)
                try await heal(client)
            }
        }
    }

    @Test("statements that the server had not executed when it cut the connection run once, on another one")
    func repeated() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                // Long enough that none commits while others begin, even on a busy machine: its outcome would be
                // unknown.
                try await client.execute("create table thing (n int)")
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<10 {
                        group.addTask {
                            let count = try await client.execute(
                                "insert into thing select \(number) from pg_sleep(0.6)")
                            #expect(count == 1)
                        }
                        group.addTask {
                            try await client.transaction { transaction in
                                try await transaction.execute("insert into thing values (\(number))")
                                try await transaction.query("select pg_sleep(0.6)")
                            }
                        }
                    }
                    let administration = try database.cluster.administration()
                    while try await administration.query(
                        "select from pg_stat_activity where datname = \(database.name) and query like '%pg_sleep%'"
                    ).count < 3 { try await Task.sleep(for: .milliseconds(2)) }
                    try await database.cluster.terminateAllConnections(database.name)
                    try await group.waitForAll()
                }
                let rows = try await client.query("select n, count(*) as count from thing group by n")
                #expect(rows.count == 10)
                #expect(try rows.filter { try $0["count", as: Int.self] != 2 }.isEmpty)
            }
        }
    }

    @Test("a server that was killed and came back is used again")
    func restarted() async throws {
        try await TestCluster.private { cluster in
            try await withDatabase(on: cluster) { database in
                try await database.withClient { client in
                    try await client.query("select 1")
                    try await client.transaction { try await $0.query("select 1").count }
                    let sleeping = Task { try await client.query("select pg_sleep(60)").count }
                    while try await cluster.administration().query(
                        "select from pg_stat_activity where query like 'select pg_sleep%'"
                    ).isEmpty {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    try cluster.stop(.immediate)
                    let lost = await #expect(throws: PostgresError.self) { try await sleeping.value }
                    #expect(lost?.isUnavailable == true)
                    for _ in 0..<3 {
                        let error = await #expect(throws: PostgresError.self) { try await client.query("select 1") }
                        #expect(error?.isUnavailable == true)
                        let leased = await #expect(throws: PostgresError.self) {
                            try await client.transaction { try await $0.query("select 1").count }
                        }
                        #expect(leased?.isUnavailable == true)
                    }
                    try cluster.start()
                    try await heal(client)
                }
            }
        }
    }

    @Test("callers of an unresponsive server wait their own timeout, and it is used again when it responds")
    func frozen() async throws {
        try await TestCluster.private { cluster in
            try await withDatabase(on: cluster) { database in
                try await database.withClient(adjust: {
                    $0.statementTimeout = .milliseconds(500)
                    $0.connectTimeout = .milliseconds(500)
                    $0.sharedConnections = 2
                }) { client in
                    try await client.query("select 1")
                    try await client.transaction { try await $0.query("select 1").count }
                    try cluster.freeze()
                    let errors = await withTaskGroup(of: PostgresError?.self) { group in
                        for index in 0..<6 {
                            group.addTask {
                                do {
                                    if index % 3 == 0 {
                                        try await client.query("select 1")
                                    } else if index % 3 == 1 {
                                        try await client.transaction { try await $0.query("select 1").count }
                                    } else {
                                        _ = try await PostgresDeadline.$current.withValue(.now + .milliseconds(100)) {
                                            try await client.query("select 1").count
                                        }
                                    }
                                    return nil
                                } catch {
                                    return error as? PostgresError
                                }
                            }
                        }
                        return await group.reduce(into: [PostgresError]()) { if let error = $1 { $0.append(error) } }
                    }
                    #expect(errors.count == 6)
                    #expect(errors.filter { $0.kind == .timeout }.count == 2)
                    #expect(errors.filter(\.isUnavailable).count == 4)
                    try cluster.thaw()
                    try await heal(client)
                    // On all event loops.
                    try await eventually("every connection is used again") {
                        client.pool.reading.load(ordering: .relaxed) == 2
                            && client.pool.readable(after: 0) == 1 && client.pool.readable(after: 1) == 0
                    }
                    while true {
                        do {
                            try await client.transaction { try await $0.query("select 1").count }
                            break
                        } catch let error as PostgresError where error.isUnavailable {
                            try await Task.sleep(for: .milliseconds(2))
                        }
                    }
                }
            }
        }
    }

    @Test("a missing database fails at once instead of timing out")
    func absent() async throws {
        var configuration = try PostgresConfiguration(url: "postgres://nobody@127.0.0.1:1/nothing")
        configuration.applicationName = "test"
        try await withPostgresClient(configuration, logger: Logger(label: "test")) { client in
            for _ in 0..<3 {
                let error = await #expect(throws: PostgresError.self) { try await client.query("select 1") }
                #expect(error?.kind == .connection && error?.isUnavailable == true)
                await #expect(throws: PostgresError.self) {
                    try await client.transaction { try await $0.query("select 1").count }
                }
            }
        }
    }
}
