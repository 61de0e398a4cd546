import ClubProtocol
import Foundation
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Events

@Suite("Callers named by tokens, looked up in the directory")
struct CallerTests {
    private func withHouse(_ body: (EventsHouse) async throws -> Void) async throws {
        try await withServices(
            [FakeDirectory.self, EventsApplication.self], adjust: { $0.checksCallers = true }
        ) { try await body(EventsHouse(services: $0)) }
    }

    @Test("a caller who is not in the directory is refused on lists, resources and changes; a known one is not")
    func refused() async throws {
        try await withHouse { house in
            let person = try await house.person()
            let paths = ["/v1/events", "/v1/events/\(Event.ID())"]
            func statuses(_ role: Role, _ person: Person.ID) async throws -> [Int] {
                let headers = ["Authorization": "Bearer \(try house.events.token(role, person: person))"]
                var all: [Int] = []
                for path in paths { all.append(try await house.events.raw(.get, path, headers: headers).status) }
                all.append(
                    try await house.events.raw(
                        .post, "/v1/events/\(Event.ID())/registrations",
                        headers: headers.merging(["Content-Type": "application/json"]) { $1 }, json: "{}"
                    ).status)
                return all
            }
            #expect(try await statuses(.ambassador, Person.ID()) == [401, 401, 401])
            let known = try await statuses(.ambassador, person.id)
            #expect(!known.contains(401) && known[0] == 200)
            // Staff are authenticated by their keys alone.
            #expect(try await house.events.raw(.get, "/v1/events", role: .operator).status == 200)
        }
    }

    @Test("while the directory is down, unknown callers are told to retry, and staff can work")
    func away() async throws {
        try await withService(EventsApplication.self, adjust: { $0.checksCallers = true }) { events in
            let token = try events.token(.ambassador, person: Person.ID())
            let refused = try await events.raw(.get, "/v1/events", headers: ["Authorization": "Bearer \(token)"])
            #expect(refused.status == 503)
            #expect(refused.headers["retry-after"] == "1")
            #expect(try await events.raw(.get, "/v1/events", role: .operator).status == 200)
        }
    }
}
