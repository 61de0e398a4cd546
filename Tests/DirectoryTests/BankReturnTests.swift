import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Payments that a bank reverses, and the parties of a payment.
@Suite("returned payments", .serialized)
struct BankReturnTests {
    private let year = Day.today.year
    private let account = BankStatementTests.account

    @Test("a returned payment is proposed by number, amount and name, and is reversed as proposed")
    func proposed() async throws {
        try await withDirectory { directory in
            let delta = try await directory.member("Delta Fédération")
            let gamma = try await directory.member("Union Gamma")
            let owing = try await directory.member("Chambre de Béta")
            try await call(directory)
            let paid = try await contribution(of: delta, directory)
            for contribution in [paid, try await contribution(of: gamma, directory)] {
                try await pay(contribution, 120_000, directory)
            }
            let number = "\(paid.year)-\(paid.number)"
            let unpaid = try await contribution(of: owing, directory)
            let table = """
                Date;Libellé;Montant
                \(day(0));REJET PRLV DELTA FEDERATION COT \(number) PROVISION INSUFFISANTE;-1200,00
                \(day(1));REJET DE PRELEVEMENT;-1200,00
                \(day(2));VIR EMIS DELTA FEDERATION;-700,00
                \(day(3));REJET COT \(unpaid.year)-\(unpaid.number);-80,00
                \(day(4));REJET COT \(number);-1215,00
                """
            try await send(Array(table.utf8), directory)
            let lines = try await open(directory)
            try #require(lines.count == 5)
            let first = try #require(lines[0].proposals?.first)
            #expect(first.organization == delta.id && first.reasons == [.reference, .amount, .name])
            #expect(first.contributions.map(\.number.text) == [number] && first.refund == nil)
            #expect(first.contributions.map(\.amount.amount) == [-120_000])
            let second = lines[1].proposals ?? []
            #expect(Set(second.map(\.organization)) == [delta.id, gamma.id])
            #expect(second.allSatisfy { $0.reasons == [.amount] })
            #expect(lines[2].proposals?.map(\.reasons) == [[.name]])
            // No payment was made that could be returned.
            #expect(lines[3].proposals == [])
            #expect(lines[4].proposals?.first?.reasons == [.reference])

            let part = try #require(first.contributions.first)
            let json =
                #"{"contributions":[{"contribution":"\#(part.contribution)","amount":{"amount":\#(part.amount.amount),"currency":"EUR"}}],"means":"directDebit"}"#
            #expect(try await directory.ask(.post, "/v1/bank-lines/\(lines[0].id)/bookings", json: json).status == 201)
            #expect(try await contribution(of: delta, directory).paid.amount == 0)
            // A payment that has been returned is not proposed again.
            let rest = try await open(directory)
            #expect(rest.first { $0.id == lines[1].id }?.proposals?.map(\.organization) == [gamma.id])
        }
    }

    @Test("several contributions paid by one payment are reversed together, the latest first")
    func several() async throws {
        try await withDirectory { directory in
            let gamma = try await directory.member("Union Gamma")
            _ = try await directory.membership(gamma.id, from: "\(year + 1)-01-01", until: "\(year + 1)-12-31")
            for year in [year, year + 1] {
                _ = try await directory.client(.operator).send(CallContributions.request(body: .init(year: year)))
            }
            let all = try await directory.client(.operator).send(
                ListContributions.request(query: .init(.init(organization: gamma.id)))
            ).items
            for contribution in all { try await pay(contribution, 120_000, directory) }
            try await send(Array("Date;Libellé;Montant\n\(day(0));REJET PRLV UNION GAMMA;-2400,00\n".utf8), directory)
            let found = try await open(directory).first?.proposals?.first
            #expect(found?.reasons == [.amount, .name] && found?.contributions.count == 2)
            #expect(found?.contributions.reduce(0) { $0 + $1.amount.amount } == -240_000)
        }
    }

    @Test(
        "the counterparty of a return had paid: by RvslInd, by RtrInf, or because the other party is the club itself",
        arguments: [2, 8])
    func parties(version: Int) async throws {
        try await withDirectory { directory in
            let day = "2026-11-20"
            func part(_ payer: String, returned: String? = nil) -> Camt.Part {
                .init(cents: -120_000, payer: payer, text: "COT 2026-1", returned: returned)
            }
            let file = Camt(
                version: version, owner: "LE CLUB",
                statements: [
                    [
                        .init(cents: -120_000, day: day, reference: "A", isReversal: true, parts: [part("Un")]),
                        .init(
                            cents: -120_000, day: day, reference: "B",
                            parts: [part("Deux", returned: "PROVISION INSUFFISANTE")]),
                        .init(cents: -120_000, day: day, reference: "C", parts: [part("Trois")]),
                    ]
                ])
            try await send(Array(file.text.utf8), directory)
            // The bank gives neither: the creditor is the account's owner.
            let swapped = file.text.replacing("<AcctSvcrRef>B<", with: "<AcctSvcrRef>D<")
                .replacing(
                    "<RtrInf><Rsn><Cd>AM04</Cd></Rsn><AddtlInf>PROVISION INSUFFISANTE</AddtlInf></RtrInf>", with: "")
            try await send(Array(swapped.utf8), directory)
            let names = try await open(directory).reduce(into: [String: String]()) {
                $0[$1.reference.text] = $1.counterparty?.text
            }
            #expect(names == ["A": "Un", "B": "Deux", "C": "Trois", "D": "Deux"])
            let texts = try await open(directory).compactMap { $0.remittance?.text }
            #expect(texts.contains("COT 2026-1 / PROVISION INSUFFISANTE"))
        }
    }

    @Test("the bank's additional text is kept and names the payer; the ultimate party precedes the intermediary")
    func texts() async throws {
        try await withDirectory { directory in
            let epsilon = try await directory.member("SARL Epsilon")
            let gamma = try await directory.member("Union Gamma")
            _ = try await directory.member("Helloasso")
            try await call(directory)
            func entry(_ reference: String, _ part: Camt.Part, more: String? = nil) -> Camt.Entry {
                .init(cents: part.cents, day: Day.today.text, reference: reference, parts: [part], more: more)
            }
            let file = Camt(statements: [
                [
                    entry("A", .init(cents: 100, more: "VIR SEPA RECU /DE SARL EPSILON /MOTIF COT 1999-4")),
                    entry("B", .init(cents: 200, text: "merci"), more: "VIR SEPA RECU /DE SARL EPSILON"),
                    entry("C", .init(cents: 300, payer: "HELLOASSO", text: "merci", ultimate: "Union Gamma")),
                    entry("D", .init(cents: 400, text: "merci beaucoup"), more: "MERCI"),
                    entry(
                        "E",
                        .init(
                            cents: 500, text: String(repeating: "é ", count: 1500),
                            more: String(repeating: "x", count: 3000))),
                ]
            ])
            try await send(Array(file.text.utf8), directory)
            let lines = try await open(directory).reduce(into: [String: BankLine]()) { $0[$1.reference.text] = $1 }
            #expect(lines["A"]?.remittance?.text == "VIR SEPA RECU /DE SARL EPSILON /MOTIF COT 1999-4")
            #expect(lines["B"]?.remittance?.text == "merci / VIR SEPA RECU /DE SARL EPSILON")
            for reference in ["A", "B"] {
                #expect(lines[reference]?.proposals?.first?.organization == epsilon.id)
                #expect(lines[reference]?.proposals?.first?.reasons == [.name])
            }
            #expect(lines["C"]?.counterparty?.text == "HELLOASSO" && lines["C"]?.ultimateParty?.text == "Union Gamma")
            #expect(lines["C"]?.proposals?.first?.organization == gamma.id && lines["C"]?.proposals?.count == 2)
            #expect(lines["D"]?.remittance?.text == "merci beaucoup")
            #expect(lines["E"]?.remittance.map { $0.text.unicodeScalars.count <= 1000 } == true)
        }
    }

    @Test("the ultimate party of a payment is personal data: disclosed, erased, and deleted after retention")
    func personal() async throws {
        try await withDirectory { directory in
            let person = try await directory.person("Bob", "Bidart")
            let file = Camt(statements: [
                [
                    .init(
                        cents: 100, day: Day.today.text, reference: "A",
                        parts: [.init(cents: 100, payer: "HELLOASSO", ultimate: "BOB BIDART")])
                ]
            ])
            try await send(Array(file.text.utf8), directory)
            let subject = DataSubject(person.id)
            let known = try await SubjectIdentifiers.find(subject, on: directory.backend.database)
            let document = try await PersonalRecords(backend: directory.backend).own(subject, known)
            #expect(document.data["bankLines"]?.array?.map { $0["ultimateParty"]?.string } == ["BOB BIDART"])
            for statement in ErasureSteps.statements(for: subject, known) {
                try await directory.backend.database.execute(statement)
            }
            let line = try #require(try await open(directory).first)
            #expect(line.ultimateParty == nil && line.counterparty == nil && line.forgottenAt != nil)
        }
    }

    // MARK: -

    private func day(_ back: Int) -> String { Day.today.adding(days: -back).text }

    private func call(_ directory: TestService) async throws {
        _ = try await directory.client(.operator).send(CallContributions.request(body: .init(year: year)))
    }

    private func contribution(of member: Organization, _ directory: TestService) async throws -> Contribution {
        try #require(
            try await directory.client(.operator).send(
                ListContributions.request(query: .init(.init(organization: member.id)))
            ).items.first)
    }

    private func pay(_ contribution: Contribution, _ cents: Int, _ directory: TestService) async throws {
        let json =
            #"{"amount":{"amount":\#(cents),"currency":"EUR"},"paidOn":"\#(day(20))","means":"directDebit"}"#
        let answer = try await directory.ask(.post, "/v1/contributions/\(contribution.id)/payments", json: json)
        #expect(answer.status == 201, "\(answer.text)")
    }

    private func send(_ bytes: [UInt8], _ directory: TestService) async throws {
        let isXML = bytes.first == UInt8(ascii: "<")
        let answer = try await directory.raw(
            .post, "/v1/bank-statements\(isXML ? "" : "?account=\(account)")", role: .operator,
            headers: ["Content-Type": isXML ? "application/xml" : "text/csv"], body: bytes)
        #expect(answer.status == 201, "\(answer.text)")
    }

    private func open(_ directory: TestService) async throws -> [BankLine] {
        try await directory.client(.operator).send(ListBankLines.request(query: .init(.init(state: .open)))).items
    }
}
