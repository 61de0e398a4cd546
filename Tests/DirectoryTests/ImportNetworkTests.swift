import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("importing the heads of networks, and employers")
struct ImportNetworkTests {
    private func report(
        _ records: Import.Records = .organizations, _ file: String,
        _ query: String = "?mode=apply&rejects=skipRow&kind=institution", in directory: TestService
    ) async throws -> ImportReport {
        try await directory.raw(
            .post, "/v1/imports/\(records.rawValue)\(query)", role: .operator, headers: ["Content-Type": "text/csv"],
            body: Array(file.utf8)
        ).decode(ImportReport.self)
    }

    /// The name of each organization's head, "" for none.
    private func heads(in directory: TestService) async throws -> [String: String] {
        let rows = try await directory.backend.database.query(
            """
            select o.name, coalesce(head.name, '') as head
            from organization o left join organization head on head.id = o.parent
            """)
        return try Dictionary(uniqueKeysWithValues: rows.map { row in (try row["name"], try row["head"]) })
    }

    @Test("a branch names its head by SIRET or SIREN, in French or English, before or after it in the file")
    func heads() async throws {
        for header in ["Nom;SIRET;Tête de réseau", "name;siret;head of network", "name;siret;parentSiret"] {
            try await withDirectory { directory in
                let file =
                    "\(header)\nUn;;732 829 320 00074\nDeux;;552100554\nTête;73282932000074;\n"
                    + "Autre;55210055400013;73282932000074\nTrois;;73282932000074\n"
                let dry = try await report(.organizations, file, "?kind=institution", in: directory)
                #expect((dry.rows, dry.created, dry.rejected) == (5, 5, 0) && !dry.applied)
                let taken = try await report(file: file, in: directory)
                #expect(taken.errors == [] && taken.created == 5)
                let found = try await heads(in: directory)
                #expect(found == ["Un": "Tête", "Deux": "Autre", "Tête": "", "Autre": "Tête", "Trois": "Tête"])
                let again = try await report(file: file, in: directory)
                #expect((again.skipped, again.rejected) == (5, 0))
                let row = try await directory.backend.database.first(
                    "select (select count(*) from import_held) as held, (select sum(held) from import) as said")
                #expect(try row?["held", as: Int.self] == 0 && row?["said", as: Int.self] == 0)
            }
        }
    }

    private func report(file: String, in directory: TestService) async throws -> ImportReport {
        try await report(.organizations, file, in: directory)
    }

    @Test("invalid heads are reported row by row, and the rest of the file is unaffected")
    func faults() async throws {
        try await withDirectory { directory in
            let file =
                "name;siren;siret;parent\n"
                + "Tête;;73282932000074;\n"
                + "Bon;;;732829320\n"
                + "Nulle part;;;55210055400013\n"
                + "Illisible;;;la tête\n"
                + "Soi;;73282932000074;73282932000074\n"
                + "Double A;552100554;;\nDouble B;552100554;;\n"
                + "Lequel;;;552100554\n"
            let taken = try await report(file: file, in: directory)
            #expect((taken.rows, taken.created, taken.rejected) == (8, 4, 4))
            #expect(taken.errors.map(\.row) == [3, 4, 5, 8])
            #expect(taken.errors.map(\.column) == [nil, "parent", nil, nil])
            #expect(
                taken.errors.map(\.detail).first == "Its head of network is neither in the directory nor in the file.")
            // All or nothing: the row whose head is missing keeps the rest out.
            let refused = try await report(
                .organizations, "name;parent\nSeul;55210055400013\nAutre;\n", "?mode=apply&kind=institution",
                in: directory)
            #expect(!refused.applied && (refused.created, refused.rejected) == (1, 1))
            let found = try await heads(in: directory)
            #expect(found["Bon"] == "Tête" && found["Autre"] == nil && found["Nulle part"] == nil)
        }
    }

    @Test("no file closes a cycle, whatever the order of its rows")
    func circles() async throws {
        try await withDirectory { directory in
            // Three known ones, each to become the head of the next.
            let sirets = ["73282932000074", "55210055400013", "35600000000048"]
            var file = "name;siret\n"
            for siret in sirets { file += "O\(siret);\(siret)\n" }
            #expect(try await report(file: file, in: directory).created == 3)
            var circle = "siret;parent\n"
            for (place, siret) in sirets.enumerated() { circle += "\(siret);\(sirets[(place + 1) % 3])\n" }
            let taken = try await report(file: circle, in: directory)
            #expect((taken.updated, taken.rejected) == (2, 1))
            #expect(taken.errors.map(\.detail) == ["Its head of network is one of its own branches."])
        }
    }

    @Test("a network in reverse order in a long file is imported, and resumed where it broke off")
    func deep() async throws {
        try await withDirectory { directory in
            func siret(_ number: Int) throws -> String {
                let siren = "\(10_000_000 + number)"
                let whole = siren + Luhn.checkDigit(for: siren).description + "0000"
                return whole + Luhn.checkDigit(for: whole).description
            }
            // Five levels; the topmost head comes last, a few chunks after its branches.
            var file = "name;siret;parent\n"
            for branch in 1...2400 { file += "Agence \(branch);;\(try siret(4))\n" }
            for level in (0...4).reversed() {
                file += "Niveau \(level);\(try siret(level));\(level == 0 ? "" : try siret(level - 1))\n"
            }
            let id = Import.ID()
            let torn = TornFile(text: String(file.prefix(file.count * 9 / 10)), rest: nil) {
                for _ in 0..<1000 {
                    let row = try await directory.backend.database.first("select held from import where id = \(id)")
                    if try row?["held", as: Int.self] == 2000 { return }
                    try await Task.sleep(for: .milliseconds(10))
                }
            }
            let client = try directory.client(.operator)
            let request = ImportOrganizations.request(
                query: .init(.init(import: id, mode: .apply, rejects: .skipRow), .init(kind: .institution)))
            await #expect(throws: (any Error).self) { try await client.upload(request, body: torn) }
            let now = try await client.send(GetImport.request(path: id))
            #expect((now.rows, now.held, now.created) == (2000, 2000, 0))

            let query = "?mode=apply&rejects=skipRow&kind=institution&import=\(id)"
            let taken = try await report(.organizations, file, query, in: directory)
            #expect(taken.errors == [] && (taken.rows, taken.created) == (2405, 2405))
            let found = try await heads(in: directory)
            #expect(found.values.count { $0 == "Niveau 4" } == 2400)
            #expect(found["Niveau 4"] == "Niveau 3" && found["Niveau 1"] == "Niveau 0")
        }
    }

    @Test("people work at the organization with the SIRET, or the name if only one organization has it")
    func people() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            let firm = try await client.send(
                CreateOrganization.request(
                    body: .init(kind: .institution, name: "L'Été à Pau", siret: "73282932000074")))
            let other = try await directory.organization("Autre")
            for _ in 1...2 { _ = try await directory.organization("Jumelle") }
            let file =
                "Nom;Prénom;Organisation;SIRET\n"
                + "A;A;l ete a pau;\nB;B;732 829 320 00074;\nC;C;Autre;73282932000074\nD;D;\(other.id);\n"
                + "E;E;Jumelle;\nF;F;Inconnue;\nG;G;Autre;55210055400013\n"
            let taken = try await report(.people, file, "?mode=apply&rejects=skipRow", in: directory)
            #expect((taken.created, taken.rejected) == (4, 3))
            #expect(taken.errors.map(\.row) == [5, 6, 7])
            #expect(taken.errors.first?.detail == "Several organizations have this name: add the SIRET.")
            let people = try await client.send(ListPeople.request(query: .init())).items
            #expect(people.map(\.organization) == [firm.id, firm.id, firm.id, other.id])
            let again = try await report(.people, file, "?mode=apply&rejects=skipRow", in: directory)
            #expect((again.created, again.skipped) == (0, 4))
        }
    }

    @Test("networks and employers are exported and imported unchanged, into another directory too")
    func roundTrip() async throws {
        try await withDirectory { directory in
            let client = try directory.client(.operator)
            let head = try await client.send(
                CreateOrganization.request(body: .init(kind: .institution, name: "Tête", siret: "73282932000074")))
            let nameless = try await directory.organization("Sans numéro")
            for (name, parent) in [("A", head.id), ("B", nameless.id)] {
                _ = try await client.send(
                    CreateOrganization.request(
                        body: .init(kind: .institution, name: try Line(validating: name), parent: parent)))
            }
            _ = try await directory.person("Ada", "Une", organization: head.id)
            _ = try await directory.person("Bob", "Deux", organization: nameless.id)
            for (records, path) in [(Import.Records.organizations, "organizations"), (.people, "people")] {
                let before = try await directory.ask("/v1/\(path)").json()
                let table = try await directory.ask("/v1/\(path).csv").text
                let back = try await report(records, table, "?mode=apply", in: directory)
                #expect(back.errors == [] && back.skipped == back.rows && back.rows > 1)
                #expect(try await directory.ask("/v1/\(path)").json() == before)
            }
            let tables = (
                try await directory.ask("/v1/organizations.csv").text, try await directory.ask("/v1/people.csv").text
            )
            try await withDirectory { other in
                // The first directory's identifiers are unknown there.
                let foreign = try await report(.organizations, tables.0, "?mode=apply&rejects=skipRow", in: other)
                #expect((foreign.created, foreign.rejected) == (0, 4))
                func anonymous(_ table: String) -> String { "autre\(table.dropFirst(2))" }
                let moved = try await report(
                    .organizations, anonymous(tables.0), "?mode=apply&rejects=skipRow", in: other)
                // A head without a number is referred to by its identifier, which differs elsewhere.
                #expect((moved.created, moved.rejected) == (3, 1))
                #expect(try await heads(in: other)["A"] == "Tête")
                let people = try await report(
                    .people, anonymous(tables.1), "?mode=apply&rejects=skipRow", in: other)
                #expect((people.created, people.rejected) == (1, 1))
            }
        }
    }

    @Test("tables of ambassadors and experts contain the days of enrolment, leaving and confirmation")
    func days() async throws {
        try await withDirectory { directory in
            _ = try await directory.expert("Un")
            try await directory.backend.database.execute(
                """
                update expert set enrolled_on = '2025-01-02', left_on = '2026-03-04',
                    confirmed_at = '2026-02-03 23:30:00+00'
                """)
            let lines = try await directory.ask("/v1/experts.csv?enrolled=false").text.split(separator: "\r\n")
            #expect(lines.first?.hasSuffix(",enrolledOn,leftOn,confirmedOn") == true)
            #expect(lines.last?.hasSuffix(",2025-01-02,2026-03-04,2026-02-04") == true)
            let header = try await directory.ask("/v1/ambassadors.csv").text
            #expect(header.hasSuffix(",enrolledOn,leftOn,confirmedOn\r\n"))
        }
    }
}
