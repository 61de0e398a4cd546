import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Events

/// A rush on the whole service: two replicas in this process, every request through the whole stack.
@Suite("A rush on two replicas", .serialized)
struct ReplicaRushTests {
    static let people = 500
    static let seats = 25

    @Test(
        "500 at once for 25 seats: none is turned away, 25 are confirmed, the waitlist has no gap",
        arguments: [11, 12, 13])
    func rush(seed: UInt64) async throws {
        try await withEvents(replicas: 2) { house in
            var generator = SeededGenerator(seed: seed)
            let event = try await house.event(seats: Self.seats)
            let members = (0..<Self.people).map { _ in
                PersonCopy(id: Person.ID(), name: "Ana Etcheverry", version: 1, gone: false)
            }
            try await house.copy(members)
            let replicas = house.services.all(.events)
            let token = try house.events.token(.operator)
            let answers = try await withThrowingTaskGroup(of: (Int, Registration?).self) { group in
                for member in members.shuffled(using: &generator) {
                    let replica = replicas[Int(generator.next() % UInt64(replicas.count))]
                    let request = HTTPRequest(
                        method: .post, scheme: "http", authority: "127.0.0.1",
                        path: "/v1/events/\(event.id)/registrations",
                        headerFields: [
                            .authorization: "Bearer \(token)", .contentType: "application/json",
                            HTTPField.Name("Idempotency-Key")!: "rush-\(member.id)",
                        ])
                    let body = Array(#"{"person": "\#(member.id)", "choices": []}"#.utf8)
                    group.addTask {
                        let (response, bytes) = await replica.respond(to: request, body: body)
                        let status = response.status.code
                        return (status, status == 201 ? try LenientJSON.decode(Registration.self, from: bytes) : nil)
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(answers.allSatisfy { $0.0 == 201 })
            let registrations = answers.compactMap(\.1)
            #expect(registrations.count { $0.state == .confirmed } == Self.seats)
            #expect(registrations.compactMap(\.place).sorted() == Array(1...(Self.people - Self.seats)))
            #expect(try await house.seats(event) == [Self.seats, Self.people - Self.seats])
        }
    }

    @Test("concurrent cancellations and registrations leave no seat free while anyone is on the waitlist")
    func comingAndGoing() async throws {
        try await withEvents(replicas: 2) { house in
            let event = try await house.event(seats: Self.seats)
            let members = (0..<100).map { _ in PersonCopy(id: Person.ID(), name: "Ana", version: 1, gone: false) }
            try await house.copy(members)
            let clients = [try house.client(.operator), try house.client(.operator, of: 1)]
            try await withThrowingTaskGroup { group in
                for (number, member) in members.enumerated() {
                    let client = clients[number % clients.count]
                    group.addTask {
                        let registration = try await house.register(member.id, for: event, by: client)
                        if number.isMultiple(of: 3) { try await house.cancel(registration, by: client) }
                    }
                }
                try await group.waitForAll()
            }
            let left = members.count - (members.count + 2) / 3
            #expect(try await house.seats(event) == [Self.seats, left - Self.seats])
        }
    }
}
