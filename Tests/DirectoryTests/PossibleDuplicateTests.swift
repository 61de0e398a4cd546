import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("possible duplicates")
struct PossibleDuplicateTests {
    private func ask(
        _ body: FindPossibleDuplicates.Body, in directory: TestService
    ) async throws -> [PossibleDuplicate] {
        try await directory.client(.operator).send(FindPossibleDuplicates.request(body: body)).items
    }

    /// What the scan finds for a record, from its side.
    private func scanned(_ id: DirectoryRecord.ID, in directory: TestService) async throws -> [PossibleDuplicate] {
        try await directory.scan(whole: true)
        return try await directory.duplicates().filter { [$0.first.id, $0.second.id].contains(id) }.map { pair in
            let other = pair.first.id == id ? pair.second : pair.first
            return PossibleDuplicate(id: other.id, name: other.name ?? "", score: pair.score, reasons: pair.reasons)
        }
    }

    private func sorted(_ found: [PossibleDuplicate]?) -> [PossibleDuplicate] {
        (found ?? []).sorted { ($0.score, $0.id) > ($1.score, $1.id) }
    }

    @Test("creating a record returns similar ones, as does a query before it, in agreement with the scan")
    func agree() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let house = try await directory.organization("Maison")
            _ = try await directory.person("Camille", "Etcheverry", organization: house.id)
            _ = try await directory.person("Etcheverry", "Camille", email: "camille+club@a.example")
            _ = try await directory.person("Camille", "Etcheverri", organization: house.id)
            _ = try await directory.person("Luc", "Autre", organization: house.id)
            let person = CreatePerson.Body(
                givenName: "Camille", familyName: "Etcheverry", email: "camille@a.example", organization: house.id)
            let before = try await ask(
                .init(
                    kind: .person, givenName: person.givenName ?? nil, familyName: person.familyName,
                    email: person.email,
                    organization: person.organization), in: directory)
            #expect(before.map(\.name).contains("Camille Etcheverry") && before.count >= 2)
            let made = try await operating.send(CreatePerson.request(body: person))
            #expect(sorted(made.possibleDuplicates) == sorted(before))
            #expect(try await sorted(scanned(made.id.record, in: directory)) == sorted(before))
            // It is part of the response, not of the record.
            #expect(try await operating.send(GetPerson.request(path: made.id)).possibleDuplicates == nil)
            #expect(made.version == 1)
        }
    }

    @Test(
        "firms match by number, name, place, address, telephone and site; another SIRET or one network counts against"
    )
    func firms() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            for siret: Siret in ["73282932000074", "73282932000025"] {
                _ = try await operating.send(
                    CreateExpert.request(
                        body: try .init(
                            subKind: .webAgency, name: .init(validating: "Atelier \(siret)"), siret: siret,
                            email: "x@a.example",
                            telephone: "0559000000", postalCode: "64000", commune: "Pau")))
            }
            _ = try await directory.expert("L'Agence Pau") { $0.website = "https://www.agence.example/pau" }
            let expert = CreateExpert.Body(
                subKind: .reseller, name: "l agence pau", siret: "35600000000048", email: "X@A.example",
                telephone: "+33559000000", postalCode: "64000", commune: "Pau", website: "http://agence.example")
            let before = try await ask(
                .init(
                    kind: .expert, name: expert.name, siret: expert.siret, email: expert.email,
                    telephone: expert.telephone, website: expert.website, postalCode: expert.postalCode),
                in: directory)
            #expect(before.count == 3)
            #expect(before.contains { $0.reasons.contains { $0.rule == .differentSiret && $0.weight == -30 } })
            let made = try await operating.send(CreateExpert.request(body: expert))
            #expect(sorted(made.possibleDuplicates) == sorted(before))
            #expect(try await sorted(scanned(made.id.record, in: directory)) == sorted(before))

            let head = try await directory.organization("Chambre", postalCode: "64000")
            let branch = CreateOrganization.Body(
                kind: .institution, name: "CHAMBRE", parent: head.id, postalCode: "64000", email: "c@a.example")
            let twin = try await directory.organization("Chambre", postalCode: "64000")
            #expect(twin.possibleDuplicates?.map(\.id) == [head.id.record])
            let found = try await ask(
                .init(
                    kind: .organization, name: branch.name, email: branch.email, postalCode: branch.postalCode,
                    parent: branch.parent), in: directory)
            // Its own head is not a duplicate.
            #expect(found.map(\.id) == [twin.id.record])
            #expect(
                try await operating.send(CreateOrganization.request(body: branch)).possibleDuplicates?.map(\.id)
                    == [twin.id.record])
            #expect(try await directory.organization("Tout autre").possibleDuplicates == nil)
            #expect(try await ask(.init(kind: .organization), in: directory).isEmpty)
        }
    }

    @Test(
        "a firm matches by its name without the legal form unless its place contradicts, and by any mailbox"
    )
    func names() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            func make(_ name: Line, _ departement: Departement? = nil, _ postalCode: PostalCode? = nil) async throws
                -> Organization
            {
                try await operating.send(
                    CreateOrganization.request(
                        body: .init(kind: .institution, name: name, postalCode: postalCode, departement: departement)))
            }
            let first = try await make("SARL Épsilon", "64")
            #expect(try await make("SARL Épsilon", "64").possibleDuplicates?.map(\.id) == [first.id.record])
            let bare = try await make("Omega Sans Lieu")
            #expect(try await make("Omega sans lieu").possibleDuplicates?.map(\.id) == [bare.id.record])
            let kappa = try await make("Kappa Réseau", nil, "64000")
            let mailbox = #"{"mailboxes":[{"role":"accounting","email":"compta@kappa.fr"}]}"#
            #expect(
                try await directory.ask(.patch, "/v1/organizations/\(kappa.id)", ifMatch: 1, json: mailbox).status
                    == 200)
            for body in [
                .init(kind: .organization, name: "Kappa Réseau", departement: "64"),
                .init(kind: .organization, name: "kappa reseau", postalCode: "64100"),
                .init(kind: .organization, name: "Kappa Réseau"),
                .init(kind: .organization, name: "SARL Kappa Réseau", postalCode: "64000"),
                .init(kind: .organization, name: "Tout autre", email: "compta@kappa.fr"),
            ] as [FindPossibleDuplicates.Body] {
                #expect(try await ask(body, in: directory).map(\.id) == [kappa.id.record], "\(body)")
            }
            // In another place it is another firm.
            #expect(
                try await ask(.init(kind: .organization, name: "Kappa Réseau", postalCode: "75001"), in: directory)
                    .isEmpty)
        }
    }

    @Test("no caller is told of records that they may not see, and a field that a kind does not have is 422")
    func visibility() async throws {
        try await withDirectory { directory in
            let (own, other) = (try await directory.organization("Une"), try await directory.organization("Autre"))
            let seen = try await directory.person("Ada", "Été", email: "a@a.example", organization: own.id)
            let hidden = try await directory.person("Ada", "Été", email: "b@a.example", organization: other.id)
            let body = #"{"kind":"person","givenName":"Ada","familyName":"Été","email":"a+x@a.example"}"#
            let told = try await directory.ask(
                .post, "/v1/possible-duplicates", as: .representative, organization: own.id, json: body)
            #expect(try told.items("id") == [seen.id.text])
            #expect(
                Set(try await directory.ask(.post, "/v1/possible-duplicates", json: body).items("id"))
                    == [seen.id.text, hidden.id.text])
            let made = try await directory.ask(
                .post, "/v1/people", as: .representative, organization: own.id,
                json: #"{"givenName":"Ada","familyName":"Été"}"#)
            #expect(made.status == 201)
            #expect(try made.json()["possibleDuplicates"]?.array?.compactMap { $0["id"]?.string } == [seen.id.text])
            for role in [Role.editor, .expert, .ambassador, .auditor] {
                #expect(try await directory.ask(.post, "/v1/possible-duplicates", as: role, json: body).status == 403)
            }
            let experts = try await directory.ask(
                .post, "/v1/possible-duplicates", as: .representative, organization: own.id,
                json: #"{"kind":"expert","name":"Atelier","postalCode":"64000"}"#)
            #expect(try experts.items("id") == [])
            for (json, pointer) in [
                (#"{"kind":"person","siret":"73282932000074"}"#, "/siret"),
                (#"{"kind":"expert","givenName":"Ada"}"#, "/givenName"),
                (#"{"kind":"expert","siren":"732829320"}"#, "/siren"), (#"{"kind":"club"}"#, "/kind"),
            ] {
                let answer = try await directory.ask(.post, "/v1/possible-duplicates", json: json)
                #expect(try answer.status == 422 && answer.pointer() == pointer)
            }
        }
    }

    @Test("further addresses and telephones of a person are compared, at most ten of each")
    func further() async throws {
        try await withDirectory { directory in
            let known = try await directory.person("Ada", "Été", email: "ada@a.example")
            _ = try await directory.person("Luc", "Autre", email: "luc@b.example")
            let body = FindPossibleDuplicates.Body(
                kind: .person, givenName: "Ada", familyName: "Été", email: "x@c.example",
                otherEmails: ["ADA+club@a.example"])
            #expect(try await ask(body, in: directory).map(\.id) == [known.id.record])
            for name in ["otherEmails", "otherTelephones"] {
                let values = (10..<21).map { name == "otherEmails" ? #""a\#($0)@a.example""# : #""05590000\#($0)""# }
                let answer = try await directory.ask(
                    .post, "/v1/possible-duplicates",
                    json: #"{"kind":"person","\#(name)":[\#(values.joined(separator: ","))]}"#)
                #expect(try answer.status == 422 && answer.pointer() == "/\(name)")
                let ofExpert = try await directory.ask(
                    .post, "/v1/possible-duplicates", json: #"{"kind":"expert","\#(name)":[]}"#)
                #expect(try ofExpert.status == 422 && ofExpert.pointer() == "/\(name)")
            }
        }
    }

    @Test("a name that many have does not count, in a query as in the scan")
    func crowd() async throws {
        try await withDirectory { directory in
            for number in 0...DuplicateScanner.crowd {
                _ = try await directory.person("Luc", "Martin", email: .init(validating: "luc\(number)@a.example"))
            }
            #expect(try await ask(.init(kind: .person, givenName: "Luc", familyName: "Martin"), in: directory).isEmpty)
        }
    }
}
