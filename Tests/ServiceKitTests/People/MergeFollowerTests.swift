import ClubProtocol
import Postgres
import TestKit
import Testing

@testable import ServiceKit

@Suite("Merges that a service follows", .serialized)
struct MergeFollowerTests {
    private let ana = Person(givenName: "Ana", familyName: "Etcheverry")
    private let anna = Person(givenName: "Anna", familyName: "Etcheverry")

    @Test("rows move to the survivor once, and move back once; one that was added since stays")
    func moves() async throws {
        try await withBadgesAlone { office in
            try await office.apply([.of(ana), .of(anna)])
            let own = try await office.badge(for: ana.id)
            let moved = try await office.badge(for: anna.id, note: "Sans gluten.")
            let id = Merge.ID()
            // A feed may deliver a change twice.
            for _ in 1...2 {
                try await office.apply([
                    .merge(anna.id, into: ana.id, id, .done), .gone(anna.id, .merged),
                ])
            }
            let after = try #require(try await office.badge(moved))
            #expect(after.person == ana.id && after.version == 2)
            // Moved before the notes of people who are gone are deleted.
            #expect(after.note == "Sans gluten.")
            let added = try await office.badge(for: ana.id)
            for _ in 1...2 {
                try await office.apply([.merge(anna.id, into: ana.id, id, .undone), .of(anna)])
            }
            #expect(try await office.badge(moved)?.version == 3)
            let holders = [
                try await office.holder(own), try await office.holder(moved), try await office.holder(added),
            ]
            #expect(holders == [ana.id, anna.id, ana.id])
            #expect(try await office.count("applied_merge") == 0)
            // Both moves are in the feed of this service.
            let recorded: [Int] = try await office.service.backend.database.query(
                "select version from change where entity = 'badge' and subject = \(moved.text) order by xid, id"
            ).map { try $0["version"] }
            #expect(recorded == [2, 3])
        }
    }

    @Test("a row that has been given to someone else meanwhile stays with them")
    func given() async throws {
        try await withBadgesAlone { office in
            let third = Person(givenName: "Zoé", familyName: "Martin")
            try await office.apply([.of(ana), .of(anna), .of(third)])
            let badge = try await office.badge(for: anna.id)
            let id = Merge.ID()
            try await office.apply([.merge(anna.id, into: ana.id, id, .done)])
            try await office.service.backend.database.execute(
                "update badge set person = \(third.id) where id = \(badge)")
            try await office.apply([.merge(anna.id, into: ana.id, id, .undone)])
            #expect(try await office.holder(badge) == third.id)
        }
    }

    @Test("a merge that the directory has undone since is never applied, and its undoing changes nothing")
    func undoneSince() async throws {
        try await withBadgesAlone { office in
            try await office.apply([.of(ana), .of(anna)])
            let badges = [try await office.badge(for: ana.id), try await office.badge(for: anna.id)]
            let id = Merge.ID()
            try await office.apply([
                .merge(anna.id, into: ana.id, id, .undone), .merge(anna.id, into: ana.id, id, .undone),
            ])
            let holders = [try await office.holder(badges[0]), try await office.holder(badges[1])]
            #expect(holders == [ana.id, anna.id])
            #expect(try await office.count("applied_merge") == 0)
        }
    }

    @Test("merges of other kinds of records change nothing")
    func otherKinds() async throws {
        try await withBadgesAlone { office in
            try await office.apply([.of(ana), .of(anna)])
            let badge = try await office.badge(for: anna.id)
            try await office.apply([.merge(anna.id, into: ana.id, Merge.ID(), .done, kind: .expert)])
            #expect(try await office.holder(badge) == anna.id)
            #expect(try await office.count("applied_merge") == 0)
        }
    }

    @Test("a merge that the directory has forgotten can no longer be undone")
    func forgotten() async throws {
        try await withBadgesAlone { office in
            try await office.apply([.of(ana), .of(anna)])
            let badge = try await office.badge(for: anna.id)
            let id = Merge.ID()
            try await office.apply([.merge(anna.id, into: ana.id, id, .done), .merge(anna.id, into: ana.id, id, nil)])
            try await office.apply([.merge(anna.id, into: ana.id, id, .undone)])
            #expect(try await office.holder(badge) == ana.id)
        }
    }

    @Test("the merges of a person who is erased are forgotten, whether the feed or the erasure comes first")
    func erased() async throws {
        try await withBadgesAlone { office in
            let third = Person(givenName: "Zoé", familyName: "Martin")
            try await office.apply([.of(ana), .of(anna), .of(third)])
            let other = Merge.ID()
            try await office.apply([.merge(third.id, into: Person.ID(), other, .done)])
            for byFeed in [true, false] {
                let id = Merge.ID()
                try await office.apply([.merge(anna.id, into: ana.id, id, .done)])
                #expect(try await office.count("applied_merge") == 2)
                if byFeed {
                    try await office.apply([.gone(ana.id, .erased)])
                } else {
                    try await office.erase([ana.id])
                }
                #expect(try await office.count("applied_merge where id = \(other)") == 1)
                #expect(try await office.count("applied_merge") == 1)
            }
        }
    }

    @Test("erasing a person returns the rows that their merges had set aside")
    func setAside() async throws {
        try await withBadgesAlone { office in
            let (id, badge) = (Merge.ID(), BadgeOffice.Badge.ID())
            try await office.service.backend.database.execute(
                """
                insert into applied_merge (id, kind, survivor, merged, aside)
                values (\(id), 'person', \(ana.id), \(anna.id), jsonb_build_object(
                    'badge', jsonb_build_array(jsonb_build_object('id', \(badge))), 'seat', '[{"row": 1}]'::jsonb))
                """)
            let subject = DataSubject.ID(anna.id.uuid)
            let rows = try await office.service.backend.database.transaction {
                try await office.people.erase([subject], in: $0)
            }
            let removed = try rows.map { try [$0["table", as: String.self], $0.optional("id", as: String.self) ?? ""] }
            #expect(removed.sorted { $0[0] < $1[0] } == [["badge", badge.text], ["seat", ""]])
        }
    }

    @Test("the feed of the directory reaches the copy and the rows")
    func feed() async throws {
        try await withBadges { office in
            let directory = try #require(office.directory).backend
            for person in [ana, anna] { try await FakeDirectory.put(person, in: directory) }
            try await eventually("both arrive") { try await office.count("person_copy where not gone") == 2 }
            let badge = try await office.badge(for: anna.id)
            let id = Merge.ID()
            try await FakeDirectory.merge(anna, into: ana, id: id, in: directory)
            try await eventually("the badge moves") { try await office.holder(badge) == ana.id }
            try await FakeDirectory.merge(anna, into: ana, id: id, undo: true, in: directory)
            try await eventually("the badge moves back") { try await office.holder(badge) == anna.id }
            try await FakeDirectory.erase(anna.id, in: directory)
            try await eventually("the name goes") { try await office.copy(anna.id)?.gone == true }
        }
    }
}
