import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Bank files: what is read from them, what is left out, and that each line is stored once.
@Suite("bank statements", .serialized)
struct BankStatementTests {
    static let account = "FR7630006000011234567890189"

    /// Files with the same two lines, in the formats of banks.
    static let files: [(name: String, bytes: [UInt8])] = [
        (
            "semicolons, UTF-8 with its mark, preamble, footer",
            [0xEF, 0xBB, 0xBF]
                + Array(
                    """
                    Compte courant;Le Club\r
                    Numéro de compte : FR76 3000 6000 0112 3456 7890 189;\r
                    Période du 01/11/2026 au 27/11/2026\r
                    \r
                    Date;Libellé;Débit;Crédit\r
                    25/11/2026;VIR SEPA RECU /DE CHAMBRE DE PAU /MOTIF COT 2026-1;;1 200,00\r
                    26/11/2026;"FRAIS; BANCAIRES";-12,50;\r
                    Solde au 27/11/2026;;;1 187,50\r

                    """.utf8)
        ),
        (
            "commas, hyphens in days, signed amounts",
            Array(
                """
                Relevé,\(account)
                "Date opération","Date valeur","Libelle operation","Montant(EUROS)"
                "25-11-2026","26-11-2026","VIR SEPA RECU /DE CHAMBRE DE PAU /MOTIF COT 2026-1","+1 200,00"
                "26-11-2026","26-11-2026","FRAIS; BANCAIRES","-12,50"
                """.utf8)
        ),
        (
            "Windows-1252, no-break blanks, days as ISO has them",
            latin(
                """
                Date de comptabilisation;Date opération;Libellé;Référence;Débit;Crédit;Devise
                2026-11-25;2026-11-24;VIR SEPA RECU /DE CHAMBRE DE PAU /MOTIF COT 2026-1;A1;;1\u{A0}200,00 €;EUR
                2026-11-26;2026-11-26;FRAIS; BANCAIRES;;12,5;;EUR
                """.replacing("FRAIS; BANCAIRES", with: "FRAIS BANCAIRES"))
        ),
        (
            "tabs, points for thousands, a column that says which way",
            Array(
                """
                Date\tIntitulé\tMontant\tSens
                25.11.26\tVIR SEPA RECU /DE CHAMBRE DE PAU /MOTIF COT 2026-1\t1.200,00\tC
                26.11.26\tFRAIS BANCAIRES\t12,50\tD
                """.utf8)
        ),
    ]

    static func latin(_ text: String) -> [UInt8] {
        text.unicodeScalars.map { $0 == "€" ? 0x80 : UInt8(truncatingIfNeeded: $0.value) }
    }

    @Test("tables as banks write them are read", arguments: 0..<4)
    func table(index: Int) async throws {
        let (name, bytes) = Self.files[index]
        try await withDirectory { directory in
            let statement = try await send(bytes, "?account=\(Self.account)&name=novembre.csv", to: directory)
            #expect(statement.format == .csv && statement.name?.text == "novembre.csv")
            #expect(statement.added == 2 && statement.accounts.map(\.text) == [Self.account], "\(name)")
            #expect(
                statement.rejected == (index == 0 ? 1 : 0) && statement.lines == statement.added + statement.rejected)
            let lines = try await lines(directory)
            #expect(lines.map(\.amount.amount) == [-1250, 120_000], "\(name)")
            #expect(lines.map(\.bookedOn.text) == ["2026-11-26", "2026-11-25"], "\(name)")
            #expect(lines.last?.remittance?.text.hasPrefix("VIR SEPA RECU /DE CHAMBRE DE PAU") == true)
            if index == 1 { #expect(lines.last?.valueOn == "2026-11-26") }
        }
    }

    @Test("amounts are read as people write them, and nothing else is an amount")
    func amounts() throws {
        for (text, cents) in [
            ("1 234,56", 123_456), ("1\u{202F}234,56", 123_456), ("1.234,56", 123_456), ("1,234.56", 123_456),
            ("-0,5", -50), ("\u{2212}12", -1200), ("12,00-", -1200), ("+3", 300), ("1 200 EUR", 120_000),
            ("1'234.5", 123_450), ("1.234", 123_400), ("1,005", 100_500), ("12.345.678,90", 1_234_567_890),
            ("0012,10", 1210), ("0,120", 12), ("0.500", 50),
            ("1,5000", 150),
        ] { #expect(try BankAmount.cents(text) == cents, "\(text)") }
        for text in [
            "0,125", "-0.005", "012,345", "0.125,00", "0,125,000", "", "-", "1,2,3", "12a", "1.23.456", "99999999999",
            "1,234,5", "0x1", "1,0055", "--1", "1,2.3", "NaN", "2027-12", "12-3,00", "-1-",
        ] {
            #expect(throws: InvalidText.self, "\(text)") { try BankAmount.cents(text) }
        }
        for (text, decimal, cents) in [
            ("120,000", BankAmount.DecimalSign.sign(0x2C), 12_000), ("120.000", .sign(0x2C), 12_000_000),
            ("120.000", .sign(0x2E), 12_000), ("1,234", .sign(0x2E), 123_400), ("1,5", .sign(0x2E), 150),
            ("1.234,5", .both, 123_450),
        ] { #expect(try BankAmount.cents(text, decimal: decimal) == cents, "\(text)") }
        for (text, decimal) in [
            ("1,234", BankAmount.DecimalSign.sign(0x2C)), ("-1.234", .sign(0x2E)), ("120,000", .both),
        ] {
            #expect(throws: InvalidText.self, "\(text)") { try BankAmount.cents(text, decimal: decimal) }
        }
        for (text, cents) in [("1200", 120_000), ("1200.5", 120_050), ("0.010", 1)] {
            #expect(try BankAmount.cents(decimal: text) == cents)
        }
        for text in ["1,5", "-1", "1e3", ".", "", "1.2.3", "0.001"] {
            #expect(throws: InvalidText.self, "\(text)") { try BankAmount.cents(decimal: text) }
        }
    }

    @Test("whether a separator before three digits is decimal depends on the file's other amounts")
    func decimals() async throws {
        try await withDirectory { directory in
            for (account, others, expected) in [
                ("1", ["12,50", "7,00"], 12_000), ("2", ["12.50"], 12_000_000), ("3", [], 12_000_000),
                ("4", ["1.200,00"], 12_000), ("5", ["1,5", "2.5"], nil), ("6", ["5,005"], 12_000_000),
            ] as [(String, [String], Int?)] {
                // The ambiguous amount comes first.
                let rows = (["120,000"] + others).map { "20/11/2026;A;;\"\($0)\"\n" }.joined()
                let table = Array("Date;Libellé;Débit;Crédit\n\(rows)".utf8)
                let statement = try await send(table, "?account=\(account)", to: directory)
                #expect(statement.rejected == (expected == nil ? 1 : 0), "\(account)")
                let found = try await lines(directory).filter { $0.account.text == account }.map(\.amount.amount)
                #expect(found.contains { [12_000, 12_000_000].contains($0) } == (expected != nil))
                if let expected { #expect(found.contains(expected), "\(account)") }
            }
        }
    }

    @Test("two equal lines of a day remain two; a repeated or overlapping file adds only what is new")
    func again() async throws {
        try await withDirectory { directory in
            let header = "Date;Libellé;Montant\n"
            let (a, b) = ("20/11/2026;CARTE PARKING;-3,00\n", "21/11/2026;CARTE PARKING;-3,00\n")
            let query = "?account=\(Self.account)"
            let first = try await send(Array((header + a + a).utf8), query, to: directory)
            #expect(first.added == 2 && first.known == 0)
            let same = try await answer(Array((header + a + a).utf8), query, to: directory)
            #expect(same.status == 200)
            #expect(try same.decode(BankStatement.self) == first)
            let overlapping = try await send(Array((header + a + a + b).utf8), query, to: directory)
            #expect(overlapping.added == 1 && overlapping.known == 2)
            // In another account it is another line.
            #expect(try await send(Array((header + b).utf8), "?account=123456", to: directory).added == 1)
            #expect(try await lines(directory).count == 4)
        }
    }

    @Test("rows that cannot be booked are listed by number and reason; an invalid file is refused as a whole")
    func rejected() async throws {
        try await withDirectory { directory in
            let file = """
                Date;Libellé;Débit;Crédit;Devise
                31/02/2026;A;1,00;;EUR
                20/11/2026;B;;;EUR
                20/11/2026;C;1,00;2,00;EUR
                20/11/2026;D;;2,00;USD
                20/11/0206;E;;2,00;EUR
                20/11/2026;F;;douze;EUR
                20/11/2026;\("a\u{301}" + String(repeating: "\u{301}", count: 40));;2,00;EUR
                20/11/2026;G;;2,00;EUR
                """
            let statement = try await send(Array(file.utf8), "?account=1", to: directory)
            #expect(statement.added == 1 && statement.faults.map(\.place) == [1, 2, 3, 4, 5, 6, 7])
            #expect(statement.faults.map(\.detail)[3].contains("currency"))
            for (bytes, query) in [
                ("", ""), ("Nom;Prénom\nA;B\n", "?account=1"), ("Date;Libellé;Montant\n20/11/2026;A;1,00\n", ""),
                ("<html/>", ""), ("<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.052.001.02'/>", ""),
                ("<Document xmlns='urn:iso:std:iso:20022:tech:xsd:camt.053.001.14'/>", ""), ("<Document", ""),
            ] { #expect(try await answer(Array(bytes.utf8), query, to: directory).status == 422, "\(bytes)") }
            let huge = Array(repeating: UInt8(ascii: "a"), count: BankFile.limits.bytes + 1)
            #expect(try await answer(huge, "?account=1", to: directory).status == 413)
            let many = "Date;Montant\n" + String(repeating: "20/11/2026;1\n", count: BankFile.limits.lines + 1)
            #expect(try await answer(Array(many.utf8), "?account=1", to: directory).status == 422)
            #expect(try await lines(directory).count == 1)
            let other = try await directory.raw(
                .post, "/v1/bank-statements", role: .operator, headers: ["Content-Type": "application/json"], json: "{}"
            )
            #expect(other.status == 415)
            for role in [Role.auditor, .editor, .representative] {
                #expect(try await answer(Array("x".utf8), "", to: directory, as: role).status == 403)
            }
        }
    }

    @Test("camt.053 in every version: batches, reversals, pending entries, other currencies", arguments: 2...13)
    func camt(version: Int) async throws {
        try await withDirectory { directory in
            let file = Camt(
                version: version,
                statements: [
                    [
                        .init(
                            cents: 120_000, day: "2026-11-20", reference: "BK1", number: "1",
                            parts: [
                                .init(
                                    cents: 120_000, payer: "Chambre & Fils", iban: "DE89370400440532013000",
                                    text: "Cotisation", structured: "RF712348231", endToEnd: "E2E-1")
                            ]),
                        .init(
                            cents: 300_000, day: "2026-11-21", reference: "BK2",
                            parts: [
                                .init(cents: 100_000, payer: "Un", text: "2026-1"),
                                .init(cents: 100_000, payer: "Deux", text: "2026-2"),
                                .init(cents: 100_000, payer: "Trois", text: "2026-3"),
                            ]),
                        .init(
                            cents: 300_000, day: "2026-11-21", reference: "BK3",
                            parts: [.init(cents: 100_000), .init(cents: 100_000)]),
                    ],
                    [
                        .init(
                            cents: -120_000, day: "2026-11-22", reference: "BK4", isReversal: true,
                            parts: [.init(cents: -120_000, payer: "Chambre & Fils")]),
                        .init(cents: 5000, day: "2026-11-22", reference: "BK5", status: "PDNG"),
                        .init(cents: 5000, day: "2026-11-22", reference: "BK6", currency: "CHF"),
                        .init(cents: -990, day: "2026-11-23", number: "1", more: "FRAIS DE TENUE DE COMPTE"),
                    ],
                ])
            let statement = try await send(Array(file.text.utf8), "", to: directory)
            #expect(statement.format == .camt053 && statement.added == 6 && statement.rejected == 3)
            #expect(statement.faults.map(\.place) == [3, 5, 6])
            let lines = try await lines(directory)
            #expect(lines.map(\.amount.amount) == [-990, -120_000, 100_000, 100_000, 100_000, 120_000])
            #expect(lines.map(\.reference.text) == ["1", "BK4", "BK2", "BK2", "BK2", "BK1"])
            #expect(Set(lines.compactMap { $0.counterparty?.text }) == ["Chambre & Fils", "Un", "Deux", "Trois"])
            #expect(lines[1].counterparty?.text == "Chambre & Fils")
            let first = try #require(lines.last)
            #expect(first.counterpartyIBAN?.text == "DE89370400440532013000" && first.endToEnd?.text == "E2E-1")
            #expect(first.remittance?.text == "Cotisation RF712348231" && first.valueOn == "2026-11-20")
            #expect(lines[0].remittance?.text == "FRAIS DE TENUE DE COMPTE" && lines[0].endToEnd == nil)

            // Another file with some of the lines adds nothing; another line number 1 is a new line.
            var other = file
            other.statements[1].append(.init(cents: -990, day: "2026-11-24", number: "1", more: "FRAIS"))
            let more = try await send(Array(other.text.utf8), "", to: directory)
            #expect(more.added == 1 && more.known == 6)
        }
    }

    @Test("a booking with a time (DtTm) takes its day in Paris")
    func times() async throws {
        try await withDirectory { directory in
            let times = [
                ("2026-11-19T23:30:00Z", "2026-11-20"), ("2026-11-20T00:30:00+02:00", "2026-11-19"),
                ("2026-07-01T22:30:00.000Z", "2026-07-02"), ("2026-11-20T23:30:00", "2026-11-20"),
            ]
            let file = Camt(
                statements: [
                    times.enumerated().map { number, time in
                        .init(cents: 1000 + number, day: "2026-11-20", reference: "T\(number)", time: time.0)
                    }
                ])
            #expect(try await send(Array(file.text.utf8), "", to: directory).added == times.count)
            for line in try await lines(directory) {
                #expect(line.bookedOn.text == times[line.amount.amount - 1000].1, "\(line.reference)")
            }
        }
    }

    @Test(
        "a batch becomes its parts with the payers' texts or, if these are incomplete, one line with all texts"
    )
    func instructed() async throws {
        try await withDirectory { directory in
            func entry(_ reference: String, _ cents: Int, _ parts: [Camt.Part]) -> Camt.Entry {
                .init(cents: cents, day: "2026-11-20", reference: reference, parts: parts, more: "REMISE")
            }
            func parts(_ one: Camt.Amount, _ two: Camt.Amount) -> [Camt.Part] {
                [
                    .init(cents: 100_000, payer: "Un", text: "2026-1", amount: one),
                    .init(cents: 20_000, payer: "Deux", text: "2026-2", endToEnd: "E2", amount: two),
                ]
            }
            let file = Camt(
                version: 2,
                statements: [
                    [
                        entry("A", 120_000, parts(.instructed("EUR"), .instructed("EUR"))),
                        entry("B", 119_000, parts(.instructed("EUR"), .instructed("EUR"))),
                        entry("C", 120_000, parts(.instructed("EUR"), .instructed("CHF"))),
                        entry("D", 120_000, parts(.none, .none)), entry("E", 120_000, parts(.own, .instructed("EUR"))),
                        entry("F", 120_000, parts(.own, .none)),
                        entry(
                            "G", -240_000,
                            [
                                .init(cents: -120_000, payer: "Un", amount: .none),
                                .init(cents: -120_000, payer: "Un", amount: .none),
                            ]),
                        entry(
                            "H", 100,
                            Array(
                                repeating: .init(cents: 1, payer: String(repeating: "x", count: 4000), amount: .none),
                                count: 300)),
                    ]
                ])
            let statement = try await send(Array(file.text.utf8), "", to: directory)
            #expect(statement.added == 9 && statement.faults.map(\.place) == [6])
            let lines = try await lines(directory)
            func of(_ reference: String) -> [BankLine] { lines.filter { $0.reference.text == reference } }
            for reference in ["A", "E"] {
                #expect(Set(of(reference).map(\.amount.amount)) == [100_000, 20_000], "\(reference)")
                #expect(Set(of(reference).compactMap { $0.counterparty?.text }) == ["Un", "Deux"])
            }
            for reference in ["B", "C", "D"] {
                #expect(
                    of(reference).map { $0.remittance?.text } == ["Un 2026-1 / Deux 2026-2 E2 / REMISE"], "\(reference)"
                )
                #expect(of(reference).first?.counterparty == nil)
            }
            #expect(of("G").first?.counterparty?.text == "Un" && of("G").first?.remittance?.text == "Un / Un / REMISE")
            #expect(of("H").first?.remittance?.text.unicodeScalars.count == 1000)
        }
    }

    @Test("document types, entities, excessive depth and truncation are refused; nothing of such a file is stored")
    func hostile() async throws {
        try await withDirectory { directory in
            let good = Camt(statements: [[.init(cents: 100, day: "2026-11-20", reference: "A")]]).text
            let rest = good.drop { $0 != "\n" }
            let bombs = [
                "<?xml version=\"1.0\"?><!DOCTYPE Document [<!ENTITY a \"aaaa\"><!ENTITY b \"&a;&a;\">]>\(rest)",
                "<?xml version=\"1.0\"?><!DOCTYPE Document SYSTEM \"file:///etc/passwd\">\(rest)",
                good.replacing("<NtryRef>", with: "").replacing("<CdtDbtInd>CRDT", with: "<CdtDbtInd>&nobody;CRDT"),
                good.replacing("</Document>", with: ""), good + "<x/>",
                good.replacing("<BkTxCd>", with: String(repeating: "<a>", count: 100)),
                good.replacing("<Stmt>", with: String(repeating: "<Stmt>", count: 5000)),
                // Each attribute is compared with all before it.
                good.replacing("<Stmt>", with: "<Stmt \((0..<400).map { "a\($0)=''" }.joined(separator: " "))>"),
                good.replacing("<Stmt>", with: "<Stmt \((0..<400).map { "xmlns:a\($0)=''" }.joined(separator: " "))>"),
                // In these encodings the text would not appear to contain tags.
                good.replacing("UTF-8", with: "IBM037"), good.replacing("UTF-8", with: "UTF-7"),
            ]
            for bomb in bombs {
                #expect(try await answer(Array(bomb.utf8), "", to: directory).status == 422, "\(bomb.prefix(150))")
            }
            let wide = good.replacing("UTF-8", with: "UTF-16").utf16.flatMap { [UInt8($0 >> 8), UInt8($0 & 0xFF)] }
            #expect(try await answer([0xFE, 0xFF] + wide, "", to: directory).status == 422)
            #expect(try await answer(wide, "", to: directory).status == 422)
            #expect(try await lines(directory).isEmpty)
            // In any encoding that it declares.
            let latin = good.replacing("UTF-8", with: "ISO-8859-1")
                .replacing("<AcctSvcrRef>A", with: "<AcctSvcrRef>é")
            #expect(try await send(Self.latin(latin), "", to: directory).added == 1)
            #expect(try await lines(directory).first?.reference.text == "é")
            // Texts are truncated, names of other schemas are ignored, and a run of combining marks excludes only its
            // entry.
            let long = Camt(statements: [
                [
                    .init(
                        cents: 100, day: "2026-11-21", reference: "L",
                        parts: [
                            .init(
                                cents: 100, payer: String(repeating: "x", count: 9000),
                                text: String(repeating: "é ", count: 5000))
                        ]),
                    .init(
                        cents: 100, day: "2026-11-21", reference: "M",
                        parts: [.init(cents: 100, payer: "a" + String(repeating: "\u{301}", count: 50))]),
                ]
            ]).text
            let statement = try await send(Array(long.utf8), "", to: directory)
            #expect(statement.added == 1 && statement.faults.map(\.place) == [2])
            #expect(try await lines(directory).first?.counterparty?.text.count == 200)
        }
    }

    @Test("a statement is listed and shown, not cached, and recorded in the audit trail")
    func listed() async throws {
        try await withDirectory { directory in
            let file = Array("Date;Libellé;Montant\n20/11/2026;A;1,00\n".utf8)
            let statement = try await send(file, "?account=1", to: directory)
            let answer = try await directory.ask("/v1/bank-statements/\(statement.id)", as: .auditor)
            #expect(try answer.decode(BankStatement.self) == statement)
            #expect(answer.headers["cache-control"]?.contains("no-store") == true)
            #expect(try await directory.ask("/v1/bank-statements").items("id") == [statement.id.text])
            #expect(try await directory.ask("/v1/bank-lines").headers["cache-control"]?.contains("no-store") == true)
            #expect(try await directory.ask("/v1/bank-statements/\(BankStatement.ID())").status == 404)
            let entry = try await directory.backend.database.first(
                "select action from audit where entity = 'bankStatement' and subject = \(statement.id.text)")
            #expect(try entry?["action", as: String.self] == "created")
        }
    }

    // MARK: -

    private func answer(
        _ bytes: [UInt8], _ query: String, to directory: TestService, as role: Role = .operator
    ) async throws -> RawAnswer {
        let isXML = bytes.first == UInt8(ascii: "<")
        let token = try directory.token(role, organization: role == .representative ? Organization.ID() : nil)
        return try await directory.raw(
            .post, "/v1/bank-statements\(query)",
            headers: [
                "Authorization": "Bearer \(token)", "Content-Type": isXML ? "application/xml" : "text/csv",
            ], body: bytes)
    }

    private func send(_ bytes: [UInt8], _ query: String, to directory: TestService) async throws -> BankStatement {
        let answer = try await answer(bytes, query, to: directory)
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.decode(BankStatement.self)
    }

    private func lines(_ directory: TestService) async throws -> [BankLine] {
        try await directory.client(.operator).send(ListBankLines.request(query: .init(limit: 200))).items
    }
}
