import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// The proposals for bank lines, and that each line is booked once.
@Suite("bank lines", .serialized)
struct BankLineTests {
    private let year = Day.today.year

    @Test("contribution numbers are found in the ways that payers write them")
    func references() {
        for (text, found) in [
            ("2027-12", ["2027-12"]), ("COT 2027 12", ["2027-12"]), ("COT202712", ["2027-12"]),
            ("N°2027-0012.", ["2027-12"]),
            ("2027/12 et 2027/13", ["2027-12", "2027-13"]), ("2027 - 12", ["2027-12"]), ("2027–12", ["2027-12"]),
            ("2027_12", ["2027-12"]), ("cotisation 2027, merci", []), ("1999-12", []), ("2027-0", []),
            ("RF05202712", ["2027-12"]), ("RF05 2027 12 merci", ["2027-12"]), ("", []), ("le 12/2027", []),
            // Dates are not contribution numbers.
            ("VIR DU 2026-04-15 SARL", []), ("LE 20260415 SARL", []), ("15/04/2026 12", []), ("15.04.2026-12", []),
            ("LE 15042026 12", []), ("201226", []), ("DU 2026-04-15 COT 2026-4", ["2026-4"]),
            ("2026-04-31", ["2026-4"]),
            ("20261301", ["2026-1301"]), ("2026/04/15T10:00", []), ("202612", ["2026-12"]), ("2026-12-3", ["2026-12"]),
        ] {
            #expect(PaymentReferences.numbers(in: text).map { "\($0.year)-\($0.number)" } == found, "\(text)")
        }
        let many = (1...100).map { "2027-\($0)" }.joined(separator: " ")
        #expect(PaymentReferences.numbers(in: many).count == 16)
        #expect(PaymentReferences.payer(in: "VIR SEPA RECU /DE CHAMBRE DE PAU /MOTIF COT 2027-12") == "CHAMBRE DE PAU")
        #expect(PaymentReferences.payer(in: "VIREMENT DE SARL DUPONT REF 12") == "SARL DUPONT")
        #expect(PaymentReferences.payer(in: "VIR INST CHAMBRE PAU 2027-12") == "CHAMBRE PAU")
        #expect(PaymentReferences.payer(in: "CARTE PARKING") == nil)
        #expect(PaymentReferences.payer(in: "VIR RECU 1234567890S DE: UNION GAMMA MOTIF: COT") == "UNION GAMMA")
        #expect(PaymentReferences.payer(in: "merci / VIR SEPA RECU /DE SARL EPSILON") == "SARL EPSILON")
        #expect(PaymentReferences.payer(in: "VIR DE SARL EPSILON / Virement reçu") == "SARL EPSILON")
        #expect(
            PaymentReferences.payer(in: "REJET PRLV DELTA FEDERATION COT 2026-3 PROVISION INSUFFISANTE")
                == "DELTA FEDERATION")
    }

    @Test("numbers of accounts and references have check digits")
    func checkDigits() {
        #expect((try? IBAN(validating: "fr76 3000 6000 0112 3456 7890 189"))?.text == "FR7630006000011234567890189")
        for text in [
            "FR7630006000011234567890188", "FR76", "7630006000011234567890189", "FR76\u{E9}0006000011234567890189",
        ] {
            #expect((try? IBAN(validating: text)) == nil)
        }
        #expect(CreditorReference.body(of: "RF18 5390 0754 7034") == "539007547034")
        #expect(CreditorReference.body(of: "RF19 5390 0754 7034") == nil)
    }

    @Test(
        "a line gets proposals by number, by amount, by name and by the sum of several, the likeliest first")
    func proposals() async throws {
        try await withDirectory { directory in
            let alpha = try await directory.member("SARL Alpha Conseil")
            let beta = try await directory.member("Chambre de Béta", tier: "premium")
            let gamma = try await directory.member("Union Gamma")
            _ = try await directory.membership(gamma.id, from: "\(year + 1)-01-01", until: "\(year + 1)-12-31")
            for year in [year, year + 1] { try await call(year, directory) }
            let numbers = try await numbers(directory)
            let (one, two) = (try #require(numbers[alpha.id]?.first), try #require(numbers[beta.id]?.first))
            try await take(
                [
                    (120_000, nil, "COTISATION \(one.replacing("-", with: " "))"),
                    (300_000, "CHAMBRE DE BETA SA", nil), (120_000, nil, nil), (240_000, "Union Gamma", nil),
                    (77, "Personne", "bonjour"), (5_000, "alpha conseil", nil),
                    (300_000, "Inconnu", "RF00 \(two.replacing("-", with: ""))"),
                ], directory)
            let lines = try await open(directory)
            func found(_ index: Int) -> [BankProposal] { lines[index].proposals ?? [] }
            #expect(found(0).first?.organization == alpha.id && found(0).first?.reasons == [.reference, .amount])
            #expect(found(0).first?.contributions.map(\.number.text) == [one])
            #expect(found(1).first?.organization == beta.id && found(1).first?.reasons == [.amount, .name])
            #expect(Set(found(2).map(\.organization)) == [alpha.id, gamma.id])
            #expect(found(2).allSatisfy { $0.reasons == [.amount] })
            let sum = try #require(found(3).first)
            #expect(sum.reasons == [.amount, .name] && sum.contributions.count == 2)
            #expect(sum.contributions.reduce(0) { $0 + $1.amount.amount } == 240_000)
            #expect(found(4).isEmpty)
            #expect(found(5).first?.reasons == [.name] && found(5).first?.contributions.first?.amount.amount == 5_000)
            #expect(found(6).first?.reasons == [.reference, .amount] && found(6).first?.organization == beta.id)
            #expect(found(6).count == 1)
            let shown = try await directory.client(.auditor).send(GetBankLine.request(path: lines[0].id))
            #expect(shown == lines[0])
        }
    }

    @Test("a line is booked like a manual payment: its day, its reference, its receipt; the excess becomes credit")
    func booked() async throws {
        try await withDirectory { directory in
            let alpha = try await directory.member("Alpha")
            try await call(year, directory)
            let contribution = try await contribution(of: alpha, directory)
            try await take([(130_000, "Alpha", "x")], directory)
            let line = try #require(try await open(directory).first)
            let answer = try await book(line, #"{"contribution":"\#(contribution.id)"}"#, directory)
            #expect(answer.status == 201, "\(answer.text)")
            let booked = try answer.decode(BankLine.self)
            #expect(booked.state == .booked && booked.proposals == nil && booked.version == 2)
            #expect(booked.bookings.map(\.contribution) == [contribution.id])
            let payments = try await directory.client(.operator).send(
                ListPayments.request(path: contribution.id, query: .init()))
            let payment = try #require(payments.items.first)
            #expect(payment.amount.amount == 130_000 && payment.credited.amount == 10_000)
            #expect(
                payment.means == .transfer && payment.reference == line.reference && payment.paidOn == line.bookedOn)
            #expect(booked.bookings.first?.payment == payment.id)
            #expect(try await self.contribution(of: alpha, directory).receipt != nil)
            #expect(
                try await book(line, #"{"contribution":"\#(contribution.id)"}"#, directory).problem().slug
                    == "transition-not-allowed")
            #expect(try await dismiss(line, directory).status == 409)
            #expect(try await open(directory).isEmpty)
            let list = try await directory.client(.operator).send(
                ListBankLines.request(query: .init(.init(state: .booked))))
            #expect(list.items == [booked])

            // The payment went out again: the same, below zero.
            try await take([(-130_000, "Alpha", "REJET")], directory)
            let back = try #require(try await open(directory).first)
            #expect(
                try await book(back, #"{"contribution":"\#(contribution.id)","means":"directDebit"}"#, directory).status
                    == 201)
            #expect(try await self.contribution(of: alpha, directory).paid.amount == 0)
        }
    }

    @Test("several contributions share a line to the cent; credit is paid back by an outgoing line")
    func parts() async throws {
        try await withDirectory { directory in
            let alpha = try await directory.member("Alpha")
            let beta = try await directory.member("Béta")
            try await call(year, directory)
            let (one, two) = (
                try await contribution(of: alpha, directory).id, try await contribution(of: beta, directory).id
            )
            try await take([(250_000, "Alpha", nil)], directory)
            let line = try #require(try await open(directory).first)
            func part(_ id: Contribution.ID, _ cents: Int) -> String {
                #"{"contribution":"\#(id)","amount":{"amount":\#(cents),"currency":"EUR"}}"#
            }
            for (json, pointer) in [
                (#"{"contributions":[\#(part(one, 130_000)),\#(part(two, 110_000))]}"#, "/contributions"),
                (#"{"contributions":[]}"#, "/contributions"),
                (#"{"contributions":[\#(part(one, 125_000)),\#(part(one, 125_000))]}"#, "/contributions"),
                (#"{"contributions":[\#(part(one, -1)),\#(part(two, 250_001))]}"#, "/contributions/0/amount/amount"),
                (
                    #"{"contributions":[\#(part(one, 130_000)),\#(part(.init(), 120_000))]}"#,
                    "/contributions/1/contribution"
                ),
                (#"{"contribution":"\#(Contribution.ID())"}"#, "/contribution"),
                (#"{"refund":"\#(Organization.ID())"}"#, "/refund"), ("{}", ""),
                (#"{"contribution":"\#(one)","refund":"\#(alpha.id)"}"#, ""),
                (#"{"contribution":"\#(one)","means":"credit"}"#, "/means"),
            ] {
                let answer = try await book(line, json, directory)
                #expect(answer.status == 422, "\(json)")
                #expect(try answer.pointer() == pointer, "\(json)")
            }
            #expect(try await open(directory).map(\.id) == [line.id])
            let answer = try await book(
                line, #"{"contributions":[\#(part(one, 130_000)),\#(part(two, 120_000))]}"#, directory)
            #expect(try answer.decode(BankLine.self).bookings.count == 2)
            #expect(try await contribution(of: beta, directory).state == .paid)

            try await take([(-10_000, "Alpha", nil), (-20_000, "Alpha", nil)], directory)
            let lines = try await open(directory)
            // A number that cannot be negated, and others beyond every sum.
            for cents in [Int.min, Int.min + 1, Money.range.lowerBound - 1, Money.range.lowerBound] {
                let answer = try await book(lines[0], #"{"contributions":[\#(part(one, cents))]}"#, directory)
                #expect(try answer.status == 422 && answer.pointer() == "/contributions/0/amount/amount")
            }
            #expect(lines[0].proposals?.first?.reasons == [.amount, .name])
            #expect(lines[0].proposals?.first?.organization == alpha.id)
            #expect(lines[0].proposals?.first?.refund?.amount == 10_000)
            #expect(lines[1].proposals?.map(\.reasons) == [[.name]] && lines[1].proposals?.first?.refund == nil)
            #expect(
                try await book(lines[1], #"{"refund":"\#(alpha.id)"}"#, directory).problem().slug == "credit-exceeded")
            let refunded = try await book(lines[0], #"{"refund":"\#(alpha.id)"}"#, directory).decode(BankLine.self)
            #expect(refunded.bookings.first?.creditEntry != nil && refunded.bookings.first?.amount.amount == -10_000)
            let credit = try await directory.client(.operator).send(
                GetCredit.request(path: alpha.id, query: .init()))
            #expect(credit.balance.amount == 0 && credit.items.first?.reference == lines[0].reference)
        }
    }

    @Test("a line that is not the club's is dismissed with a reason, and can be reopened")
    func dismissed() async throws {
        try await withDirectory { directory in
            try await take([(-990, nil, "FRAIS"), (100, nil, nil)], directory)
            let line = try #require(try await open(directory).first)
            let dismissed = try await dismiss(line, directory).decode(BankLine.self)
            #expect(dismissed.state == .dismissed && dismissed.reason?.text == "Frais" && dismissed.proposals == nil)
            #expect(try await dismiss(line, directory).status == 409)
            #expect(try await book(line, #"{"refund":"\#(Organization.ID())"}"#, directory).status == 409)
            #expect(try await directory.ask("/v1/bank-lines?state=dismissed").items("id") == [line.id.text])
            let path = "/v1/bank-lines/\(line.id)/dismissal"
            for role in [Role.auditor, .editor] {
                #expect(try await directory.ask(.delete, path, as: role).status == 403)
            }
            #expect(try await directory.ask(.delete, path).decode(BankLine.self).state == .open)
            #expect(try await directory.ask(.delete, path).status == 409)
            #expect(try await directory.ask(.delete, "/v1/bank-lines/\(BankLine.ID())/dismissal").status == 404)
            let pages = try await directory.client(.operator).send(
                ListBankLines.request(query: .init(limit: 1)))
            let rest = try await directory.client(.operator).send(
                ListBankLines.request(query: .init(limit: 1, cursor: pages.next)))
            #expect(Set((pages.items + rest.items).map(\.amount.amount)) == [-990, 100] && rest.next == nil)
            for (now, next) in BankLine.State.allCases.flatMap({ now in BankLine.State.allCases.map { (now, $0) } }) {
                let isAllowed = now == .open ? next != .open : now == .dismissed && next == .open
                #expect(now.allows(next) == isAllowed)
            }
        }
    }

    @Test("if many book a line at once, one succeeds; without the database's guards more do", arguments: [true, false])
    func once(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            let alpha = try await directory.member("Alpha")
            try await call(year, directory)
            let contribution = try await contribution(of: alpha, directory)
            try await take([(10_000, "Alpha", nil)], directory)
            let line = try #require(try await open(directory).first)
            if !isGuarded {
                try await directory.database.withClient(searchPath: "directory") { client in
                    try await client.execute("drop trigger bank_booking_line on bank_booking")
                    try await client.execute("drop trigger bank_booking_sum on bank_booking")
                    try await client.execute("alter table payment drop constraint payment_bank_line_fkey")
                    try await client.execute("alter table credit_entry drop constraint credit_entry_bank_line_fkey")
                    try await client.execute("alter table bank_booking drop constraint bank_booking_pkey")
                }
            }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...6 {
                    group.addTask { try await book(line, #"{"contribution":"\#(contribution.id)"}"#, directory).status }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 201 } == (isGuarded ? 1 : 6), "\(statuses)")
            #expect(try await self.contribution(of: alpha, directory).paid.amount == (isGuarded ? 10_000 : 60_000))
        }
    }

    @Test("a bank's text about a person is disclosed, erased, and deleted when its retention ends")
    func personal() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let person = try await directory.person("Ana", "Martinez")
            _ = try await directory.person("Jean", "Dupont")
            _ = try await directory.person("Jean", "Dupont")
            try await take(
                [
                    (100, "MARTINEZ ANA", "cotisation"), (200, nil, "VIR DE ANA MARTINEZ merci"),
                    (300, "Jean Dupont", "y"),
                ],
                directory)
            let known = try await SubjectIdentifiers.find(DataSubject(person.id), on: directory.backend.database)
            #expect(try await told(DataSubject(person.id), directory) == ["MARTINEZ ANA"])
            for statement in ErasureSteps.statements(for: DataSubject(person.id), known) {
                try await directory.backend.database.execute(statement)
            }
            let lines = try await open(directory)
            #expect(lines.map { $0.counterparty?.text } == [nil, nil, "Jean Dupont"])
            #expect(lines[0].remittance == nil && lines[0].forgottenAt != nil)
            #expect(lines[1].remittance?.text == "VIR DE […] merci")
            #expect(lines.map(\.amount.amount) == [100, 200, 300])

            try await network.change("update bank_line set updated_at = now() - interval '25 months'")
            try await directory.backend.database.execute("update retention_rule set last_count = null")
            try await directory.backend.database.execute(
                """
                insert into job (kind, payload, unique_key, maximum_attempts)
                values ('schedule.retention', '{}', 'retention', 3) on conflict do nothing
                """)
            for _ in 1...300 {
                let row = try await directory.backend.database.first(
                    "select last_count from retention_rule where code = 'bankLines'")
                if try row?.optional("last_count", as: Int.self) != nil { break }
                try await Task.sleep(for: .milliseconds(100))
            }
            let kept = try await open(directory)
            #expect(kept.allSatisfy { $0.counterparty == nil && $0.remittance == nil && $0.forgottenAt != nil })
            // The line is still known.
            try await take([(100, "MARTINEZ ANA", "cotisation")], directory, added: 0)
        }
    }

    @Test(
        "a self-given name, a later one, a member's or a booked line's does not make a record the payer"
    )
    func borrowed() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let member = try await directory.member("Martin Dupont")
            try await call(year, directory)
            let contribution = try await contribution(of: member, directory)
            let ana = try await directory.person("Ana", "Ader")
            _ = try await operating.send(CreateAmbassador.request(body: .init(person: ana.id)))
            let expert = try await directory.expert("Studio Ader")
            let firm = try await directory.expert("Studio Basque")
            let late = try await directory.person("Léa", "Larre")
            let named = try await directory.person("Sarl Martin", "Dupont")
            let payer = try await directory.person("Bob", "Bidart")
            let texts = ["SARL MARTIN DUPONT", "JEAN PAYEUR", "SARL STUDIO BASQUE", "LEA TARD", "BOB BIDART"]
            /// The payers that a data request shows and an erasure would delete; only what the staff still has
            /// afterwards.
            func check(_ subject: DataSubject, _ expected: [String], _ comment: Comment) async throws {
                #expect(try await told(subject, directory) == expected, comment)
                let known = try await SubjectIdentifiers.find(subject, on: directory.backend.database)
                let erased = try await directory.backend.database.query(
                    "select counterparty from bank_line where id in (\(known.bankLines(subject.id))) order by 1"
                ).map { try $0["counterparty", as: String.self] }
                #expect(erased == expected, comment)
            }
            func rename(_ given: String, _ family: String) async throws {
                let version = try await directory.person(ana.id).version
                let changed = try await directory.ask(
                    .patch, "/v1/people/\(ana.id)", as: .ambassador, person: ana.id, ifMatch: version,
                    json: #"{"givenName":"\#(given)","familyName":"\#(family)"}"#)
                #expect(changed.status == 200)
            }
            // One has the payer's name before the line arrives, all others get it afterwards.
            try await rename("Jean", "Payeur")
            try await take(
                texts.enumerated().map { (100 + $0, $1, "COTISATION DE \($1) MERCI") }, directory)
            try await check(DataSubject(ana.id), [], "by its own word, before")
            try await rename("SARL", "MARTIN DUPONT")
            try await check(DataSubject(ana.id), [], "by its own word, after")
            for field in ["name", "contactName"] {
                let version = try await operating.send(GetExpert.request(path: expert.id)).version
                let changed = try await directory.ask(
                    .patch, "/v1/experts/\(expert.id)", as: .expert,
                    organization: .init(expert.id.uuid), ifMatch: version, json: #"{"\#(field)":"Jean Payeur"}"#)
                #expect(changed.status == 200)
                try await check(DataSubject(expert.id), [], "an expert's \(field)")
            }
            _ = try await operating.send(
                ChangePerson.request(path: late.id, body: .init(familyName: "Tard"), ifMatch: 1))
            try await check(DataSubject(late.id), [], "by the staff's word, after")
            try await check(DataSubject(named.id), [], "a member's name")
            try await check(DataSubject(firm.id), [], "another spelling")
            try await check(DataSubject(payer.id), ["BOB BIDART"], "by the staff's word, before")

            // Their erasures leave every line unchanged.
            for body in [CreateErasure.Body(person: ana.id), .init(expert: expert.id), .init(person: late.id)] {
                _ = try await operating.send(CreateErasure.request(body: body))
            }
            let lines = try await open(directory)
            #expect(lines.map { $0.counterparty?.text } == texts && lines.allSatisfy { $0.version == 1 })
            #expect(lines.map { $0.remittance?.text } == texts.map { "COTISATION DE \($0) MERCI" })

            let own = try #require(lines.last)
            let booked = try await book(own, #"{"contribution":"\#(contribution.id)"}"#, directory)
            #expect(booked.status == 201, "\(booked.text)")
            try await check(DataSubject(payer.id), [], "a line that is a member's")
        }
    }

    @Test("a name and the time since when it was held move with a merge, and back with its undo")
    func merged() async throws {
        try await withDirectory { directory in
            let own = try await directory.person("Bob", "Bidart")
            let other = try await directory.person("Robert", "Bidart")
            try await take([(100, "BOB BIDART", nil), (200, "Bidart Robert", nil)], directory)
            let merge = try await directory.merge(
                other.id.record, into: own.id.record, .person, choices: ["givenName": .merged])
            #expect(try await told(DataSubject(own.id), directory) == ["BOB BIDART", "Bidart Robert"])
            _ = try await directory.undo(merge)
            #expect(try await told(DataSubject(own.id), directory) == ["BOB BIDART"])
            #expect(try await told(DataSubject(other.id), directory) == ["Bidart Robert"])
        }
    }

    // MARK: -

    /// The payers of the lines in a record's data document.
    private func told(_ subject: DataSubject, _ directory: TestService) async throws -> [String] {
        let known = try await SubjectIdentifiers.find(subject, on: directory.backend.database)
        let document = try await PersonalRecords(backend: directory.backend).own(subject, known)
        return (document.data["bankLines"]?.array ?? []).compactMap { $0["counterparty"]?.string }.sorted()
    }

    private func call(_ year: Int, _ directory: TestService) async throws {
        _ = try await directory.client(.operator).send(CallContributions.request(body: .init(year: year)))
    }

    private func numbers(_ directory: TestService) async throws -> [Organization.ID: [String]] {
        let list = try await directory.client(.operator).send(ListContributions.request(query: .init())).items
        return Dictionary(grouping: list, by: \.organization).mapValues { $0.map { "\($0.year)-\($0.number)" } }
    }

    private func contribution(of member: Organization, _ directory: TestService) async throws -> Contribution {
        try #require(
            try await directory.client(.operator).send(
                ListContributions.request(query: .init(.init(organization: member.id)))
            ).items.first)
    }

    /// Uploads a statement with these lines, each with a reference of its own, from today backwards.
    private func take(
        _ lines: [(cents: Int, payer: String?, text: String?)], _ directory: TestService, added: Int? = nil
    ) async throws {
        let entries = lines.enumerated().map { index, line in
            Camt.Entry(
                cents: line.cents, day: Day.today.adding(days: -index).text,
                reference: "R\(index) \(line.cents)",
                parts: [.init(cents: line.cents, payer: line.payer, text: line.text)])
        }
        let answer = try await directory.raw(
            .post, "/v1/bank-statements", role: .operator, headers: ["Content-Type": "application/xml"],
            body: Array(Camt(statements: [entries]).text.utf8))
        #expect(try answer.decode(BankStatement.self).added == added ?? lines.count, "\(answer.text)")
    }

    private func open(_ directory: TestService) async throws -> [BankLine] {
        try await directory.client(.operator).send(ListBankLines.request(query: .init(.init(state: .open)))).items
    }

    private func book(_ line: BankLine, _ json: String, _ directory: TestService) async throws -> RawAnswer {
        try await directory.ask(.post, "/v1/bank-lines/\(line.id)/bookings", json: json)
    }

    private func dismiss(_ line: BankLine, _ directory: TestService) async throws -> RawAnswer {
        try await directory.ask(.post, "/v1/bank-lines/\(line.id)/dismissal", json: #"{"reason":"Frais"}"#)
    }
}
