import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("rows that contradict existing records")
struct ImportConflictTests {
    private func report(
        _ records: Import.Records = .organizations, _ file: String, _ query: String, in directory: TestService
    ) async throws -> ImportReport {
        try await directory.raw(
            .post, "/v1/imports/\(records.rawValue)?mode=apply&\(query)", role: .operator,
            headers: ["Content-Type": "text/csv"], body: Array(file.utf8)
        ).decode(ImportReport.self)
    }

    @Test(
        "a row that contradicts a record is reported, another SIREN is another firm, and the other rows are imported"
    )
    func organizations() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            for body: CreateOrganization.Body in [
                .init(kind: .institution, name: "Sans SIRET", siren: "552100554"),
                .init(kind: .institution, name: "Avec SIRET", siret: "73282932000074"),
                .init(kind: .institution, subKind: .chamber, name: "Chambre"),
            ] {
                _ = try await client.send(CreateOrganization.request(body: body))
            }
            let file =
                "nom;siren;siret;nature;site web\nSans SIRET;;35600000000048;;un.example\n"
                + "Avec SIRET;552100554;;;deux.example\nChambre;;;marque;trois.example\nNeuve;;;marque;quatre.example\n"
            let refused = try await report(file, "kind=institution&existing=update", in: directory)
            #expect(!refused.applied && refused.errors.map(\.row) == [3] && refused.created == 3)
            let filled = try await report(file, "kind=institution&existing=fill&rejects=skipRow", in: directory)
            #expect((filled.created, filled.updated) == (3, 1) && filled.errors == [])
            let left = try await report(file, "kind=institution&existing=skip", in: directory)
            #expect(left.applied && left.skipped == 4)
            let updated = try await report(file, "kind=institution&existing=update&rejects=skipRow", in: directory)
            #expect((updated.updated, updated.skipped) == (0, 3) && updated.errors.map(\.row) == [3])
            // By its identifier it is that record, which it then contradicts.
            let ids = try await directory.backend.database.query(
                "select id from organization where siren in ('552100554', '732829320') order by name desc, id")
            let named =
                "id;siren\n\(try ids[0]["id", as: Organization.ID.self]);356000000\n"
                + "\(try ids[2]["id", as: Organization.ID.self]);552100554\n"
            let fault = "The existing organization has another SIREN."
            #expect(try await report(named, "existing=fill", in: directory).errors.first?.detail == fault)
        }
    }

    private func report(_ file: String, _ query: String, in directory: TestService) async throws -> ImportReport {
        try await report(.organizations, file, query, in: directory)
    }

    @Test("related fields are filled together, or not at all")
    func groups() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            let one = try await client.send(
                CreateOrganization.request(
                    body: .init(
                        kind: .institution, name: "Une", postalCode: "64000", commune: "Pau", email: "une@example.org"))
            )
            let two = try await client.send(
                CreateOrganization.request(
                    body: .init(kind: .brand, name: "Deux", commune: "Dax", email: "deux@example.org")))
            let file =
                "nom;courriel;cp;ville;adresse;soustype;telephone\n"
                + "Une;une@example.org;64000;PAU;1 rue A;chambre;0559000000\n"
                + "Deux;deux@example.org;64000;Pau;2 rue B;cci;0559000001\n"
            let taken = try await report(file, "existing=fill", in: directory)
            #expect(taken.errors == [] && taken.updated == 2)
            let now = (
                try await client.send(GetOrganization.request(path: one.id)),
                try await client.send(GetOrganization.request(path: two.id))
            )
            #expect(now.0.street == "1 rue A" && now.0.commune == "Pau" && now.0.subKind == .chamber)
            #expect(now.1.street == nil && now.1.postalCode == nil && now.1.commune == "Dax")
            #expect(now.1.kind == .brand && now.1.subKind == nil && now.1.telephone == "0559000001")
        }
    }

    @Test("a row that only the database rejects is reported, and refuses its file or is skipped")
    func rules() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient { client in
                try await client.execute(
                    "alter table directory.expert add constraint expert_test_check check (commune <> 'Nulle part')")
            }
            var file = "name,type,postalCode,commune\n"
            for number in 1...1500 {
                file += "Agence \(number),agence,64000,\(number == 1200 ? "Nulle part" : "Pau")\n"
            }
            let refused = try await report(.experts, file, "", in: directory)
            #expect(!refused.applied && refused.errors.map(\.row) == [1200] && refused.rows == 1500)
            #expect(try await directory.ask("/v1/experts").items("id").isEmpty)
            let taken = try await report(.experts, file, "rejects=skipRow", in: directory)
            #expect(taken.applied && (taken.created, taken.rejected) == (1499, 1))
            #expect(taken.errors.map(\.row) == [1200])
            #expect(taken.errors.first?.detail == "It contradicts the rest of the record.")
            let again = try await report(.experts, file, "rejects=skipRow", in: directory)
            #expect((again.skipped, again.rejected) == (1499, 1))
        }
    }
}
