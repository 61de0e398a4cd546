import ClubProtocol
import HTTPTypes
import TestKit
import Testing

@testable import Events
@testable import ServiceKit

@Suite("The copy of the directory's people", .serialized)
struct MemberTests {
    @Test("a person whom the directory does not know is refused, naming the person")
    func unknown() async throws {
        try await withEvents { house in
            let event = try await house.event()
            let refused = try await problem { try await house.register(Person.ID(), for: event) }
            #expect(refused?.status == 422)
            #expect(refused?.errors?.first?.pointer == "/person")
        }
    }

    @Test("while the directory is down, people in the copy can register; for others the response is 503")
    func directoryDown() async throws {
        try await withService(EventsApplication.self) { events in
            let known = PersonCopy(id: Person.ID(), name: "Ana Etcheverry", version: 1, gone: false)
            try await EventsApplication.people(events.backend).keep([known])
            let start = Timestamp.now.advanced(by: .seconds(3600))
            let client = try events.client(.operator)
            let event = try await client.send(
                CreateEvent.request(
                    body: .init(
                        title: "Forum", kind: .ambassadorForum, startsAt: start,
                        endsAt: start.advanced(by: .seconds(60)), venue: "Lyon")))
            _ = try await client.send(
                AddSession.request(
                    path: event.id, body: .init(title: "Atelier", kind: .workshop, capacity: 5)))
            _ = try await client.send(
                TransitionEvent.request(path: event.id, body: .init(to: .published)))
            for (person, status) in [(known.id, 201), (Person.ID(), 503)] {
                let answer = try await events.raw(
                    .post, "/v1/events/\(event.id)/registrations", role: .operator,
                    json: #"{"person": "\#(person)", "choices": []}"#)
                #expect(answer.status == status)
            }
        }
    }

    @Test("a new name reaches registrations through the feed; nothing remains of an erased person")
    func follow() async throws {
        try await withEvents { house in
            let event = try await house.event()
            var person = try await house.person("Ana")
            let registration = try await house.register(person.id, for: event, note: "Sans gluten.")
            person.givenName = "Anne"
            person.version = 2
            try await FakeDirectory.put(person, in: house.directory.backend)
            try await eventually("the new name arrives") {
                try await house.registration(registration.id).personName == "Anne Etcheverry"
            }
            person.givenName = nil
            person.version = 3
            try await FakeDirectory.put(person, in: house.directory.backend)
            try await eventually("the only name arrives") {
                try await house.registration(registration.id).personName == "Etcheverry"
            }
            try await FakeDirectory.erase(person.id, in: house.directory.backend)
            try await eventually("the name goes") {
                try await house.registration(registration.id).personName == nil
            }
            let left = try await house.registration(registration.id)
            #expect(left.note == nil)
            #expect(left.state == .confirmed)
            // A late response of the directory does not restore the person.
            try await house.copy([PersonCopy(person)])
            #expect(try await house.registration(registration.id).personName == nil)
        }
    }
}
