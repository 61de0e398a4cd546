import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Which lines of a bank's files are one payment, and which are two.
@Suite("payments that look alike", .serialized)
struct BankRepeatTests {
    @Test(
        "payments of the same day and amount remain separate, whatever reference the bank gives both",
        arguments: ["NONREF", "NOTPROVIDED", "Not provided", "no-ref", "0000000000", "BATCH-7"])
    func reference(text: String) async throws {
        try await withDirectory { directory in
            let file = Camt(statements: [
                [
                    .init(
                        cents: 120_000, day: "2026-11-20", reference: text, parts: [.init(cents: 120_000, payer: "Un")]),
                    .init(
                        cents: 120_000, day: "2026-11-20", reference: text,
                        parts: [.init(cents: 120_000, payer: "Deux")]),
                    .init(
                        cents: 120_000, day: "2026-11-20", reference: text, parts: [.init(cents: 120_000, payer: "Un")]),
                    .init(
                        cents: 200, day: "2026-11-20", reference: text,
                        parts: [.init(cents: 100, payer: "Trois"), .init(cents: 100, payer: "Quatre")]),
                    .init(
                        cents: 200, day: "2026-11-20", reference: text,
                        parts: [.init(cents: 100, payer: "Cinq"), .init(cents: 100, payer: "Trois")]),
                ]
            ])
            #expect(try await send(file, to: directory).added == 7)
            let lines = try await lines(directory)
            #expect(
                lines.compactMap { $0.counterparty?.text }.sorted()
                    == ["Cinq", "Deux", "Quatre", "Trois", "Trois", "Un", "Un"])
            #expect(Set(lines.map(\.reference.text)).count == (text.hasPrefix("BATCH") ? 1 : 7))
            // The next file repeats them, with one new line.
            var next = file
            next.statements[0].append(
                .init(cents: 120_000, day: "2026-11-20", reference: text, parts: [.init(cents: 120_000, payer: "Six")]))
            let more = try await send(next, to: directory)
            #expect(more.added == 1 && more.known == 7)
        }
    }

    @Test(
        "an entry whose bank reference is in two statements of a file is one; without texts, its number decides"
    )
    func statements() async throws {
        try await withDirectory { directory in
            let entry = Camt.Entry(
                cents: 100, day: "2026-11-20", reference: "BK1", parts: [.init(cents: 100, payer: "Un")])
            var other = entry
            other.parts[0].payer = "Deux"
            let file = Camt(statements: [[entry, entry], [entry, other]])
            let statement = try await send(file, to: directory)
            #expect(statement.added == 3 && statement.known == 1)
            let numbered = Camt(statements: [
                (1...3).map { _ in .init(cents: 500, day: "2026-11-21", number: "NONREF") },
                [.init(cents: 500, day: "2026-11-22", number: "1"), .init(cents: 500, day: "2026-11-22", number: "1")],
            ])
            #expect(try await send(numbered, to: directory).added == 5)
        }
    }

    @Test("an account number matches the IBAN that contains it, and no other")
    func accounts() {
        let iban = "FR7630006000011234567890189"
        for (one, other, isOne) in [
            (iban, "FR76 3000 6000 0112 3456 7890 189", true), (iban, "12345678901", true),
            (iban, "012345678901", true),
            (iban, "30006 00001 12345678901 89", true), (iban, "30006-00001-12345678901", true),
            (iban, "00001 12345678901", true), ("30006 00001 12345678901 89", "12345678901", true),
            (iban, "FR1420041010050500013M02606", false), (iban, "2345678901", false), (iban, "1234567890189", false),
            (iban, "", false), (iban, "1", false), ("FR1420041010050500013M02606", "0500013m026", true),
            ("DE89370400440532013000", "0532013000", true), ("DE89370400440532013000", "532013000", true),
            ("DE89370400440532013000", "3000", false), ("Compte courant", "Compte courant", true), ("1", "2", false),
            ("Compte", "", false),
        ] {
            #expect(BankAccount.isOne(one, other) == isOne, "\(one), \(other)")
            #expect(BankAccount.isOne(other, one) == isOne, "\(other), \(one)")
        }
    }

    @Test("a table belongs to one account, however the file and its sender write it, and its lines are stored once")
    func account() async throws {
        try await withDirectory { directory in
            let iban = BankStatementTests.account
            func table(_ head: String, _ days: Int...) -> [UInt8] {
                let rows = days.map { "\($0)/11/2026;VIR DE UN;1200,00\n" }.joined()
                return Array("\(head)Date;Libellé;Montant\n\(rows)".utf8)
            }
            let head = "Numéro de compte : 12345678901\n"
            for (bytes, query, added, known, account) in [
                (table(head, 2), "", 1, 0, "12345678901"), (table("", 2, 3), "?account=\(iban)", 1, 1, iban),
                (table("", 3, 4), "?account=12345678901", 1, 1, iban),
                (table("", 2, 4, 5), "?account=30006%2000001%2012345678901%2089", 1, 2, iban),
                (table(head, 2, 3, 4, 5), "?account=\(iban)", 0, 4, iban),
                (table("IBAN;\(iban)\n", 2, 5), "?account=12345678901", 0, 2, iban),
                (table("", 2), "?account=98765432109", 1, 0, "98765432109"),
            ] {
                let statement = try await send(bytes, "text/csv", query, to: directory)
                #expect(statement.added == added && statement.known == known, "\(query)")
                #expect(statement.accounts.map(\.text) == [account], "\(query)")
            }
            // The same file is the same statement under the other form of the number.
            for query in ["", "?account=\(iban)"] {
                let same = try await answer(table(head, 2), "text/csv", query, to: directory)
                #expect(same.status == 200, "\(query)")
            }
            let other = try await answer(table("IBAN;\(iban)\n", 9), "text/csv", "?account=98765432109", to: directory)
            #expect(other.status == 422)
            #expect(other.text.contains(iban))
            #expect(try await lines(directory).count == 5)
            let many = (0...BankFile.limits.accounts).map { "\($0);02/11/2026;1\n" }.joined()
            let crowd = try await answer(Array("Compte;Date;Montant\n\(many)".utf8), "text/csv", "", to: directory)
            #expect(crowd.status == 422)
        }
    }

    @Test("lines that a table and camt.053 word differently are alike, and the second is booked on confirmation")
    func formats() async throws {
        try await withDirectory { directory in
            let alpha = try await directory.member("Alpha")
            let operating = try directory.client(.operator)
            _ = try await operating.send(CallContributions.request(body: .init(year: Day.today.year)))
            let table = """
                Date;Libellé;Montant
                20/11/2026;VIR SEPA RECU /DE ALPHA /MOTIF COT;1200,00
                20/11/2026;VIR SEPA RECU /DE BETA /MOTIF MERCI;1200,00
                21/11/2026;FRAIS;-3,00

                """
            let query = "?account=\(BankStatementTests.account)"
            #expect(try await send(Array(table.utf8), "text/csv", query, to: directory).added == 3)
            #expect(try await lines(directory).allSatisfy { $0.alike.isEmpty })
            let file = Camt(statements: [
                ["Béta", "Alpha", "Gamma"].map { (payer: String) in
                    Camt.Entry(
                        cents: 120_000, day: "2026-11-20", reference: "BK \(payer)",
                        parts: [.init(cents: 120_000, payer: payer)])
                } + [.init(cents: 120_000, day: "2026-11-22", reference: "BK4")]
            ])
            #expect(try await send(file, to: directory).added == 4)
            let all = try await lines(directory)
            func line(_ payer: String) throws -> BankLine {
                try #require(
                    all.first { $0.counterparty?.text == payer || $0.remittance?.text.contains(payer) == true })
            }
            let (one, two) = (try line("ALPHA"), try line("Alpha"))
            #expect(two.alike == [one.id] && one.alike.contains(two.id))
            #expect(try line("Béta").alike == [try line("BETA").id] && !(try line("Gamma").alike.isEmpty))
            #expect(all.filter { $0.bookedOn != "2026-11-20" }.allSatisfy { $0.alike.isEmpty })

            let owed = try await operating.send(ListContributions.request(query: .init(.init(organization: alpha.id))))
                .items[
                    0]
            func book(_ line: BankLine, _ more: String = "") async throws -> RawAnswer {
                try await directory.ask(
                    .post, "/v1/bank-lines/\(line.id)/bookings", json: #"{"contribution":"\#(owed.id)"\#(more)}"#)
            }
            #expect(try await book(two).status == 201)
            #expect(try await book(one).problem().slug == "bank-line-alike")
            #expect(try await book(one, #","another":false"#).status == 409)
            let dismissal = "/v1/bank-lines/\(one.id)/dismissal"
            #expect(try await directory.ask(.post, dismissal, json: #"{"reason":"Double"}"#).status == 200)
            // Lines within one file are not duplicates of each other.
            #expect(try await book(line("Béta")).status == 201)
            #expect(try await book(line("BETA")).status == 409)
            #expect(try await book(line("BETA"), #","another":true"#).status == 201)
            // Reported again, they are known.
            let again = Camt(statements: [file.statements[0] + [.init(cents: 1, day: "2026-11-23", reference: "BK5")]])
            #expect(try await send(again, to: directory).known == 4)
        }
    }

    @Test(
        "lines of one file are not alike; a new line and a known one of an earlier file are", arguments: [true, false])
    func told(isTold: Bool) async throws {
        try await withDirectory { directory in
            let (a, b) = ("20/11/2026;VIR DE UN;1200,00\n", "20/11/2026;VIR DE DEUX;1200,00\n")
            let (header, query) = ("Date;Libellé;Montant\n", "?account=\(BankStatementTests.account)")
            _ = try await send(Array((header + a).utf8), "text/csv", query, to: directory)
            _ = try await send(Array((header + (isTold ? a : "") + b).utf8), "text/csv", query, to: directory)
            let lines = try await lines(directory)
            #expect(lines.count == 2 && lines.allSatisfy { $0.alike.count == (isTold ? 0 : 1) })
        }
    }

    @Test(
        "of two lines that may be the same, booked at once, one is; without the guard both are",
        arguments: [true, false])
    func atOnce(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            let member = try await directory.member("Alpha")
            let operating = try directory.client(.operator)
            _ = try await operating.send(CallContributions.request(body: .init(year: Day.today.year)))
            let owed = try await operating.send(ListContributions.request(query: .init(.init(organization: member.id))))
                .items[
                    0]
            let query = "?account=\(BankStatementTests.account)"
            for text in ["UN", "DEUX", "TROIS", "QUATRE"] {
                let table = "Date;Libellé;Montant\n20/11/2026;\(text);12,00\n"
                _ = try await send(Array(table.utf8), "text/csv", query, to: directory)
            }
            if !isGuarded {
                try await directory.database.withClient(searchPath: "directory") { client in
                    _ = try await client.execute("update bank_line set alike = null")
                }
            }
            let lines = try await lines(directory)
            #expect(lines.allSatisfy { $0.alike.count == (isGuarded ? 3 : 0) })
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for line in lines {
                    group.addTask {
                        try await directory.ask(
                            .post, "/v1/bank-lines/\(line.id)/bookings", json: #"{"contribution":"\#(owed.id)"}"#
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == (isGuarded ? [201, 409, 409, 409] : [201, 201, 201, 201]))
        }
    }

    // MARK: -

    private func send(_ file: Camt, to directory: TestService) async throws -> BankStatement {
        try await send(Array(file.text.utf8), "application/xml", "", to: directory)
    }

    private func send(
        _ bytes: [UInt8], _ type: String, _ query: String, to directory: TestService
    ) async throws -> BankStatement {
        let answer = try await answer(bytes, type, query, to: directory)
        #expect(answer.status == 201, "\(answer.text)")
        return try answer.decode(BankStatement.self)
    }

    private func answer(
        _ bytes: [UInt8], _ type: String, _ query: String, to directory: TestService
    ) async throws -> RawAnswer {
        try await directory.raw(
            .post, "/v1/bank-statements\(query)", role: .operator, headers: ["Content-Type": type], body: bytes)
    }

    private func lines(_ directory: TestService) async throws -> [BankLine] {
        try await directory.client(.operator).send(ListBankLines.request(query: .init(limit: 200))).items
    }
}
