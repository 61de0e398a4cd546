import NIOCore
import NIOPosix
import Postgres
import TestKit
import Testing

@testable import ServiceKit

/// Reads of one turn of the event loop, which share a synchronization point if they are known to be quick. PostgreSQL
/// runs what shares one in a single transaction, so that `now()` is the same.
@Suite("Reads that share a synchronization point") struct GroupTests {
    /// Runs `body` with a client that has one connection, and with its event loop.
    private func withClient(_ body: (PostgresClient, LoopExecutor) async throws -> Void) async throws {
        let loop = MultiThreadedEventLoopGroup.singleton.next()
        try await withDatabase { database in
            try await database.withClient(adjust: {
                $0.sharedConnections = 1
                $0.eventLoops = loop
            }) { client in
                try await client.query("select")
                try await body(client, LoopExecutor(loop))
            }
        }
    }

    /// Sleeps for so many seconds, and returns when its transaction began.
    private func sleeping(_ seconds: Double) -> SQL { "select now()::text as began, pg_sleep(\(seconds))" }

    /// In how many transactions ten reads of one turn run.
    private func transactions(on client: PostgresClient, _ executor: LoopExecutor) async throws -> Int {
        let results = await client.inOneTurn(of: executor, Array(repeating: sleeping(0), count: 10))
        return try Set(results.map { try $0.get()[0]["began", as: String.self] }).count
    }

    @Test("are those that were quick; one that was slow has its own until it is quick again")
    func quick() async throws {
        try await withClient { client, executor in
            // On a busy machine, a statement may not be quick the first time.
            func share() async throws -> Bool {
                for _ in 0..<200 where try await transactions(on: client, executor) == 1 { return true }
                return false
            }
            // The first time, nothing is known of it.
            #expect(try await transactions(on: client, executor) > 1)
            #expect(try await share())
            try await client.query(sleeping(0.02))
            #expect(try await transactions(on: client, executor) > 1)
            #expect(try await share())
        }
    }

    @Test("are sent again if one before them fails, and each has its own result")
    func failures() async throws {
        try await withClient { client, executor in
            func quotient(_ number: Int) -> SQL { "select 100 / \(number) as quotient, now()::text as began" }
            var shared = 0
            for round in 0..<50 {
                // Every seventh is a division by zero, at another place in each round.
                let numbers = (0..<40).map { ($0 + round) % 7 }
                let results = await client.inOneTurn(of: executor, numbers.map(quotient))
                #expect(results.count == numbers.count)
                var transactions: Set<String> = []
                for (number, result) in zip(numbers, results) {
                    switch result {
                    case .success(let rows):
                        #expect(try rows[0]["quotient"] == 100 / number)
                        transactions.insert(try rows[0]["began"])
                    case .failure(let error):
                        // Division by zero.
                        #expect(number == 0 && (error as? PostgresError)?.sqlState == "22012")
                    }
                }
                let successes = numbers.count { $0 != 0 }
                if transactions.count < successes { shared += 1 }
            }
            // Otherwise it has tested nothing.
            #expect(shared > 0)
        }
    }

    @Test("are sent again if the table of one before them has changed")
    func stale() async throws {
        try await withClient { client, executor in
            try await client.execute("create table thing (a int)")
            try await client.execute("insert into thing values (1)")
            for column in ["b", "c", "d", "e"] {
                for _ in 0..<5 { try await client.query("select * from thing") }
                try await client.execute(SQL(stringLiteral: "alter table thing add column \(column) int"))
                let results = await client.inOneTurn(
                    of: executor, Array(repeating: "select * from thing", count: 20))
                #expect(results.count == 20)
                for result in results {
                    let rows = try result.get()
                    #expect(try rows[0].optional(column, as: Int.self) == nil)
                }
            }
        }
    }
}

extension PostgresClient {
    /// The results of statements that are sent in the same turn of the event loop, in their order.
    func inOneTurn(of executor: LoopExecutor, _ statements: [SQL]) async -> [Result<Rows, any Error>] {
        await Task(executorPreference: executor) {
            await withTaskGroup(of: (Int, Result<Rows, any Error>).self) { group in
                for (index, statement) in statements.enumerated() {
                    group.addTask {
                        do {
                            return (index, .success(try await self.query(statement)))
                        } catch {
                            return (index, .failure(error))
                        }
                    }
                }
                var results: [Int: Result<Rows, any Error>] = [:]
                for await (index, result) in group { results[index] = result }
                return statements.indices.compactMap { results[$0] }
            }
        }.value
    }
}
