import Logging
import Postgres
import TestKit
import Testing

@Suite("Waiting, cancellation and limits") struct PoolTests {
    /// Runs `body` as if the request had this much time left.
    private func within<T: Sendable>(_ time: Duration, _ body: @Sendable () async throws -> T) async throws -> T {
        try await PostgresDeadline.$current.withValue(.now + time) { try await body() }
    }

    /// Uses another client: on the same one, the query might wait behind the statement it looks for.
    private func backends(_ database: TestDatabase, running statement: String) async throws -> Int {
        try await database.cluster.administration().query(
            """
            select from pg_stat_activity
            where datname = \(database.name) and state = 'active' and query like \(statement + "%")
            """
        ).count
    }

    @Test("callers that come at once are all served, although none has started the client")
    func first() async throws {
        try await withDatabase { database in
            for _ in 0..<20 {
                try await database.withClient { client in
                    let sum = try await withThrowingTaskGroup(of: Int.self) { group in
                        for number in 0..<16 {
                            group.addTask {
                                number % 4 == 0
                                    ? try await client.transaction { try await $0.query("select 1").count }
                                    : try await client.query("select 1").count
                            }
                        }
                        return try await group.reduce(0, +)
                    }
                    #expect(sum == 16)
                }
            }
        }
    }

    @Test("a caller waits for a connection no longer than the acquire timeout, and others get theirs in order")
    func limit() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: {
                $0.leasedConnections = 2
                $0.acquireTimeout = .milliseconds(300)
            }) { client in
                // Both connections are open.
                _ = try await client.serverRole()
                let taken = Meeting(of: 3)
                let release = Meeting(of: 3)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for _ in 0..<2 {
                        group.addTask {
                            try await client.withConnection { connection in
                                try await connection.query("select 1")
                                await taken.arrive()
                                await release.arrive()
                            }
                        }
                    }
                    await taken.arrive()
                    let error = await #expect(throws: PostgresError.self) {
                        try await client.withConnection { try await $0.query("select 1") }
                    }
                    #expect(error?.kind == .poolExhausted)
                    #expect(error?.isUnavailable == true)
                    // Autocommit statements have connections of their own.
                    try await client.query("select 1")
                    await release.arrive()
                    try await group.waitForAll()
                }
            }
            try await database.withClient(adjust: {
                $0.leasedConnections = 2
                $0.acquireTimeout = .seconds(30)
                $0.applicationName = "crowd"
            }) { client in
                let done = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<100 {
                        group.addTask { try await client.transaction { try await $0.query("select 1").count } }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(done == 100)
                let used = try await client.query(
                    "select from pg_stat_activity where datname = \(database.name) and application_name = 'crowd'")
                #expect(used.count <= 4)
            }
        }
    }

    @Test("a cancelled task releases its connection: the server stops, and the pool recovers")
    func cancellation() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: { $0.leasedConnections = 1 }) { client in
                try await client.execute("create table mark (n int)")
                for round in 0..<3 {
                    let task = Task {
                        try await client.transaction { transaction in
                            try await transaction.execute("insert into mark values (\(round))")
                            try await transaction.query("select pg_sleep(30)")
                        }
                    }
                    while try await backends(database, running: "select pg_sleep") == 0 {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    task.cancel()
                    let error = await #expect(throws: PostgresError.self) { try await task.value }
                    #expect(error?.kind == .cancelled)
                    while try await backends(database, running: "select pg_sleep") > 0 {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                    let rows = try await client.transaction { try await $0.query("select from mark") }
                    #expect(rows.isEmpty)
                }
                // One that waits for a connection, and one that has not started.
                let early = Task {
                    withUnsafeCurrentTask { $0?.cancel() }
                    return try await client.query("select 1").count
                }
                let error = await #expect(throws: PostgresError.self) { try await early.value }
                #expect(error?.kind == .cancelled)
            }
        }
    }

    @Test("a deadline ends the wait on a shared connection, which continues for others")
    func sharedDeadline() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                let error = await #expect(throws: PostgresError.self) {
                    try await within(.milliseconds(100)) { try await client.query("select pg_sleep(0.5)") }
                }
                #expect(error?.kind == .timeout)
                #expect(error?.isUnavailable == false)
                let passed = await #expect(throws: PostgresError.self) {
                    try await within(.zero) { try await client.query("select 1") }
                }
                #expect(passed?.kind == .timeout)
                let rows = try await within(.seconds(20)) { try await client.query("select 1") }
                #expect(rows.count == 1)
            }
        }
    }

    @Test("a deadline ends a transaction, on the server too")
    func transactionDeadline() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: { $0.leasedConnections = 1 }) { client in
                for _ in 0..<2 {
                    let error = await #expect(throws: PostgresError.self) {
                        try await within(.milliseconds(200)) {
                            try await client.transaction { try await $0.query("select pg_sleep(30)").count }
                        }
                    }
                    #expect(error?.kind == .timeout)
                    while try await backends(database, running: "select pg_sleep") > 0 {
                        try await Task.sleep(for: .milliseconds(2))
                    }
                }
                let limit = try await within(.seconds(3)) {
                    try await client.transaction {
                        try await $0.first("select current_setting('statement_timeout') as value")?[
                            "value", as: String.self]
                    }
                }
                #expect(limit?.hasSuffix("ms") == true)
                let usual = try await client.transaction {
                    try await $0.first("select current_setting('statement_timeout') as value")?[
                        "value", as: String.self]
                }
                #expect(usual == "10s")
            }
        }
    }

    @Test("the server's statement timeout is reported as a timeout")
    func statementTimeout() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: { $0.statementTimeout = .milliseconds(200) }) { client in
                let error = await #expect(throws: PostgresError.self) { try await client.query("select pg_sleep(30)") }
                #expect(error?.kind == .timeout)
                #expect(error?.sqlState == SQLState.queryCanceled)
                try await client.query("select 1")
            }
        }
    }

    @Test("session state is not visible to the next caller")
    func sessionState() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: { $0.leasedConnections = 1 }) { client in
                try await client.withConnection { connection in
                    try await connection.query("select pg_advisory_lock(1)")
                    try await connection.execute("set statement_timeout = '7s'")
                    try await connection.execute("create temporary table left_over (n int)")
                }
                try await client.withConnection { connection in
                    #expect(
                        try await connection.query(
                            "select from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
                        ).isEmpty)
                    let row = try #require(
                        try await connection.first(
                            "select current_setting('statement_timeout') as value, to_regclass('left_over') is null as gone"
                        ))
                    #expect(try row["value"] == "10s")
                    #expect(try row["gone"] == true)
                }
                // An open transaction is not carried over either.
                try await client.withConnection { connection in
                    try await connection.execute("begin")
                    try await connection.execute("create table half_done (n int)")
                }
                let row = try #require(try await client.first("select to_regclass('half_done') is null as gone"))
                #expect(try row["gone"] == true)
            }
        }
    }

    @Test("a client that was shut down refuses at once, after finishing work in progress")
    func shutdown() async throws {
        try await withDatabase { database in
            let client = PostgresClient(configuration: try database.configuration(), logger: Logger(label: "test"))
            async let running = client.query("select pg_sleep(0.3)").count
            while try await backends(database, running: "select pg_sleep") == 0 {
                try await Task.sleep(for: .milliseconds(2))
            }
            await client.shutdown()
            #expect(try await running == 1)
            let error = await #expect(throws: PostgresError.self) { try await client.query("select 1") }
            #expect(error?.isUnavailable == true)
            await #expect(throws: PostgresError.self) {
                try await client.transaction { try await $0.query("select 1").count }
            }
            for await _ in client.listen("a") {}
            await client.shutdown()
        }
    }
}
