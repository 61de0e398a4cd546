import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Events

@Suite("Registrations over HTTP", .serialized)
struct RegistrationTests {
    @Test("early registrations get a seat, late ones are waitlisted")
    func line() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 2)
            var places: [Int?] = []
            for _ in 0..<4 {
                let registration = try await house.register(try await house.person().id, for: event)
                #expect(registration.state == (places.count < 2 ? .confirmed : .waitlisted))
                #expect(try await house.registration(registration.id) == registration)
                places.append(registration.place)
            }
            #expect(places == [nil, nil, 1, 2])
            #expect(try await house.seats(event) == [2, 2])
            let listed = try await house.operator.send(
                ListRegistrations.request(
                    path: event.id, query: .init(.init(state: .waitlisted)), body: Empty()))
            #expect(listed.items.map(\.place) == [1, 2])
            #expect(listed.items.first?.personName == "Ana Etcheverry")
        }
    }

    @Test("the seat is in the first choice with a free one, otherwise the waitlist is that of the first choice")
    func choices() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 1)
            let first = try #require(event.sessions.first?.id)
            let second = try await house.session(of: event, "Second atelier", seats: 1).id
            var taken: [Session.ID] = []
            var states: [Registration.State] = []
            for choices in [[first, second], [first, second], [second, first], [first]] {
                let registration = try await house.register(
                    try await house.person().id, for: event, choices: choices)
                taken.append(registration.session)
                states.append(registration.state)
            }
            #expect(taken == [first, second, second, first])
            #expect(states == [.confirmed, .confirmed, .waitlisted, .waitlisted])
            let person = try await house.person().id
            let none = try await problem { try await house.register(person, for: event) }
            #expect(none?.errors?.first?.pointer == "/choices")
        }
    }

    @Test("a cancelled seat goes to the first on the waitlist at once, and the feed shows both changes")
    func promotion() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 1)
            var line: [Registration] = []
            for _ in 0..<3 { line.append(try await house.register(try await house.person().id, for: event)) }
            try await house.cancel(line[0])
            #expect(try await house.registration(line[0].id).state == .cancelled)
            #expect(try await house.registration(line[1].id).state == .confirmed)
            #expect(try await house.registration(line[2].id).place == 1)
            #expect(try await house.seats(event) == [1, 1])
            for registration in line.prefix(2) {
                let changes = try await house.changes(of: registration.id, atLeast: 2)
                #expect(changes.map(\.action) == [.created, .changed])
                #expect(changes.last?.version == 2)
            }
            #expect(try await house.changes(of: line[1].id, atLeast: 2).last?.data?["state"]?.string == "confirmed")
        }
    }

    @Test("cancelling again answers 204 and promotes no one else")
    func cancelTwice() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 1)
            var line: [Registration] = []
            for _ in 0..<3 { line.append(try await house.register(try await house.person().id, for: event)) }
            for _ in 0..<2 {
                let answer = try await house.events.raw(.delete, "/v1/registrations/\(line[0].id)", role: .operator)
                #expect(answer.status == 204)
            }
            #expect(try await house.registration(line[0].id).version == 2)
            #expect(try await house.seats(event) == [1, 1])
        }
    }

    @Test("giving up a place on the waitlist closes the gap and frees no seat")
    func leavingTheLine() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 1)
            var line: [Registration] = []
            for _ in 0..<4 { line.append(try await house.register(try await house.person().id, for: event)) }
            try await house.cancel(line[1])
            #expect(try await house.registration(line[2].id).place == 1)
            #expect(try await house.registration(line[3].id).place == 2)
            #expect(try await house.seats(event) == [1, 2])
        }
    }

    @Test("a person has one registration for an event, and may register again after cancelling")
    func once() async throws {
        try await withEvents { house in
            let event = try await house.event()
            let person = try await house.person().id
            let registration = try await house.register(person, for: event)
            let again = try await problem { try await house.register(person, for: event) }
            #expect(again?.slug == "already-registered")
            try await house.cancel(registration)
            #expect(try await house.register(person, for: event).state == .confirmed)
        }
    }

    @Test("a double click is one registration")
    func doubleClick() async throws {
        try await withEvents(replicas: 2) { house in
            let event = try await house.event()
            let person = try await house.person().id
            let first = try await house.register(person, for: event, key: "click")
            #expect(try await house.register(person, for: event, key: "click") == first)

            let other = try await house.person().id
            let clients = [try house.client(.operator), try house.client(.operator, of: 1)]
            let identifiers = try await withThrowingTaskGroup(of: Registration.ID?.self) { group in
                for number in 0..<10 {
                    group.addTask {
                        do {
                            return try await house.register(
                                other, for: event, key: "again", by: clients[number % clients.count]
                            ).id
                        } catch ServiceClientError.problem(let document) {
                            #expect(document.slug == "still-running")
                            return nil
                        }
                    }
                }
                return try await group.reduce(into: Set<Registration.ID>()) { if let id = $1 { $0.insert(id) } }
            }
            #expect(identifiers.count == 1)
            #expect(try await house.seats(event) == [2, 0])
        }
    }

    @Test("no one registers before the opening, after the close, for a draft or for a cancelled event")
    func closed() async throws {
        try await withEvents { house in
            let person = try await house.person().id
            func refusal(_ event: Event) async throws -> String? {
                try await problem { try await house.register(person, for: event) }?.slug
            }
            let draft = try await house.event(published: false)
            #expect(try await refusal(draft) == "registration-closed")
            let past = try await house.event { $0.registrationClosesAt = Timestamp.now.advanced(by: .seconds(-1)) }
            #expect(try await refusal(past) == "registration-closed")
            let future = try await house.event { $0.registrationOpensAt = Timestamp.now.advanced(by: .seconds(600)) }
            #expect(try await refusal(future) == "registration-closed")
            let begun = try await house.event { $0.startsAt = Timestamp.now.advanced(by: .seconds(-1)) }
            #expect(try await refusal(begun) == "registration-closed")
            let closed = try await house.event()
            try await house.move(closed, to: .closed)
            #expect(try await refusal(closed) == "registration-closed")
            try await house.move(closed, to: .published)
            #expect(try await refusal(closed) == nil)
            let cancelled = try await house.event()
            try await house.move(cancelled, to: .cancelled)
            #expect(try await refusal(cancelled) == "registration-closed")
        }
    }

    @Test("a closed event still promotes, a cancelled one does not")
    func promotionAfterClose() async throws {
        try await withEvents { house in
            for (state, promoted): (Event.State, Registration.State) in [
                (.closed, .confirmed), (.cancelled, .waitlisted),
            ] {
                let event = try await house.event(seats: 1)
                let first = try await house.register(try await house.person().id, for: event)
                let second = try await house.register(try await house.person().id, for: event)
                try await house.move(event, to: state)
                try await house.cancel(first)
                #expect(try await house.registration(second.id).state == promoted)
            }
        }
    }

    @Test("people see and change their own registrations, a representative those of the organization")
    func whose() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 10)
            let organization = Organization.ID()
            let ana = try await house.person(organization: organization)
            let others = try await house.person("Jon", organization: Organization.ID())
            let own = try house.client(.ambassador, person: ana.id)
            let representative = try house.client(.representative, organization: organization)
            let stranger = try house.client(.expert, person: others.id)

            let byStranger = try await problem { try await house.register(ana.id, for: event, by: stranger) }
            #expect(byStranger?.errors?.first?.pointer == "/person")
            let registration = try await house.register(ana.id, for: event, by: representative)
            let path = registration.id
            #expect(try await own.send(GetRegistration.request(path: path)) == registration)
            #expect(try await representative.send(GetRegistration.request(path: path)) == registration)
            let seen = try await problem { try await stranger.send(GetRegistration.request(path: path)) }
            #expect(seen?.status == 404)
            let cancelled = try await problem { try await house.cancel(registration, by: stranger) }
            #expect(cancelled?.status == 404)
            _ = try await house.register(others.id, for: event, by: stranger)
            for (client, count) in [(own, 1), (representative, 1), (stranger, 1), (try house.operator, 2)] {
                let page = try await client.send(
                    ListRegistrations.request(path: event.id, query: .init(), body: Empty()))
                #expect(page.items.count == count)
            }
            try await house.cancel(registration, by: own)
            #expect(try await house.registration(registration.id).state == .cancelled)
        }
    }

    @Test("registrations continue where the page ended, in order of arrival")
    func pages() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 2)
            var expected: [Registration.ID] = []
            for _ in 0..<5 { expected.append(try await house.register(try await house.person().id, for: event).id) }
            var found: [Registration] = []
            var cursor: Cursor?
            repeat {
                let page = try await house.operator.send(
                    ListRegistrations.request(
                        path: event.id, query: .init(limit: 2, cursor: cursor), body: Empty()))
                found += page.items
                cursor = page.next
            } while cursor != nil
            #expect(found.map(\.id) == expected)
            #expect(found.map(\.place) == [nil, nil, 1, 2, 3])
        }
    }
}
