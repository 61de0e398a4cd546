import Logging
import Postgres
import TestKit
import Testing

/// The only synchronous standby is gone: commits wait on the server until it is back.
@Suite("Commits that wait") struct CommitWaitTests {
    /// Runs `body` as if the request had this much time left.
    private func within<T: Sendable>(_ time: Duration, _ body: @Sendable () async throws -> T) async throws -> T {
        try await PostgresDeadline.$current.withValue(.now + time) { try await body() }
    }

    private func withTable(
        adjust: (inout PostgresConfiguration) -> Void = { _ in },
        _ body: (TestCluster, TestDatabase, PostgresClient) async throws -> Void
    ) async throws {
        try await TestCluster.private { cluster in
            try await withDatabase(on: cluster) { database in
                try await database.withClient(adjust: adjust) { client in
                    try await client.execute("create table thing (n int)")
                    try await body(cluster, database, client)
                }
            }
        }
    }

    /// The outcome of one write of each of three kinds: nil if it succeeded.
    private func write(_ number: Int, _ client: PostgresClient, within time: Duration) async -> PostgresError? {
        do {
            try await within(time) {
                switch number % 3 {
                case 0: try await client.execute("insert into thing values (\(number))")
                case 1: try await client.query("insert into thing values (\(number)) returning n")
                default: try await client.transaction { try await $0.execute("insert into thing values (\(number))") }
                }
            }
            return nil
        } catch {
            return error as? PostgresError ?? PostgresError(.decoding, message: "\(error)")
        }
    }

    @Test("the caller's deadline ends its wait, and the outcome is unknown until the server confirms it")
    func unknown() async throws {
        try await withTable { cluster, database, client in
            try await cluster.withoutSynchronousStandby(in: database) {
                for number in 0..<3 {
                    let error = await write(number, client, within: .milliseconds(300))
                    #expect(error?.kind == .unknownOutcome)
                    #expect(error?.isUnavailable == true)
                }
                try await eventually("the age of the oldest commit") { client.oldestCommit ?? .zero > .seconds(1) }
                // A statement that needs no standby succeeds at once: the commit waits, not the client.
                try await within(.seconds(20)) {
                    try await client.transaction { transaction in
                        try await transaction.execute("set local synchronous_commit = local")
                        try await transaction.execute("insert into thing values (100)")
                    }
                }
                #expect(try await client.query("select from thing").count == 1)
            }
            try await eventually("what was unknown is done") {
                try await client.query("select from thing where n < 100").count == 3
            }
            try await eventually("none waits") { client.oldestCommit == nil }
        }
    }

    @Test("the server never has more connections than the pool, however many callers give up; then all are reused")
    func waves() async throws {
        let adjust: (inout PostgresConfiguration) -> Void = {
            $0.leasedConnections = 3
            $0.acquireTimeout = .milliseconds(200)
            $0.applicationName = "wave"
        }
        try await withTable(adjust: adjust) { cluster, database, client in
            let administration = try cluster.administration()
            func backends() async throws -> Int {
                try await administration.query("select from pg_stat_activity where application_name = 'wave'").count
            }
            try await cluster.withoutSynchronousStandby(in: database) {
                var unknown = 0
                for wave in 0..<5 {
                    let errors = await withTaskGroup(of: PostgresError?.self) { group in
                        for number in 0..<8 {
                            group.addTask { await write(wave * 8 + number, client, within: .milliseconds(300)) }
                        }
                        return await group.reduce(into: [PostgresError?]()) { $0.append($1) }
                    }
                    #expect(errors.compactMap(\.self).count == 8)
                    unknown += errors.count { $0?.kind == .unknownOutcome }
                    let count = try await backends()
                    #expect(count <= 5)
                }
                // Three connections, three commits: no other write can have taken effect.
                #expect(unknown == 3)
                let waiting = try await cluster.commitsWaiting()
                #expect(waiting >= 3)
            }
            try await eventually("what was unknown is done, and nothing else") {
                try await client.query("select from thing").count == 3
            }
            for number in 0..<20 { #expect(await write(number, client, within: .seconds(20)) == nil) }
            let count = try await backends()
            #expect(count <= 5)
        }
    }

    @Test("reads never wait behind commits, however the write was submitted")
    func reads() async throws {
        try await withTable(adjust: { $0.sharedConnections = 1 }) { cluster, database, client in
            try await cluster.withoutSynchronousStandby(in: database) {
                let writes = (0..<4).map { number in Task { await write(number, client, within: .seconds(60)) } }
                try await eventually("they wait") { try await cluster.commitsWaiting() >= 4 }
                let read = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<50 {
                        group.addTask { try await within(.seconds(20)) { try await client.query("select 1").count } }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(read == 50)
                // The negative control: a read on the connection of a waiting commit does wait.
                let error = await #expect(throws: PostgresError.self) {
                    try await within(.seconds(2)) {
                        try await client.withConnection { connection in
                            async let written = connection.execute("insert into thing values (7)")
                            async let read = connection.query("select 1").count
                            _ = try await (read, written)
                        }
                    }
                }
                #expect(error != nil && error?.kind != .poolExhausted)
                for write in writes { write.cancel() }
            }
        }
    }

    @Test("a quarter of the connections is for read-only transactions, whatever commits wait")
    func readOnly() async throws {
        let adjust: (inout PostgresConfiguration) -> Void = {
            $0.leasedConnections = 4
            $0.acquireTimeout = .milliseconds(300)
        }
        try await withTable(adjust: adjust) { cluster, database, client in
            try await cluster.withoutSynchronousStandby(in: database) {
                let writes = (0..<6).map { number in Task { await write(number, client, within: .seconds(60)) } }
                try await eventually("they wait") { try await cluster.commitsWaiting() >= 3 }
                for _ in 0..<20 {
                    let count = try await client.transaction(readOnly: true) { try await $0.query("select 1").count }
                    #expect(count == 1)
                }
                // The negative control: a read-write transaction finds none.
                let error = await #expect(throws: PostgresError.self) {
                    try await client.transaction { try await $0.query("select 1").count }
                }
                #expect(error?.kind == .poolExhausted)
                for write in writes { write.cancel() }
            }
            try await eventually("all that was sent is done") {
                try await client.query("select from thing").count >= 3
            }
            #expect(await write(100, client, within: .seconds(20)) == nil)
        }
    }

    @Test("a writing statement is routed to a connection for writes, and recognized the next time")
    func routing() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                try await client.query("create table thing (n int)")
                try await client.query(
                    """
                    create function note() returns int language plpgsql as
                    $$ begin insert into thing values (0); return 1; end $$
                    """)
                let shared = try await client.query("select pg_backend_pid() as pid")[0]["pid", as: Int.self]
                let others = try await withThrowingTaskGroup(of: Int.self) { group in
                    for _ in 0..<40 {
                        group.addTask { try await client.first("select pg_backend_pid() as pid")?["pid"] ?? 0 }
                    }
                    return try await group.reduce(into: Set([shared])) { $0.insert($1) }
                }
                for _ in 0..<3 {
                    let rows = try await client.query("insert into thing values (1) returning pg_backend_pid() as pid")
                    #expect(try !others.contains(rows[0]["pid"]))
                    #expect(try await client.first("select note(), pg_backend_pid() as pid") != nil)
                    #expect(try await client.query("select from thing for update").isEmpty == false)
                }
                #expect(try await client.query("select from thing").count == 6)
                // A read-only transaction remains one.
                let error = await #expect(throws: PostgresError.self) {
                    try await client.transaction(readOnly: true) {
                        try await $0.execute("insert into thing values (2)")
                    }
                }
                #expect(error?.sqlState == SQLState.readOnlyTransaction)
                #expect(try await client.execute("insert into thing values (3)") == 1)
            }
        }
    }

    @Test("an abandoned COPY and an abandoned statement leave their connection to the next caller")
    func givenUp() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: {
                $0.leasedConnections = 2
                $0.leasedMinimum = 2
                $0.applicationName = "given up"
                $0.acquireTimeout = .seconds(30)
            }) { client in
                try await client.execute("create table thing (n text)")
                let pids: SQL =
                    """
                    select array_agg(pid order by pid)::text as pids from pg_stat_activity
                    where datname = \(database.name) and application_name = 'given up'
                    """
                let administration = try database.cluster.administration()
                try await eventually("all connections") {
                    try await administration.query(
                        "select from pg_stat_activity where datname = \(database.name) and application_name = 'given up'"
                    ).count == 4
                }
                let before = try await administration.first(pids)?["pids", as: String.self]
                for round in 0..<6 {
                    await #expect(throws: (any Error).self) {
                        try await within(.milliseconds(200)) {
                            switch round % 3 {
                            case 0:
                                try await client.transaction { try await $0.query("select pg_sleep(30)").count }
                            case 1:
                                try await client.transaction { transaction in
                                    try await transaction.batch([
                                        "insert into thing default values", "select pg_sleep(30)",
                                    ])
                                }
                            default:
                                try await client.withConnection { connection in
                                    try await connection.execute(script: Array("select 1; select pg_sleep(30)".utf8))
                                }
                            }
                        }
                    }
                    let count = try await client.transaction { try await $0.query("select from thing").count }
                    #expect(count == 0)
                }
                #expect(try await administration.first(pids)?["pids", as: String.self] == before)
            }
        }
    }
}
