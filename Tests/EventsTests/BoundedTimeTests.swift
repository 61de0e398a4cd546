import ClubProtocol
import ServiceKit
import TestKit
import Testing

@testable import Events

@Suite("bounded times of events")
struct BoundedTimeTests {
    @Test("every day and time that the OpenAPI document allows is refused where it is invalid")
    func document() async throws {
        try await withEvents { house in
            let event = try await house.event(published: false)
            let session = try #require(event.sessions.first)
            let (start, end) = (Timestamp.now.text, Timestamp.now.advanced(by: .seconds(3600)).text)
            let (events, one) = ("/v1/events", "/v1/events/\(event.id)")
            func made(_ times: String) -> String {
                ##"{"title":"Forum","kind":"ambassadorForum","venue":"Lyon",\##(times)}"##
            }
            func timed(_ key: String) -> String {
                made(##""startsAt":"\##(start)","endsAt":"\##(end)","\##(key)":"#""##)
            }
            func request(_ place: String, _ path: String, version: Int? = nil, _ json: String) -> BodyDays.Request {
                BodyDays.Request(place, at: path, as: .operator, version: version, json)
            }
            var requests = [
                request("POST /v1/events /startsAt", events, made(##""startsAt":"#","endsAt":"\##(end)""##)),
                request("POST /v1/events /endsAt", events, made(##""startsAt":"\##(start)","endsAt":"#""##)),
                request("POST /v1/events /registrationOpensAt", events, timed("registrationOpensAt")),
                request("POST /v1/events /registrationClosesAt", events, timed("registrationClosesAt")),
            ]
            for key in ["startsAt", "endsAt", "registrationOpensAt", "registrationClosesAt"] {
                requests.append(
                    request("PATCH /v1/events/{event} /\(key)", one, version: event.version, ##"{"\##(key)":"#"}"##))
            }
            for key in ["startsAt", "endsAt"] {
                requests.append(
                    request(
                        "POST /v1/events/{event}/sessions /\(key)", "\(one)/sessions",
                        ##"{"title":"Atelier","kind":"workshop","capacity":3,"\##(key)":"#"}"##))
                requests.append(
                    request(
                        "PATCH /v1/sessions/{session} /\(key)", "/v1/sessions/\(session.id)", version: session.version,
                        ##"{"\##(key)":"#"}"##))
            }
            let known = BodyDays.questions.merging(BodyDays.told) { first, _ in first }
            #expect(try await BodyDays.faults(of: house.events, requests, any: known) == [])
            // At any valid time, the club may still close the registration.
            let closed = try await house.operator.send(
                ChangeEvent.request(
                    path: event.id,
                    body: .init(registrationClosesAt: Timestamp.now.advanced(by: .seconds(-60))), ifMatch: event.version
                ))
            #expect(closed.registrationClosesAt != nil)
        }
    }
}
