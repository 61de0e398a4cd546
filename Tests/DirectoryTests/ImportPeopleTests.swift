import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("importing people")
struct ImportPeopleTests {
    private func report(_ file: [UInt8], _ query: String, in directory: TestService) async throws -> ImportReport {
        try await directory.raw(
            .post, "/v1/imports/people\(query)", role: .operator, headers: ["Content-Type": "text/csv"], body: file
        ).decode(ImportReport.self)
    }

    @Test("people are matched by e-mail, else by name within their organization")
    func matching() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            let firm = try await client.send(
                CreateOrganization.request(body: .init(kind: .institution, name: "Un", siret: "73282932000074")))
            let ada = try await directory.person("Ada", "Été", email: "ada@example.org")
            let bob = try await directory.person("Bob", "Zola", organization: firm.id)
            let file = Array(
                ("Nom,Prénom,Courriel,Téléphone,SIRET,Flash info\n"
                    + "Été-Pau,,ADA@example.org,0559000000,73282932000074,oui\n"
                    + "ZOLA,Bob,,0559000001,73282932000074,\n"
                    + "Zola,Bob,,,,\n"
                    + "Nobody,No,,,55210055400013,\n"
                    + ",,,0559000002,,\n").utf8)
            let taken = try await report(file, "?mode=apply&rejects=skipRow", in: directory)
            #expect((taken.created, taken.updated, taken.rejected) == (1, 2, 2))
            #expect(taken.errors.map(\.row) == [4, 5])
            let now = try await client.send(GetPerson.request(path: ada.id))
            #expect(now.familyName == "Été-Pau" && now.givenName == "Ada" && now.organization == firm.id)
            #expect(now.consents.flashInfo?.agreed == true)
            let other = try await client.send(GetPerson.request(path: bob.id))
            #expect(other.familyName == "ZOLA" && other.telephone == "0559000001")
            let again = try await report(file, "?mode=apply&rejects=skipRow", in: directory)
            #expect((again.created, again.updated, again.skipped) == (0, 0, 3))
        }
    }

    @Test("a column of full names renames no one, and another's full name is rejected", arguments: ["Nom", "name"])
    func wholeNames(header: String) async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            var people: [Person] = []
            for (number, name)
                in ([
                    ("Marie", "Durand"), ("Marie", "Durand"), ("Jean-Paul", "Le Goff"), ("Ana", "Un"), ("Ana", "Deux"),
                ]
                as [(Line, Line)]).enumerated()
            {
                people.append(
                    try await directory.person(
                        name.0, name.1, email: EmailAddress(stringLiteral: "p\(number)@a.example")))
            }
            let file =
                "\(header);Email;Téléphone\nMarie DURAND;p0@a.example;0559000000\nPaul Dupont;p1@a.example;0559000001\n"
                + "le goff jean paul;p2@a.example;\nTrois Ana;p3@a.example;\nANA;p4@a.example;\n"
            for existing in Import.Existing.allCases.reversed() {
                let taken = try await report(
                    Array(file.utf8), "?mode=apply&rejects=skipRow&existing=\(existing.rawValue)", in: directory)
                #expect(taken.rejected == 1 && taken.created == 0)
                #expect(taken.errors.map(\.row) == [2] && taken.errors.map(\.column) == [nil])
                #expect(
                    taken.errors.map(\.detail) == [
                        "A person with another name has this address: put the given name in a column of its own."
                    ])
            }
            var now: [Person] = []
            for person in people {
                now.append(try await client.send(GetPerson.request(path: person.id)))
            }
            #expect(now.map(\.givenName) == ["Marie", "Marie", "Jean-Paul", "Ana", "Ana"])
            #expect(now.map(\.familyName) == ["Durand", "Durand", "Le Goff", "Trois", "Deux"])
            #expect(now[0].telephone == "0559000000" && now[1].telephone == nil)
            #expect(now[1].version == people[1].version && now[4].version == people[4].version)
            // The same for ambassadors.
            let enrolled = try await directory.raw(
                .post, "/v1/imports/ambassadors?mode=apply&rejects=skipRow", role: .operator,
                headers: ["Content-Type": "text/csv"], body: Array(file.utf8)
            ).decode(ImportReport.self)
            #expect((enrolled.created, enrolled.rejected) == (4, 1) && enrolled.errors.map(\.row) == [2])
            let names = try await client.send(ListAmbassadors.request(query: .init())).items.map(\.name)
            #expect(Set(names) == ["Durand Marie", "Le Goff Jean-Paul", "Trois Ana", "Deux Ana"])
        }
    }

    @Test("a full name stored as a single one is split by a table with both, if that may change it")
    func onlyNames() async throws {
        try await withDirectory { directory in
            for file in [
                "Nom;Email\nMarie Durand;marie@a.example\n", "Nom;Prénom;Email\nDurand;Marie;marie@a.example\n",
            ] {
                _ = try await report(Array(file.utf8), "?mode=apply&existing=fill", in: directory)
                let person = try await directory.client(.operator).send(ListPeople.request(query: .init())).items
                    .first
                #expect(person?.familyName == "Marie Durand" && person?.givenName == nil)
            }
            let taken = try await report(
                Array("Nom;Prénom;Email\nDurand;Marie;marie@a.example\n".utf8), "?mode=apply", in: directory)
            #expect(taken.updated == 1 && taken.errors == [])
            let person = try await directory.client(.operator).send(ListPeople.request(query: .init())).items
                .first
            #expect(person?.familyName == "Durand" && person?.givenName == "Marie")
            // An identifier tells whose name it is, and `-` that it is the only one.
            let id = person?.id.text ?? ""
            let named = try await report(Array("id,familyName\n\(id),Le Goff\n".utf8), "?mode=apply", in: directory)
            #expect(named.updated == 1)
            let only = try await report(
                Array("id,familyName,givenName\n\(id),Marie Le Goff,-\n".utf8), "?mode=apply", in: directory)
            #expect(only.updated == 1)
            let last = try await directory.client(.operator).send(ListPeople.request(query: .init())).items.first
            #expect(last?.familyName == "Marie Le Goff" && last?.givenName == nil)
        }
    }

    @Test("an export is imported unchanged")
    func roundTrip() async throws {
        try await withDirectory { directory in
            let firm = try await directory.organization("Un")
            _ = try await directory.person("=1", "+2", organization: firm.id, consents: .init(flashInfo: false))
            _ = try await directory.person("Ada", "Été", email: "ada@example.org")
            let before = try await directory.ask("/v1/people").json()
            let table = try await directory.ask("/v1/people.csv?excel=true")
            let back = try await report(table.body, "?mode=apply", in: directory)
            #expect(back.errors == [] && back.skipped == 2)
            #expect(try await directory.ask("/v1/people").json() == before)
        }
    }
}
