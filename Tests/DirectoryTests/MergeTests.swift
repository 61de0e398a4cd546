import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

extension Identifier {
    /// The same identifier, in the type that merges use.
    var record: DirectoryRecord.ID { .init(uuid) }
}

extension TestService {
    func merge(
        _ merged: DirectoryRecord.ID, into survivor: DirectoryRecord.ID, _ kind: RecordKind,
        choices: [String: MergeRecords.Body.Side]? = nil
    ) async throws -> Merge {
        try await client(.operator).send(
            MergeRecords.request(body: .init(kind: kind, survivor: survivor, merged: merged, choices: choices)))
    }

    func undo(_ merge: Merge) async throws -> Merge {
        try await client(.operator).send(UndoMerge.request(path: merge.id))
    }

    func person(_ id: Person.ID) async throws -> Person {
        try await client(.operator).send(GetPerson.request(path: id))
    }

    func mandate(
        _ person: Person.ID, of organization: Organization.ID, _ kind: Mandate.Kind, from: Day, until: Day? = nil
    ) async throws -> Mandate {
        try await client(.operator).send(
            CreateMandate.request(
                path: organization,
                body: .init(person: person, kind: kind, from: from, until: until)))
    }
}

@Suite("merges")
struct MergeTests {
    @Test("a merge fills empty fields, keeps the latest consent, moves references, and reports it")
    func people() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let home = try await directory.organization("Maison")
            let own = try await directory.person("Camille", "Etcheverry", consents: .init(flashInfo: true))
            let other = try await directory.person(
                "Camille", "Etchevery", email: "c@example.org", organization: home.id,
                consents: .init(flashInfo: false, partnerOffers: true))
            let mandate = try await directory.mandate(other.id, of: home.id, .titular, from: "2026-01-01")
            let ambassador = try await operating.send(CreateAmbassador.request(body: .init(person: other.id)))

            let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
            #expect(merge.state == .done && merge.mergedBy == "test" && merge.version == 1)
            #expect(merge.fields == ["consents", "email", "organization"])
            #expect(merge.moved.map { "\($0.entity) \($0.count)" } == ["ambassador 1", "consentEntry 2", "mandate 1"])
            #expect(merge.setAside.isEmpty)
            let survivor = try await directory.person(own.id)
            #expect(survivor.familyName == "Etcheverry" && survivor.email == "c@example.org")
            #expect(survivor.organization == home.id && survivor.version == 2)
            #expect(survivor.consents.flashInfo?.agreed == false && survivor.consents.partnerOffers?.agreed == true)
            let moved = try await operating.send(
                ListMandates.request(path: home.id, query: .init()))
            #expect(moved.items.map(\.person) == [own.id] && moved.items.map(\.id) == [mandate.id])
            #expect(moved.items.map(\.version) == [2])
            let enrolled = try await operating.send(GetAmbassador.request(path: ambassador.id))
            #expect(enrolled.person == own.id && enrolled.name == "Etcheverry Camille")

            let list = try await operating.send(ListMerges.request(query: .init(.init(record: other.id.record))))
            #expect(list.items == [merge])
            #expect(try await operating.send(GetMerge.request(path: merge.id)) == merge)
            #expect(try await operating.send(ListMerges.request(query: .init(.init(kind: .expert)))).items.isEmpty)
        }
    }

    @Test("a request for the merged record is told where it went; outsiders learn nothing")
    func gone() async throws {
        try await withDirectory { directory in
            let (a, b, c) = (
                try await directory.expert("A"), try await directory.expert("B"), try await directory.expert("C")
            )
            _ = try await directory.merge(b.id.record, into: a.id.record, .expert)
            let last = try await directory.merge(a.id.record, into: c.id.record, .expert)
            for id in [a.id, b.id] {
                let answer = try await directory.ask("/v1/experts/\(id)")
                #expect(answer.status == 410)
                #expect(try answer.problem().slug == "merged")
                #expect(answer.headers["location"] == "/v1/experts/\(c.id)")
                #expect(try await directory.ask("/v1/experts/\(id)", as: .ambassador).status == 404)
            }
            #expect(try await directory.ask("/v1/experts").items("id") == [c.id.text])
            _ = try await directory.undo(last)
            #expect(try await directory.ask("/v1/experts/\(a.id)").status == 200)
            #expect(try await directory.ask("/v1/experts/\(b.id)").headers["location"] == "/v1/experts/\(a.id)")
        }
    }

    @Test("a choice decides whose value is kept; related fields go together, and unknown fields are refused")
    func choices() async throws {
        try await withDirectory { directory in
            let a = try await directory.expert("Agence") { $0.topics = ["cloud"] }
            let b = try await directory.expert("Agence du Béarn") {
                $0.postalCode = "33000"
                $0.commune = "Bordeaux"
                $0.topics = ["backup", "cloud"]
            }
            for (choices, pointer): ([String: MergeRecords.Body.Side], String) in [
                (["colour": .merged], "/choices/colour"), (["id": .merged], "/choices/id"),
                (["version": .merged], "/choices/version"), (["consents": .merged], "/choices/consents"),
                (["postalCode": .merged, "commune": .survivor], "/choices/postalCode"),
            ] {
                let refused = try await problem {
                    try await directory.merge(b.id.record, into: a.id.record, .expert, choices: choices)
                }
                #expect(refused?.status == 422 && refused?.errors?.first?.pointer == pointer)
            }
            _ = try await directory.merge(
                b.id.record, into: a.id.record, .expert, choices: ["name": .merged, "postalCode": .merged])
            let merged = try await directory.client(.operator).send(GetExpert.request(path: a.id))
            #expect(merged.name == "Agence du Béarn" && merged.commune == "Bordeaux" && merged.departement == "33")
            #expect(merged.topics == ["cloud", "backup"])
        }
    }

    @Test("records that are not found, or are the same, are named")
    func refused() async throws {
        try await withDirectory { directory in
            let a = try await directory.person("A", "A")
            let cases = [
                (a.id.record, a.id.record, "/merged"), (DirectoryRecord.ID(), a.id.record, "/merged"),
                (a.id.record, DirectoryRecord.ID(), "/survivor"),
            ]
            for (merged, survivor, pointer) in cases {
                let refused = try await problem { try await directory.merge(merged, into: survivor, .person) }
                #expect(refused?.status == 422 && refused?.errors?.first?.pointer == pointer)
            }
            // A person is not an organization.
            let other = try await directory.organization("O")
            let mixed = try await problem {
                try await directory.merge(other.id.record, into: a.id.record, .person)
            }
            #expect(mixed?.status == 422)
        }
    }

    @Test("a second enrolment and a mandate within another are set aside, and restored")
    func twins() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let home = try await directory.organization("Maison")
            let own = try await directory.person("Ana", "A")
            let other = try await directory.person("Ana", "B")
            for person in [own.id, other.id] {
                _ = try await operating.send(CreateAmbassador.request(body: .init(person: person)))
                _ = try await directory.mandate(
                    person, of: home.id, .alternate, from: person == own.id ? "2026-01-01" : "2026-02-01",
                    until: person == own.id ? nil : "2026-03-01")
            }
            let mandates = "/v1/organizations/\(home.id)/mandates"
            let before = try await [directory.ask(mandates).text, directory.ask("/v1/ambassadors").text]
            let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
            #expect(merge.setAside.map { "\($0.entity) \($0.count)" } == ["ambassador 1", "mandate 1"])
            #expect(try await directory.ask(mandates).items("person") == [own.id.text])
            #expect(try await directory.ask("/v1/ambassadors").items("person") == [own.id.text])
            _ = try await directory.undo(merge)
            #expect(try await [directory.ask(mandates).text, directory.ask("/v1/ambassadors").text] == before)
        }
    }

    @Test("contradictions are reported, and nothing is moved")
    func blocked() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let own = try await directory.organization("A")
            let other = try await directory.organization("B")
            let ana = try await directory.person("Ana", "A")
            let bob = try await directory.person("Bob", "B")
            _ = try await directory.mandate(ana.id, of: own.id, .titular, from: "2026-01-01")
            let mandate = try await directory.mandate(bob.id, of: other.id, .titular, from: "2026-06-01")
            let year = Day.today.year
            for (id, until) in [(own.id, "\(year)-06-30"), (other.id, "\(year)-12-31")] {
                _ = try await operating.send(
                    CreateMembership.request(
                        body: .init(
                            organization: id, tier: "standard", from: try Day(validating: "\(year)-01-01"),
                            until: try Day(validating: until))))
            }
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let refused = try await problem {
                try await directory.merge(other.id.record, into: own.id.record, .organization)
            }
            #expect(refused?.status == 409 && refused?.slug == "merge-blocked")
            let details = (refused?.errors ?? []).map(\.detail)
            #expect(details.count == 3)
            #expect(details.contains { $0.contains("mandate \(mandate.id)") })
            #expect(
                details.contains { $0.hasPrefix("membership") } && details.contains { $0.hasPrefix("contribution") })
            #expect(try await directory.ask("/v1/organizations/\(other.id)").status == 200)
            #expect(try await directory.ask("/v1/merges").items("id").isEmpty)
        }
    }

    @Test("an organization's branches, people and members' rights move; a parent and its branch merge both ways")
    func organizations() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            func add(_ name: Line, _ parent: Organization.ID?) async throws -> Organization {
                try await operating.send(
                    CreateOrganization.request(body: .init(kind: .institution, name: name, parent: parent)))
            }
            let top = try await add("Tête", nil)
            let head = try await add("Réseau", top.id)
            let branch = try await add("Antenne", head.id)
            let leaf = try await add("Bureau", branch.id)
            let worker = try await directory.person("Ana", "A", organization: head.id)
            func parents() async throws -> [Organization.ID: String] {
                let all = try await operating.send(ListOrganizations.request(query: .init()))
                return Dictionary(uniqueKeysWithValues: all.items.map { ($0.id, $0.parent?.text ?? "") })
            }
            let before = try await directory.ask("/v1/organizations").text
            // The head is merged into its branch, which takes its place in the tree.
            let down = try await directory.merge(head.id.record, into: branch.id.record, .organization)
            #expect(try await parents() == [top.id: "", branch.id: top.id.text, leaf.id: branch.id.text])
            #expect(try await directory.person(worker.id).organization == branch.id)
            _ = try await directory.undo(down)
            #expect(try await directory.ask("/v1/organizations").text == before)
            // The branch is merged into its head.
            let up = try await directory.merge(branch.id.record, into: head.id.record, .organization)
            #expect(try await parents() == [top.id: "", head.id: top.id.text, leaf.id: head.id.text])
            _ = try await directory.undo(up)
            #expect(try await directory.ask("/v1/organizations").text == before)
            // Across a generation there would be a cycle.
            let circle = try await problem {
                try await directory.merge(head.id.record, into: leaf.id.record, .organization)
            }
            #expect(circle?.slug == "merge-blocked")
            let over = try await directory.merge(leaf.id.record, into: head.id.record, .organization)
            #expect(try await parents() == [top.id: "", head.id: top.id.text, branch.id: head.id.text])
            _ = try await directory.undo(over)
            #expect(try await directory.ask("/v1/organizations").text == before)
        }
    }

    @Test("later merges of the same record are undone first; the response names the one to start with")
    func chain() async throws {
        try await withDirectory { directory in
            let a = try await directory.person("A", "A")
            let b = try await directory.person("B", "B")
            let c = try await directory.person("C", "C")
            let first = try await directory.merge(b.id.record, into: a.id.record, .person)
            let second = try await directory.merge(a.id.record, into: c.id.record, .person)
            let refused = try await problem { try await directory.undo(first) }
            #expect(refused?.slug == "merge-followed")
            #expect(refused?.detail == "Undo merge \(second.id) first.")
            _ = try await directory.undo(second)
            let undone = try await directory.undo(first)
            #expect(undone.state == .undone && undone.undoneBy == "test" && undone.edits?.isEmpty == true)
            #expect(undone.moved.isEmpty && undone.version == 2)
            #expect(try await problem { try await directory.undo(first) }?.slug == "merge-undone")
            #expect(try await directory.ask("/v1/merges/\(Merge.ID())").status == 404)
        }
    }

    @Test("an undo reports reverted edits, keeps additions, and no ETag from in between matches again")
    func edits() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let home = try await directory.organization("Maison")
            let own = try await directory.person("Ana", "A")
            let other = try await directory.person("Ana", "B", email: "b@example.org")
            let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
            let path = own.id
            let edited = try await operating.send(
                ChangePerson.request(path: path, body: .init(telephone: .some("0559000000")), ifMatch: 2))
            #expect(edited.version == 3)
            let added = try await directory.mandate(own.id, of: home.id, .titular, from: "2026-01-01")
            let undone = try await directory.undo(merge)
            #expect(undone.edits?.count == 1 && undone.edits?["telephone"]?.string == "+33559000000")
            #expect(try await directory.person(own.id) == own)
            #expect(try await directory.person(other.id) == other)
            let mandates = try await operating.send(
                ListMandates.request(path: home.id, query: .init()))
            #expect(mandates.items.map(\.person) == [own.id] && mandates.items.map(\.id) == [added.id])

            let json = #"{"givenName":"Anna"}"#
            for stale in [2, 3] {
                let answer = try await directory.ask(.patch, "/v1/people/\(own.id)", ifMatch: stale, json: json)
                #expect(answer.status == 412)
            }
            let next = try await operating.send(
                ChangePerson.request(path: path, body: .init(givenName: "Anna"), ifMatch: 1))
            #expect(next.version == 4)
            for stale in [1, 2, 3] {
                let answer = try await directory.ask(.patch, "/v1/people/\(own.id)", ifMatch: stale, json: json)
                #expect(answer.status == 412)
            }
            // And once more, with the version floor in place.
            let again = try await directory.merge(other.id.record, into: own.id.record, .person)
            #expect(try await directory.person(own.id).version == 5)
            _ = try await directory.undo(again)
            #expect(try await directory.person(own.id) == next)
        }
    }

    @Test("a value taken by another record since prevents an undo, which then does nothing")
    func taken() async throws {
        try await withDirectory { directory in
            let own = try await directory.person("Ana", "A", email: "a@example.org")
            let other = try await directory.person("Ana", "B", email: "b@example.org")
            let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
            _ = try await directory.client(.operator).send(
                ChangePerson.request(path: own.id, body: .init(otherEmails: .some(nil)), ifMatch: 2))
            _ = try await directory.person("Zoé", "Z", email: "b@example.org")
            let refused = try await problem { try await directory.undo(merge) }
            #expect(refused?.slug == "undo-blocked")
            #expect(try await directory.person(own.id).email == "a@example.org")
            #expect(try await directory.ask("/v1/people/\(other.id)").status == 410)
        }
    }

    @Test("the feed has the merge before the deletion of the record, and the undo")
    func feed() async throws {
        try await withDirectory { directory in
            let own = try await directory.person("Ana", "A")
            let other = try await directory.person("Ana", "B")
            let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
            let done = try await directory.changes(5).items.dropFirst(2)
            #expect(done.map(\.entity) == [.merge, .person, .person])
            #expect(done.map(\.action) == [.created, .merged, .changed])
            #expect(done.map(\.id) == [merge.id.text, other.id.text, own.id.text])
            let notice = MergeNotice(
                id: merge.id, kind: .person, survivor: own.id.record, merged: other.id.record, state: .done)
            #expect(try done.first?.data?.decoded(as: MergeNotice.self) == notice)
            #expect(done.dropFirst().first?.data == nil)
            _ = try await directory.undo(merge)
            let undone = try await directory.changes(8).items.dropFirst(5)
            #expect(undone.map(\.entity) == [.merge, .person, .person])
            #expect(undone.map(\.action) == [.changed, .created, .changed])
            #expect(try undone.first?.data?.decoded(as: MergeNotice.self).state == .undone)
        }
    }

    @Test("of concurrent merges of one record, one succeeds")
    func atOnce() async throws {
        try await withDirectory { directory in
            let other = try await directory.person("B", "B")
            var others: [Person] = []
            for number in 0..<5 { others.append(try await directory.person("A", try Line(validating: "A\(number)"))) }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for person in others {
                    group.addTask {
                        try await directory.ask(
                            .post, "/v1/merges",
                            json: #"{"kind":"person","survivor":"\#(person.id)","merged":"\#(other.id)"}"#
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [201, 422, 422, 422, 422])
        }
    }

    @Test("without the lock, two merges take the same record, and the later one fails")
    func withoutLock() async throws {
        try await withDirectory { directory in
            let other = try await directory.person("B", "B")
            let first = try await directory.person("A", "A1")
            let second = try await directory.person("A", "A2")
            try await directory.database.withClient(searchPath: "directory") { client in
                @Sendable func merge(
                    into survivor: Person, _ meanwhile: @escaping @Sendable () async throws -> Void
                ) async throws {
                    try await client.transaction { transaction in
                        let image = try await MergeStore.image(of: other.id.record, .person, in: transaction)
                        #expect(image != nil)
                        try await meanwhile()
                        let body = MergeRecords.Body(
                            kind: .person, survivor: survivor.id.record, merged: other.id.record)
                        let table = MergeStore.table(.person)
                        let step = try await MergeStore.absorb(table, body.survivor, body.merged, in: transaction)
                        _ = try await MergeStore.insert(
                            Merge.ID(), body, before: [:], fields: [], steps: [step], by: .service(.directory),
                            in: transaction)
                    }
                }
                // By then there is nothing left to take: an error instead of a problem with advice.
                let error = await #expect(throws: PostgresError.self) {
                    try await merge(into: first) { try await merge(into: second) {} }
                }
                #expect(error?.sqlState == "22023")
                let rows = try await client.query("select survivor from merge where merged = \(other.id)")
                #expect(try rows.map { try $0["survivor", as: Person.ID.self] } == [second.id])
            }
        }
    }

    @Test("an erasure deletes what merges keep about a person, and about the records merged into them")
    func forgotten() async throws {
        try await withDirectory { directory in
            let a = try await directory.person("A", "A")
            let b = try await directory.person("B", "B", email: "b@example.org")
            let c = try await directory.person("C", "C")
            let d = try await directory.person("D", "D")
            _ = try await directory.merge(b.id.record, into: a.id.record, .person)
            _ = try await directory.merge(a.id.record, into: c.id.record, .person)
            let kept = try await directory.merge(d.id.record, into: directory.person("E", "E").id.record, .person)
            try await directory.database.withClient(as: "directory") { client in
                let row = try await client.first("select directory.forget_merges(\(c.id)) as others")
                let others = try #require(try row?["others", as: [UUID].self])
                #expect(Set(others) == [a.id.uuid, b.id.uuid])
                let left = try await client.query("select id from merge")
                #expect(try left.map { try $0["id", as: Merge.ID.self] } == [kept.id])
            }
        }
    }
}
