import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("addresses that mail comes back from")
struct UnreachableTests {
    private func follow(_ changes: [Change], _ directory: TestService) async throws {
        try await directory.backend.database.transaction { try await UnreachableAddresses.apply(changes, $0) }
    }

    private func names(_ path: String, _ directory: TestService) async throws -> [String] {
        try await directory.ask(path).items(path.hasPrefix("/v1/people") ? "familyName" : "name")
    }

    private func change(
        _ path: String, _ version: Int, _ json: String, _ directory: TestService
    ) async throws -> RawAnswer {
        let answer = try await directory.ask(.patch, path, ifMatch: version, json: json)
        #expect(answer.status == 200, "\(answer.text)")
        return answer
    }

    @Test("content says that mail came back: the records show it until it says that it no longer does")
    func followed() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let operating = try directory.client(.operator)
            let content = network.services[.content]
            let person = try await directory.person("Ana", "Ader", email: "Ana@a.example")
            let fine = try await directory.person("Bob", "Bidart", email: "bob@a.example")
            _ = try await operating.send(CreateAmbassador.request(body: .init(person: person.id)))
            _ = try await operating.send(CreateAmbassador.request(body: .init(person: fine.id)))
            let expert = try await directory.expert("Atelier") { $0.email = "ana@a.example" }
            _ = try await directory.expert("Autre") { $0.email = "autre@a.example" }
            let house = try await directory.organization("Maison")
            _ = try await change("/v1/organizations/\(house.id)", 1, #"{"email":"ana@a.example"}"#, directory)
            _ = try await directory.organization("Sans adresse")

            let editing = try content.client(.operator)
            for (email, reason): (EmailAddress, Suppression.Reason) in [
                ("bob@a.example", .complaint), ("autre@a.example", .unsubscribed), ("ana@a.example", .bounced),
            ] {
                _ = try await editing.send(CreateSuppression.request(body: .init(email: email, reason: reason)))
            }
            try await eventually("the directory knows") { try await directory.person(person.id).unreachable != nil }
            let now = try await directory.person(person.id)
            let since = try #require(now.unreachable?.since)
            #expect(now.unreachable?.email == "Ana@a.example" && now.version == 2 && now.updatedAt > person.updatedAt)
            #expect(abs(since.microseconds - Timestamp.now.microseconds) < 60_000_000)
            let one = try await operating.send(GetExpert.request(path: expert.id))
            #expect(one.unreachable?.email == "ana@a.example" && one.unreachable?.since == since && one.version == 2)
            let other = try await operating.send(GetOrganization.request(path: house.id))
            #expect(other.unreachable == one.unreachable && other.version == 3)
            for (list, few, rest) in [
                ("people", "Ader", "Bidart"), ("experts", "Atelier", "Autre"),
                ("organizations", "Maison", "Sans adresse"), ("ambassadors", "Ader Ana", "Bidart Bob"),
            ] {
                #expect(try await names("/v1/\(list)?unreachable=true", directory) == [few])
                #expect(try await names("/v1/\(list)?unreachable=false", directory) == [rest])
                let table = try await directory.ask("/v1/\(list).csv?unreachable=true").text
                #expect(table.split(separator: "\r\n").count == 2 && table.contains("unreachableSince"))
                let day = ParisTime.day(at: Int(since.microseconds / 1_000_000))
                #expect(table.contains(",\(day.text),"))
                let others = try await directory.ask("/v1/\(list).csv?unreachable=false").text
                #expect(others.split(separator: "\r\n").count == 2 && !others.contains("na@a.example"))
            }
            let told = try await directory.client(.service).send(ReadChanges.request(query: .init(limit: 200))).items
            #expect(told.last { $0.id == person.id.text }?.data?["unreachable"]?["email"] == .string("Ana@a.example"))
            #expect(told.last { $0.id == expert.id.text }?.version == 2)

            let bounced = try await editing.send(ListSuppressions.request(query: .init())).items
            let id = try #require(bounced.first { $0.reason == .bounced }?.id)
            try await content.backend.database.transaction { transaction in
                try await transaction.execute("delete from suppression where id = \(id)")
                try await transaction.record([.init(.deleted, .suppression, id)], by: .service(.content))
            }
            try await eventually("it can be mailed again") {
                try await directory.person(person.id).unreachable == nil
            }
            #expect(try await directory.person(person.id).version == 3)
            #expect(try await names("/v1/experts?unreachable=true", directory) == [])
        }
    }

    @Test("an address counts, not a person: a changed one begins anew, and a known one is recognized")
    func address() async throws {
        try await withDirectory { directory in
            let known = try Timestamp(validating: "2026-02-03T23:30:00Z")
            let changes = [
                try Change.suppression(Suppression.ID(), "gone@a.example", at: known),
                try .suppression(Suppression.ID(), "box@a.example", at: known.advanced(by: .seconds(1))),
            ]
            try await follow(changes, directory)
            try await follow(changes, directory)

            let created = try await directory.ask(
                .post, "/v1/people", json: #"{"familyName":"Ader","email":"Gone@a.example"}"#
            ).decode(Person.self)
            #expect(created.unreachable?.email == "Gone@a.example" && created.unreachable?.since == known)
            #expect(created.version == 1)
            let path = "/v1/people/\(created.id)"
            let moved = try await change(path, 1, #"{"email":"new@a.example"}"#, directory).decode(Person.self)
            #expect(moved.unreachable == nil && moved.version == 2)
            // A further address is not one that is written to.
            let further = try await change(path, 2, #"{"otherEmails":["gone@a.example"]}"#, directory)
            #expect(try further.decode(Person.self).unreachable == nil)
            let swapped = try await change(path, 3, #"{"email":"gone@a.example"}"#, directory).decode(Person.self)
            #expect(swapped.unreachable?.since == known && swapped.version == 4)
            #expect(
                try await change(path, 4, #"{"jobTitle":"Maire"}"#, directory).decode(Person.self).unreachable != nil)
            let none = try await change(path, 5, #"{"email":null,"otherEmails":null}"#, directory).decode(Person.self)
            #expect(none.email == nil && none.unreachable == nil)

            let house = try await directory.organization("Maison")
            let boxes = #"[{"role":"press","email":"box@a.example"},{"role":"accounting","email":"fine@a.example"}]"#
            let written = try await change(
                "/v1/organizations/\(house.id)", 1, #"{"email":"gone@a.example","mailboxes":\#(boxes)}"#, directory
            ).decode(Organization.self)
            #expect(written.unreachable?.email == "gone@a.example")
            let left = try await change(
                "/v1/organizations/\(house.id)", 2, #"{"email":"new@a.example"}"#, directory
            ).decode(Organization.self)
            #expect(left.unreachable?.email == "box@a.example")

            let expert = try await directory.expert("Atelier") { $0.email = "new@a.example" }
            let report = try await directory.takes(.experts, "id,email\n\(expert.id),gone@a.example\n")
            #expect(report.updated == 1)
            let table = try await directory.ask("/v1/experts.csv").text
            #expect(table.contains(",gone@a.example,2026-02-04,"))
            let again = try await directory.takes(.experts, table)
            #expect(again.skipped == 1 && again.updated == 0)
            // Both are lifted; a second time changes nothing.
            let lifted = try changes.map { try Change.lifted(Suppression.ID(validating: $0.id)) }
            try await follow(lifted, directory)
            try await follow(lifted, directory)
            let now = try await directory.client(.operator).send(GetExpert.request(path: expert.id))
            #expect(now.unreachable == nil && now.version == 3)
        }
    }

    @Test("a suppression that is no bounce any more, or of another reason, marks nobody")
    func reasons() async throws {
        try await withDirectory { directory in
            let ana = try await directory.person("Ana", "Ader", email: "ana@a.example")
            let id = Suppression.ID()
            for reason in Suppression.Reason.allCases where reason != .bounced {
                try await follow([try .suppression(Suppression.ID(), "ana@a.example", reason)], directory)
            }
            #expect(try await directory.person(ana.id) == ana)
            try await follow([try .suppression(id, "ana@a.example")], directory)
            #expect(try await directory.person(ana.id).unreachable != nil)
            try await follow([try .suppression(id, "ana@a.example", .complaint)], directory)
            #expect(try await directory.person(ana.id).unreachable == nil)
        }
    }

    @Test("an undone merge shows what is true then, under a version that nothing else had; the rest is as before")
    func undone() async throws {
        try await withDirectory { directory in
            let own = try await directory.person("Ana", "Ader", email: "ana@a.example")
            let other = try await directory.person("Ana", "Adler", email: "adler@a.example")
            let merge = try await directory.merge(other.id.record, into: own.id.record, .person)
            let merged = try await directory.person(own.id)
            #expect(merged.version == 2 && merged.otherEmails == ["adler@a.example"])
            let id = Suppression.ID()
            try await follow([try .suppression(id, "adler@a.example")], directory)
            #expect(try await directory.person(own.id) == merged)
            let undone = try await directory.undo(merge)
            #expect(undone.edits == [:])
            let now = try await directory.person(other.id)
            #expect(now.unreachable?.email == "adler@a.example" && now.version == 2)
            #expect(try await directory.person(own.id).version == 1)

            let twice = try await directory.merge(own.id.record, into: other.id.record, .person)
            #expect(try await directory.person(other.id).version == 3)
            try await follow([try .lifted(id)], directory)
            #expect(try await directory.person(other.id).version == 4)
            #expect(try await directory.undo(twice).edits == [:])
            let last = try await directory.person(other.id)
            #expect(last.unreachable == nil && last.version == 5)
        }
    }

    @Test("nothing of an erased person's address stays, unless it is somebody else's, too")
    func erased() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let person = try await operating.send(
                CreatePerson.request(
                    body: .init(
                        familyName: "Quettehou", email: "seule@rare.example", otherEmails: ["deux@rare.example"])))
            let shared = try await directory.expert("Atelier") { $0.email = "deux@rare.example" }
            try await follow(
                [
                    try .suppression(Suppression.ID(), "seule@rare.example"),
                    try .suppression(Suppression.ID(), "deux@rare.example"),
                ], directory)
            _ = try await operating.send(CreateErasure.request(body: .init(person: person.id)))
            try await eventually("the directory has erased") {
                try await directory.ask("/v1/people/\(person.id)").status != 200
            }
            let left = try await directory.backend.database.query("select email from unreachable_address")
                .map { try $0["email", as: String.self] }
            #expect(left == ["deux@rare.example"])
            let expert = try await operating.send(GetExpert.request(path: shared.id))
            #expect(expert.unreachable?.email == "deux@rare.example")
        }
    }

    @Test("what two transactions missed of each other is put right at night")
    func review() async throws {
        try await withDirectory { directory in
            let database = directory.backend.database
            let ana = try await directory.person("Ana", "Ader", email: "ana@a.example")
            try await database.execute(
                "insert into unreachable_address values (\(Suppression.ID()), 'ana@a.example', now())")
            try await database.transaction(UnreachableAddresses.review)
            #expect(try await directory.person(ana.id).unreachable?.email == "ana@a.example")
            try await database.execute("delete from unreachable_address")
            for _ in 1...2 { try await database.transaction(UnreachableAddresses.review) }
            let now = try await directory.person(ana.id)
            #expect(now.unreachable == nil && now.version == 3)
        }
    }
}
