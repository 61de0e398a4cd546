import ClubProtocol
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Events

@Suite("Registrations of an erased person", .serialized)
struct ErasedMemberTests {
    /// Does what the job does, without the directory.
    private func erase(_ person: Person.ID, in house: EventsHouse) async throws -> [AddressPeriod] {
        let backend = house.events.backend
        return try await backend.database.transaction { transaction in
            try await EventsRights(backend: backend, people: EventsApplication.people(backend)).erase(
                ErasureNotice(
                    erasure: .init(), state: .erasing, entity: .person, subject: .init(person.uuid), reason: .request),
                in: transaction)
        }
    }

    @Test("the seat goes to the first on the waitlist, and the remaining rows name no one")
    func seat() async throws {
        try await withEvents { house in
            let event = try await house.event(seats: 1)
            let (first, second) = (try await house.person("Ana"), try await house.person("Bob"))
            let taken = try await house.register(first.id, for: event, note: "Sans gluten.")
            let waiting = try await house.register(second.id, for: event)
            #expect(waiting.state == .waitlisted)
            #expect(try await erase(first.id, in: house) == [])
            #expect(try await house.registration(waiting.id).state == .confirmed)
            let left = try await house.registration(taken.id)
            #expect(left.state == .cancelled && left.note == nil && left.personName == nil)
            #expect(left.person != first.id)
            #expect(try await house.seats(event) == [1, 0])
            // Erasing again changes nothing.
            #expect(try await erase(first.id, in: house) == [])
            #expect(try await house.registration(taken.id).version == left.version)
        }
    }

    @Test("a request that read the person before the erasure does not register them")
    func late() async throws {
        try await withEvents { house in
            let event = try await house.event()
            let person = try await house.person("Ana")
            _ = try await erase(person.id, in: house)
            let refused = try await problem { try await house.register(person.id, for: event) }
            #expect(refused?.status == 422)
            let sessions = event.sessions.map(\.id)
            let rows = try await house.events.backend.database.query(
                RegistrationStore.take(
                    .init(), event: event.id, choices: sessions,
                    person: PersonCopy(id: person.id, name: "Ana Etcheverry", version: 1, gone: false), note: nil))
            #expect(rows.isEmpty)
        }
    }
}
