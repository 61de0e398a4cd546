import AsyncHTTPClient
import ClubProtocol
import Foundation
import HTTPTypes
import NIOCore
import NIOHTTP1
import Postgres
import Synchronization
import Testing

@testable import ServiceKit

@Suite("A service client")
struct ServiceClientTests {
    @Test("sends what the endpoint declares, and reads the response with its version")
    func exchange() async throws {
        try await withClient { _, _ in
            .json(
                "{\"number\":3,\"news\":true}", headers: [("ETag", "\"12\""), ("Idempotency-Replayed", "true")])
        } _: { client, server in
            let reply = try await RequestID.$current.withValue("r-1") {
                try await client.exchange(
                    ReadThing.request(path: "one", query: .init(wait: 5)))
            }
            #expect(reply.value == Thing(number: 3))
            #expect(reply.version == 12 && reply.status == .ok && reply.replayed)
            let request = try #require(server.received.first)
            #expect(request.method == "GET" && request.uri == "/v1/things/one?wait=5" && request.body.isEmpty)
            #expect(request.headers["X-Request-ID"] == ["r-1"])
            #expect(request.headers["Accept"] == ["application/json, application/problem+json"])
            #expect(!request.headers.contains(name: "Authorization"))
            #expect(!request.headers.contains(name: "Idempotency-Key"))
        }
    }

    @Test("propagates the trace of its task, if there is one")
    func trace() async throws {
        try await withClient { _, _ in
            .json("{\"number\":1}")
        } _: { client, server in
            let text = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
            let trace = try #require(TraceContext(traceparent: text))
            _ = try await TraceContext.$current.withValue(trace) { try await client.send(ReadThing.one) }
            _ = try await client.send(ReadThing.one)
            #expect(server.received.map { $0.headers["traceparent"] } == [[text], []])
        }
    }

    @Test("sends a body, the version it is based on, and an Idempotency-Key with every POST")
    func bodies() async throws {
        try await withClient { request, _ in
            request.method == "DELETE" ? .answer(204) : .json("{\"number\":1}")
        } _: { client, server in
            _ = try await client.send(ChangeThing.one)
            _ = try await client.send(MakeThing.request(body: Thing(number: 2)))
            _ = try await client.send(MakeThing.request(body: Thing(number: 2), idempotencyKey: "mine"))
            _ = try await client.send(DeleteThing.request())
            let requests = server.received
            #expect(requests.map(\.method) == ["PATCH", "POST", "POST", "DELETE"])
            #expect(requests[0].headers["If-Match"] == ["\"7\""])
            #expect(requests[0].headers["Idempotency-Key"] == [])
            #expect(requests[1].body == "{\"number\":2}")
            #expect(requests[1].headers["Content-Type"] == ["application/json"])
            #expect(UUID(uuidString: requests[1].headers.first(name: "Idempotency-Key") ?? "") != nil)
            #expect(requests[2].headers["Idempotency-Key"] == ["mine"])
            #expect(requests[3].body.isEmpty && !requests[3].headers.contains(name: "Content-Type"))
        }
    }

    @Test("authenticates as its service, with a token that the peer accepts")
    func credentials() async throws {
        let fixture = try IdentityFixture()
        let signer = TokenSigner(key: fixture.events, name: .events, now: fixture.clock.read)
        try await withClient(credentials: .service(signer)) { _, _ in
            .json("{\"number\":1}")
        } _: { client, server in
            for _ in 1...2 { _ = try await client.send(ReadThing.one) }
            let fields = server.received.map { $0.headers.first(name: "Authorization") }
            #expect(fields[0] == fields[1])
            #expect(try fixture.verifier().verify(authorization: fields[0]) == .service(.events))
        }
    }

    @Test("distinguishes a problem, a response outside the protocol, an expired deadline and a failing peer")
    func failures() async throws {
        let cases: [(ScriptedServer.Reaction, CallOutcome)] = [
            (.problem(404, "not-found"), .problem), (.problem(500, "internal"), .problem),
            (.answer(404, body: "<html>"), .malformed), (.answer(302, headers: [("Location", "/x")]), .malformed),
            (.json("{\"number\":\"x\"}"), .malformed), (.json(""), .malformed), (.json("[1"), .malformed),
            (.json("{\"number\":1}" + String(repeating: " ", count: 200_000)), .malformed),
            (.problem(503, "overloaded"), .unavailable), (.answer(502, body: "<html>"), .unavailable),
            (.hangUp, .unavailable), (.cutOff(["{\"num"]), .unavailable), (.problem(504, "deadline"), .deadline),
        ]
        for (reaction, outcome) in cases {
            try await withClient {
                $0.maximumAnswerBytes = 100_000
            } reacting: { _, _ in
                reaction
            } _: { client, _ in
                let error = try await #require(throws: ServiceClientError.self) {
                    try await client.send(ReadThing.one)
                }
                #expect(CallOutcome(error) == outcome, "\(reaction)")
                if case .problem(let document) = error { #expect(["not-found", "internal"].contains(document.slug)) }
            }
        }
    }

    @Test("a peer that cannot be reached, or has no address, is unavailable, and down")
    func notThere() async throws {
        let http = ServiceClient.makeHTTP()
        let url = try await ScriptedServer.with({ _, _ in .stall }, { $0.url })
        let peers = Peers(addresses: [.directory: url], credentials: .none, http: http)
        #expect(peers.states().mapValues(\.condition) == [.directory: .untried])
        await #expect(throws: ServiceClientError.unavailable(.directory, reason: "no connection")) {
            try await peers.directory.send(ReadThing.one)
        }
        await #expect(throws: ServiceClientError.unavailable(.events, reason: "no address configured")) {
            try await peers.events.send(ReadThing.one)
        }
        #expect(throws: ServiceClientError.self) { try peers[.events] }
        #expect(peers.states()[.directory]?.condition == .down)
        #expect(peers.states()[.directory]?.reason == "no connection")
        try await http.shutdown()
    }

    @Test("keeps its own timeout when the peer stalls")
    func stalled() async throws {
        try await withClient {
            $0.timeout = .milliseconds(50)
        } reacting: { _, _ in
            .stall
        } _: { client, server in
            await #expect(throws: ServiceClientError.deadline(.directory)) { try await client.send(ReadThing.one) }
            // A long poll sets its own timeout.
            await #expect(throws: ServiceClientError.deadline(.directory)) {
                try await client.send(ReadThing.one, timeout: .milliseconds(80))
            }
            #expect(server.received.count <= 2)
            #expect(client.state.condition == .untried, "a peer is not judged by a deadline this short")
        }
    }

    @Test("propagates the caller's deadline, keeps it, and sends nothing once it has expired")
    func deadline() async throws {
        try await withClient { _, number in
            number == 1 ? .json("{\"number\":1}") : .stall
        } _: { client, server in
            try await PostgresDeadline.$current.withValue(.now.advanced(by: .seconds(30))) {
                _ = try await client.send(ReadThing.one)
            }
            let left = try #require(server.received[0].headers.first(name: "Club-Timeout").flatMap(Int.init))
            #expect((1...30_000).contains(left))
            await PostgresDeadline.$current.withValue(.now.advanced(by: .milliseconds(50))) {
                await #expect(throws: ServiceClientError.deadline(.directory)) {
                    try await client.send(ReadThing.one)
                }
            }
            let sent = server.received.count
            await PostgresDeadline.$current.withValue(.now) {
                await #expect(throws: ServiceClientError.deadline(.directory)) {
                    try await client.send(ReadThing.one)
                }
            }
            #expect(server.received.count == sent && sent <= 2)
        }
    }

    @Test("a cancelled call ends, does not count against the peer, and releases its place")
    func cancelled() async throws {
        try await withClient {
            $0.maximumInFlight = 1
        } reacting: { _, number in
            number == 1 ? .stall : .json("{\"number\":1}")
        } _: { client, server in
            let task = Task { try await client.send(ReadThing.one) }
            while server.received.isEmpty { await Task.yield() }
            await #expect(throws: ServiceClientError.unavailable(.directory, reason: "too many calls at once")) {
                try await client.send(ReadThing.one)
            }
            task.cancel()
            await #expect(throws: CancellationError.self) { try await task.value }
            #expect(client.state.condition == .untried)
            let thing = try await client.send(ReadThing.one)
            #expect(thing.number == 1)
            #expect(client.state.condition == .up)
        }
    }

    @Test("uploads chunk by chunk, once")
    func upload() async throws {
        let pieces = AsyncStream<ByteBuffer> { continuation in
            for number in 1...500 { continuation.yield(ByteBuffer(string: "row \(number)\n")) }
            continuation.finish()
        }
        let refused = AsyncStream<ByteBuffer> { continuation in
            continuation.yield(ByteBuffer(string: "row\n"))
            continuation.finish()
        }
        try await withClient { _, number in
            number == 1 ? .json("{\"number\":500}") : .problem(503, "overloaded")
        } _: { client, server in
            #expect(try await client.upload(UploadThings.request(), body: pieces).number == 500)
            let request = try #require(server.received.first)
            #expect(request.body == (1...500).map { "row \($0)\n" }.joined())
            #expect(request.headers["Content-Type"] == ["text/csv"])
            #expect(request.headers.contains(name: "Idempotency-Key"))
            for _ in 1...10 { try? client.gate.report(.success, of: client.gate.admit(retry: false)) }
            await #expect(throws: ServiceClientError.unavailable(.directory, reason: "answered 503")) {
                try await client.upload(UploadThings.request(), body: refused)
            }
            #expect(server.received.count == 2)
        }
    }
}

@Suite("A service client and a failing peer")
struct ServiceClientTroubleTests {
    /// Makes successful calls until the budget allows `retries` retries.
    private func save(_ retries: Int, _ client: ServiceClient) throws {
        for _ in 0..<(retries * 5) { client.gate.report(.success, of: try client.gate.admit(retry: false)) }
    }

    @Test("retries idempotent requests, and nothing else")
    func retries() async throws {
        try await withClient {
            $0.breaker = .never
        } reacting: { _, _ in
            .problem(503, "unavailable")
        } _: { client, server in
            try save(10, client)
            let unavailable = ServiceClientError.unavailable(.directory, reason: "answered 503")
            await #expect(throws: unavailable) { try await client.send(ReadThing.one) }
            #expect(server.received.count == 3)
            await #expect(throws: unavailable) { try await client.send(DeleteThing.request()) }
            #expect(server.received.count == 6)
            await #expect(throws: unavailable) { try await client.send(ChangeThing.one) }
            #expect(server.received.count == 7)
            await #expect(throws: unavailable) {
                try await client.send(MakeThing.request(body: Thing(number: 1)))
            }
            let posts = server.received.filter { $0.method == "POST" }
            #expect(posts.count == 3)
            #expect(Set(posts.map { $0.headers.first(name: "Idempotency-Key") }).count == 1)
        }
    }

    @Test("succeeds when the second attempt does", arguments: ["503", "hang-up", "still running"])
    func recovers(first: String) async throws {
        try await withClient { _, number in
            guard number == 1 else { return .json("{\"number\":9}") }
            switch first {
            case "503": return .problem(503, "unavailable", headers: [("Retry-After", "0")])
            case "hang-up": return .hangUp
            default: return .problem(409, "still-running")
            }
        } _: { client, server in
            try save(1, client)
            #expect(try await client.send(MakeThing.request(body: Thing(number: 9))).number == 9)
            #expect(server.received.count == 2)
            #expect(client.state.condition == .up)
        }
    }

    @Test("obeys Retry-After of a peer for as long as the operation insists, and of no other peer")
    func insists() async throws {
        try await withClient {
            $0 = .patient
            $0.timeout = .seconds(60)
        } reacting: { request, number in
            switch request.method {
            case "POST" where number <= 8: .problem(503, "unavailable", headers: [("Retry-After", "0")])
            case "PATCH": .problem(503, "unavailable", headers: [("Retry-After", "0")])
            case "GET": .hangUp
            default: .json("{\"number\":9}")
            }
        } _: { client, server in
            let made = try await client.send(MakeThing.request(body: Thing(number: 9)))
            #expect(made.number == 9 && server.received.count == 9)
            #expect(Set(server.received.map { $0.headers.first(name: "Idempotency-Key") }).count == 1)
            // A table that can be read twice is sent again; one that cannot, and a change without a key, are sent once.
            let table = Pieces(texts: ["row\n"])
            let uploaded = try await client.upload(UploadThings.request(), body: table, isRepeatable: true)
            #expect(uploaded.number == 9)
            let unavailable = ServiceClientError.unavailable(.directory, reason: "answered 503")
            await #expect(throws: unavailable) { try await client.send(ChangeThing.one) }
            #expect(server.received.filter { $0.method == "PATCH" }.count == 1)
            // A peer that cannot be reached sends no Retry-After.
            await #expect(throws: ServiceClientError.self) { try await client.send(ReadThing.one) }
            #expect(server.received.filter { $0.method == "GET" }.count == 3)
        }
        // The negative control: without insistence the client gives up on the same peer.
        try await withClient {
            $0 = .patient
            $0.insistence = .zero
        } reacting: { _, number in
            number <= 8 ? .problem(503, "unavailable", headers: [("Retry-After", "0")]) : .json("{\"number\":9}")
        } _: { client, server in
            await #expect(throws: ServiceClientError.self) { try await client.send(ReadThing.one) }
            #expect(server.received.count == 3)
        }
    }

    @Test("a table that can be read twice is sent again completely")
    func uploadsAgain() async throws {
        try await withClient {
            $0 = .patient
        } reacting: { _, number in
            number <= 4 ? .problem(503, "overloaded", headers: [("Retry-After", "0")]) : .json("{\"number\":2}")
        } _: { client, server in
            let table = Pieces(texts: ["one\n", "two\n"])
            let uploaded = try await client.upload(UploadThings.request(), body: table, isRepeatable: true)
            #expect(uploaded.number == 2)
            #expect(server.received.map(\.body) == Array(repeating: "one\ntwo\n", count: 5))
        }
    }

    @Test("does not wait for a Retry-After beyond its deadline")
    func retryAfter() async throws {
        try await withClient { _, _ in
            .problem(503, "unavailable", headers: [("Retry-After", "3600")])
        } _: { client, server in
            try save(10, client)
            await #expect(throws: ServiceClientError.self) { try await client.send(ReadThing.one) }
            #expect(server.received.count == 1)
        }
    }

    @Test("sends no more than 1.2 times the requested calls, however bad the peer is")
    func budget() async throws {
        try await withClient {
            $0.breaker = .never
        } reacting: { _, number in
            number.isMultiple(of: 2) ? .hangUp : .problem(503, "unavailable")
        } _: { client, server in
            for _ in 1...100 { _ = try? await client.send(ReadThing.one) }
            let sent = server.received.count
            #expect((101...120).contains(sent), "\(sent)")
        }
    }

    @Test("would send three times as many without its budget")
    func noBudget() async throws {
        try await withClient {
            $0.breaker = .never
        } reacting: { _, _ in
            .problem(503, "unavailable")
        } _: { client, server in
            for _ in 1...5 {
                try save(2, client)
                _ = try? await client.send(ReadThing.one)
            }
            #expect(server.received.count == 15)
        }
    }

    @Test("stops calling an unresponsive peer, probes it with one call, and resumes")
    func breaker() async throws {
        let isHealthy = Mutex(false)
        try await withClient {
            $0.maximumRetries = 0
            $0.breaker = CircuitBreaker(limit: 5, pause: .seconds(3600))
        } reacting: { _, _ in
            isHealthy.withLock { $0 } ? .json("{\"number\":1}") : .problem(503, "unavailable")
        } _: { client, server in
            for _ in 1...20 { _ = try? await client.send(ReadThing.one) }
            #expect(server.received.count == 5)
            await #expect(throws: ServiceClientError.unavailable(.directory, reason: "circuit open")) {
                try await client.send(ReadThing.one)
            }
            #expect(client.state.condition == .down && client.state.reason == "answered 503")
        }
        try await withClient {
            $0.maximumRetries = 0
            $0.breaker = CircuitBreaker(limit: 5, pause: .zero, longestPause: .zero)
        } reacting: { _, _ in
            isHealthy.withLock { $0 } ? .json("{\"number\":1}") : .problem(503, "unavailable")
        } _: { client, server in
            for _ in 1...5 { _ = try? await client.send(ReadThing.one) }
            isHealthy.withLock { $0 = true }
            let thing = try await client.send(ReadThing.one)
            #expect(thing.number == 1)
            #expect(server.received.count == 6)
            #expect(client.state.condition == .up && client.state.reason == nil)
        }
    }

    @Test("4xx and 500 responses do not count against a peer")
    func problems() async throws {
        try await withClient { _, number in
            number.isMultiple(of: 2) ? .problem(500, "internal") : .problem(404, "not-found")
        } _: { client, server in
            for _ in 1...20 { _ = try? await client.send(ReadThing.one) }
            #expect(server.received.count == 20)
            #expect(client.state.condition == .up)
        }
    }
}

/// A body that starts again with each iterator.
private struct Pieces: AsyncSequence, Sendable {
    let texts: [String]

    struct Iterator: AsyncIteratorProtocol {
        var left: ArraySlice<String>

        mutating func next() async -> ByteBuffer? { left.popFirst().map { ByteBuffer(string: $0) } }
    }

    func makeAsyncIterator() -> Iterator { Iterator(left: texts[...]) }
}
