import ClubProtocol
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Events

@Suite("Merges of the directory's people", .serialized)
struct MergeTests {
    /// Merges or undoes, and waits until this service has followed.
    private func merge(
        _ merged: Person, into survivor: Person, _ id: Merge.ID, undo: Bool = false, in house: EventsHouse
    ) async throws {
        try await FakeDirectory.merge(merged, into: survivor, id: id, undo: undo, in: house.directory.backend)
        try await eventually("the merge arrives") {
            try await house.copied(merged.id)?.gone == !undo
        }
    }

    private func exists(_ registration: Registration, in house: EventsHouse) async throws -> Bool {
        try await problem { try await house.registration(registration.id) }?.status != 404
    }

    @Test("a registration follows its person, and moves back on undo")
    func moves() async throws {
        try await withEvents { house in
            let event = try await house.event()
            let own = try await house.person("Ana")
            let other = try await house.person("Anna")
            let registration = try await house.register(other.id, for: event, note: "Sans gluten.")
            let id = Merge.ID()
            try await merge(other, into: own, id, in: house)
            var now = try await house.registration(registration.id)
            #expect(now.person == own.id && now.personName == "Ana Etcheverry" && now.note == "Sans gluten.")
            #expect(now.version == 2)
            #expect(try await problem { try await house.register(other.id, for: event) }?.status == 422)
            try await merge(other, into: own, id, undo: true, in: house)
            now = try await house.registration(registration.id)
            #expect(now.person == other.id && now.personName == "Anna Etcheverry" && now.note == "Sans gluten.")
        }
    }

    @Test(
        "of two registrations the further one stays, the other's seat goes to the waitlist; no seat is given twice"
    )
    func twice() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 2)
            let own = try await house.person("Ana")
            let other = try await house.person("Anna")
            let third = try await house.person("Zoé")
            let first = try await house.register(own.id, for: event)
            let second = try await house.register(other.id, for: event)
            let waiting = try await house.register(third.id, for: event)
            #expect(waiting.state == .waitlisted)
            let id = Merge.ID()
            try await merge(other, into: own, id, in: house)
            #expect(try await house.registration(first.id).person == own.id)
            #expect(try await !exists(second, in: house))
            #expect(try await house.registration(waiting.id).state == .confirmed)
            #expect(try await house.seats(event) == [2, 0])
            // The seat is taken: the restored registration is on the waitlist again, in its old place.
            try await merge(other, into: own, id, undo: true, in: house)
            let back = try await house.registration(second.id)
            #expect(back.person == other.id && back.state == .waitlisted && back.place == 1)
            #expect(try await house.seats(event) == [2, 1])
        }
    }

    @Test("a place on the waitlist gives way to a seat, and undo restores both")
    func better() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 1)
            let own = try await house.person("Ana")
            let other = try await house.person("Anna")
            let seat = try await house.register(other.id, for: event)
            let line = try await house.register(own.id, for: event)
            #expect(seat.state == .confirmed && line.state == .waitlisted)
            let id = Merge.ID()
            try await merge(other, into: own, id, in: house)
            #expect(try await house.registration(seat.id).person == own.id)
            #expect(try await !exists(line, in: house))
            #expect(try await house.seats(event) == [1, 0])
            try await merge(other, into: own, id, undo: true, in: house)
            #expect(try await house.registration(seat.id).person == other.id)
            let back = try await house.registration(line.id)
            #expect(back.person == own.id && back.state == .waitlisted)
            #expect(try await house.seats(event) == [1, 1])
        }
    }

    @Test("an erased person's merges are forgotten")
    func erased() async throws {
        try await withEvents { house in
            let event = try await house.event()
            let own = try await house.person("Ana")
            let other = try await house.person("Anna")
            for person in [own, other] { _ = try await house.register(person.id, for: event, note: "Sans gluten.") }
            try await merge(other, into: own, Merge.ID(), in: house)
            try await FakeDirectory.erase(own.id, in: house.directory.backend)
            try await eventually("nothing is remembered") {
                try await house.events.backend.database.query("select from applied_merge").isEmpty
            }
        }
    }
}
