import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@Suite("An Idempotency-Key")
struct IdempotencyTests {
    @Test("gives the stored answer again, and no second effect")
    func replay() async throws {
        try await withTickets { tickets in
            let key = ["Idempotency-Key": "6f9d"]
            let first = try await tickets.send(.post, "/v1/tickets", #"{"title": "a"}"#, key)
            let second = try await tickets.send(.post, "/v1/tickets", #"{"title": "a"}"#, key)
            #expect(first.status == 201)
            #expect(second.status == 201)
            #expect(second.body == first.body)
            #expect(second.headers["etag"] == first.headers["etag"])
            #expect(first.headers["idempotency-replayed"] == nil)
            #expect(second.headers["idempotency-replayed"] == "true")
            #expect(try await tickets.count() == 1)
        }
    }

    @Test("is one caller's own, and one operation's")
    func scope() async throws {
        try await withTickets { tickets in
            let key = ["Idempotency-Key": "k"]
            #expect(try await tickets.send(.post, "/v1/tickets", #"{"title": "a"}"#, key).status == 201)
            let other = try await tickets.send(.post, "/v1/tickets", #"{"title": "b"}"#, by: .service, key)
            #expect(other.status == 201)
        }
    }

    @Test("that came with another body is 422, one that is none 400")
    func reuse() async throws {
        try await withTickets { tickets in
            let key = ["Idempotency-Key": "k"]
            #expect(try await tickets.send(.post, "/v1/tickets", #"{"title": "a"}"#, key).status == 201)
            let other = try await tickets.send(.post, "/v1/tickets", #"{"title": "b"}"#, key)
            #expect(other.status == 422)
            #expect(try other.problem().slug == "idempotency-key-reused")
            for bad in [String(repeating: "k", count: 201), "a b", ""] {
                let answer = try await tickets.send(
                    .post, "/v1/tickets", #"{"title": "c"}"#, ["Idempotency-Key": bad])
                #expect(answer.status == 400)
            }
            #expect(try await tickets.count() == 1)
        }
    }

    @Test("of a request that failed may be used again")
    func failure() async throws {
        try await withTickets { tickets in
            let key = ["Idempotency-Key": "k"]
            let first = try await tickets.makeTicket("a")
            #expect(try await tickets.send(.post, "/v1/tickets", #"{"title": "a"}"#, key).status == 409)
            #expect(try await tickets.send(.delete, "/v1/tickets/\(first.id)").status == 204)
            #expect(try await tickets.send(.post, "/v1/tickets", #"{"title": "a"}"#, key).status == 201)
        }
    }

    @Test("is kept for a day")
    func expiry() async throws {
        try await withTickets { tickets in
            let key = ["Idempotency-Key": "k"]
            #expect(try await tickets.send(.post, "/v1/tickets", #"{"title": "a"}"#, key).status == 201)
            try await tickets.database.execute("update idempotency set created_at = now() - interval '25 hours'")
            #expect(try await tickets.send(.post, "/v1/tickets", #"{"title": "b"}"#, key).status == 201)
            #expect(try await tickets.count() == 2)
        }
    }

    @Test("sent a hundred times at once has one effect; without one there are as many as requests")
    func manyAtOnce() async throws {
        try await withTickets(limits: { $0.principalRate = RateLimit(perSecond: 10_000, burst: 10_000) }) { tickets in
            func send(_ fields: @escaping @Sendable (Int) -> (String, [String: String])) async throws -> [Int] {
                try await withThrowingTaskGroup(of: Int.self) { group in
                    for number in 0..<100 {
                        let (title, fields) = fields(number)
                        group.addTask {
                            try await tickets.send(.post, "/v1/tickets", #"{"title": "\#(title)"}"#, fields).status
                        }
                    }
                    return try await group.reduce(into: []) { $0.append($1) }
                }
            }
            let keyed = try await send { _ in ("same", ["Idempotency-Key": "k"]) }
            #expect(Set(keyed).isSubset(of: [201, 409]))
            #expect(keyed.contains(201))
            #expect(try await tickets.count() == 1)
            // The negative control: what the key prevents happens without it.
            let unkeyed = try await send { ("other \($0)", [:]) }
            #expect(Set(unkeyed) == [201])
            #expect(try await tickets.count() == 101)
        }
    }

    @Test("that is in use is 409, and come again")
    func stillRunning() async throws {
        try await withTickets { tickets in
            let subject = "test"
            let lock = "makeTicket\n\(subject)\nk"
            try await tickets.database.transaction { transaction in
                try await transaction.execute("select pg_advisory_xact_lock(hashtextextended(\(lock), 0))")
                let answer = try await tickets.send(
                    .post, "/v1/tickets", #"{"title": "a"}"#, ["Idempotency-Key": "k"])
                #expect(answer.status == 409)
                #expect(try answer.problem().slug == "still-running")
                #expect(answer.headers["retry-after"] == "1")
            }
            #expect(try await tickets.count() == 0)
        }
    }

    @Test("of a commit that is not confirmed is 409 until it is, then it gets the answer, however many wait with it")
    func unknownOutcome() async throws {
        try await TestCluster.private { cluster in
            try await withDatabase(migratedBy: TicketFixture.migrators, on: cluster) { database in
                var first: [RawAnswer] = []
                try await database.withClient(as: "events", adjust: { $0.leasedConnections = 3 }) { client in
                    let tickets = try TicketFixture(database: client, limits: HTTPLimits())
                    func send(_ number: Int, _ time: Int) async throws -> RawAnswer {
                        try await tickets.send(
                            .post, "/v1/tickets", #"{"title": "t\#(number)"}"#,
                            ["Idempotency-Key": "k\(number)", "Club-Timeout": "\(time)"])
                    }
                    try await cluster.withoutSynchronousStandby(in: database) {
                        for number in 0..<3 {
                            let answer = try await send(number, 500)
                            #expect(answer.status == 504)
                            #expect(try answer.problem().detail?.hasPrefix("The outcome is unknown") == true)
                        }
                        // All connections wait; the keys are known all the same, and what reads goes on.
                        for number in 0..<3 {
                            let again = try await send(number, 20_000)
                            #expect(again.status == 409)
                            #expect(try again.problem().slug == "still-running")
                            #expect(again.headers["retry-after"] == "1")
                        }
                        #expect(try await tickets.send(.get, "/v1/tickets").status == 200)
                        #expect(try await tickets.count() == 0)
                        // Another key has certainly done nothing.
                        let other = try await send(3, 20_000)
                        #expect(other.status == 503)
                        #expect(try other.problem().detail?.contains("unknown") != true)
                    }
                    for number in 0..<3 {
                        try await eventually("the answer that was stored") {
                            try await send(number, 20_000).status == 201
                        }
                        first.append(try await send(number, 20_000))
                    }
                    #expect(first.allSatisfy { $0.headers["idempotency-replayed"] == "true" })
                    #expect(try await tickets.count() == 3)
                }
            }
        }
    }
}
