import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("importing organizations")
struct ImportOrganizationTests {
    private func report(_ file: [UInt8], _ query: String, in directory: TestService) async throws -> ImportReport {
        try await directory.raw(
            .post, "/v1/imports/organizations\(query)", role: .operator, headers: ["Content-Type": "text/csv"],
            body: file
        ).decode(ImportReport.self)
    }

    @Test("organizations are matched by SIRET, else by e-mail, else by name and postal code, as experts are")
    func matching() async throws {
        try await withDirectory { directory in
            let one = try await directory.client(.operator).send(
                CreateOrganization.request(body: .init(kind: .institution, name: "Un", siret: "73282932000074")))
            let two = try await directory.client(.operator).send(
                CreateOrganization.request(body: .init(kind: .brand, name: "Deux", email: "deux@example.org")))
            let three = try await directory.organization("L'Été à Pau", postalCode: "64000")
            let file = Array(
                ("Dénomination;SIRET;Mél;CP;Ville;Adresse\n"
                    + "Uno;732 829 320 00074;;64000;Pau;1 rue A\n"
                    + ";;DEUX@example.org;;Dax;\n"
                    + "l ete a pau;;;64000;;2 rue B\n"
                    + "Sans lieu;;;;;\n"
                    + "SANS  LIEU;;;;Agen;\n").utf8)
            let missing = try await report(file, "?mode=apply", in: directory)
            #expect(!missing.applied && missing.errors.first?.detail.contains("needs it") == true)
            let taken = try await report(file, "?mode=apply&kind=institution", in: directory)
            #expect(taken.errors == [] && (taken.created, taken.updated) == (1, 4))
            let client = try directory.client(.operator)
            for (id, name, street) in [
                (one.id, "Uno", "1 rue A"), (two.id, "Deux", nil), (three.id, "l ete a pau", "2 rue B"),
            ] {
                let now = try await client.send(GetOrganization.request(path: id))
                #expect(now.name.text == name && now.street?.text == street)
            }
            // The default applies to new ones: a brand remains one.
            #expect(try await client.send(GetOrganization.request(path: two.id)).kind == .brand)
            let again = try await report(file, "?mode=apply&kind=institution", in: directory)
            #expect(again.created == 0)
        }
    }

    @Test("a seat that moves gets its département again, and one that stays keeps the stated one")
    func moving() async throws {
        try await withDirectory { directory in
            let claret = try await directory.client(.operator).send(
                CreateOrganization.request(
                    body: .init(
                        kind: .institution, name: "Mairie", siret: "73282932000074", postalCode: "05110",
                        commune: "Claret", departement: "04")))
            func departement(_ row: String) async throws -> String? {
                let taken = try await report(
                    Array("Nom;SIRET;CP;Ville;Département\nMairie;73282932000074;\(row)\n".utf8), "?mode=apply",
                    in: directory)
                #expect(taken.errors == [])
                return try await directory.client(.operator).send(
                    GetOrganization.request(path: claret.id)
                ).departement?.text
            }
            #expect(try await departement("05110;Claret;") == "04")
            #expect(try await departement("98000;Monaco;") == "980")
            #expect(try await departement("97133;Gustavia;971") == "977")
            #expect(try await departement("05110;Claret;04") == "04")
            #expect(try await departement(";;05") == "05")
            let table = "Société;Type;CP;Ville\nUn;agence;97822;Le Port\nDeux;agence;98800;Nouméa\n"
            #expect(try await directory.report(table).created == 2)
            let experts = try await directory.client(.operator).send(ListExperts.request(query: .init())).items
            #expect(experts.map(\.departement) == ["988", "974"] && experts.map(\.departements) == [["988"], ["974"]])
            #expect(try await directory.ask("/v1/expert-search?near=98800").items("name") == ["Deux", "Un"])
            let facets = try await directory.client(.operator).send(CountExperts.request(query: .init()))
            #expect(facets.regions.map(\.value) == ["04"] && facets.departements.count == 2)
            #expect(
                try await directory.ask("/v1/coverage?departement=988").decode(Coverage.self).departements.count == 1)
            let map = try await directory.ask("/v1/coverage.svg?departement=988").text
            #expect(map.contains("Nouvelle-Calédonie (988)\u{A0}: 1 expert<"))
        }
    }

    @Test("an export is imported unchanged")
    func roundTrip() async throws {
        try await withDirectory { directory in
            _ = try await directory.organization("=1+1", subKind: .chamber, postalCode: "64000", topics: ["cloud"])
            _ = try await directory.organization("\"Deux\"; trois", kind: .brand)
            let before = try await directory.ask("/v1/organizations").json()
            let table = try await directory.ask("/v1/organizations.csv")
            let back = try await report(table.body, "?mode=apply", in: directory)
            #expect(back.errors == [] && back.skipped == 2)
            #expect(try await directory.ask("/v1/organizations").json() == before)
        }
    }

    @Test("kinds of organizations are recognized by their French names")
    func sorts() async throws {
        try await withDirectory { directory in
            let sorts: [(String, Organization.SubKind)] = [
                ("Centre de gestion agréé", .accountingCentre), ("Fédération", .federation),
                ("Profession réglementée", .regulatedProfession), ("Espace public numérique", .digitalSpaceNetwork),
                ("Agence régionale", .regionalAgency), ("CMA", .chamber), ("Administration", .government),
                ("Agence web", .webAgency), ("Revendeur", .reseller), ("chamber", .chamber),
            ]
            var file = "nom;sous-type\n"
            for (place, sort) in sorts.enumerated() { file += "O\(place);\(sort.0)\n" }
            #expect(try await report(Array(file.utf8), "?mode=apply", in: directory).errors == [])
            let found = try await directory.client(.operator).send(ListOrganizations.request(query: .init()))
                .items
            #expect(found.map(\.subKind) == sorts.map(\.1))
        }
    }
}
