import ClubProtocol
import Foundation
import HTTPTypes
import Logging
import Postgres
import ServiceLifecycle
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

/// Rows of a hundred bytes, page by page.
private enum ExportPebbles: Endpoint {
    static let operation = Operation(
        .get, "/v1/pebbles.csv", "Writes pebbles.", access: .roles(.operator), produces: .csv)
    struct Query: Codable, Sendable { var count: Int }
    typealias Response = TextDocument
}

/// The same from a cursor of one transaction: the wrong way, for comparison.
private enum HoardPebbles: Endpoint {
    static let operation = Operation(
        .get, "/v1/hoarded-pebbles.csv", "Writes pebbles.", access: .roles(.operator), produces: .csv)
    struct Query: Codable, Sendable { var count: Int }
    typealias Response = TextDocument
}

/// An endless stream, a little every moment.
private enum DripPebbles: Endpoint {
    static let operation = Operation(
        .get, "/v1/dripping-pebbles.csv", "Writes pebbles.", access: .roles(.operator), produces: .csv)
    typealias Response = TextDocument
}

/// Many at once, as an ordinary response.
private enum HeapPebbles: Endpoint {
    static let operation = Operation(
        .get, "/v1/pebble-heap", "Shows pebbles.", access: .roles(.operator), produces: .csv)
    typealias Response = TextDocument
}

/// A quarter of a mebibyte at a time, for ever.
private enum PourPebbles: Endpoint {
    static let operation = Operation(
        .get, "/v1/poured-pebbles.csv", "Writes pebbles.", access: .roles(.operator), produces: .csv)
    typealias Response = TextDocument
}

private enum AddPebble: Endpoint {
    static let operation = Operation(.post, "/v1/pebbles", "Adds a pebble.", access: .roles(.operator))
    struct Response: Codable, Sendable { var count: Int }
}

@Suite("Clients that do not read", .timeLimit(.minutes(3)))
struct SlowReaderTests {
    private struct Beach: Sendable {
        let keys: TestKeys
        let database: PostgresClient
        let responder: Responder
        let port: Int
        /// Pages that have been written, or wait to be written.
        let pages: Pages

        final class Pages: Sendable {
            let count = Atomic<Int>(0)
        }

        /// - Parameter times: the number of pipelined requests; the last one closes the connection.
        func open(
            _ path: String, by subject: String, times: Int = 1, window: Int32? = nil
        ) async throws -> RawSocket {
            let socket = try RawSocket(port: port, window: window)
            let token = try keys.token(.operator, subject: subject, for: .events)
            let request = "GET \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n"
            let requests = String(repeating: request + "\r\n", count: times - 1)
            await socket.send(requests + request + (times > 1 ? "Connection: close\r\n\r\n" : "\r\n"))
            return socket
        }

        func ask(_ method: HTTPRequest.Method, _ path: String, by subject: String) async throws -> HTTPResponse {
            var head = HTTPRequest(method: method, scheme: "http", authority: "test", path: path)
            let token = try keys.token(.operator, subject: subject, for: .events)
            head.headerFields[.authorization] = "Bearer \(token)"
            return await responder.respond(to: head).0
        }

        /// Waits until `readers` responses are in progress and nothing moves any more.
        func untilStuck(_ readers: Int) async throws {
            var last = -1
            while true {
                let now = pages.count.load(ordering: .relaxed)
                if now == last, now >= readers, responder.inWaiting == readers { return }
                last = now
                try await Task.sleep(for: .milliseconds(300))
            }
        }

        /// Waits until some have been answered and no more follow.
        func untilNoMore() async throws {
            var last = 0
            while true {
                let now = pages.count.load(ordering: .relaxed)
                if now == last, now > 0 { return }
                last = now
                try await Task.sleep(for: .milliseconds(300))
            }
        }

        func untilNobody() async throws {
            while responder.inWaiting > 0 { try await Task.sleep(for: .milliseconds(10)) }
        }
    }

    private func routes(on database: PostgresClient, _ pages: Beach.Pages) -> Routes {
        var routes = Routes()
        routes.export(ExportPebbles.self) { call, output in
            try await database.forEachPage { last, limit in
                let after = try last?["n", as: Int.self] ?? 0
                return """
                    select n, repeat('x', 90) as text
                    from generate_series(\(after + 1), least(\(call.query.count), \(after + limit))) as n
                    """
            } _: { rows in
                pages.count.add(1, ordering: .relaxed)
                try await output.write { bytes in
                    for row in rows { row.withBytes(1) { bytes += $0.map { Array($0) } ?? [] } }
                    bytes += "\r\n".utf8
                }
            }
        }
        routes.export(HoardPebbles.self) { call, output in
            try await database.transaction(readOnly: true, retries: 0) { transaction in
                for first in stride(from: 0, to: call.query.count, by: 500) {
                    let rows = try await transaction.query(
                        "select repeat('x', 90) from generate_series(\(first + 1), least(\(call.query.count), \(first + 500)))"
                    )
                    pages.count.add(1, ordering: .relaxed)
                    try await output.write { bytes in
                        for row in rows { row.withBytes(0) { bytes += $0.map { Array($0) } ?? [] } }
                    }
                }
            }
        }
        routes.download(DripPebbles.self) { _, output in
            while true {
                pages.count.add(1, ordering: .relaxed)
                try await output.write { $0 += [UInt8](repeating: 0x78, count: 40 << 10) }
                try await Task.sleep(for: .milliseconds(20))
            }
        }
        routes.read(HeapPebbles.self) { _ in
            pages.count.add(1, ordering: .relaxed)
            return .text(String(repeating: "x", count: 200_000))
        }
        routes.download(PourPebbles.self) { _, output in
            while true { try await output.write { $0 += [UInt8](repeating: 0x78, count: 256 << 10) } }
        }
        routes.write(AddPebble.self) { _, transaction in
            let row = try await transaction.first("insert into pebble default values returning 1 as count")
            return .value(.init(count: try row?["count"] ?? 0))
        }
        return routes
    }

    private func withBeach(
        leased: Int, limits adjust: (inout HTTPLimits) -> Void, _ body: (Beach) async throws -> Void
    ) async throws {
        var limits = HTTPLimits()
        adjust(&limits)
        try await withDatabase(migratedBy: TicketFixture.migrators) { database in
            try await database.withClient { try await $0.execute("create table events.pebble (n int default 1)") }
            try await database.withClient { try await $0.execute("grant all on events.pebble to events") }
            try await database.withClient(
                as: "events",
                adjust: {
                    $0.leasedConnections = leased
                    $0.acquireTimeout = .milliseconds(500)
                }
            ) { client in
                let (keys, pages) = (try TestKeys(), Beach.Pages())
                let responder = try Responder(
                    routes: routes(on: client, pages), database: client,
                    verifier: TokenVerifier(trustFile: keys.trustFile, audience: .events),
                    links: SignedLinks(key: KeyFile(path: keys.signingKeyFile(of: .events))), limits: limits,
                    openAPI: [], jwks: [], logger: TicketFixture.quiet)
                let (ports, bound) = AsyncStream<Int>.makeStream()
                let server = APIServer(responder: responder, host: "127.0.0.1", port: 0, logger: TicketFixture.quiet) {
                    bound.yield($0)
                }
                let running = Task {
                    try await ServiceGroup(services: [server], logger: TicketFixture.quiet).run()
                }
                var iterator = ports.makeAsyncIterator()
                let port = try #require(await iterator.next())
                let outcome = await Result {
                    try await body(
                        Beach(keys: keys, database: client, responder: responder, port: port, pages: pages))
                }
                running.cancel()
                _ = await running.result
                try outcome.get()
            }
        }
    }

    @Test("eight of them hold none of the two database connections")
    func connections() async throws {
        try await withBeach(leased: 2, limits: { $0.exports = 8 }) { beach in
            var sockets: [RawSocket] = []
            for reader in 1...8 {
                sockets.append(try await beach.open("/v1/pebbles.csv?count=300000", by: "reader \(reader)"))
            }
            try await beach.untilStuck(8)
            for _ in 1...4 { #expect(try await beach.ask(.post, "/v1/pebbles", by: "writer").status == .ok) }
            #expect(beach.responder.inWaiting == 8)
            sockets.removeAll()
            try await beach.untilNobody()
        }
    }

    @Test("without pages two of them block every write")
    func control() async throws {
        try await withBeach(leased: 2, limits: { $0.exports = 8 }) { beach in
            var sockets: [RawSocket] = []
            for reader in 1...2 {
                sockets.append(try await beach.open("/v1/hoarded-pebbles.csv?count=300000", by: "reader \(reader)"))
            }
            try await beach.untilStuck(2)
            #expect(try await beach.ask(.post, "/v1/pebbles", by: "writer").status == .serviceUnavailable)
            sockets.removeAll()
            try await beach.untilNobody()
        }
    }

    @Test("requests behind an unread response wait, and unread bytes count; a client that reads gets all responses")
    func pipelined() async throws {
        try await withBeach(leased: 2, limits: { _ in }) { beach in
            let socket = try await beach.open("/v1/pebble-heap", by: "ada", times: 200, window: 64 << 10)
            try await beach.untilNoMore()
            // The kernel holds a few megabytes; without the rule all 200 are answered, with 40 MB in our memory.
            #expect(beach.pages.count.load(ordering: .relaxed) < 150)
            #expect((1..<(1 << 20)).contains(beach.responder.buffered))
            let answers = await socket.readAll()
            #expect(answers.utf8.count > 200 * 200_000)
            #expect(beach.pages.count.load(ordering: .relaxed) == 200)
            #expect(beach.responder.buffered == 0)
        }
    }

    @Test("a client that does not read an ordinary response is cut off, and so is one beyond the unread limit")
    func unread() async throws {
        try await withBeach(leased: 2, limits: { $0.writeStall = .milliseconds(300) }) { beach in
            let socket = try await beach.open("/v1/pebble-heap", by: "ada", times: 200, window: 64 << 10)
            try await beach.untilNoMore()
            while beach.responder.buffered > 0 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(await socket.readAll().utf8.count < 200 * 200_000)
        }
        try await withBeach(leased: 2, limits: { $0.bufferedBytes = 64 << 10 }) { beach in
            let socket = try await beach.open("/v1/pebble-heap", by: "ada", times: 200, window: 64 << 10)
            try await beach.untilNoMore()
            #expect(await socket.readAll().utf8.count < 200 * 200_000)
            #expect(beach.responder.buffered == 0)
        }
    }

    @Test(
        "wherever a reader of a long stream stops, it is cut off",
        arguments: [0, 7, 30, 61, 97, 128, 170, 199, 230, 255])
    func stops(kibibytes: Int) async throws {
        try await withBeach(leased: 2, limits: { $0.writeStall = .seconds(1) }) { beach in
            let socket = try await beach.open("/v1/poured-pebbles.csv", by: "ada", window: 16 << 10)
            #expect(await socket.read((4 << 20) + kibibytes << 10) == (4 << 20) + kibibytes << 10)
            try await beach.untilNobody()
            withExtendedLifetime(socket) {}
        }
    }

    @Test("pages contain every row once, whatever the rows' length")
    func rows() async throws {
        try await withBeach(leased: 2, limits: { _ in }) { beach in
            for count in [0, 1, 199, 200, 201, 2200, 2201, 9000] {
                var (found, pages) = ([Int](), [Int]())
                try await beach.database.forEachPage { last, limit in
                    let after = try last?["n", as: Int.self] ?? 0
                    return """
                        select n, repeat('x', \(count == 9000 ? 900 : 1)::integer) as text
                        from generate_series(\(after + 1), least(\(count), \(after + limit))) as n
                        """
                } _: { rows in
                    found += try rows.map { try $0["n"] }
                    pages.append(rows.count)
                }
                #expect(found == Array(1..<(count + 1)))
                // A page has fewer rows when they are long.
                if count == 9000 { #expect(pages[0] == 200 && pages.dropFirst().allSatisfy { $0 < 300 }) }
            }
        }
    }

    @Test("two exports run at once, one for each caller; any other is told when to retry")
    func gate() async throws {
        try await withBeach(leased: 2, limits: { _ in }) { beach in
            let long = "/v1/pebbles.csv?count=300000"
            let short = "/v1/pebbles.csv?count=1"
            #expect(try await beach.ask(.get, short, by: "ada").status == .ok)
            var ada = Optional(try await beach.open(long, by: "ada"))
            try await beach.untilStuck(1)
            let second = try await beach.ask(.get, short, by: "ada")
            #expect(second.status == .tooManyRequests && second.headerFields[.retryAfter] == "10")
            #expect(try await beach.ask(.get, short, by: "bob").status == .ok)
            var bob = Optional(try await beach.open(long, by: "bob"))
            try await beach.untilStuck(2)
            #expect(try await beach.ask(.get, short, by: "eve").status == .tooManyRequests)
            // Only exports wait for exports.
            #expect(try await beach.ask(.post, "/v1/pebbles", by: "eve").status == .ok)
            withExtendedLifetime(ada) {}
            ada = nil
            while beach.responder.inWaiting > 1 { try await Task.sleep(for: .milliseconds(10)) }
            #expect(try await beach.ask(.get, short, by: "eve").status == .ok)
            #expect(try await beach.ask(.get, short, by: "bob").status == .tooManyRequests)
            withExtendedLifetime(bob) {}
            bob = nil
            try await beach.untilNobody()
            #expect(try await beach.ask(.get, short, by: "bob").status == .ok)
        }
    }

    @Test("a stream that exceeds its time limit is cut off")
    func limit() async throws {
        try await withBeach(leased: 2, limits: { $0.streamLimit = .milliseconds(300) }) { beach in
            let socket = try await beach.open("/v1/dripping-pebbles.csv", by: "ada")
            let answer = await socket.readAll()
            #expect(answer.hasPrefix("HTTP/1.1 200 OK") && !answer.hasSuffix("0\r\n\r\n"))
            try await beach.untilNobody()
        }
    }

    @Test("the server ends a transaction that waits for its next statement, which releases its locks")
    func idleTransaction() async throws {
        try await withDatabase(migratedBy: TicketFixture.migrators) { database in
            try await database.withClient(as: "events") { client in
                let row = try await client.first(
                    "select current_setting('idle_in_transaction_session_timeout') as longest")
                #expect(try row?["longest", as: String.self] == "30s")
            }
            try await database.withClient(as: "events", adjust: { $0.idleInTransactionTimeout = .milliseconds(200) }) {
                client in
                let (locked, stopped) = (AsyncStream<Void>.makeStream(), AsyncStream<Void>.makeStream())
                let waiting = Task {
                    try await client.transaction(retries: 0) { transaction in
                        try await transaction.execute("select pg_advisory_xact_lock(16)")
                        locked.continuation.yield()
                        for await _ in stopped.stream { break }
                        try await transaction.execute("select 1")
                    }
                }
                for await _ in locked.stream { break }
                // Until we get the lock, which we never do while the other holds it.
                try await client.transaction { try await $0.execute("select pg_advisory_xact_lock(16)") }
                stopped.continuation.yield()
                await #expect(throws: PostgresError.self) { try await waiting.value }
            }
        }
    }
}

extension Result where Failure == any Error, Success == Void {
    fileprivate init(_ body: () async throws -> Void) async {
        do {
            self = .success(try await body())
        } catch {
            self = .failure(error)
        }
    }
}
