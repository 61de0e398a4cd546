import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Events

@Suite("Attended events", .serialized)
struct AttendedTests {
    @Test("attendance cannot be undone: not by moving the event or its session, nor by cancelling it")
    func attended() async throws {
        try await withEvents { house in
            let events = house.events
            let event = try await house.event(seats: 2)
            let taken = try await house.register(try await house.person("Ana").id, for: event)
            let later = event.startsAt.advanced(by: .seconds(86_400))
            func move(_ path: String, _ json: String) async throws -> RawAnswer {
                let version = try await events.raw(.get, path, role: .operator).json()["version"]?.integer ?? 0
                return try await events.raw(
                    .patch, path, role: .operator,
                    headers: ["Content-Type": "application/json", "If-Match": "\"\(version)\""], json: json)
            }
            let (path, session) = ("/v1/events/\(event.id)", "/v1/sessions/\(event.sessions[0].id)")
            let times = [
                (path, #"{"endsAt":"\#(later.text)"}"#), (session, #"{"endsAt":"\#(later.text)"}"#),
            ]
            for (path, json) in times { #expect(try await move(path, json).status == 200) }
            try await house.services.database.withClient(searchPath: "events") { client in
                _ = try await client.execute("update registration set state = 'attended'")
            }
            for (path, json) in [
                (session, #"{"endsAt":"\#(later.advanced(by: .seconds(-60)).text)"}"#),
                (path, #"{"endsAt":"\#(later.advanced(by: .seconds(60)).text)"}"#),
            ] {
                let refused = try await move(path, json)
                #expect(refused.status == 409, "\(path)")
                #expect(try refused.problem().slug == "event-over", "\(path)")
            }
            #expect(try await problem { try await house.move(event, to: .cancelled) }?.status == 409)
            #expect(try await problem { try await house.cancel(taken) }?.status == 409)
            // Changes that do not affect attendance are still allowed.
            #expect(try await move(path, #"{"title":"Rencontre"}"#).status == 200)
            try await house.move(event, to: .held)
        }
    }
}
