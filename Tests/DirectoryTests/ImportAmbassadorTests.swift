import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("importing ambassadors")
struct ImportAmbassadorTests {
    private func report(
        _ file: String, _ query: String = "", in directory: TestService
    ) async throws -> ImportReport {
        try await directory.raw(
            .post, "/v1/imports/ambassadors?mode=apply&\(query)", role: .operator,
            headers: ["Content-Type": "text/csv"], body: Array(file.utf8)
        ).decode(ImportReport.self)
    }

    private func ambassadors(in directory: TestService) async throws -> [Ambassador] {
        try await directory.client(.operator).send(ListAmbassadors.request(query: .init())).items
    }

    private func home(in directory: TestService, siret: Siret = "73282932000074") async throws -> Organization {
        try await directory.client(.operator).send(
            CreateOrganization.request(body: .init(kind: .institution, name: "Chambre de Pau", siret: siret)))
    }

    private static let header =
        "Nom;Prénom;Courriel;Téléphone;Organisme;Thèmes;Départements servis;Flash info;Inscrit le\n"

    @Test("a row enrols a known person, or creates the person first")
    func enrolling() async throws {
        try await withDirectory { directory in
            let home = try await self.home(in: directory)
            let client = try directory.client(.operator)
            let ada = try await directory.person("Ada", "Été", email: "ada@example.org")
            let file =
                Self.header
                + "Été;Ada;ADA@example.org;0559000000;chambre de pau;Sites web, Cloud;64, 40;oui;14/3/2025\n"
                + "Zola;Bob;;;73282932000074;;64;;2025-03-15\n"
                + "Zola;Bob;;0559000001;73282932000074;Cloud;;;\n"
                + "Perdu;Luc;;;Nulle part;;;;\n"
                + ";;sans@nom.example;;;;;;\n"
            let dry = try await directory.raw(
                .post, "/v1/imports/ambassadors?rejects=skipRow", role: .operator,
                headers: ["Content-Type": "text/csv"], body: Array(file.utf8)
            ).decode(ImportReport.self)
            #expect((dry.created, dry.updated, dry.rejected) == (2, 1, 2) && !dry.applied)
            #expect(try await ambassadors(in: directory).isEmpty)

            let taken = try await report(file, "rejects=skipRow", in: directory)
            #expect((taken.created, taken.updated, taken.rejected) == (2, 1, 2))
            #expect(taken.errors.map(\.row) == [4, 5])
            #expect(taken.errors.map(\.column) == [nil, "Nom"])
            let found = try await ambassadors(in: directory)
            #expect(found.map(\.name) == ["Été Ada", "Zola Bob"] && found.map(\.organization) == [home.id, home.id])
            #expect(found.map(\.enrolledOn.text) == ["2025-03-14", "2025-03-15"])
            #expect(found.map(\.topics) == [["webSite", "cloud"], ["cloud"]])
            #expect(found.map(\.departements) == [["64", "40"], ["64"]])
            #expect(found[0].person == ada.id)
            // Known people keep their organization; new ones get the one that they advise.
            let people = try await client.send(ListPeople.request(query: .init())).items
            #expect(people.map(\.organization) == [nil, home.id] && people.count == 2)
            #expect(people.map(\.telephone) == ["0559000000", "0559000001"])
            #expect(people[0].consents.flashInfo?.agreed == true)

            let again = try await report(file, "rejects=skipRow", in: directory)
            #expect((again.created, again.updated, again.skipped) == (0, 0, 3))
            let feed = try await directory.changes(8).items
            #expect(Set(feed.map(\.entity)) == [.organization, .person, .ambassador])
            let rows = try await client.send(
                ListImportRows.request(path: taken.import, query: .init(), body: Empty())
            ).items
            #expect(rows.first?.record?.text == found[0].id.text)
            #expect(try await directory.ask("/v1/imports?records=ambassadors").items("id").count == 3)
        }
    }

    @Test("the modes affect existing ambassadors; new ones are always enrolled, and former ones stay away")
    func modes() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            let ada = try await directory.person("Ada", "Été", email: "ada@example.org")
            let bob = try await directory.person("Bob", "Zola", email: "bob@example.org")
            let first = try await client.send(
                CreateAmbassador.request(body: .init(person: ada.id, departements: ["64"])))
            let file =
                Self.header + "Été;Ada;ada@example.org;;;Cloud;40;;\nZola;Bob;bob@example.org;0559000000;;;40;;\n"
            let skipped = try await report(file, "existing=skip", in: directory)
            #expect((skipped.created, skipped.skipped) == (1, 1))
            #expect(try await client.send(GetPerson.request(path: bob.id)).telephone == nil)
            let filled = try await report(file, "existing=fill", in: directory)
            #expect(filled.updated == 2)
            let now = try await client.send(GetAmbassador.request(path: first.id))
            #expect(now.departements == ["64"] && now.topics == ["cloud"] && now.enrolledOn == first.enrolledOn)
            #expect(try await client.send(GetPerson.request(path: bob.id)).telephone == "0559000000")

            _ = try await client.send(
                TransitionAmbassador.request(path: first.id, body: .init(to: .left)))
            #expect(try await report(file, "existing=update", in: directory).updated == 1)
            let left = try await client.send(GetAmbassador.request(path: first.id))
            #expect(left.leftOn != nil && left.departements == ["40"])
        }
    }

    @Test("an export is imported unchanged, and creates the same in an empty directory")
    func roundTrip() async throws {
        try await withDirectory { directory in
            let home = try await self.home(in: directory)
            let client = try directory.client(.operator)
            let people = [
                try await directory.person(
                    "+Ada", "=Été", email: "ada@example.org", organization: home.id, consents: .init(flashInfo: false)),
                // Advises for an organization that he does not work for, and has no address to be recognized by.
                try await directory.person("Bob", "Zola"),
                try await directory.person("Éve", "Yser", organization: home.id),
            ]
            let homes = [home.id, home.id, nil]
            for (person, home) in zip(people, homes) {
                _ = try await client.send(
                    CreateAmbassador.request(
                        body: .init(
                            person: person.id, organization: home, topics: ["cloud", "webSite"],
                            departements: ["64", "2A"])))
            }
            try await directory.backend.database.execute(
                """
                update ambassador set enrolled_on = '2025-01-02',
                    left_on = case when organization is null then '2026-03-04'::date end
                """)
            for query in ["", "?excel=true"] {
                let before = try await (
                    directory.ask("/v1/ambassadors").json(), directory.ask("/v1/people").json()
                )
                let table = try await directory.ask("/v1/ambassadors.csv\(query)").text
                let back = try await report(table, in: directory)
                #expect(back.errors == [] && (back.rows, back.skipped) == (3, 3))
                let after = try await (
                    directory.ask("/v1/ambassadors").json(), directory.ask("/v1/people").json()
                )
                #expect(after == before)

                try await withDirectory { other in
                    _ = try await self.home(in: other)
                    // Identifiers belong to one directory: they are unknown there.
                    #expect(try await report(table, "rejects=skipRow", in: other).rejected == 3)
                    let anonymous = Self.withoutIdentifiers(table).joined(separator: "\r\n") + "\r\n"
                    #expect(try await report(anonymous, in: other).created == 3)
                    let again = try await other.ask("/v1/ambassadors.csv\(query)").text
                    #expect(Self.withoutIdentifiers(again) == Self.withoutIdentifiers(table))
                }
            }
        }
    }

    private static func withoutIdentifiers(_ table: String) -> [String] {
        table.replacing(/[0-9a-f]{8}-[0-9a-f-]{27}/, with: "").split(separator: "\r\n").map(String.init)
    }

    @Test("a day of leaving requires an earlier day of enrolment")
    func days() async throws {
        try await withDirectory { directory in
            let file = "nom,prenom,enrolledOn,leftOn\nA,A,2025-01-02,2025-01-01\nB,B,,2025-01-01\nC,C,hier,\n"
            let refused = try await report(file, in: directory)
            #expect(
                refused.errors.map(\.row) == [1, 2, 3] && refused.errors.map(\.column) == [nil, nil, "enrolledOn"])
        }
    }

    @Test("a representative's table of ambassadors contains only the addresses of their own people")
    func visibility() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            let home = try await self.home(in: directory)
            let own = try await directory.person("Ada", "Notre", email: "ada@example.org", organization: home.id)
            let other = try await directory.person("Bob", "Autre", email: "bob@example.org")
            for person in [own, other] {
                _ = try await client.send(
                    CreateAmbassador.request(body: .init(person: person.id, organization: home.id)))
            }
            let table = try await directory.ask("/v1/ambassadors.csv", as: .representative, organization: home.id).text
            #expect(table.contains("Notre,Ada,ada@example.org") && table.contains("Autre,Bob,,"))
            #expect(try await directory.ask("/v1/ambassadors.csv").text.contains("bob@example.org"))
        }
    }

    @Test("imports of people and of ambassadors run one after the other")
    func lock() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient { client in
                try await client.transaction { transaction in
                    try await transaction.execute(
                        "select pg_advisory_xact_lock(hashtextextended('directory.imports.people', 0))")
                    let answer = try await directory.raw(
                        .post, "/v1/imports/ambassadors?mode=apply", role: .operator,
                        headers: ["Content-Type": "text/csv"], body: Array("nom,prenom\nA,A\n".utf8))
                    #expect(try answer.problem().slug == "import-running")
                }
            }
            #expect(try await report("nom,prenom\nA,A\n", in: directory).created == 1)
        }
    }
}
