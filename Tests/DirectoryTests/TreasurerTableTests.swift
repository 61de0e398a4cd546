import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("the treasurer's tables")
struct TreasurerTableTests {
    private let year = Day.today.year

    /// The rows of a table, each by its headers.
    private func table(_ answer: RawAnswer) throws -> [[String: String]] {
        #expect(answer.status == 200 && answer.headers["content-type"]?.hasPrefix("text/csv") == true)
        var reader = CSVReader()
        let records = reader.read(answer.body) + reader.finish()
        let headers = try #require(records.first).cells
        return records.dropFirst().map { record in
            #expect(record.fault == nil && record.cells.count == headers.count)
            return Dictionary(uniqueKeysWithValues: zip(headers, record.cells))
        }
    }

    private func contribution(of organization: Organization, _ directory: TestService) async throws -> Contribution {
        let list = try await directory.client(.operator).send(
            ListContributions.request(query: .init(.init(organization: organization.id))))
        return try #require(list.items.first)
    }

    @discardableResult
    private func pay(
        _ contribution: Contribution.ID, _ cents: Int, _ means: Payment.Means?, _ reference: Line? = nil,
        in directory: TestService
    ) async throws -> Payment {
        try await directory.client(.operator).send(
            CreatePayment.request(
                path: contribution,
                body: .init(amount: Money(cents: cents), paidOn: .today, means: means, reference: reference)))
    }

    @Test("members, memberships, contributions, payments and receipts are exported as their lists show them")
    func tables() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let alpha = try await directory.member("=Alpha; & Cie")
            let beta = try await directory.member("Béta", tier: "premium")
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let first = try await contribution(of: alpha, directory)
            let second = try await contribution(of: beta, directory)
            let sent = try await pay(first.id, 120_000, .cheque, "n° 12;=1", in: directory)
            #expect(sent.means == .cheque && sent.reference?.text == "n° 12;=1")
            try await pay(second.id, 100_000, nil, in: directory)
            try await pay(second.id, -50, .transfer, "-REF", in: directory)

            let members = try await table(directory.ask("/v1/members.csv"))
            #expect(members.map { $0["organization"] } == [alpha.id.text, beta.id.text])
            #expect(members.map { $0["name"] } == ["'=Alpha; & Cie", "Béta"])
            #expect(members.map { $0["status"] } == ["active", "active"])
            #expect(members.map { $0["tier"] } == ["standard", "premium"])
            #expect(members.map { $0["owed"] } == ["0.00", "2000.50"])
            #expect(members.map { $0["since"] } == ["\(year)-01-01", "\(year)-01-01"])
            #expect(try await table(directory.ask("/v1/members.csv?tier=premium")).map { $0["name"] } == ["Béta"])
            #expect(try await table(directory.ask("/v1/members.csv?asOf=2001-01-01")).isEmpty)

            let memberships = try await table(directory.ask("/v1/memberships.csv"))
            let listed = try await operating.send(ListMemberships.request(query: .init()))
            #expect(memberships.map { $0["id"] } == listed.items.map(\.id.text))
            #expect(memberships.allSatisfy { $0["from"] == "\(year)-01-01" && $0["until"] == "\(year)-12-31" })

            let contributions = try await table(directory.ask("/v1/contributions.csv"))
            let all = try await operating.send(ListContributions.request(query: .init()))
            #expect(contributions.map { $0["id"] } == all.items.map(\.id.text))
            #expect(contributions.map { $0["state"] } == all.items.map(\.state.rawValue))
            let one = try #require(contributions.first { $0["id"] == first.id.text })
            #expect(one["amount"] == "1200.00" && one["paid"] == "1200.00" && one["receipt"] == "\(year)-1")
            let partly = try await table(directory.ask("/v1/contributions.csv?state=partlyPaid"))
            #expect(partly.map { $0["owed"] } == ["2000.50"])

            let payments = try await table(directory.ask("/v1/payments.csv"))
            #expect(payments.count == 3 && Set(payments.compactMap { $0["means"] }) == ["cheque", "", "transfer"])
            #expect(Set(payments.compactMap { $0["amount"] }) == ["1200.00", "1000.00", "-0.50"])
            #expect(Set(payments.compactMap { $0["reference"] }) == ["n° 12;'=1", "", "'-REF"])
            #expect(try await table(directory.ask("/v1/payments.csv?means=cheque")).count == 1)
            #expect(try await table(directory.ask("/v1/payments.csv?organization=\(beta.id)")).count == 2)
            #expect(try await table(directory.ask("/v1/payments.csv?paidUntil=2020-01-01")).isEmpty)
            #expect(try await table(directory.ask("/v1/payments.csv?paidFrom=2020-01-01&year=\(year)")).count == 3)

            let receipts = try await table(directory.ask("/v1/receipts.csv"))
            #expect(receipts.map { $0["number"] } == ["\(year)-1"] && receipts.map { $0["means"] } == ["cheque"])
            #expect(receipts.map { $0["amount"] } == ["1200.00"] && receipts.map { $0["returned"] } == ["0.00"])
            #expect(try await table(directory.ask("/v1/receipts.csv?year=\(year - 1)")).isEmpty)
            let list = try await operating.send(ListReceipts.request(query: .init()))
            #expect(list.items.map(\.means) == [[.cheque]])
        }
    }

    @Test("members are exported with their credit as of the day, for callers who see credit")
    func credit() async throws {
        try await withDirectory { directory in
            let alpha = try await directory.organization("Alpha")
            _ = try await directory.membership(alpha.id, from: "\(year - 1)-01-01", until: "\(year)-12-31")
            _ = try await directory.member("Béta")
            _ = try await directory.client(.operator).send(CallContributions.request(body: .init(year: year)))
            try await pay(try await contribution(of: alpha, directory).id, 125_050, .transfer, in: directory)
            func credit(_ query: String = "", as role: Role = .operator) async throws -> [String?] {
                try await table(directory.ask("/v1/members.csv\(query)", as: role)).map { $0["credit"] }
            }
            #expect(try await credit() == ["50.50", "0.00"])
            #expect(try await credit(as: .auditor) == ["50.50", "0.00"])
            #expect(try await credit("?asOf=\(year - 1)-06-01") == ["0.00"])
            #expect(try await credit(as: .editor) == ["", ""])
        }
    }

    @Test("a French spreadsheet gets semicolons, and can calculate with the amounts")
    func french() async throws {
        try await withDirectory { directory in
            let beta = try await directory.member("Béta", tier: "premium")
            _ = try await directory.client(.operator).send(CallContributions.request(body: .init(year: year)))
            let called = try await contribution(of: beta, directory)
            try await pay(called.id, 123_456, .directDebit, in: directory)
            try await pay(called.id, -1, .cash, in: directory)
            let answer = try await directory.ask("/v1/payments.csv?excel=true")
            #expect(answer.body.starts(with: [0xEF, 0xBB, 0xBF]))
            #expect(answer.text.contains(";1234,56;directDebit;") && answer.text.contains(";-0,01;cash;"))
            #expect(try await directory.ask("/v1/members.csv?excel=true").text.contains(";1765,45;"))
        }
    }

    @Test("a table shows a representative only their organization's rows, and no one more than its list shows")
    func access() async throws {
        try await withDirectory { directory in
            let (alpha, beta) = (try await directory.member("Alpha"), try await directory.member("Béta"))
            _ = try await directory.client(.operator).send(CallContributions.request(body: .init(year: year)))
            for member in [alpha, beta] {
                try await pay(try await contribution(of: member, directory).id, 120_000, .card, in: directory)
            }
            for name in ["members", "memberships", "contributions", "payments", "receipts"] {
                let path = "/v1/\(name).csv"
                #expect(try await table(directory.ask(path)).count == 2)
                #expect(try await table(directory.ask(path, as: .auditor)).count == 2)
                let own = try await table(directory.ask(path, as: .representative, organization: alpha.id))
                #expect(own.map { $0["name"] } == ["Alpha"])
                for role in [Role.ambassador, .expert, .lobbyist] {
                    #expect(try await directory.ask(path, as: role).status == 403, "\(name) as \(role)")
                }
                let isMoney = ["contributions", "payments", "receipts"].contains(name)
                #expect(try await directory.ask(path, as: .editor).status == (isMoney ? 403 : 200), "\(name)")
                #expect(try await directory.raw(.get, path).status == 401)
            }
        }
    }

    @Test("tables of many pages have every row once, in their lists' order")
    func pages() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(searchPath: "directory") { client in
                try await client.withConnection { connection in
                    try await connection.execute(script: Array(Self.many.utf8))
                }
                let orders: [(String, SQL)] = [
                    ("members", "select id::text as id from organization as o order by o.sort_key, o.id"),
                    ("memberships", "select id::text as id from membership as m order by m.from_day desc, m.id desc"),
                    ("contributions", "select id::text as id from contribution as c order by c.year desc, c.id desc"),
                    ("payments", "select id::text as id from payment as p order by p.paid_on desc, p.id desc"),
                    ("receipts", "select id::text as id from receipt as r order by r.year desc, r.number desc"),
                ]
                for (name, order) in orders {
                    let expected = try await client.query(order).map { try $0["id", as: String.self] }
                    let rows = try await table(directory.ask("/v1/\(name).csv"))
                    #expect(expected.count == 5000)
                    #expect(rows.map { $0[name == "members" ? "organization" : "id"] } == expected, "\(name)")
                }
            }
        }
    }

    private static let many = """
        set session_replication_role = replica;
        create function pg_temp.key(kind text, i integer) returns uuid language sql immutable
            return md5(kind || i)::uuid;
        insert into organization (id, kind, name)
        select pg_temp.key('o', i), 'brand', 'Maison ' || i % 7 from generate_series(1, 5000) as i;
        insert into membership (id, organization, tier, from_day, until_day)
        select pg_temp.key('m', i), pg_temp.key('o', i), 'standard', '2026-01-01', '2026-12-31'
        from generate_series(1, 5000) as i;
        insert into contribution_counter values (2025, 5000), (2026, 5000);
        insert into contribution (
            id, organization, membership, membership_from, year, number, amount, paid, called_on, due_on)
        select pg_temp.key('c', i), pg_temp.key('o', i), pg_temp.key('m', i), '2026-01-01', 2025 + i % 2, i, 100, 100,
            '2026-01-01', '2026-02-01'
        from generate_series(1, 5000) as i;
        insert into payment (id, contribution, amount, paid_on)
        select pg_temp.key('p', i), pg_temp.key('c', i), 100, date '2026-01-01' + i % 3
        from generate_series(1, 5000) as i;
        insert into receipt_counter values (2026, 5000);
        insert into receipt (
            id, contribution, year, number, issued_on, paid_on, amount, organization_name, contribution_year,
            contribution_number, last_payment)
        select pg_temp.key('r', i), pg_temp.key('c', i), 2026, i, '2026-01-01', '2026-01-01', 100, 'Maison', 2026, i, 0
        from generate_series(1, 5000) as i;
        analyze;
        """

    @Test("the receipt names the means of payment in French, except for what was returned")
    func receipt() async throws {
        try await withDirectory { directory in
            let alpha = try await directory.member("Alpha")
            _ = try await directory.client(.operator).send(CallContributions.request(body: .init(year: year)))
            let called = try await contribution(of: alpha, directory)
            try await pay(called.id, 20_000, .transfer, in: directory)
            try await pay(called.id, 50_000, .cheque, in: directory)
            try await pay(called.id, 50_000, .transfer, in: directory)
            let path = "/v1/contributions/\(called.id)/receipt"
            let page = try await directory.ask(path).text
            #expect(page.contains("<dt>Moyen de paiement</dt><dd>chèque et virement</dd>"))
            try await pay(called.id, -50_000, .cash, in: directory)
            try await pay(called.id, 50_000, .card, in: directory)
            let renewed = try await directory.ask(path).text
            #expect(renewed.contains("<dt>Moyen de paiement</dt><dd>carte, chèque et virement</dd>"))
            let means = try await directory.ask("/v1/contributions/\(called.id)/payments").items("means")
            #expect(means.sorted() == ["card", "cash", "cheque", "transfer", "transfer"])

            let wrong = try await directory.ask(
                .post, "/v1/contributions/\(called.id)/payments",
                json: #"{"amount":{"amount":1,"currency":"EUR"},"paidOn":"2026-01-01","means":"bitcoin"}"#)
            #expect(wrong.status == 422)
            #expect(try wrong.pointer() == "/means")
        }
    }

    @Test(
        "means of payment are French words",
        arguments: zip(
            Payment.Means.allCases, ["virement", "chèque", "carte", "prélèvement", "espèces", "autre"]))
    func words(means: Payment.Means, word: String) {
        #expect(FrenchFormat.means(means) == word)
        #expect(FrenchFormat.list([word]) == word && FrenchFormat.list([]) == "")
        #expect(FrenchFormat.list(["a", "b", word]) == "a, b et \(word)")
    }
}
