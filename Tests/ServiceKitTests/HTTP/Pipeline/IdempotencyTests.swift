import ClubProtocol
import HTTPTypes
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("An Idempotency-Key")
struct IdempotencyTests {
    @Test("returns the stored response again, without a second effect")
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

    @Test("belongs to one caller and operation: another role or organization makes another caller")
    func scope() async throws {
        try await withTickets { tickets in
            func send(_ title: String, by role: Role, for organization: Organization.ID? = nil) async throws
                -> RawAnswer
            {
                try await tickets.send(
                    .post, "/v1/tickets", bytes: Array(#"{"title": "\#(title)"}"#.utf8), by: role,
                    organization: organization, ["Idempotency-Key": "k"])
            }
            #expect(try await send("a", by: .operator).status == 201)
            let (one, other) = (Organization.ID(), Organization.ID())
            // The same body: each caller runs the operation, the unique title refuses it, and no one reads the stored
            // response.
            for (role, organization) in [
                (Role.editor, nil), (.representative, one), (.representative, other), (.service, nil),
            ] {
                let answer = try await send("a", by: role, for: organization)
                #expect(answer.status == 409, "\(role)")
                #expect(try answer.problem().slug == "already-exists")
            }
            // Another body: no caller learns that the key was used before.
            #expect(try await send("b", by: .editor).status == 201)
            #expect(try await send("c", by: .representative, for: one).status == 201)
            #expect(try await send("d", by: .representative, for: other).status == 201)
            // Each caller gets its own stored response again.
            for (title, role, organization) in [
                ("a", Role.operator, nil), ("b", .editor, nil), ("c", .representative, one),
                ("d", .representative, other),
            ] {
                let again = try await send(title, by: role, for: organization)
                #expect(again.status == 201 && again.headers["idempotency-replayed"] == "true")
                #expect(try again.decode(Ticket.self).title.text == title)
            }
            #expect(try await tickets.count() == 4)
        }
    }

    @Test("of an anonymous caller belongs to the address")
    func strangers() async throws {
        try await withTickets { tickets in
            func send(_ title: String, from address: String) async throws -> RawAnswer {
                try await tickets.send(
                    .post, "/v1/ticket-page", bytes: Array("title=\(title)".utf8), by: nil, from: address,
                    type: "application/x-www-form-urlencoded", ["Idempotency-Key": "k"])
            }
            #expect(try await send("a", from: "192.0.2.1").status == 303)
            let stranger = try await send("a", from: "192.0.2.2")
            #expect(stranger.status == 409 && stranger.headers["idempotency-replayed"] == nil)
            #expect(try await send("b", from: "192.0.2.2").status == 303)
            let again = try await send("a", from: "192.0.2.1")
            #expect(again.status == 303 && again.headers["idempotency-replayed"] == "true")
            #expect(try await tickets.count() == 2)
            // The table does not reveal who it was.
            let subjects = try await tickets.database.query("select subject from idempotency")
            for row in subjects { #expect(try row["subject", as: String.self].utf8.count == 64) }
        }
    }

    @Test("reused with another body is 422, an invalid one is 400")
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

    @Test("of a failed request may be used again")
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

    @Test("sent a hundred times at once has one effect; without one every request has an effect")
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

    @Test("that is in use is 409 with Retry-After")
    func stillRunning() async throws {
        try await withTickets { tickets in
            let lock = Self.claim(tickets).lock
            try await tickets.database.transaction { transaction in
                try await transaction.query("select pg_advisory_xact_lock(\(lock))")
                let answer = try await tickets.send(
                    .post, "/v1/tickets", #"{"title": "a"}"#, ["Idempotency-Key": "k"])
                #expect(answer.status == 409)
                #expect(try answer.problem().slug == "still-running")
                #expect(answer.headers["retry-after"] == "1")
            }
            #expect(try await tickets.count() == 0)
        }
    }

    @Test("that is in use in another service of the same database is free in this one")
    func otherService() async throws {
        try await withTickets { tickets in
            let lock = Self.claim(tickets).lock
            try await tickets.database.transaction { transaction in
                try await transaction.execute("set local search_path to public")
                try await transaction.query("select pg_advisory_xact_lock(\(lock))")
                let answer = try await tickets.send(
                    .post, "/v1/tickets", #"{"title": "a"}"#, ["Idempotency-Key": "k"])
                #expect(answer.status == 201)
            }
        }
    }

    /// Claims the key `k` as the operator of these tests.
    private static func claim(_ tickets: TicketFixture) -> IdempotencyClaim {
        IdempotencyClaim(
            by: Principal(subject: "test", role: .operator), at: ClientAddress(IPAddress("127.0.0.1")),
            operation: "makeTicket", key: "k", target: "/v1/tickets", body: [],
            under: tickets.responder.pipeline.answerKey)
    }

    @Test("of an unconfirmed commit is 409 until it is confirmed, then returns the response to every waiting retry")
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
                        // All connections wait; the keys are known all the same, and reads continue.
                        for number in 0..<3 {
                            let again = try await send(number, 20_000)
                            #expect(again.status == 409)
                            #expect(try again.problem().slug == "still-running")
                            #expect(again.headers["retry-after"] == "1")
                        }
                        #expect(try await tickets.send(.get, "/v1/tickets").status == 200)
                        #expect(try await tickets.count() == 0)
                        // Another key has had no effect within its caller's deadline.
                        let other = try await send(3, 1_000)
                        #expect(other.status == 504)
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
