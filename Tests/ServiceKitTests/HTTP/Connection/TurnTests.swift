import ClubProtocol
import Foundation
import Logging
import NIOCore
import NIOEmbedded
import NIOPosix
import Synchronization
import TestKit
import Testing

@testable import ServiceKit

@Suite("Many requests on one connection", .timeLimit(.minutes(3)))
struct TurnTests {
    /// Counts requests as the service answers them: the order in which clients read responses does not show it.
    private final class Answers: LogHandler, Sendable {
        let count = Atomic<Int>(0)

        func log(event: LogEvent) {
            if event.metadata?["status"]?.description == "404" { count.add(1, ordering: .relaxed) }
        }

        subscript(metadataKey _: String) -> Logger.Metadata.Value? {
            get { nil }
            set {}
        }
        var metadata: Logger.Metadata {
            get { [:] }
            set {}
        }
        var logLevel: Logger.Level {
            get { .debug }
            set {}
        }
    }

    private static let request = "GET / HTTP/1.1\r\nhost:a\r\n\r\n"

    /// A connection of a listener, on an event loop whose time the test controls.
    private struct Connection {
        let channel: EmbeddedChannel

        init(of listener: APIChannel, on loop: EmbeddedEventLoop) throws {
            channel = EmbeddedChannel(loop: loop)
            try channel.connect(to: SocketAddress(ipAddress: "127.0.0.1", port: 1)).wait()
            let made = listener.setup(channel: channel, logger: TicketFixture.quiet)
            loop.run()
            _ = try made.wait()
        }

        func send(_ count: Int) throws {
            try channel.writeInbound(ByteBuffer(string: String(repeating: TurnTests.request, count: count)))
        }

        /// Responses sent since the last call.
        func answers() throws -> Int {
            var count = 0
            while let bytes = try channel.readOutbound(as: ByteBuffer.self) {
                count += String(buffer: bytes).components(separatedBy: "HTTP/1.1 404 ").count - 1
            }
            return count
        }
    }

    /// Two connections send five hundred requests each at once; how many are answered at once, and then after each
    /// millisecond.
    private func steps(_ tickets: TicketFixture, _ milliseconds: Int) throws -> [[Int]] {
        let loop = EmbeddedEventLoop()
        let listener = APIChannel(responder: tickets.responder)
        let connections = try (0..<2).map { _ in try Connection(of: listener, on: loop) }
        for connection in connections { try connection.send(500) }
        var steps = [try connections.map { try $0.answers() }]
        for _ in 0..<milliseconds {
            loop.advanceTime(by: LoopTurns.pause)
            steps.append(try connections.map { try $0.answers() })
        }
        for connection in connections { _ = try connection.channel.finish() }
        return steps
    }

    @Test("start a limited number at a time, and in each turn one pipelining connection continues")
    func turns() async throws {
        try await withTickets { (tickets) async throws in
            let steps = try self.steps(tickets, 70)
            #expect(steps[0] == [16, 16])
            #expect(steps[1] == [16, 0] && steps[2] == [0, 16] && steps[3] == [16, 0])
            #expect(steps.allSatisfy { $0.reduce(0, +) <= 32 })
            #expect(steps.map { $0[0] }.reduce(0, +) == 500 && steps.map { $0[1] }.reduce(0, +) == 500)
            #expect(tickets.responder.buffered == 0)
        }
    }

    @Test("without turns are all answered before anyone else is read")
    func control() async throws {
        try await withTickets(limits: { $0.requestsPerTurn = .max }) { (tickets) async throws in
            #expect(try self.steps(tickets, 1) == [[500, 500], [0, 0]])
        }
    }

    @Test("let others have their turn in between, on the same event loop")
    func others() async throws {
        let flood = 60_000
        try await withDatabase(migratedBy: TicketFixture.migrators) { database in
            try await database.withClient(as: "events") { client in
                let answers = Answers()
                let tickets = try TicketFixture(
                    database: client, limits: HTTPLimits(), logger: Logger(label: "test") { _ in answers })
                let loop = MultiThreadedEventLoopGroup(numberOfThreads: 1)
                try await tickets.listening(on: "127.0.0.1", loop) { (port) async throws in
                    let rude = try RawSocket(port: port)
                    let sending = Task { await rude.send(String(repeating: Self.request, count: flood)) }
                    let reading = Task { await rude.readAll() }
                    while answers.count.load(ordering: .relaxed) == 0 { try await Task.sleep(for: .milliseconds(1)) }
                    let other = try RawSocket(port: port)
                    for _ in 0..<30 {
                        await other.send("GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n")
                        #expect(await other.read(until: "true}").hasPrefix("HTTP/1.1 200"))
                    }
                    let answered = answers.count.load(ordering: .relaxed)
                    #expect((1..<flood).contains(answered), "\(answered)")
                    rude.vanish()
                    _ = await (sending.value, reading.value)
                }
                try await loop.shutdownGracefully()
            }
        }
    }

    @Test("are all answered in order, whatever the outcome")
    func order() async throws {
        try await withTickets { (tickets) async throws in
            let token = try tickets.keys.token(.operator, for: .events)
            let kinds = [
                "GET / HTTP/1.1\r\n", "GET /v1/ping HTTP/1.1\r\n", "HEAD /openapi.json HTTP/1.1\r\n",
                "GET /v1/tickets HTTP/1.1\r\nAuthorization: Bearer a.b.c\r\n",
                "POST /v1/tickets HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "DELETE /v1/ping HTTP/1.1\r\n",
                "POST /v1/ticket-loads HTTP/1.1\r\nAuthorization: Bearer \(token)\r\nContent-Type: text/csv\r\n"
                    + "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
            ]
            let count = 2000
            let requests = (0..<count).map { number in
                let parts = kinds[number % kinds.count].split(separator: "\r\n", maxSplits: 1).map(String.init)
                let fields =
                    "Host: a\r\nX-Request-ID: n\(number)\r\n" + (number == count - 1 ? "Connection: close\r\n" : "")
                let rest = parts.count > 1 ? parts[1] : ""
                return "\(parts[0])\r\n\(fields)\(rest)" + (rest.contains("\r\n\r\n") ? "" : "\r\n")
            }
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                async let answer = socket.readAll()
                await socket.send(requests.joined())
                let names = await answer.split(separator: "\r\n").filter { $0.hasPrefix("x-request-id: ") }
                    .map { String($0.dropFirst(14)) }
                #expect(names == (0..<count).map { "n\($0)" })
                #expect(tickets.responder.buffered == 0)
            }
        }
    }

    @Test("whose sender is gone are dropped")
    func leaving() async throws {
        try await withTickets { (tickets) async throws in
            try await tickets.listening { port in
                let socket = try RawSocket(port: port)
                await socket.send(String(repeating: Self.request, count: 500))
                while tickets.responder.buffered == 0 { try await Task.sleep(for: .microseconds(100)) }
                socket.vanish()
                while tickets.responder.buffered > 0 { try await Task.sleep(for: .milliseconds(1)) }
                let next = try RawSocket(port: port)
                await next.send("GET /v1/ping HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(await next.read(until: "true}").hasPrefix("HTTP/1.1 200"))
            }
        }
    }
}
