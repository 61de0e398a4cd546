import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// A table of firms, most of which share one address.
private struct FirmTable: CustomTestStringConvertible, Sendable {
    let records: Import.Records
    /// The kind in every row.
    let kind: String
    /// The town that a new firm may omit: an expert requires one.
    let noTown: String?

    var testDescription: String { records.rawValue }

    func file(_ rows: [String]) -> String {
        "name,\(records == .experts ? "type" : "kind"),siret,email,postalCode,commune\n"
            + rows.map { "\($0)\n" }.joined()
    }

    func row(_ name: String, siret: String = "", town: String? = "Pau", email: String = "net@a.example") -> String {
        let code = ["Pau": "64000", "Dax": "40100"][town ?? ""] ?? ""
        return "\(name),\(kind),\(siret),\(email),\(code),\(town ?? "")"
    }

    static let all = [
        FirmTable(records: .experts, kind: "agence", noTown: "Pau"),
        FirmTable(records: .organizations, kind: "institution", noTown: nil),
    ]
}

@Suite("firms in one file")
struct ImportFirmTests {
    private func names(_ table: FirmTable, in directory: TestService) async throws -> [String] {
        try await directory.ask("/v1/\(table.records.rawValue)?limit=200&q=agence").items("name").sorted()
    }

    /// Imports a file after a dry run, which must report the same.
    private func take(
        _ file: String, _ table: FirmTable, _ query: String, in directory: TestService
    ) async throws -> [Int] {
        func numbers(_ mode: String) async throws -> [Int] {
            let report = try await directory.raw(
                .post, "/v1/imports/\(table.records.rawValue)?mode=\(mode)&\(query)", role: .operator,
                headers: ["Content-Type": "text/csv"], body: Array(file.utf8)
            ).decode(ImportReport.self)
            #expect(report.errors == [] && report.notes == nil && report.rows == file.split(separator: "\n").count - 1)
            return [report.created, report.updated, report.skipped]
        }
        let dry = try await numbers("dryRun")
        let applied = try await numbers("apply")
        #expect(dry == applied, "\(query)")
        let row = try await directory.backend.database.first(
            "select (select count(*) from import_held) as held, (select sum(held) from import) as said")
        #expect(try row?["held", as: Int.self] == 0 && row?["said", as: Int.self] == 0)
        return applied
    }

    /// As a whole, and chunk by chunk.
    private static let queries = ["rejects=refuseFile", "rejects=skipRow"]

    @Test(
        "no file renames a firm between its own rows, adjacent or chunks apart",
        arguments: FirmTable.all, Import.Existing.allCases)
    fileprivate func one(_ table: FirmTable, _ existing: Import.Existing) async throws {
        for (query, distance) in [(Self.queries[0], 0), (Self.queries[1], 1100)] {
            try await withDirectory { directory in
                let rows = [
                    table.row("Agence Un", town: table.noTown), table.row("Agence Deux", town: table.noTown),
                    table.row("Agence Trois"), table.row("Agence Quatre", town: table.noTown),
                ]
                let between = (0..<distance).map { table.row("Autre \($0)", email: "") }
                let file = table.file([rows[0]] + between + Array(rows[1...]))
                let all = "\(query)&existing=\(existing.rawValue)"
                let taken = try await take(file, table, all, in: directory)
                #expect(taken == [4 + distance, 0, 0], "\(all)")
                let there = ["Agence Deux", "Agence Quatre", "Agence Trois", "Agence Un"]
                #expect(try await names(table, in: directory) == there)
                #expect(try await take(file, table, all, in: directory) == [0, 0, 4 + distance], "\(all)")
                #expect(try await names(table, in: directory) == there)
            }
        }
    }

    @Test(
        "an existing firm that the file names is not matched by another row, before or after it",
        arguments: FirmTable.all, Import.Existing.allCases)
    fileprivate func known(_ table: FirmTable, _ existing: Import.Existing) async throws {
        for query in Self.queries {
            for isFirst in [true, false] {
                try await withDirectory { directory in
                    _ = try await take(table.file([table.row("Agence Un")]), table, query, in: directory)
                    let id = try await directory.ask("/v1/\(table.records.rawValue)").items("id")
                    let others = ["Agence Deux", "Agence Trois"].map { table.row($0) }
                    let distance = query == Self.queries[0] ? 0 : 1100
                    let between = (0..<distance).map { table.row("Autre \($0)", email: "") }
                    let own = [table.row("Agence Un")]
                    let rows = isFirst ? own + between + others : others + between + own
                    let taken = try await take(
                        table.file(rows), table, "\(query)&existing=\(existing.rawValue)", in: directory)
                    #expect(taken == [2 + distance, 0, 1])
                    let found = try await directory.ask("/v1/\(table.records.rawValue)?q=agence%20un")
                    #expect(try found.items("id").contains(id[0]) && found.items("name").contains("Agence Un"))
                    #expect(try await names(table, in: directory) == ["Agence Deux", "Agence Trois", "Agence Un"])
                }
            }
        }
    }

    @Test(
        "a firm with a number under another name is renamed if rows update, otherwise created: none is lost",
        arguments: FirmTable.all, Import.Existing.allCases)
    fileprivate func numbered(_ table: FirmTable, _ existing: Import.Existing) async throws {
        for query in Self.queries {
            try await withDirectory { directory in
                _ = try await take(table.file([table.row("Agence Alpha")]), table, query, in: directory)
                let file = table.file([
                    table.row("Agence Beta", siret: "73282932000074"),
                    table.row("Agence Gamma", siret: "55210055400013"),
                ])
                let all = "\(query)&existing=\(existing.rawValue)"
                let isRenamed = existing == .update
                #expect(try await take(file, table, all, in: directory) == (isRenamed ? [1, 1, 0] : [2, 0, 0]))
                let there = (isRenamed ? [] : ["Agence Alpha"]) + ["Agence Beta", "Agence Gamma"]
                #expect(try await names(table, in: directory) == there)
                #expect(try await take(file, table, all, in: directory) == [0, 0, 2])
            }
        }
    }

    @Test("a renamed network waits for its head, and the other name for the rest of the file")
    func heads() async throws {
        try await withDirectory { directory in
            let table = FirmTable.all[1]
            _ = try await take(table.file([table.row("Agence Un")]), table, "", in: directory)
            let report = try await directory.takes(
                .organizations,
                "name,kind,siret,email,parent\nAgence Deux,institution,,net@a.example,73282932000074\n"
                    + "Branche,institution,,,55210055400013\n"
                    + "Tête,institution,73282932000074,,\nAgence Trois,institution,55210055400013,net@a.example,\n",
                "rejects=skipRow")
            // The first of the two is the renamed one; the branch belongs to the second.
            #expect((report.created, report.updated, report.rejected) == (3, 1, 0))
            let rows = try await directory.backend.database.query(
                """
                select o.name || coalesce(' < ' || head.name, '') as line
                from organization o left join organization head on head.id = o.parent order by 1
                """)
            #expect(
                try rows.map { try $0["line", as: String.self] } == [
                    "Agence Deux < Tête", "Agence Trois", "Branche < Agence Trois", "Tête",
                ])
        }
    }

    @Test("a record created beside a hidden organization of the same name is hidden, unless its row says otherwise")
    func hidden() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            _ = try await operating.send(
                CreateOrganization.request(
                    body: .init(
                        kind: .institution, name: "Maison cachée", postalCode: "64000", commune: "Pau",
                        publicDirectory: false)))
            let header = "name,kind,email,postalCode,commune"
            let file = "\(header)\nMAISON CACHEE,institution,a@a.example,40100,Dax\nAutre,institution,,40100,Dax\n"
            let report = try await directory.takes(.organizations, file)
            #expect(report.created == 2 && report.errors == [])
            #expect(report.notes?.map(\.row) == [1] && report.notes?.map(\.column) == ["publicDirectory"])
            let said = try await directory.takes(
                .organizations, "\(header),publicDirectory\nMaison cachée,institution,b@a.example,33000,Bordeaux,oui\n")
            #expect(said.created == 1 && said.notes == nil)
            let rows = try await directory.backend.database.query(
                "select concat_ws(' ', name, postal_code, public_directory) as line from organization order by id")
            #expect(
                try rows.map { try $0["line", as: String.self] } == [
                    "Maison cachée 64000 f", "MAISON CACHEE 40100 f", "Autre 40100 t", "Maison cachée 33000 t",
                ])
        }
    }

    @Test("a département stated before the postal code stays, if the code may be a neighbour's")
    func departement() async throws {
        for (said, commune, code, town, kept) in [
            ("04", nil, "05110", "Claret", "04"), ("04", "CLARET", "05110", "Claret", "04"),
            ("04", "Digne", "05000", "Gap", "05"), ("04", nil, "64000", "Pau", "64"),
            ("2A", nil, "20200", "Bastia", "2B"),
        ] as [(Departement, Line?, String, String, Departement)] {
            try await withDirectory { directory in
                let operating = try directory.client(.operator)
                let house = try await operating.send(
                    CreateOrganization.request(
                        body: .init(
                            kind: .institution, name: "Mairie", commune: commune, departement: said,
                            email: "mairie@a.example")))
                let report = try await directory.takes(
                    .organizations, "name,email,postalCode,commune\nMairie,mairie@a.example,\(code),\(town)\n")
                #expect(report.updated == 1 && report.errors == [])
                let now = try await operating.send(GetOrganization.request(path: house.id))
                #expect(now.departement == kept && now.postalCode?.text == code, "\(said) \(code)")
            }
        }
    }
}

@Suite("names that are not names")
struct ImportAddressNameTests {
    @Test("an address in place of a name is not one: no record is called that")
    func people() async throws {
        try await withDirectory { directory in
            _ = try await directory.person("Rose", "Blanc", email: "rose@b.example")
            for file in [
                "nom,email\nrose@b.example,rose@b.example\n", "nom,email\n Rose@B.example ,rose@b.example\n",
                "nom,email\nr.blanc@maison.example,rose@b.example\n", "nom,email\nrose＠b.example,rose@b.example\n",
                "nom,email\nRose Blanc <rose@b.example>,rose@b.example\n", "nom,email\n@rose,rose@b.example\n",
                "nom,prenom,email\nBlanc,rose@b.example,rose@b.example\n",
                "nom complet,email\nrose@b.example,rose@b.example\n",
            ] {
                for existing in Import.Existing.allCases {
                    let report = try await directory.takes(.people, file, "existing=\(existing.rawValue)")
                    #expect(report.skipped == 1 && report.errors == [], "\(file)")
                    let enrolled = try await directory.takes(.ambassadors, file, "existing=\(existing.rawValue)")
                    #expect(enrolled.rejected == 0 && enrolled.errors == [], "\(file)")
                }
            }
            let card = "BEGIN:VCARD\r\nVERSION:3.0\r\nN:rose@b.example;;;;\r\nEMAIL:rose@b.example\r\nEND:VCARD\r\n"
            #expect(try await directory.takesCards(card).skipped == 1)
            let rows = try await directory.backend.database.query(
                "select concat_ws(' ', given_name, family_name, version) as line from person")
            #expect(try rows.map { try $0["line", as: String.self] } == ["Rose Blanc 1"])
            let new = try await directory.takes(.people, "nom,email\nneuve@b.example,neuve@b.example\n")
            #expect(new.errors.map(\.detail) == ["A new person needs it."] && new.errors.map(\.column) == ["nom"])
            let nobody = try await directory.takes(.people, "nom,prenom\nneuve@b.example,Ana\n")
            #expect(nobody.errors.map(\.detail) == ["The row has neither family name nor e-mail."])
        }
    }

    @Test("for firms an address is not a name, but a lone @ is part of one")
    func firms() async throws {
        try await withDirectory { directory in
            let header = "name,kind,email,postalCode,commune\n"
            let expert = "name,type,email,postalCode,commune\n"
            #expect(
                try await directory.takes(.organizations, "\(header)Un,institution,un@a.example,64000,Pau\n").created
                    == 1)
            #expect(try await directory.takes(.experts, "\(expert)Un,agence,un@a.example,64000,Pau\n").created == 1)
            for name in ["un@a.example", "UN@A.EXAMPLE", "contact@b.example", "<un@a.example>", "mailto:un@a.example"] {
                for existing in Import.Existing.allCases {
                    let query = "existing=\(existing.rawValue)"
                    let first = try await directory.takes(
                        .organizations, "\(header)\(name),institution,un@a.example,64000,Pau\n", query)
                    let second = try await directory.takes(
                        .experts, "\(expert)\(name),agence,un@a.example,64000,Pau\n", query)
                    #expect(first.skipped == 1 && second.skipped == 1, "\(name)")
                }
            }
            for records in [Import.Records.organizations, .experts] {
                let file = (records == .experts ? expert : header)
                let kind = records == .experts ? "agence" : "institution"
                let new = try await directory.takes(records, "\(file)x@c.example,\(kind),x@c.example,64000,Pau\n")
                #expect(new.errors.map(\.column) == ["name"] && new.rejected == 1)
                let named = try await directory.takes(
                    records, "\(file)Cyber@ction,\(kind),,64000,Pau\n@telier,\(kind),,64000,Pau\n")
                #expect(named.created == 2)
                #expect(
                    Set(try await directory.ask("/v1/\(records.rawValue)").items("name")) == [
                        "Un", "Cyber@ction", "@telier",
                    ])
            }
            let contact = try await directory.takes(
                .experts, "email,contactName\nun@a.example,Ana <ana@a.example>\nun@a.example,Ana\n")
            #expect((contact.skipped, contact.updated) == (1, 1))
        }
    }
}
