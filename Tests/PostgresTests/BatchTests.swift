import Postgres
import TestKit
import Testing

@Suite("Statements that share a synchronization point") struct BatchTests {
    /// Runs all at once, and returns the results in the order of the numbers.
    private func together<Value: Sendable>(
        _ count: Int, _ body: @escaping @Sendable (Int) async throws -> Value
    ) async throws -> [Value] {
        try await withThrowingTaskGroup(of: (Int, Value).self) { group in
            for number in 0..<count { group.addTask { (number, try await body(number)) } }
            return try await group.reduce(into: []) { $0.append($1) }.sorted { $0.0 < $1.0 }.map(\.1)
        }
    }

    private func withConnection(_ body: (PostgresClient) async throws -> Void) async throws {
        try await withDatabase { database in
            try await database.withClient(adjust: {
                $0.sharedConnections = 1
                $0.leasedMinimum = 0
            }) { try await body($0) }
        }
    }

    @Test("share a transaction of the server if they are known to be quick, and have one each if they are not")
    func transactions() async throws {
        try await withConnection { client in
            // The time of its transaction.
            @Sendable func quick(_ number: Int) async throws -> String {
                let row = try #require(try await client.first("select now()::text as time, \(number)::int as number"))
                #expect(try row["number"] == number)
                return try row["time"]
            }
            @Sendable func slow(_ number: Int) async throws -> String {
                let row = try #require(
                    try await client.first(
                        "select now()::text as time, pg_sleep(0.003)::text, \(number)::int as number"))
                #expect(try row["number"] == number)
                return try row["time"]
            }
            // Both are known after the first time.
            for number in 0..<3 { _ = try await (quick(number), slow(number)) }
            #expect(Set(try await together(2_000, quick)).count < 2_000)
            #expect(Set(try await together(60, slow)).count == 60)
            let mixed = try await together(200) { $0 % 10 == 0 ? try await slow($0) : try await quick($0) }
            let slowTimes = stride(from: 0, to: 200, by: 10).map { mixed[$0] }
            let quickTimes = Set(mixed.indices.filter { $0 % 10 != 0 }.map { mixed[$0] })
            #expect(Set(slowTimes).count == 20 && quickTimes.isDisjoint(with: slowTimes))
        }
    }

    @Test("an error in the middle is its own statement's; the others are executed, each once", arguments: [1, 3, 40])
    func errors(period: Int) async throws {
        try await withConnection { client in
            @Sendable func divide(_ number: Int, by divisor: Int) async throws -> Int {
                let row = try #require(
                    try await client.first(
                        "select \(number)::int / \(divisor)::int as result, pg_backend_pid() as process"))
                return try row["result"]
            }
            for _ in 0..<3 { #expect(try await divide(6, by: 2) == 3) }
            let results = try await together(2_000) { number -> Int? in
                do {
                    return try await divide(number, by: number % period == 0 ? 0 : 1)
                } catch {
                    #expect((error as? PostgresError)?.sqlState == "22012")
                    return nil
                }
            }
            for (number, result) in results.enumerated() {
                #expect(result == (number % period == 0 ? nil : number))
            }
        }
    }

    @Test("those whose caller has gone are dropped, and the others answered")
    func cancelled() async throws {
        try await withConnection { client in
            @Sendable func echo(_ number: Int) async throws -> Int {
                let row = try #require(try await client.first("select \(number)::int as number"))
                return try row["number"]
            }
            for number in 0..<3 { #expect(try await echo(number) == number) }
            let results = try await together(1_000) { number -> Int? in
                let task = Task { try await echo(number) }
                if number % 3 == 0 { task.cancel() }
                return try? await task.value
            }
            for (number, result) in results.enumerated() where number % 3 != 0 { #expect(result == number) }
            #expect(try await echo(7) == 7)
        }
    }

    @Test("a statement that became stale is prepared again, and those behind it are executed")
    func stale() async throws {
        try await withConnection { client in
            try await client.execute("create table thing (a int)")
            try await client.execute("insert into thing values (1)")
            for round in 1...3 {
                for _ in 0..<3 { #expect(try await client.query("select * from thing").columns.count == round) }
                try await client.execute(SQL(stringLiteral: "alter table thing add column c\(round) text"))
                let counts = try await together(200) { number in
                    number % 2 == 0
                        ? try await client.query("select * from thing").columns.count
                        : try await client.query("select \(number)::int as number").count
                }
                #expect(counts.enumerated().allSatisfy { $0.element == ($0.offset % 2 == 0 ? round + 1 : 1) })
            }
        }
    }
}
