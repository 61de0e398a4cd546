import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("receipts", .serialized)
struct ReceiptTests {
    @Test(
        "the payment that completes a contribution issues its receipt: a page, mailed once, for its organization only")
    func page() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let own = try await directory.member("Chambre <du> Béarn")
            let other = try await directory.member("Autre")
            try await network.change("update organization set email = 'contact@chambre.example' where id = \(own.id)")
            let contribution = try await called(own.id, directory)
            let path = "/v1/contributions/\(contribution.id)/receipt"
            try await pay(contribution.id, 50_000, directory)
            #expect(try await directory.ask(path).status == 404)
            try await pay(contribution.id, 70_000, directory)
            func see(_ organization: Organization.ID) async throws -> RawAnswer {
                try await directory.ask(path, as: .representative, organization: organization)
            }
            let page = try await see(own.id)
            #expect(page.status == 200 && page.headers["content-type"] == "text/html; charset=utf-8")
            let year = Day.today.year
            for text in [
                "Reçu n° \(year)-1", "Chambre &lt;du&gt; Béarn", "1\u{202F}200,00\u{A0}€", FrenchFormat.day(.today),
            ] {
                #expect(page.text.contains(text), "\(text)")
            }
            let foreign = try await see(other.id)
            #expect(foreign.status == 404 && foreign.text.contains("<h1>"))
            #expect(try await directory.ask(path, as: .expert).status == 403)

            let mail = try #require(try await network.mails(1).first)
            #expect(mail.recipient == "contact@chambre.example" && mail.subject == "Reçu de votre cotisation")
            let link = try #require(mail.path)
            let byLink = try await directory.raw(.get, link)
            let token = try #require(link.split(separator: "/").last)
            #expect(byLink.text.replacing("\(token)/receipt.pdf", with: "receipt.pdf") == page.text)
            #expect(try await directory.raw(.get, "/v1/receipts/x").status == 404)

            // An overpayment and a new name change nothing that was issued.
            try await pay(contribution.id, 20_000, directory)
            try await network.change("update organization set name = 'Neuf' where id = \(own.id)")
            #expect(try await see(own.id).text == page.text)
            try await network.idle()
            #expect(try await network.mails(1).count == 1)
        }
    }

    @Test(
        "a receipt's link is revoked when its address is given up, and not when another is added"
    )
    func givenUp() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let own = try await directory.member("Chambre")
            let ana = try await directory.person("Ana", "A", email: "ana@chambre.example")
            _ = try await directory.mandate(ana.id, of: own.id, .titular, from: "2020-01-01")
            let contribution = try await called(own.id, directory)
            try await pay(contribution.id, contribution.amount.amount, directory)
            let mail = try #require(try await network.mails(1).first)
            #expect(mail.recipient == "ana@chambre.example")
            let path = try #require(mail.path)
            #expect(try await directory.raw(.get, path).status == 200)
            try await network.change("update organization set email = 'contact@chambre.example' where id = \(own.id)")
            #expect(try await directory.raw(.get, path).status == 200)
            try await network.change("update person set email = 'ana@ailleurs.example' where id = \(ana.id)")
            #expect(try await directory.raw(.get, path).status == 404)
            // An older link is not bound to an address: it is valid until it expires.
            let receipt = try await network.services.database.withClient(searchPath: "directory") { client in
                try await client.first("select id from receipt")?["id", as: Receipt.ID.self]
            }
            let old = directory.backend.links.token(
                purpose: "receipt", subject: try #require(receipt).text, expires: .now.advanced(by: .seconds(60)))
            #expect(try await directory.raw(.get, "/v1/receipts/\(old)").status == 200)
        }
    }

    @Test("receipts are listed, contributions show their numbers, and a receipt shows what was returned since")
    func list() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let year = Day.today.year
            let (alpha, beta) = (try await directory.member("Alpha"), try await directory.member("Béta"))
            let contributions = [try await called(alpha.id, directory), try await called(beta.id, directory)]
            #expect(contributions.map(\.receipt) == [nil, nil])
            for contribution in contributions { try await pay(contribution.id, 120_000, directory) }
            func list(
                _ filter: ListReceipts.Filter = .init(), limit: PageLimit? = nil, cursor: Cursor? = nil
            ) async throws -> Page<Receipt> {
                try await operating.send(ListReceipts.request(query: .init(filter, limit: limit, cursor: cursor)))
            }
            let all = try await list().items
            #expect(all.map(\.number) == [2, 1] && all.map(\.organization) == [beta.id, alpha.id])
            #expect(
                all.map(\.contribution) == contributions.reversed().map(\.id) && all.map(\.name) == ["Béta", "Alpha"])
            #expect(all.allSatisfy { $0.year == year && $0.amount == Money(cents: 120_000) && $0.returned == nil })
            let first = try await list(.init(), limit: 1)
            let second = try await list(.init(), limit: 1, cursor: first.next)
            #expect(first.items + second.items == all && second.next == nil)
            #expect(try await list(.init(year: year - 1)).items.isEmpty)
            #expect(try await list(.init(year: year, organization: alpha.id)).items.map(\.number) == [1])
            let own = try await directory.ask("/v1/receipts", as: .representative, organization: alpha.id)
            #expect(try own.items("organization") == [alpha.id.text])
            #expect(try await directory.ask("/v1/receipts", as: .expert).status == 403)

            let path = contributions[0].id
            #expect(try await operating.send(GetContribution.request(path: path)).receipt?.text == "\(year)-1")
            let page = "/v1/contributions/\(contributions[0].id)/receipt"
            let whole = try await directory.ask(page).text
            #expect(!whole.contains("remboursés") && whole.contains("certifie avoir reçu"))
            try await pay(contributions[0].id, -20_000, directory)
            #expect(try await list().items.map(\.returned) == [nil, Money(cents: 20_000)])
            let less = try await directory.ask(page).text
            #expect(less.contains("200,00\u{A0}€ ont été repris") && less.contains("1\u{202F}200,00\u{A0}€"))
            #expect(less.contains("certifiait") && !whole.contains("certifiait"))
            try await pay(contributions[0].id, 20_000, directory)
            let replaced = try await list().items
            #expect(replaced.map(\.number) == [3, 2, 1] && replaced.allSatisfy { $0.returned == nil })
            #expect(replaced.map { $0.replacedBy?.text } == [nil, nil, "\(year)-3"])
            #expect(try await directory.ask(page).text.contains("annule et remplace le reçu n° \(year)-1"))
            // An overpayment becomes credit: no new receipt is needed.
            try await pay(contributions[0].id, 5_000, directory)
            #expect(try await list().items.count == 3)
        }
    }

    @Test(
        "a receipt does not attest returned money: its file says so, and another replaces it after full payment"
    )
    func returned() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let own = try await directory.member("Chambre")
            try await network.change("update organization set email = 'contact@chambre.example' where id = \(own.id)")
            let contribution = try await called(own.id, directory)
            let path = "/v1/contributions/\(contribution.id)"
            func pay(_ cents: Int, _ day: String, _ means: String) async throws {
                let json =
                    #"{"amount":{"amount":\#(cents),"currency":"EUR"},"paidOn":"\#(day)","means":"\#(means)"}"#
                #expect(try await directory.ask(.post, "\(path)/payments", json: json).status == 201)
            }
            try await pay(120_000, "2026-01-05", "cheque")
            let link = try #require(try await network.mails(1).first?.path)
            let attested = try await directory.ask("\(path)/receipt.pdf").body
            try await pay(-120_000, "2026-01-15", "cheque")
            let bounced = try await directory.ask("\(path)/receipt.pdf").body
            #expect(bounced != attested && bounced.starts(with: Array("%PDF-".utf8)))
            #expect(try await directory.ask("\(path)/receipt.pdf").body == bounced)
            try await pay(120_000, "2026-02-20", "transfer")
            let page = try await directory.ask("\(path)/receipt").text
            for text in ["annule et remplace", "20 février 2026", "virement"] {
                #expect(page.contains(text), "\(text)")
            }
            #expect(!page.contains("chèque"))
            #expect(try await directory.ask("\(path)/receipt.pdf").body != attested)
            // The first one's link shows the first one, which attests nothing any more; a mail brings the second one.
            let old = try await directory.raw(.get, link).text
            #expect(old.contains("annulé et remplacé par le reçu") && !old.contains("certifie avoir reçu"))
            #expect(try await directory.raw(.get, "\(link)/receipt.pdf").body != attested)
            #expect(try await network.mails(2).count == 2)
        }
    }

    @Test("concurrent receipts are numbered without gaps, and a rolled-back one leaves none")
    func numbers() async throws {
        try await withDirectory { directory in
            var contributions: [Contribution.ID] = []
            for number in 1...10 {
                contributions.append(
                    try await called(try await directory.member(Line(validating: "Membre \(number)")).id, directory).id)
            }
            try await directory.database.withClient(searchPath: "directory") { client in
                let first = contributions[0]
                struct Undone: Error {}
                await #expect(throws: Undone.self) {
                    try await client.transaction { transaction in
                        _ = try await transaction.execute(
                            "insert into payment (id, contribution, amount, paid_on) select gen_random_uuid(), \(first), 120000, now()"
                        )
                        #expect(try await ReceiptStore.issue(for: first, in: transaction) != nil)
                        throw Undone()
                    }
                }
            }
            try await withThrowingTaskGroup(of: Void.self) { group in
                for contribution in contributions { group.addTask { try await pay(contribution, 120_000, directory) } }
                try await group.waitForAll()
            }
            try await directory.database.withClient(searchPath: "directory") { client in
                let rows = try await client.query("select number from receipt order by number")
                #expect(try rows.map { try $0["number", as: Int.self] } == Array(1...10))
                for statement in ["update receipt set amount = 1", "delete from receipt"] as [SQL] {
                    let error = await #expect(throws: PostgresError.self) { _ = try await client.execute(statement) }
                    #expect(error?.sqlState == SQLState.restrictViolation)
                }
            }
        }
    }

    @Test("without the counter two concurrent receipts take the same number, and only the constraint remains")
    func withoutCounter() async throws {
        try await withDirectory { directory in
            var contributions: [Contribution.ID] = []
            for name in ["Un", "Deux"] as [Line] {
                contributions.append(try await called(try await directory.member(name).id, directory).id)
            }
            let (first, second) = (contributions[0], contributions[1])
            try await directory.database.withClient(searchPath: "directory") { client in
                @Sendable func issue(
                    for contribution: Contribution.ID, _ meanwhile: @escaping @Sendable () async throws -> Void
                ) async throws {
                    try await client.transaction { transaction in
                        let row = try await transaction.first(
                            "select coalesce(max(number), 0) + 1 as next from receipt where year = 2026")
                        let next: Int = try #require(try row?["next"])
                        try await meanwhile()
                        _ = try await transaction.execute(
                            """
                            insert into receipt (
                                id, contribution, year, number, issued_on, paid_on, amount, organization_name,
                                contribution_year, contribution_number, last_payment)
                            select gen_random_uuid(), id, 2026, \(next)::integer, '2026-03-01', '2026-03-01', amount, 'Un',
                                year, number, 0
                            from contribution where id = \(contribution)
                            """)
                    }
                }
                _ = try await client.execute("insert into receipt_counter values (2026, 1)")
                let taken = await #expect(throws: PostgresError.self) {
                    try await issue(for: first) { try await issue(for: second) {} }
                }
                #expect(taken?.sqlState == SQLState.uniqueViolation)
            }
        }
    }

    private func called(_ organization: Organization.ID, _ directory: TestService) async throws -> Contribution {
        let operating = try directory.client(.operator)
        _ = try await operating.send(CallContributions.request(body: .init(year: Day.today.year)))
        let list = try await operating.send(ListContributions.request(query: .init(.init(organization: organization))))
        return try #require(list.items.first)
    }
}

private func pay(_ contribution: Contribution.ID, _ cents: Int, _ directory: TestService) async throws {
    _ = try await directory.client(.operator).send(
        CreatePayment.request(
            path: contribution, body: .init(amount: Money(cents: cents), paidOn: .today)))
}
