import Postgres
import TestKit
import Testing

@Suite("COPY and streams") struct CopyTests {
    private struct Refusal: Error {}

    private struct Numbers: AsyncSequence, AsyncIteratorProtocol {
        var next = 0
        let count: Int
        let failsAt: Int?

        func makeAsyncIterator() -> Numbers { self }

        mutating func next() async throws -> [String?]? {
            if next == failsAt { throw Refusal() }
            guard next < count else { return nil }
            next += 1
            return ["\(next)", next % 2 == 0 ? nil : "text\t\(next)\n\\N"]
        }
    }

    private func withTable(_ body: (PostgresClient) async throws -> Void) async throws {
        try await withDatabase { database in
            try await database.withClient { client in
                try await client.execute("create table thing (id int primary key, text text)")
                try await body(client)
            }
        }
    }

    private func count(_ client: PostgresClient) async throws -> Int {
        try await client.query("select from thing").count
    }

    @Test("rows are copied in and out unchanged")
    func copy() async throws {
        try await withTable { client in
            let copied = try await client.transaction { transaction in
                try await transaction.copyIn("copy thing from stdin", rows: Numbers(count: 50_000, failsAt: nil))
            }
            #expect(copied == 50_000)
            let row = try #require(try await client.first("select text from thing where id = 7"))
            #expect(try row["text"] == "text\t7\n\\N")
            let lines = try await client.transaction { transaction in
                var lines: [[UInt8]] = []
                for try await line in transaction.copyOut("copy (select * from thing order by id) to stdout") {
                    lines.append(line)
                }
                // The transaction continues after a COPY that was read to its end.
                try await transaction.execute("delete from thing where id > 10")
                return lines
            }
            #expect(lines.count == 50_000)
            #expect(String(decoding: lines[0], as: UTF8.self) == #"1\#ttext\t1\n\\N"#)
            #expect(String(decoding: lines[1], as: UTF8.self) == #"2\#t\N"#)
            let left = try await count(client)
            #expect(left == 10)
            try await client.withConnection { connection in
                let more: [[String?]] = [["100", "x"], ["101", nil]]
                let copied = try await connection.copyIn("copy thing (id, text) from stdin", rows: more)
                #expect(copied == 2)
                #expect(try await connection.query("select from thing").count == 12)
            }
        }
    }

    @Test("a COPY that fails leaves nothing behind")
    func failures() async throws {
        try await withTable { client in
            await #expect(throws: Refusal.self) {
                try await client.transaction { transaction in
                    try await transaction.copyIn("copy thing from stdin", rows: Numbers(count: 90_000, failsAt: 80_000))
                }
            }
            let error = await #expect(throws: PostgresError.self) {
                try await client.transaction { transaction in
                    let rows: [[String?]] = [["1", "a"], ["1", "b"]]
                    return try await transaction.copyIn("copy thing from stdin", rows: rows)
                }
            }
            #expect(error?.sqlState == SQLState.uniqueViolation)
            await #expect(throws: PostgresError.self) {
                try await client.withConnection { connection in
                    for try await _ in connection.copyOut("copy nothing to stdout") {}
                }
            }
            await #expect(throws: PostgresError.self) {
                try await client.withConnection { connection in
                    for try await _ in connection.copyOut("select 1") {}
                }
            }
            let left = try await count(client)
            #expect(left == 0)
        }
    }

    @Test("a COPY that is not read to its end costs only its connection")
    func abandoned() async throws {
        try await withTable { client in
            for _ in 0..<20 {
                try await client.withConnection { connection in
                    for try await _ in connection.copyOut("copy (select generate_series(1, 1000000)) to stdout") {
                        break
                    }
                }
            }
            let row = try await client.transaction { try await $0.first("select 1 as one") }
            #expect(try row?["one"] == 1)
        }
    }

    @Test("a stream arrives in batches, in a transaction and on a connection")
    func streams() async throws {
        try await withTable { client in
            try await client.transaction { transaction in
                var sizes: [Int] = []
                var sum = 0
                for try await rows in transaction.stream(
                    "select g as n from generate_series(1, \(1_050)) g", batch: 500)
                {
                    sizes.append(rows.count)
                    for row in rows { sum += try row["n", as: Int.self] }
                }
                #expect(sizes == [500, 500, 50])
                #expect(sum == 1_050 * 1_051 / 2)
                // An empty result, and one that exactly fills the batches.
                for try await _ in transaction.stream("select 1 where false") { Issue.record("a batch of nothing") }
                var full = 0
                for try await rows in transaction.stream("select generate_series(1, 10)", batch: 5) {
                    full += rows.count
                }
                #expect(full == 10)
            }
            try await client.withConnection { connection in
                var count = 0
                for try await rows in connection.stream("select generate_series(1, 700)", batch: 100) {
                    count += rows.count
                }
                #expect(count == 700)
                await #expect(throws: PostgresError.self) {
                    for try await _ in connection.stream("select 1 / (3 - generate_series(1, 5))", batch: 1) {}
                }
                #expect(try await connection.query("select 1").count == 1)
            }
        }
    }
}
