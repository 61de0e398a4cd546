import ClubProtocol
import ServiceKit
import TestKit
import Testing

@testable import Events

@Suite("Events and sessions over HTTP", .serialized)
struct EventTests {
    @Test("an event is prepared, published and shown with its seats; only those who oversee events see drafts")
    func life() async throws {
        try await withEvents { house in
            let draft = try await house.event(seats: 40, published: false)
            #expect(draft.state == .draft)
            #expect(draft.sessions.map(\.capacity) == [40])
            #expect(draft.sessions.first?.startsAt == draft.startsAt)
            let expert = try house.client(.expert)
            let hidden = try await problem { try await expert.send(GetEvent.request(path: draft.id)) }
            #expect(hidden?.status == 404)
            #expect(try await expert.send(ListEvents.request(query: .init())).items.isEmpty)
            let noSessions = try await problem {
                try await expert.send(
                    ListSessions.request(path: draft.id, query: .init(), body: Empty()))
            }
            #expect(noSessions?.status == 404)

            let published = try await house.move(draft, to: .published)
            #expect(published.version == draft.version + 1)
            #expect(try await expert.send(GetEvent.request(path: draft.id)) == published)
            let listed = try await expert.send(ListEvents.request(query: .init(.init(kind: .partnersClub))))
            #expect(listed.items.map(\.id) == [draft.id])
            #expect(listed.items.first?.capacity == 40)
            let sessions = try await expert.send(
                ListSessions.request(path: draft.id, query: .init(), body: Empty()))
            #expect(sessions.items == published.sessions)

            try await house.move(draft, to: .held)
            let over = try await problem { try await house.move(draft, to: .published) }
            #expect(over?.slug == "transition-not-allowed")
            let late = try await problem { try await house.session(of: draft, seats: 3) }
            #expect(late?.slug == "event-over")
        }
    }

    @Test("an event without a session is not published")
    func withoutSession() async throws {
        try await withEvents { house in
            let start = Timestamp.now
            let event = try await house.operator.send(
                CreateEvent.request(
                    body: .init(
                        title: "Forum", kind: .ambassadorForum, startsAt: start,
                        endsAt: start.advanced(by: .seconds(60)), venue: "Lyon")))
            let empty = try await problem { try await house.move(event, to: .published) }
            #expect(empty?.slug == "event-without-session")
            #expect(try await house.move(event, to: .cancelled).state == .cancelled)
        }
    }

    @Test("a change names the version it is based on; null clears, absent fields are unchanged")
    func change() async throws {
        try await withEvents { house in
            let event = try await house.event { $0.theme = "Facture électronique" }
            let path = event.id
            let client = try house.operator
            let without = try await problem {
                try await client.send(ChangeEvent.request(path: path, body: .init(title: "X")))
            }
            #expect(without?.status == 428)
            let stale = try await problem {
                try await client.send(
                    ChangeEvent.request(path: path, body: .init(title: "X"), ifMatch: event.version - 1))
            }
            #expect(stale?.status == 412)
            let changed = try await client.send(
                ChangeEvent.request(
                    path: path, body: .init(venue: "Bordeaux", theme: .some(nil)), ifMatch: event.version))
            #expect(changed.venue == "Bordeaux")
            #expect(changed.theme == nil)
            #expect(changed.title == event.title)
            #expect(changed.version == event.version + 1)
            let early = try await problem {
                try await client.send(
                    ChangeEvent.request(
                        path: path, body: .init(endsAt: event.startsAt.advanced(by: .seconds(60))),
                        ifMatch: changed.version))
            }
            #expect(early?.errors?.map(\.pointer) == ["/endsAt"])
        }
    }

    @Test("sessions lie within their event and have at least one seat")
    func sessionValues() async throws {
        try await withEvents { house in
            let event = try await house.event()
            let noSeats = try await problem { try await house.session(of: event, seats: 0) }
            #expect(noSeats?.errors?.first?.pointer == "/capacity")
            let outside = try await problem {
                try await house.operator.send(
                    AddSession.request(
                        path: event.id,
                        body: .init(
                            title: "Trop tard", kind: .workshop, capacity: 5,
                            endsAt: event.endsAt.advanced(by: .seconds(1)))))
            }
            #expect(outside?.errors?.first?.pointer == "/endsAt")
        }
    }

    @Test("capacity cannot fall below the confirmed seats; new seats go to the first on the waitlist")
    func capacity() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 2)
            var registrations: [Registration] = []
            for _ in 0..<4 {
                registrations.append(try await house.register(try await house.person().id, for: event))
            }
            #expect(registrations.map(\.place) == [nil, nil, 1, 2])
            let session = try #require(event.sessions.first)
            func resize(_ capacity: Int) async throws -> Session {
                try await house.operator.send(
                    ChangeSession.request(
                        path: session.id, body: .init(capacity: capacity), ifMatch: session.version))
            }
            let tooSmall = try await problem { try await resize(1) }
            #expect(tooSmall?.slug == "capacity-below-confirmed")
            let resized = try await resize(3)
            #expect(resized.confirmed == 3)
            #expect(resized.waitlisted == 1)
            #expect(try await house.registration(registrations[2].id).state == .confirmed)
            #expect(try await house.registration(registrations[3].id).place == 1)
        }
    }

    @Test("a list continues where the page ended")
    func pages() async throws {
        try await withEvents { house in
            var expected: [Event.ID] = []
            for day in 1...5 {
                let event = try await house.event {
                    $0.startsAt = Timestamp.now.advanced(by: .seconds(Int64(day) * 86_400))
                    $0.endsAt = $0.startsAt.advanced(by: .seconds(60))
                }
                expected.insert(event.id, at: 0)
            }
            var found: [Event.ID] = []
            var cursor: Cursor?
            repeat {
                let page = try await house.operator.send(
                    ListEvents.request(query: .init(limit: 2, cursor: cursor)))
                found += page.items.map(\.id)
                cursor = page.next
            } while cursor != nil
            #expect(found == expected)
        }
    }
}
