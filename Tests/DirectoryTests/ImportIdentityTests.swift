import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Two rows of a table, and whether the second matches the record that the first has created.
private struct Pair: CustomTestStringConvertible, Sendable {
    enum Verdict: String { case same, new, rejected }

    let testDescription: String
    /// The cells of both, in the order of the header. `#` is a number unique to this pair, `S1` to `S3` are SIRETs: the
    /// first two of one firm, the third of another.
    let first: [String]
    let second: [String]
    let verdict: Verdict
    /// If both are in one file: no file renames a firm between its own rows.
    let verdictInFile: Verdict
    /// If names are kept and the second row is the imported one: a firm with a number of its own is not lost.
    let verdictWhereNamesStay: Verdict
    /// Whether the second has everything that a new record requires, so that the order may also be reversed.
    var isWhole = true

    init(
        _ what: String, _ first: String, _ second: String, _ verdict: Verdict, inFile: Verdict? = nil,
        whereNamesStay: Verdict? = nil, isWhole: Bool = true
    ) {
        verdictInFile = inFile ?? verdict
        verdictWhereNamesStay = whereNamesStay ?? verdict
        testDescription = what
        self.first = first.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        self.second = second.split(separator: "|", omittingEmptySubsequences: false).map(String.init)
        self.verdict = verdict
        self.isWhole = isWhole
    }

    static func number(_ digits: String) -> String { "\(digits)\(Luhn.checkDigit(for: digits))" }

    func line(_ cells: [String], _ number: Int) -> String {
        let firms = [Self.number("1\(10_000 + number)00"), Self.number("2\(10_000 + number)00")]
        let sirets = [
            "S1": Self.number("\(firms[0])0001"), "S2": Self.number("\(firms[0])0002"),
            "S3": Self.number("\(firms[1])0001"), "N1": firms[0], "N2": firms[1],
        ]
        return cells.map { cell in sirets[cell] ?? cell.replacing("#", with: "\(number)") }.joined(separator: ";")
            + "\n"
    }
}

private struct PairTable: CustomTestStringConvertible, Sendable {
    let records: Import.Records
    let header: String
    let filler: @Sendable (Int) -> String
    let pairs: [Pair]

    var testDescription: String { records.rawValue }

    /// Name, kind, SIRET, e-mail, postal code, commune.
    private static let firms: [Pair] = [
        .init(
            "agencies with one address", "Pau #|agence||x#@a.example|64000|Pau", "Dax #|agence||x#@a.example|40100|Dax",
            .new),
        .init(
            "another SIRET at one address", "A #|agence|S1|x#@a.example|64000|Pau",
            "A #|agence|S3|x#@a.example|64000|Pau", .new),
        .init(
            "another SIRET, name and town than a firm without one", "A #|agence||x#@a.example|64000|Pau",
            "B #|agence|S1|x#@a.example|40100|Dax", .new),
        .init(
            "two establishments", "A #|agence|S1|x#@a.example|64000|Pau", "B #|agence|S2|x#@a.example|64000|Pau", .new),
        .init("one name, two SIRETs", "A #|agence|S1||64000|Pau", "A #|agence|S3||64000|Pau", .new),
        .init("one name in two towns", "A #|agence|||64000|Pau", "A #|agence|||40100|Dax", .new),
        .init(
            "two towns of one name", "A #|agence||x#@a.example|93200|Saint-Denis",
            "B #|agence||x#@a.example|97400|Saint-Denis", .new),
        .init(
            "two villages of one postal code", "A #|agence||x#@a.example|64150|Lagor",
            "B #|agence||x#@a.example|64150|Mourenx", .new),
        .init("moved, with its SIRET", "A #|agence|S1||64000|Pau", "A #|agence|S1||40100|Dax", .same),
        .init(
            "moved, with its address", "A #|agence||x#@a.example|64000|Pau", "a  #|agence||X#@A.example|40100|Dax",
            .same),
        .init("renamed, with its SIRET", "A #|agence|S1||64000|Pau", "B #|agence|S1||64000|Pau", .same),
        .init("renamed and moved, with its SIRET", "A #|agence|S1||64000|Pau", "B #|agence|S1||40100|Dax", .same),
        .init(
            "renamed, with address and town", "A #|agence||x#@a.example|64000|Pau",
            "B #|agence|S1|x#@a.example|64000|PAU", .same, inFile: .new, whereNamesStay: .new),
        .init(
            "renamed, with a CEDEX", "A #|agence||x#@a.example|64000|Pau", "B #|agence||x#@a.example|64058|Pau Cedex 9",
            .same, inFile: .new),
        .init(
            "renamed in a town of several codes", "A #|agence||x#@a.example|13001|Marseille",
            "B #|agence||x#@a.example|13008|Marseille 8e", .same, inFile: .new),
        .init(
            "renamed, and the town is written otherwise", "A #|agence||x#@a.example|42000|St-Étienne",
            "B #|agence||x#@a.example|42100|SAINT ETIENNE", .same, inFile: .new),
        .init("its name and postal code", "L'Été #|agence|S1||64000|Pau", "l ete #|agence|||64000|Pau", .same),
        .init("its address alone", "A #|agence||x#@a.example|64000|Pau", "|||x#@a.example||", .same, isWhole: false),
        .init(
            "its address, and no town", "A #|agence||x#@a.example|64000|Pau", "B #|||x#@a.example||", .same,
            inFile: .rejected, isWhole: false),
    ]

    static let all: [PairTable] = [
        PairTable(
            records: .experts, header: "name;type;siret;email;postalCode;commune\n",
            filler: { "Autre \($0);agence;;;64000;Pau\n" }, pairs: firms),
        PairTable(
            records: .organizations, header: "name;sous-type;siret;email;postalCode;commune\n",
            filler: { "Autre \($0);agence;;;64000;Pau\n" },
            pairs: firms + [
                .init("one name in two towns without codes", "Mairie #|cma||||Pau", "Mairie #|cma||||Dax", .new),
                .init("one name, of which one has no town", "Mairie #|cma||||Pau", "MAIRIE #|cma||||", .same),
                .init("one name in one town without codes", "Mairie #|cma||||St-Pé", "Mairie #|cma||||Saint Pé", .same),
            ]),
        people(.people), people(.ambassadors),
        PairTable(
            records: .organizations, header: "name;sous-type;siren;email;postalCode;commune\n",
            filler: { "Autre \($0);agence;;;64000;Pau\n" },
            pairs: [
                .init(
                    "another SIREN at one address", "A #|cma|N1|x#@a.example|64000|Pau",
                    "A #|cma|N2|x#@a.example|64000|Pau", .new),
                .init("one name, two SIRENs", "A #|cma|N1||64000|Pau", "A #|cma|N2||64000|Pau", .new),
                .init("one name, one SIREN", "A #|cma|N1||64000|Pau", "a #|cma|N1||64000|Pau", .same),
            ]),
    ]

    /// Family name, given name, e-mail, telephone, organization.
    private static func people(_ records: Import.Records) -> PairTable {
        PairTable(
            records: records, header: "nom;prenom;email;telephone;organisation\n",
            filler: { "Autre \($0);Ana;;;\n" },
            pairs: [
                .init(
                    "two with one mailbox", "Lebrun #|Marie|x#@a.example||", "Lebrun #|Paul|x#@a.example||", .rejected),
                .init(
                    "two with one mailbox, of two names", "Un #|Marie|x#@a.example||", "Deux #|Paul|x#@a.example||",
                    .rejected),
                .init("married", "Un #|Marie|x#@a.example||", "Deux #|Marie|X#@A.example||", .same),
                .init("another spelling", "Un #|Éléonore|x#@a.example||", "UN #|ELEONORE|x#@a.example||", .same),
                .init("a hyphen", "Un #|Jean-Pierre|x#@a.example||", "Un #|Jean Pierre|x#@a.example||", .same),
                .init("no given name", "Un #|Marie|x#@a.example||", "Deux-#||x#@a.example||", .same, isWhole: false),
                .init("its whole name in one cell", "D#|Marie|x#@a.example||", "Marie D#||x#@a.example||", .same),
                .init("its whole name, turned round", "D#|Marie|x#@a.example||", "D# MARIE||x#@a.example||", .same),
                .init(
                    "its family name of two words", "De Sousa-#|Ana|x#@a.example||", "de sousa #||x#@a.example||",
                    .same, isWhole: false),
                .init(
                    "married, its whole name in one cell", "D#|Marie-Ève|x#@a.example||",
                    "Marie Eve Deux-#||x#@a.example||", .same, isWhole: false),
                .init(
                    "somebody else in one cell", "D#|Marie|x#@a.example||", "Paul Deux-#||x#@a.example||", .rejected),
                .init("its husband in one cell", "D#|Marie|x#@a.example||", "Paul D#||x#@a.example||", .rejected),
                .init(
                    "a longer given name in one cell", "D#|Marie|x#@a.example||", "Marie-Claude D#||x#@a.example||",
                    .rejected),
                .init("a colleague's whole name in one cell", "D#|Marie|||Un", "Marie D#|||0612345678|Un", .same),
                .init("a colleague's whole name, turned round", "D#|Marie|||Un", "D# Marie||||Un", .same),
                .init("a whole name in another house", "D#|Marie|||Un", "Marie D#||||Deux", .new),
                .init(
                    "a whole name with another telephone", "D#|Marie||0687654321|Un", "Marie D#|||0612345678|Un",
                    .rejected),
                .init("two of one name", "Martin #|Luc||0612345678|", "Martin #|Luc||0687654321|", .rejected),
                .init(
                    "two of one name in one house", "Martin #|Luc||0612345678|Un", "Martin #|Luc||0687654321|Un",
                    .rejected),
                .init(
                    "two of one name, of whom one has an address", "Martin #|Luc|x#@a.example|0612345678|",
                    "Martin #|Luc||0687654321|", .rejected),
                .init("one name in two houses", "Martin #|Luc||0612345678|Un", "Martin #|Luc||0612345678|Deux", .new),
                .init("one name, two addresses", "Martin #|Luc|x#@a.example||", "Martin #|Luc|y#@a.example||", .new),
                .init("one name, and a telephone more", "Martin #|Luc|||Un", "MARTIN #|Luc||0612345678|Un", .same),
                .init("one name, one telephone", "Martin #|Luc||0612345678|", "Martin #|LUC||+33612345678|", .same),
            ])
    }
}

@Suite("which record a row matches")
struct ImportIdentityTests {
    private struct Sent {
        var report: ImportReport
        var rows: [ImportRow]
    }

    private func send(
        _ file: String, _ table: PairTable, _ query: String, in directory: TestService
    ) async throws -> Sent {
        let report = try await directory.raw(
            .post, "/v1/imports/\(table.records.rawValue)?\(query)", role: .operator,
            headers: ["Content-Type": "text/csv"], body: Array(file.utf8)
        ).decode(ImportReport.self)
        var rows: [ImportRow] = []
        var cursor: Cursor?
        repeat {
            let page = try await directory.client(.operator).send(
                ListImportRows.request(
                    path: report.import, query: .init(limit: 200, cursor: cursor), body: Empty()))
            rows += page.items
            cursor = page.next
        } while cursor != nil
        return Sent(report: report, rows: rows)
    }

    private func prepare(_ directory: TestService) async throws {
        _ = try await directory.organization("Un")
        _ = try await directory.organization("Deux")
    }

    private func expect(
        _ row: ImportRow, _ verdict: Pair.Verdict, of pair: Pair, after record: Identifier<ImportRow>?,
        isApplied: Bool = true, _ context: String
    ) {
        let comment: Comment = "\(pair.testDescription), \(context): \(row.errors.map(\.detail))"
        switch verdict {
        case .rejected:
            #expect(row.outcome == .rejected && row.errors.count == 1, comment)
        case .new:
            #expect(row.outcome == .created, comment)
            if isApplied { #expect(row.record != nil && row.record != record, comment) }
        case .same:
            #expect(row.outcome == .updated || row.outcome == .skipped, comment)
            if isApplied { #expect(row.record != nil && row.record == record, comment) }
        }
    }

    @Test(
        "a row matches the existing record, a new one or none, in every mode, and a dry run agrees",
        arguments: PairTable.all, Import.Existing.allCases)
    fileprivate func directory(_ table: PairTable, _ existing: Import.Existing) async throws {
        try await withDirectory { directory in
            try await prepare(directory)
            for isReversed in [false, true] {
                let pairs = table.pairs.enumerated().filter { $0.element.isWhole || !isReversed }
                let offset = isReversed ? 100 : 0
                var (before, after) = (table.header, table.header)
                for (number, pair) in pairs {
                    before += pair.line(isReversed ? pair.second : pair.first, number + offset)
                    after += pair.line(isReversed ? pair.first : pair.second, number + offset)
                }
                let there = try await send(before, table, "mode=apply", in: directory)
                #expect(there.report.errors == [] && there.report.created == pairs.count)
                let records = there.rows.map(\.record)
                // As a whole and by chunks, as a dry run and applied.
                for (query, context) in [
                    ("mode=dryRun", "whole dry run"), ("mode=dryRun&rejects=skipRow", "dry run"),
                    ("mode=apply&rejects=skipRow", "applied"),
                ] {
                    let sent = try await send(after, table, "\(query)&existing=\(existing.rawValue)", in: directory)
                    #expect(sent.rows.count == pairs.count)
                    for (place, row) in sent.rows.enumerated() {
                        let pair = pairs[place].element
                        let isNamed = existing == .update || isReversed
                        expect(
                            row, isNamed ? pair.verdict : pair.verdictWhereNamesStay, of: pair, after: records[place],
                            isApplied: context == "applied",
                            "\(context), \(existing.rawValue)\(isReversed ? ", reversed" : "")")
                    }
                }
            }
        }
    }

    @Test(
        "rows in one file match each other like a row and a record do, adjacent or a chunk apart",
        arguments: PairTable.all, [false, true])
    fileprivate func file(_ table: PairTable, _ isReversed: Bool) async throws {
        for distance in [0, 1000] {
            try await withDirectory { directory in
                try await prepare(directory)
                let pairs = table.pairs.enumerated().filter { $0.element.isWhole || !isReversed }
                var file = table.header
                for (number, pair) in pairs { file += pair.line(isReversed ? pair.second : pair.first, number) }
                for number in 0..<distance { file += table.filler(number) }
                for (number, pair) in pairs { file += pair.line(isReversed ? pair.first : pair.second, number) }
                let dry = try await send(file, table, "mode=dryRun", in: directory)
                let sent = try await send(file, table, "mode=apply&rejects=skipRow", in: directory)
                #expect(dry.rows.map(\.outcome) == sent.rows.map(\.outcome))
                #expect(sent.rows.count == 2 * pairs.count + distance)
                for (place, (_, pair)) in pairs.enumerated() {
                    #expect(sent.rows[place].outcome == .created)
                    expect(
                        sent.rows[pairs.count + distance + place], pair.verdictInFile, of: pair,
                        after: sent.rows[place].record,
                        "distance \(distance)\(isReversed ? ", reversed" : "")")
                }
                let refused = try await send(file, table, "mode=apply", in: directory)
                #expect(refused.report.rejected == sent.report.rejected)
            }
        }
    }

    @Test("three agencies with one address remain three, and the fourth matches none of them")
    func agencies() async throws {
        try await withDirectory { directory in
            let header = "name,type,email,postalCode,commune,telephone\n"
            let towns = [("Pau", "64000"), ("Dax", "40100"), ("Tarbes", "65000"), ("Auch", "32000")]
            func file(_ count: Int) -> String {
                header
                    + towns.prefix(count).map { "Agence \($0.0),agence,reseau@a.example,\($0.1),\($0.0),\n" }.joined()
            }
            #expect(try await directory.report(file(3)).created == 3)
            let more = try await directory.report(file(4))
            #expect((more.created, more.skipped) == (1, 3))
            // One of them has a new name: its town identifies it.
            let renamed = try await directory.report(
                header + "Atelier landais,agence,reseau@a.example,40100,Dax,0558000000\n")
            #expect(renamed.updated == 1)
            #expect(
                Set(try await directory.ask("/v1/experts").items("name")) == [
                    "Agence Pau", "Atelier landais", "Agence Tarbes", "Agence Auch",
                ])
            // Without a town it could be any of them.
            let unclear = try await directory.report(header + "Nouveau nom,agence,reseau@a.example,,,\n")
            #expect(unclear.rejected == 1 && !unclear.applied)
        }
    }

    @Test("an address that many share identifies no one")
    func crowd() async throws {
        try await withDirectory { directory in
            var file = "name,type,email,postalCode,commune\n"
            let count = Firms.crowd + 1
            for number in 1...count {
                let town = "Bourg \(String(repeating: "a", count: number))"
                file += "Agence \(number),agence,reseau@a.example,64000,\(town)\n"
            }
            let first = try await directory.report(file)
            #expect(first.created == count)
            let again = try await directory.report(file)
            #expect(again.skipped == count)
            let other = "name,type,email,postalCode,commune\nAutre,agence,reseau@a.example,64000,Bourg a\n"
            #expect(try await directory.report(other).created == 1)
        }
    }
}
