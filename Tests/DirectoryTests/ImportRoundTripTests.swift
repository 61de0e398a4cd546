import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("importing exports")
struct ImportRoundTripTests {
    /// Everything in the four tables, and the number of changes so far.
    private func everything(_ directory: TestService, counting: Bool = true) async throws -> [String] {
        let tables: [SQL] = ["organization", "person", "ambassador", "expert"]
        var state: [String] = []
        for table in tables {
            state += try await directory.backend.database.query(
                "select (to_jsonb(r) - 'search')::text as row from \(table) r order by id"
            ).map { try $0["row"] }
        }
        let counts: [SQL] = counting ? ["change", "audit", "consent_entry"] : []
        for table in counts {
            let row = try await directory.backend.database.first("select count(*) as count from \(table)")
            state.append("\(try row?["count", as: Int.self] ?? 0)")
        }
        return state
    }

    /// Importing each of the four, plain and for Excel, changes nothing.
    private func comeBack(_ directory: TestService, _ existing: Import.Existing = .update) async throws {
        let before = try await everything(directory)
        for records in Import.Records.allCases {
            for query in ["", "?excel=true"] {
                let table = try await directory.ask("/v1/\(records.rawValue).csv\(query)")
                #expect(table.status == 200)
                let report = try await directory.raw(
                    .post, "/v1/imports/\(records.rawValue)?mode=apply&existing=\(existing.rawValue)", role: .operator,
                    headers: ["Content-Type": "text/csv"], body: table.body
                ).decode(ImportReport.self)
                #expect(report.errors == [] && report.notes == nil, "\(records) \(query)")
                #expect(report.skipped == report.rows && report.rows > 0, "\(records) \(query): \(report)")
            }
        }
        #expect(try await everything(directory) == before)
    }

    @Test(
        "exporting and importing a directory full of odd values changes nothing",
        arguments: Import.Existing.allCases)
    func odd(existing: Import.Existing) async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            func house(_ body: CreateOrganization.Body) async throws -> Organization {
                try await operating.send(CreateOrganization.request(body: body))
            }
            let head = try await house(
                .init(
                    kind: .institution, subKind: .chamber, name: "=1+1", siret: "73282932000074",
                    street: "1, rue \"A\"; B",
                    postalCode: "64000", commune: "Pau", website: "https://a.example/?q=1,2;3",
                    email: "chambre@a.example",
                    mailboxes: [
                        .init(role: .press, email: "presse@a.example"),
                        .init(role: .accounting, email: "compta@a.example"),
                    ], telephone: "+33559000000", topics: ["cloud", "webSite"]))
            _ = try await operating.send(
                CreatePerson.request(
                    body: .init(
                        honorificPrefix: "Me", familyName: "Cher", email: "cher@a.example",
                        otherEmails: ["a/b@a.example", "cher@b.example", "-a|b@a.example", "q'a|b@a.example"],
                        telephone: "0559000002",
                        otherTelephones: ["0692123456", "+1 202 555 0123"], jobTitle: "=Chanteuse; actrice")))
            // Without a SIRET, its head is given by identifier; hidden; with the address of the first.
            let branch = try await house(
                .init(
                    kind: .institution, name: "Antenne, de \"Dax\"", siren: "552100554", parent: head.id,
                    postalCode: "40100",
                    commune: "Dax", email: "chambre@a.example", publicDirectory: false))
            let agency = try await house(.init(kind: .provider, subKind: .webAgency, name: "-"))
            _ = try await house(.init(kind: .brand, name: "@Marque", parent: branch.id, agency: agency.id))
            _ = try await house(.init(kind: .institution, name: "Mairie"))
            _ = try await house(.init(kind: .institution, name: "Mairie"))

            let ada = try await directory.person(
                "+Ada", "=Été", email: "ada@a.example", organization: head.id,
                consents: .init(flashInfo: false, eventInvitations: true))
            _ = try await directory.ask(
                .patch, "/v1/people/\(ada.id)", ifMatch: 1,
                json: #"{"email":"a|d@a.example","otherEmails":["=a|b@a.example"]}"#)
            _ = try await directory.person("R@dio", "Zola@Été")
            let bob = try await directory.person("Bob", "'Zola", organization: branch.id)
            let twins = [try await directory.person("Luc", "Martin"), try await directory.person("Luc", "Martin")]
            _ = try await directory.ask(
                .patch, "/v1/people/\(twins[0].id)", ifMatch: 1, json: #"{"telephone":"06 12 34 56 78"}"#)
            let enrolled: [(Person, Organization.ID?)] = [
                (ada, nil), (bob, head.id), (twins[0], branch.id), (twins[1], nil),
            ]
            for (person, organization) in enrolled {
                _ = try await operating.send(
                    CreateAmbassador.request(
                        body: .init(
                            person: person.id, organization: organization, topics: ["cloud", "webSite"],
                            departements: ["2A", "64"])))
            }
            try await directory.change(
                "update ambassador set enrolled_on = '2025-01-02', left_on = '2025-03-04' where name like 'Martin%'")

            _ = try await directory.expert("L'Atelier; \"Num\"") {
                $0.siret = "35600000000048"
                $0.brands = ["Durand, Fils", "A \"B\"", "=C;D", "-"]
                $0.topics = ["cloud", "webSite"]
                $0.departements = ["64", "40", "2B"]
                $0.contactName = "-"
                $0.consents = .init(flashInfo: true, publicDirectory: false)
            }
            for name: Line in ["Agence Pau", "Agence Dax"] {
                _ = try await directory.expert(name) { $0.email = "reseau@a.example" }
            }
            _ = try await directory.expert("Agence Pau") { $0.brands = ["-"] }
            let left = try await directory.expert("Parti") { $0.departements = [] }
            try await directory.change(
                "update expert set left_on = '2026-03-04', enrolled_on = '2025-01-01' where id = \(left.id)")
            try await comeBack(directory, existing)
        }
    }

    @Test("an address with any characters is one element of its list, in both tables and both dialects")
    func addresses() async throws {
        try await withDirectory { directory in
            var generator = SeededGenerator(seed: 16)
            let signs = Array("abc0!#$%&'*+-/=?^_`{|}~")
            for number in 0..<40 {
                let emails = (0...3).map { place in
                    let part = String((0..<4).map { _ in signs.randomElement(using: &generator) ?? "a" })
                    return EmailAddress(stringLiteral: "\(part)\(number)\(place)@a.example")
                }
                let person = try await directory.client(.operator).send(
                    CreatePerson.request(
                        body: .init(
                            familyName: "Nom", email: emails[0], otherEmails: Array(emails[1...(1 + number % 3)]))))
                _ = try await directory.client(.operator).send(
                    CreateAmbassador.request(body: .init(person: person.id)))
            }
            _ = try await directory.expert("Atelier")
            _ = try await directory.organization("Maison")
            for existing in Import.Existing.allCases { try await comeBack(directory, existing) }
        }
    }

    @Test("an identifier takes precedence: a corrected address, name and SIRET belong to the same record")
    func corrected() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let ada = try await directory.person("Ada", "Été", email: "ada@a.example")
            let bob = try await directory.person("Bob", "Zola", email: "bob@a.example")
            let file =
                "identifiant;nom;prenom;email\n\(ada.id);Automne;Adèle;adele@a.example\n\(bob.id);Zola;Bob;ada@a.example\n"
            let report = try await directory.takes(.people, file)
            #expect(report.updated == 2 && report.errors == [])
            let now = try await operating.send(GetPerson.request(path: ada.id))
            #expect(now.email == "adele@a.example" && now.givenName == "Adèle")
            #expect(try await directory.ask("/v1/people").items("id").count == 2)
            // Only the columns to change.
            let short = try await directory.takes(.people, "id;telephone\n\(ada.id);0559000000\n")
            #expect(short.updated == 1 && short.errors == [])

            let expert = try await directory.expert("Un") { $0.siret = "73282932000074" }
            let mended = try await directory.takes(
                .experts, "id,name,siret,email\n\(expert.id),Deux,35600000000048,deux@a.example\n")
            #expect(mended.updated == 1)
            let house = try await directory.organization("Un", postalCode: "64000")
            #expect(
                try await directory.takes(.organizations, "id,name,postalCode\n\(house.id),Deux,40100\n").updated == 1)

            let ambassador = try await operating.send(CreateAmbassador.request(body: .init(person: bob.id)))
            for file in [
                "id,nom,prenom,themes\n\(ambassador.id),Zola,Robert,Cloud\n",
                "person,nom,prenom,themes\n\(bob.id),Zola,Roberto,Sites web\n",
                "id,person,themes\n\(ambassador.id),\(bob.id),Caisse\n",
            ] {
                #expect(try await directory.takes(.ambassadors, file).updated == 1)
            }
            let two = try await directory.takes(.ambassadors, "id,person,themes\n\(ambassador.id),\(ada.id),Cloud\n")
            #expect(two.errors.map(\.detail) == ["The two identifiers are not of one ambassador."])
        }
    }

    @Test("an identifier that no longer exists rejects its row, and a merged one names its survivor")
    func absent() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let people = [
                try await directory.person("Ada", "Été", email: "ada@a.example"),
                try await directory.person("Ada", "Été", email: "ada2@a.example"),
                try await directory.person("Ada", "Été", email: "ada3@a.example"),
                try await directory.person("Bob", "Zola", email: "bob@a.example"),
            ]
            var ambassadors: [Ambassador] = []
            for person in people {
                ambassadors.append(try await operating.send(CreateAmbassador.request(body: .init(person: person.id))))
            }
            let table = try await directory.ask("/v1/people.csv").text
            let field = try await directory.ask("/v1/ambassadors.csv").text
            for (merged, survivor) in [(people[0], people[1]), (people[1], people[2])] {
                _ = try await operating.send(
                    MergeRecords.request(
                        body: .init(kind: .person, survivor: survivor.id.record, merged: merged.id.record)))
            }
            _ = try await operating.send(CreateErasure.request(body: .init(person: people[3].id)))
            let before = try await everything(directory, counting: false)
            for mode in ["", "existing=fill&", "existing=skip&"] {
                let report = try await directory.takes(.people, table, "\(mode)rejects=skipRow")
                #expect((report.skipped, report.rejected, report.created) == (1, 3, 0))
                #expect(
                    Set(report.errors.map(\.detail)) == [
                        "The person with this identifier was merged into \(people[2].id).",
                        "The person with this identifier was erased.",
                    ])
                let second = try await directory.takes(.ambassadors, field, "\(mode)rejects=skipRow")
                #expect((second.skipped, second.rejected, second.created) == (1, 3, 0))
                #expect(
                    Set(second.errors.map(\.detail)) == [
                        "The ambassador with this identifier was merged into \(ambassadors[2].id).",
                        "There is no ambassador with this identifier.",
                    ])
            }
            #expect(try await everything(directory, counting: false) == before)
            // Of another kind, unknown, and none at all; the rest of the row is not looked at.
            let expert = try await directory.expert("Atelier")
            for id in [expert.id.text, UUID().uuidString, Person.ID().text, "\(Person.ID())0"] {
                let report = try await directory.takes(
                    .people, "id,nom,prenom,email\n\(id),Neuf,Éve,eve@a.example\n", "rejects=skipRow")
                #expect(report.rejected == 1 && report.created == 0)
            }
            for records in [Import.Records.experts, .organizations] {
                let report = try await directory.takes(
                    records, "id,name,type,postalCode,commune\n\(people[2].id),Neuf,agence,64000,Pau\n",
                    "rejects=skipRow")
                #expect(report.rejected == 1 && report.created == 0)
            }
        }
    }

    @Test("identifiers in another system's table are ignored, but the directory's own are not")
    func foreign() async throws {
        try await withDirectory { directory in
            let ada = try await directory.person("Ada", "Été", email: "ada@a.example")
            let file =
                "id;nom;prenom;email;couleur\n17;Un;Ana;;\n\(UUID().uuidString);Deux;Ana;;\n"
                + "\(ada.id);Automne;Ada;automne@a.example;\n\(Person.ID());Trois;Ana;;\n"
            let report = try await directory.takes(.people, file, "rejects=skipRow")
            #expect((report.created, report.updated, report.rejected) == (2, 1, 1))
            #expect(report.errors.map(\.row) == [4] && report.unknownColumns == ["couleur"])
            // A number is not an identifier here, whatever the other columns are.
            #expect(try await directory.takes(.people, "id;nom;prenom\n42;Quatre;Ana\n").created == 1)
        }
    }

    @Test("a cell with - empties an optional field, and only if rows update")
    func emptying() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let house = try await operating.send(
                CreateOrganization.request(
                    body: .init(
                        kind: .institution, subKind: .chamber, name: "Maison", siret: "73282932000074",
                        street: "1 rue A",
                        postalCode: "64000", commune: "Pau", website: "https://a.example", email: "m@a.example",
                        telephone: "0559000000", topics: ["cloud"])))
            let ada = try await directory.person("Ada", "Été", email: "ada@a.example", organization: house.id)
            let expert = try await directory.expert("Atelier") {
                $0.siret = "35600000000048"
                $0.contactName = "Ada"
                $0.email = "x@a.example"
                $0.topics = ["cloud"]
                $0.brands = ["HP"]
                $0.website = "https://a.example"
            }
            let ambassador = try await operating.send(
                CreateAmbassador.request(
                    body: .init(person: ada.id, organization: house.id, topics: ["cloud"], departements: ["64"])))
            let files: [(Import.Records, String)] = [
                (.experts, "id,siret,contactName,email,topics,brands,website\n\(expert.id),-,-, - ,-,-,-\n"),
                (.ambassadors, "id,organization,email,topics,departements\n\(ambassador.id),-,-,-,-\n"),
                (.people, "id,organization,telephone\n\(ada.id),-,-\n"),
                (
                    .organizations,
                    "id,subKind,siret,siren,street,postalCode,commune,departement,email,telephone,website,topics\n"
                        + "\(house.id),-,-,-,-,-,-,-,-,-,-,-\n"
                ),
            ]
            for (records, file) in files {
                #expect(try await directory.takes(records, file, "existing=fill").skipped == 1)
                #expect(try await directory.takes(records, file, "existing=skip").skipped == 1)
            }
            for (records, file) in files {
                let report = try await directory.takes(records, file)
                #expect(report.updated == 1 && report.errors == [], "\(records)")
                #expect(try await directory.takes(records, file).skipped == 1)
            }
            let emptied = try await operating.send(GetExpert.request(path: expert.id))
            #expect(emptied.siret == nil && emptied.contactName == nil && emptied.email == nil)
            #expect(emptied.topics == [] && emptied.brands == [] && emptied.website == nil && emptied.version == 2)
            let person = try await operating.send(GetPerson.request(path: ada.id))
            #expect(person.email == nil && person.organization == nil)
            let field = try await operating.send(GetAmbassador.request(path: ambassador.id))
            #expect(field.organization == nil && field.topics == [] && field.departements == [])
            let left = try await operating.send(GetOrganization.request(path: house.id))
            #expect(left.subKind == nil && left.siret == nil && left.siren == nil && left.street == nil)
            #expect(left.postalCode == nil && left.commune == nil && left.departement == nil && left.email == nil)
            #expect(left.telephone == nil && left.website == nil && left.topics == [] && left.kind == .institution)
            // Required fields and answers are not emptied this way; a literal - has the mark of an export.
            for file in ["id,nom\n\(ada.id),-\n", "id,flashInfo\n\(ada.id),-\n", "id,nom\n-,Été\n"] {
                let report = try await directory.takes(.people, file)
                #expect(report.errors.map(\.detail) == ["cannot be emptied"])
            }
            #expect(try await directory.takes(.experts, "id,contactName\n\(expert.id),'-\n").updated == 1)
            let meant = try await operating.send(GetExpert.request(path: expert.id))
            #expect(meant.contactName == "-")
        }
    }
}
