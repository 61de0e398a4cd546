import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("importing experts")
struct ImportTests {
    private static let header =
        "Raison sociale;N° SIRET;Type;Contact;E-mail;Tél.;Code postal;Ville;Thèmes;Marques;Flash info\n"

    @Test("a French table with the usual effects of spreadsheets is read")
    func french() async throws {
        try await withDirectory { directory in
            let file =
                "\u{FEFF}" + Self.header
                + "\"L'Atelier\r\nNumérique\";732 829 320 00074;Agence web;Zoé Ibarra; zoe@atelier.example ;559000000;"
                + "1000;Bourg-en-Bresse;Sites web, Hébergement;HP | Élan;Oui\r\n"
            let report = try await directory.report(file)
            #expect(report.errors == [])
            #expect(report.applied && report.rows == 1 && report.created == 1)
            let page = try await directory.client(.operator).send(ListExperts.request(query: .init()))
            let expert = try #require(page.items.first)
            #expect(expert.name == "L'Atelier Numérique")
            #expect(expert.siret == "73282932000074" && expert.subKind == .webAgency)
            #expect(expert.email == "zoe@atelier.example" && expert.telephone == "0559000000")
            #expect(expert.postalCode == "01000" && expert.departement == "01" && expert.departements == ["01"])
            #expect(expert.topics == ["webSite", "hosting"] && expert.brands == ["HP", "Élan"])
            #expect(expert.consents.flashInfo?.agreed == true)
        }
    }

    @Test("an English table in Windows-1252 with commas is read, and unknown columns are listed")
    func english() async throws {
        try await withDirectory { directory in
            let text = "Company,Kind,Zip,City,Colour,topics\nCaf\u{E9} \u{80},reseller,64000,Pau,red,point of sale\n"
            let file = text.unicodeScalars.map { UInt8($0.value) }
            let report = try await directory.imports(file).decode(ImportReport.self)
            #expect(report.rejected == 0 && report.created == 1 && report.unknownColumns == ["Colour"])
            #expect(try await directory.ask("/v1/experts").items("name") == ["Café €"])
        }
    }

    @Test("of two columns for the same field, the more specific one is used, and the other is listed")
    func rankedColumns() async throws {
        try await withDirectory { directory in
            let report = try await directory.report(
                "Enseigne;Société;Nom;Prénom;Portable;Téléphone;E-mail;Type;CP;Ville\n"
                    + "Chez Un;Un SARL;Ibarra;Zoé;0612345678;0559000000;un@example.org;agence;64000;Pau\n")
            #expect(report.created == 1 && report.unknownColumns == ["Enseigne", "Nom", "Prénom", "Portable"])
            let expert = try #require(
                try await directory.client(.operator).send(ListExperts.request(query: .init())).items.first)
            #expect(expert.name == "Un SARL" && expert.telephone == "0559000000")
        }
    }

    @Test("UTF-16 is read without a byte order mark, and headers with U+0000 are refused")
    func unmarked() async throws {
        try await withDirectory { directory in
            for (isBig, name) in [(false, "Été"), (true, "Œuvre")] {
                let text = "Société\tType\tCP\tVille\n\(name)\tagence\t64000\tPau\n"
                let file = text.utf16.flatMap { unit in
                    let bytes = [UInt8(unit >> 8), UInt8(unit & 0xFF)]
                    return isBig ? bytes : bytes.reversed()
                }
                #expect(try await directory.imports(file).decode(ImportReport.self).created == 1)
            }
            #expect(try await directory.ask("/v1/experts").items("name") == ["Été", "Œuvre"])
            let answer = try await directory.imports(Array("name,type,co\0lour\nUn,agence,red\n".utf8))
            #expect(answer.status == 422)
        }
    }

    @Test("a dry run reports the same and changes nothing")
    func dryRun() async throws {
        try await withDirectory { directory in
            _ = try await directory.expert("Ancien") { $0.email = "ancien@example.org" }
            let file = Self.header + "Neuf;;agence;;;;64000;Pau;;;\nAncien;;;;ancien@example.org;;;Billère;;;\n"
            let dry = try await directory.report(file, "")
            #expect(dry.mode == .dryRun && !dry.applied)
            #expect((dry.rows, dry.created, dry.updated, dry.skipped) == (2, 1, 1, 0))
            #expect(try await directory.ask("/v1/experts").items("commune") == ["Pau"])
            #expect(try await directory.changes(1).items.count == 1)

            let applied = try await directory.report(file)
            #expect((applied.created, applied.updated, applied.skipped) == (1, 1, 0))
            #expect(try await directory.ask("/v1/experts").items("commune") == ["Billère", "Pau"])
            let again = try await directory.report(file)
            #expect((again.created, again.updated, again.skipped) == (0, 0, 2))
            #expect(try await directory.changes(3).items.count == 3)
        }
    }

    @Test("a row is matched by SIRET, else by e-mail, else by name and postal code")
    func matching() async throws {
        try await withDirectory { directory in
            let one = try await directory.expert("Un") {
                $0.siret = "73282932000074"; $0.email = "x@example.org"
            }
            let two = try await directory.expert("Deux") { $0.email = "x@example.org" }
            let three = try await directory.expert("L'Été à Pau")
            let report = try await directory.report(
                "siret,name,email,postalCode,commune,type\n"
                    // By SIRET, although name and address match another.
                    + "73282932000074,Uno,deux@example.org,64000,A,agence\n"
                    // By e-mail and, since a file may not say which of several, also by name.
                    + ",deux,X@EXAMPLE.org,64000,B,agence\n"
                    // By name without accents, case and punctuation.
                    + ",l  ete a pau,,64000,C,agence\n"
                    // The same name elsewhere, and the same address with another SIRET: new ones.
                    + ",L'Été à Pau,,40000,D,agence\n"
                    + "55210055400013,Quatre,deux@example.org,64000,E,agence\n")
            #expect(report.errors == [])
            #expect((report.updated, report.created) == (3, 2))
            for (expert, commune) in [(one, "A"), (two, "B"), (three, "C")] {
                #expect(try await directory.ask("/v1/experts/\(expert.id)").json()["commune"]?.string == commune)
            }
        }
    }

    @Test(
        "an import after a dry run knows how many rows it has written",
        arguments: ["?mode=apply&rejects=refuseFile", "?mode=apply&rejects=skipRow"])
    func estimates(query: String) async throws {
        try await withDirectory { directory in
            let file =
                "name,email,postalCode,commune,type\n"
                + (0..<300).map { "Atelier \($0),atelier\($0)@example.org,64000,Pau,agence\n" }.joined()
            _ = try await directory.report(file, "")
            let counted: SQL = """
                select sum(reltuples)::integer as rows from pg_class
                where oid in ('directory.expert'::regclass, 'directory.address_held'::regclass)
                """
            let before = try await directory.database.withClient { client in
                // As autovacuum does when the dry run has been rolled back.
                try await client.execute("analyze directory.expert, directory.address_held")
                return try await client.first(counted)?["rows", as: Int.self]
            }
            #expect(before == 0)
            #expect(try await directory.report(file, query).created == 300)
            let after = try await directory.database.withClient { client in
                try await client.first(counted)?["rows", as: Int.self]
            }
            #expect(after == 600)
        }
    }

    @Test("a later row of a file finds the expert that an earlier one made")
    func twice() async throws {
        try await withDirectory { directory in
            let report = try await directory.report(
                "name,email,postalCode,commune,type,website\n"
                    + "Un,un@example.org,64000,Pau,agence,\n"
                    + "Un,un@example.org,64000,Pau,agence,\n"
                    + "UN,,64000,,,www.un.example\n"
                    + "Un,UN@example.org,,Lescar,,\n")
            #expect(report.errors == [])
            #expect((report.created, report.updated, report.skipped) == (1, 2, 1))
            let page = try await directory.client(.operator).send(ListExperts.request(query: .init()))
            #expect(page.items.map(\.name) == ["Un"] && page.items.first?.commune == "Lescar")
            #expect(page.items.first?.website == "https://www.un.example")
        }
    }

    @Test("an empty cell changes nothing")
    func emptyCells() async throws {
        try await withDirectory { directory in
            let expert = try await directory.expert("Un") {
                $0.email = "un@example.org"
                $0.topics = ["cloud"]
            }
            let report = try await directory.report("email,name,topics,brands\nun@example.org,,,HP\n")
            #expect(report.updated == 1)
            let now = try await directory.client(.operator).send(GetExpert.request(path: expert.id))
            #expect(now.name == "Un" && now.topics == ["cloud"] && now.brands == ["HP"] && now.version == 2)
        }
    }

    @Test("every bad row is reported, and nothing is imported unless skipping bad rows was requested")
    func badRows() async throws {
        try await withDirectory { directory in
            let file =
                Self.header
                + "Bon;;agence;;;;64000;Pau;;;\n"
                + "Court;;agence\n"
                + "Long;;agence;;;;64000;Pau;;;;;x\n"
                + "Siret;73282932000075;agence;;;;64000;Pau;;;\n"
                + "Courriel;;agence;;nicht;;64000;Pau;;;\n"
                + "Type;;plombier;;;;64000;Pau;magie;;peut-être\n"
                + "Lieu;;agence;;;;;;;;\n"
                + ";;agence;;;;64000;Pau;;;\n"
                + "Contrôle\u{7};;agence;;;;64000;Pau;;;\n"
            let refused = try await directory.report(file)
            #expect(!refused.applied)
            #expect((refused.rows, refused.created, refused.rejected) == (9, 1, 8))
            #expect(refused.errors.map(\.row) == [2, 3, 4, 5, 6, 6, 6, 7, 8, 9])
            #expect(
                refused.errors.map(\.column) == [
                    nil, nil, "N° SIRET", "E-mail", "Type", "Thèmes", "Flash info", "Code postal", nil,
                    "Raison sociale",
                ])
            #expect(try await directory.ask("/v1/experts").items("id").isEmpty)
            let taken = try await directory.report(file, "?mode=apply&rejects=skipRow")
            #expect(taken.applied && taken.created == 1 && taken.rejected == 8)
            #expect(try await directory.ask("/v1/experts").items("name") == ["Bon"])
        }
    }

    @Test("a file that is not a table of experts is refused as a whole")
    func noTable() async throws {
        try await withDirectory { directory in
            let binary = (0..<5000).map { UInt8(truncatingIfNeeded: $0 &* 7919) }
            for file in [[], Array("\n\n".utf8), Array("a,b\n1,2\n".utf8), Array("nom,Nom\nA,B\n".utf8), binary] {
                let answer = try await directory.imports(file)
                #expect(answer.status == 422)
                #expect(try answer.problem().detail != nil)
            }
            let json = try await directory.raw(.post, "/v1/imports/experts", role: .operator, json: "{}")
            #expect(json.status == 415)
            #expect(try await directory.imports([], "?mode=maybe").status == 422)
        }
    }

    @Test("the whole channel is imported at once, and appears in the change feed")
    func channel() async throws {
        try await withDirectory { directory in
            var file = "name,siret,type,email,postalCode,commune,flashInfo\n"
            for number in 1...5150 {
                let prefix = String(1_000_000_000_000 + number)
                let siret = "\(prefix)\(Luhn.checkDigit(for: prefix))"
                file += "Agence \(number),\(siret),agence web,a\(number)@example.org,64000,Pau,oui\n"
            }
            let report = try await directory.report(file)
            #expect(report.errors == [])
            #expect((report.rows, report.created) == (5150, 5150))
            let again = try await directory.report(file)
            #expect((again.created, again.updated, again.skipped) == (0, 0, 5150))
            try await directory.database.withClient(as: "directory") { client in
                let row = try await client.first(
                    "select count(*) as changes, count(distinct subject) as ids from change")
                #expect(try row?["changes", as: Int.self] == 5150)
            }
        }
    }
}
