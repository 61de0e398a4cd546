import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("A service's copy of the directory's people", .serialized)
struct PeopleMirrorTests {
    private let ana = Person(
        givenName: "Ana", familyName: "Etcheverry", email: "ana@example.org", organization: Organization.ID())

    // MARK: Looking up

    @Test("a person who is not in the copy is asked for once, and kept with what the service may keep")
    func asked() async throws {
        try await withBadges { office in
            let directory = try #require(office.directory)
            try await FakeDirectory.put(ana, in: directory.backend)
            let found = try await office.people.find([ana.id])
            #expect(found.count == 1)
            #expect(found[ana.id]?.name == "Ana Etcheverry" && found[ana.id]?.email == "ana@example.org")
            #expect(found[ana.id]?.organization == nil)
            // From now on the directory may be down.
            try await directory.stop()
            #expect(try await office.people.find([ana.id]) == found)
            await #expect(throws: ServiceClientError.self) { try await office.people.find([ana.id, Person.ID()]) }
        }
    }

    @Test("a person whom the directory does not know is not found, and leaves no row")
    func unknown() async throws {
        try await withBadges { office in
            let id = Person.ID()
            let found = try await office.people.find([id])
            #expect(found.isEmpty)
            #expect(try await office.copy(id) == nil)
        }
    }

    @Test("without identifiers the directory is not asked")
    func none() async throws {
        try await withBadgesAlone { office in
            let found = try await office.people.find([])
            #expect(found.isEmpty)
        }
    }

    // MARK: Following

    @Test("the feed counts, whatever its version; a response counts only if there was no row")
    func versions() async throws {
        try await withBadgesAlone { office in
            var person = ana
            person.version = 2
            try await office.people.keep([PersonCopy(person)])
            person.version = 3
            person.givenName = "Anne"
            try await office.people.keep([PersonCopy(person)])
            #expect(try await office.copy(ana.id)?.version == 2)
            for (name, version): (Line, Int) in [("Anne", 3), ("Anna", 1)] {
                person.givenName = name
                person.version = version
                try await office.apply([.of(person)])
                let copy = try #require(try await office.copy(ana.id))
                #expect(copy.version == version && copy.name?.text == "\(name) Etcheverry")
            }
        }
    }

    @Test("of several changes of a person in one batch the last counts")
    func last() async throws {
        try await withBadgesAlone { office in
            var person = ana
            person.email = "anna@example.org"
            try await office.apply([.of(ana), .of(person)])
            #expect(try await office.copy(ana.id)?.email == "anna@example.org")
            try await office.apply([.of(ana), .gone(ana.id, .deleted)])
            #expect(try await office.copy(ana.id) == PersonCopy(id: ana.id, version: 0, gone: true))
        }
    }

    @Test("a name of more than 200 characters is cut; without a given name it is the family name")
    func names() throws {
        let family = try Line(validating: String(repeating: "É", count: 150))
        #expect(PersonCopy(Person(givenName: family, familyName: family)).name?.text.count == 200)
        #expect(PersonCopy(Person(familyName: "Etcheverry")).name == "Etcheverry")
    }

    // MARK: Leaving

    @Test(
        "a person who is erased, merged or deleted keeps a row without data, and what they wrote is deleted",
        arguments: [Change.Action.erased, .merged, .deleted])
    func gone(_ action: Change.Action) async throws {
        try await withBadgesAlone { office in
            try await office.apply([.of(ana)])
            let badge = try await office.badge(for: ana.id, note: "Sans gluten.")
            try await office.apply([.gone(ana.id, action)])
            #expect(try await office.copy(ana.id) == PersonCopy(id: ana.id, version: 0, gone: true))
            #expect(try await office.badge(badge)?.note == nil)
            // Not found, and the directory, which is down, is not asked.
            #expect(try await office.people.find([ana.id]).isEmpty)
        }
    }

    @Test("a response of the directory from before the erasure does not bring the person back")
    func lateResponse() async throws {
        try await withBadgesAlone { office in
            try await office.apply([.gone(ana.id, .erased)])
            try await office.people.keep([PersonCopy(ana)])
            #expect(try await office.copy(ana.id)?.gone == true)
            #expect(try await office.people.find([ana.id]).isEmpty)
        }
    }

    @Test("the feed brings back a person who was merged, but never one who was erased")
    func back() async throws {
        try await withBadgesAlone { office in
            try await office.apply([.of(ana), .gone(ana.id, .merged)])
            try await office.apply([.of(ana)])
            #expect(try await office.copy(ana.id)?.name == "Ana Etcheverry")
            for _ in 1...2 {
                try await office.erase([ana.id])
                #expect(try await office.copy(ana.id)?.gone == true)
            }
            try await office.apply([.of(ana)])
            try await office.people.keep([PersonCopy(ana)])
            let copy = try #require(try await office.copy(ana.id))
            #expect(copy.gone && copy.name == nil && copy.email == nil)
        }
    }

    @Test("a person who was never in the copy is erased too")
    func erasedUnseen() async throws {
        try await withBadgesAlone { office in
            try await office.erase([ana.id])
            try await office.apply([.of(ana)])
            #expect(try await office.copy(ana.id)?.gone == true)
        }
    }

    @Test("an access request shows the columns that the service keeps, and nothing of people who are gone")
    func described() async throws {
        try await withBadgesAlone { office in
            func described() async throws -> String {
                let subject = DataSubject.ID(ana.id.uuid)
                let row = try await office.service.backend.database.first(
                    "select \(PeopleMirror.described([subject])) as data")
                return try #require(try row?["data", as: String.self])
            }
            try await office.apply([.of(ana)])
            #expect(try await described() == #"[{"name": "Ana Etcheverry", "email": "ana@example.org", "version": 1}]"#)
            try await office.apply([.gone(ana.id, .erased)])
            #expect(try await described() == "[]")
        }
    }
}
