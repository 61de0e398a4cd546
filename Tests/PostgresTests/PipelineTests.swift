import Postgres
import TestKit
import Testing

@Suite("The pipeline") struct PipelineTests {
    @Test("ten thousand concurrent statements on two connections each get their own result")
    func concurrency() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: { $0.leasedMinimum = 0 }) { client in
                let wrong = try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<10_000 {
                        group.addTask {
                            let row = try #require(try await client.first("select \(number) as number"))
                            return try row["number"] == number ? 0 : 1
                        }
                    }
                    return try await group.reduce(0, +)
                }
                #expect(wrong == 0)
                let used = try await client.query(
                    "select from pg_stat_activity where datname = \(database.name) and backend_type = 'client backend'")
                #expect(used.count <= 2)
            }
        }
    }

    @Test("an error in the pipeline affects only its own statement, and rolls nothing else back")
    func isolation() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                try await client.execute("create table number (value int primary key)")
                let failures = await withTaskGroup(of: Int.self) { group in
                    for number in 0..<1_000 {
                        group.addTask {
                            do {
                                if number % 10 == 0 {
                                    try await client.query("select 1 / \(0)")
                                } else if number % 10 == 1 {
                                    try await client.query("select nonsense_\("x")")
                                } else {
                                    try await client.execute("insert into number values (\(number))")
                                }
                                return 0
                            } catch {
                                return 1
                            }
                        }
                    }
                    return await group.reduce(0, +)
                }
                #expect(failures == 200)
                let row = try #require(try await client.first("select count(*) as count from number"))
                #expect(try row["count"] == 800)
            }
        }
    }

    @Test("a connection keeps a limited number of prepared statements, and drops the least recently used")
    func cache() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: {
                $0.statementCacheSize = 5
                $0.sharedConnections = 1
            }) { client in
                for round in 0..<3 {
                    for number in 0..<12 {
                        let row = try #require(
                            try await client.first(
                                SQL(stringLiteral: "select \(number) as n") + " where \(round) = \(round)"))
                        #expect(try row["n"] == number)
                        // This one is used all the time, and stays.
                        try await client.query("select 'favourite'")
                    }
                }
                let prepared = try await client.query("select statement, name from pg_prepared_statements")
                #expect(prepared.count == 5)
                let statements = try prepared.map { try $0["statement", as: String.self] }
                #expect(statements.contains("select 'favourite'"))
                #expect(statements.contains { $0.hasPrefix("select 11 ") })
                #expect(!statements.contains { $0.hasPrefix("select 0 ") })
                let favourite = try prepared.first { try $0["statement", as: String.self] == "select 'favourite'" }
                #expect(try favourite?["name", as: String.self] == "s2")
            }
        }
    }

    @Test("a statement is prepared again when the connection lost it or its table changed")
    func stale() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: { $0.sharedConnections = 1 }) { client in
                try await client.execute("create table thing (a int)")
                try await client.execute("insert into thing values (1)")
                #expect(try await client.query("select * from thing").columns.count == 1)
                try await client.execute("alter table thing add column b text default 'x'")
                #expect(try await client.query("select * from thing").columns.count == 2)
                for forget: SQL in ["deallocate all", "discard all"] {
                    try await client.query(forget)
                    let counts = try await withThrowingTaskGroup(of: Int.self) { group in
                        for _ in 0..<50 {
                            group.addTask { try await client.query("select * from thing").columns.count }
                        }
                        return try await group.reduce(into: []) { $0.append($1) }
                    }
                    #expect(counts == Array(repeating: 2, count: 50))
                }
                // Settings are session defaults, and survive `discard all`.
                let session = try #require(
                    try await client.first("select current_setting('TimeZone') as zone, current_setting('jit') as jit"))
                #expect(try session["zone"] == "UTC" && session["jit"] == "off")
                // In a transaction the whole body runs again.
                let columns = try await client.transaction { transaction in
                    try await transaction.query("select * from thing").columns.count
                }
                try await client.execute("alter table thing add column c int")
                let more = try await client.transaction { transaction in
                    try await transaction.query("select * from thing").columns.count
                }
                #expect(columns == 2 && more == 3)
            }
        }
    }

    @Test("statements that a failure left prepared on the server are closed")
    func unclosed() async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: { $0.statementCacheSize = 5 }) { client in
                let count = try await client.withConnection { connection in
                    for number in 0..<20 {
                        let other = SQL(stringLiteral: "select \(number) as n")
                        await #expect(throws: PostgresError.self) {
                            try await connection.batch(["select 1 / 0", other])
                        }
                        try await connection.query(other)
                    }
                    return try await connection.query("select from pg_prepared_statements").count
                }
                // Those of the cache.
                #expect(count <= 5)
            }
        }
    }

    @Test("a script that has committed a part is not run again")
    func script() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                try await client.execute("create table thing (n int)")
                let error = try await client.withConnection { connection in
                    await #expect(throws: PostgresError.self) {
                        let script = "begin; insert into thing values (1); commit; execute unknown"
                        try await connection.execute(script: Array(script.utf8))
                    }
                }
                #expect(error?.sqlState == SQLState.invalidStatementName)
                #expect(try await client.query("select from thing").count == 1)
            }
        }
    }

    @Test("a slow read delays none that another connection can take")
    func heldUp() async throws {
        /// Whether twenty reads, one after the other, have their results although another one sleeps.
        func arePrompt(_ connections: Int) async throws -> Bool {
            try await withDatabase { database in
                try await database.withClient(adjust: { $0.sharedConnections = connections }) { client in
                    let slow = Task { try await client.query("select pg_sleep(60)").count }
                    defer { slow.cancel() }
                    let administration = try database.cluster.administration()
                    while try await administration.query(
                        "select from pg_stat_activity where datname = \(database.name) and query like '%pg_sleep(60)'"
                    ).isEmpty { try await Task.sleep(for: .milliseconds(2)) }
                    try await Task.sleep(for: .milliseconds(20))
                    do {
                        for _ in 0..<20 {
                            try await PostgresDeadline.$current.withValue(.now + .seconds(2)) {
                                _ = try await client.query("select 1")
                            }
                        }
                        return true
                    } catch let error as PostgresError where error.kind == .timeout {
                        return false
                    }
                }
            }
        }
        #expect(try await arePrompt(2))
        // The negative control: there is no other connection.
        #expect(try await arePrompt(1) == false)
    }

    @Test("a large result and a large parameter are transferred whole")
    func large() async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                let text = String(repeating: "0123456789abcdef", count: 200_000)
                try await withThrowingTaskGroup(of: Void.self) { group in
                    for number in 0..<4 {
                        group.addTask {
                            let row = try #require(
                                try await client.first("select \(text)::text as text, \(number) as n"))
                            #expect(try row["text", as: String.self] == text)
                        }
                    }
                    try await group.waitForAll()
                }
                let rows = try await client.query("select generate_series(1, 200000) as n")
                #expect(rows.count == 200_000)
                #expect(try rows[199_999]["n"] == 200_000)
            }
        }
    }
}
