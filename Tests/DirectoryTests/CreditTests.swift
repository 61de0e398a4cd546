import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// Money beyond what is owed: recorded, used for the next call, or paid back.
@Suite("credit", .serialized)
struct CreditTests {
    private let year = Day.today.year

    @Test(
        "an overpayment is booked as received: the excess is credit, the rest and its receipt are the contribution's"
    )
    func overpayment() async throws {
        try await withDirectory { directory in
            let member = try await called("Alpha", in: directory)
            #expect(try await pay(member, 20_000, in: directory).decode(Payment.self).credited.amount == 0)
            let rest = try await pay(member, 130_000, in: directory).decode(Payment.self)
            #expect(rest.amount.amount == 130_000 && rest.credited.amount == 30_000)
            let contribution = try await contribution(of: member, in: directory)
            #expect(contribution.state == .paid && contribution.paid.amount == 120_000)
            let receipts = try await directory.client(.operator).send(ListReceipts.request(query: .init()))
            #expect(receipts.items.map(\.amount.amount) == [120_000])
            #expect(receipts.items.first?.returned == nil)
            let standing = try await directory.client(.operator).send(
                GetStanding.request(path: member.id, query: .init()))
            #expect(standing.owed.amount == 0)

            // A payment on a settled contribution becomes credit as a whole.
            #expect(try await pay(member, 5_000, in: directory).decode(Payment.self).credited.amount == 5_000)
            let credit = try await credit(of: member, in: directory)
            #expect(credit.balance.amount == 35_000 && credit.items.map(\.amount.amount) == [5_000, 30_000])
            #expect(credit.items.map(\.payment).last == rest.id)
            #expect(credit.items.allSatisfy { $0.kind == .overpayment && $0.contribution == contribution.id })
            let first = try await directory.client(.operator).send(
                GetCredit.request(path: member.id, query: .init(limit: 1)))
            let second = try await directory.client(.operator).send(
                GetCredit.request(path: member.id, query: .init(limit: 1, cursor: first.next)))
            #expect((first.items + second.items) == credit.items && second.next == nil)

            let payments = try await directory.ask("/v1/payments.csv").text
            #expect(payments.contains(",credited") && payments.contains(",300.00\r\n"))
            let entries = try await directory.ask("/v1/credit-entries.csv?kind=overpayment&excel=true").text
            #expect(entries.contains(";300,00;overpayment;") && entries.contains(";50,00;overpayment;"))
            #expect(try await !directory.ask("/v1/credit-entries.csv?kind=paidBack").text.contains("overpayment"))
        }
    }

    @Test(
        "the next call uses credit: a dry run says how much; covered members get a receipt, others pay the rest"
    )
    func carriedOver() async throws {
        try await withNetwork { network in
            let directory = network.directory
            let whole = try await called("Alpha", in: directory)
            let part = try await called("Béta", in: directory)
            try await network.change("update organization set email = 'contact@beta.example' where id = \(part.id)")
            _ = try await pay(whole, 250_000, in: directory)
            _ = try await pay(part, 150_000, in: directory)
            for member in [whole, part] {
                _ = try await directory.membership(member.id, from: "\(year + 1)-01-01", until: "\(year + 1)-12-31")
            }
            let operating = try directory.client(.operator)
            let body = CallContributions.Body(year: year + 1, dueOn: Day.today.adding(days: 30), dryRun: true)
            let would = try await operating.send(CallContributions.request(body: body))
            #expect(would.amount.amount == 240_000 && would.carriedOver.amount == 150_000)
            #expect(try await credit(of: whole, in: directory).balance.amount == 130_000)
            let did = try await operating.send(
                CallContributions.request(body: .init(year: year + 1, dueOn: Day.today.adding(days: 30))))
            #expect(did == would)
            #expect(try await credit(of: whole, in: directory).balance.amount == 10_000)
            #expect(try await credit(of: part, in: directory).balance.amount == 0)
            let paid = try await contribution(of: whole, year + 1, in: directory)
            let owed = try await contribution(of: part, year + 1, in: directory)
            #expect(paid.state == .paid && paid.receipt != nil)
            #expect(owed.state == .partlyPaid && owed.paid.amount == 30_000 && owed.receipt == nil)
            let receipt = try await directory.ask("/v1/contributions/\(paid.id)/receipt").text
            #expect(receipt.contains("1\u{202F}200,00\u{A0}€") && receipt.contains("avoir"))

            // The amount called for is the rest: on the page, in the file, and in the letter.
            let page = try await directory.ask("/v1/contributions/\(owed.id)/call").text
            #expect(page.contains("Avoir déduit") && page.contains("<strong>900,00\u{A0}€</strong>"))
            let nothing = try await directory.ask("/v1/contributions/\(paid.id)/call").text
            #expect(nothing.contains("rien à régler") && !nothing.contains("référence de votre virement"))
            #expect(
                try await directory.ask("/v1/contributions/\(owed.id)/call.pdf").body.starts(with: Array("%PDF-".utf8)))
            _ = try await operating.send(SendContributionReminders.request())
            let letters = try await network.mails(2).filter { $0.recipient == "contact@beta.example" }
            #expect(letters.contains { $0.text.contains("900,00\u{A0}€") && !$0.text.contains("1\u{202F}200,00") })
            // Another payment changes neither the amount called for nor the file.
            let again = try await operating.send(CallContributions.request(body: .init(year: year + 1)))
            #expect(again.called == 0 && again.carriedOver.amount == 0)
        }
    }

    @Test("the surcharge of another tier is paid from credit, too")
    func complement() async throws {
        try await withDirectory { directory in
            let member = try await called("Alpha", in: directory)
            _ = try await pay(member, 500_000, in: directory)
            let membership = try #require(
                try await directory.client(.operator).send(
                    ListMemberships.request(query: .init(.init(organization: member.id)))
                ).items.first)
            let change = try await directory.client(.operator).send(
                ChangeMembershipTier.request(
                    path: membership.id,
                    body: .init(tier: "premium", from: Day(validating: "\(year)-12-01"))))
            let complement = try #require(change.contribution)
            #expect(complement.amount.amount == 15_000 && complement.state == .paid && complement.receipt != nil)
            #expect(try await credit(of: member, in: directory).balance.amount == 380_000 - 15_000)
        }
    }

    @Test("credit is paid back, never more than there is; a returned repayment becomes credit again")
    func paidBack() async throws {
        try await withDirectory { directory in
            let member = try await called("Alpha", in: directory)
            _ = try await pay(member, 150_000, in: directory)
            func refund(_ cents: Int, _ more: String = "") async throws -> RawAnswer {
                try await directory.ask(
                    .post, "/v1/organizations/\(member.id)/credit-refunds",
                    json: #"{"amount":{"amount":\#(cents),"currency":"EUR"},"paidOn":"\#(Day.today)"\#(more)}"#)
            }
            #expect(try await refund(30_001).problem().slug == "credit-exceeded")
            let paid = try await refund(20_000, #","means":"transfer","reference":"VIR 7""#)
            #expect(paid.status == 201)
            let entry = try paid.decode(CreditEntry.self)
            #expect(entry.amount.amount == -20_000 && entry.kind == .paidBack && entry.reference?.text == "VIR 7")
            #expect(try await refund(10_001).status == 409)
            #expect(try await refund(-20_001).status == 409)
            #expect(try await refund(-20_000).status == 201)
            #expect(try await credit(of: member, in: directory).balance.amount == 30_000)
            for cents in [0, Int(Int32.max) + 1, Int.min] {
                #expect(try await refund(cents).pointer() == "/amount/amount")
            }
            #expect(try await refund(1, #","means":"credit""#).pointer() == "/means")
            let nobody = try await directory.ask(
                .post, "/v1/organizations/\(Organization.ID())/credit-refunds",
                json: #"{"amount":{"amount":1,"currency":"EUR"},"paidOn":"\#(Day.today)"}"#)
            #expect(nobody.status == 404)
            let path = "/v1/organizations/\(member.id)/credit"
            #expect(try await directory.ask(path, as: .representative, organization: member.id).status == 200)
            #expect(try await directory.ask(path, as: .representative, organization: Organization.ID()).status == 404)
            #expect(try await directory.ask(path, as: .editor).status == 403)
            #expect(try await directory.ask(path, as: .auditor).status == 200)

            try await directory.database.withClient(searchPath: "directory") { client in
                for statement in ["update credit_entry set amount = 1", "delete from credit_entry"] as [SQL] {
                    await #expect(throws: PostgresError.self) { try await client.execute(statement) }
                }
            }
        }
    }

    @Test("reversing a whole payment also reverses the credit from it, as long as that is unused")
    func undone() async throws {
        try await withDirectory { directory in
            let member = try await called("Alpha", in: directory)
            _ = try await pay(member, 150_000, in: directory)
            #expect(try await pay(member, -150_001, in: directory).problem().slug == "contribution-overpaid")
            let back = try await pay(member, -150_000, in: directory).decode(Payment.self)
            #expect(back.amount.amount == -150_000 && back.credited.amount == -30_000)
            #expect(try await contribution(of: member, in: directory).paid.amount == 0)
            #expect(try await credit(of: member, in: directory).balance.amount == 0)

            _ = try await pay(member, 150_000, in: directory)
            _ = try await directory.client(.operator).send(
                RefundCredit.request(
                    path: member.id, body: .init(amount: Money(cents: 10_000), paidOn: .today)))
            #expect(try await pay(member, -150_000, in: directory).problem().slug == "credit-exceeded")
            #expect(try await pay(member, -140_000, in: directory).status == 201)
            #expect(try await credit(of: member, in: directory).balance.amount == 0)
        }
    }

    @Test("a cancelled contribution returns the credit used for it; credit is used and moved manually")
    func cancelled() async throws {
        try await withDirectory { directory in
            let member = try await called("Alpha", in: directory)
            _ = try await pay(member, 150_000, in: directory)
            _ = try await directory.membership(member.id, from: "\(year + 1)-01-01", until: "\(year + 1)-12-31")
            let operating = try directory.client(.operator)
            _ = try await operating.send(CallContributions.request(body: .init(year: year + 1)))
            let carried = try await contribution(of: member, year + 1, in: directory)
            #expect(carried.paid.amount == 30_000)
            let cancelled = try await operating.send(
                CancelContribution.request(path: carried.id, body: .init(reason: "Erreur")))
            #expect(cancelled.state == .cancelled && cancelled.paid.amount == 0)
            #expect(try await credit(of: member, in: directory).balance.amount == 30_000)
            // The payment becomes credit, and the first contribution can be cancelled, too.
            let first = try await contribution(of: member, in: directory)
            let refused = try await directory.ask(
                .post, "/v1/contributions/\(first.id)/cancellation", json: #"{"reason":"Erreur"}"#)
            #expect(try refused.problem().slug == "contribution-paid")
            #expect(try await pay(member, -120_000, .credit, in: directory).status == 201)
            #expect(try await credit(of: member, in: directory).balance.amount == 150_000)
            #expect(try await pay(member, 120_001, .credit, in: directory).problem().slug == "contribution-overpaid")
            #expect(try await pay(member, 70_000, .credit, in: directory).status == 201)
            #expect(try await credit(of: member, in: directory).balance.amount == 80_000)
            _ = try await operating.send(
                RefundCredit.request(
                    path: member.id, body: .init(amount: Money(cents: 80_000), paidOn: .today)))
            #expect(try await pay(member, 50_000, .credit, in: directory).problem().slug == "credit-exceeded")
        }
    }

    @Test("credit reversed by the bank is not returned again, and the call still shows its original amount")
    func takenBack() async throws {
        try await withDirectory { directory in
            let member = try await called("Alpha", in: directory)
            _ = try await pay(member, 150_000, in: directory)
            _ = try await directory.membership(member.id, from: "\(year + 1)-01-01", until: "\(year + 1)-12-31")
            let operating = try directory.client(.operator)
            _ = try await operating.send(CallContributions.request(body: .init(year: year + 1)))
            let carried = try await contribution(of: member, year + 1, in: directory)
            let path = "/v1/contributions/\(carried.id)"
            let asCalled = try await directory.ask("\(path)/call").text
            #expect(asCalled.contains("900,00\u{A0}€") && !asCalled.contains("aujourd’hui"))
            let back = #"{"amount":{"amount":-30000,"currency":"EUR"},"paidOn":"\#(Day.today)","means":"transfer"}"#
            #expect(try await directory.ask(.post, "\(path)/payments", json: back).status == 201)
            #expect(try await contribution(of: member, year + 1, in: directory).paid.amount == 0)
            let now = try await directory.ask("\(path)/call").text
            #expect(now.contains("900,00\u{A0}€") && now.contains("Reste à régler aujourd’hui"))
            #expect(now.contains("<strong>1\u{202F}200,00\u{A0}€</strong>"))
            let cancelled = try await operating.send(
                CancelContribution.request(path: carried.id, body: .init(reason: "Erreur")))
            #expect(cancelled.state == .cancelled)
            #expect(try await credit(of: member, in: directory).balance.amount == 0)
        }
    }

    @Test("credit moves with a merged organization, and back with the undo unless it was used")
    func merged() async throws {
        try await withDirectory { directory in
            let goes = try await called("Béta", in: directory)
            _ = try await pay(goes, 150_000, in: directory)
            _ = try await directory.client(.operator).send(
                RefundCredit.request(
                    path: goes.id, body: .init(amount: Money(cents: 5_000), paidOn: .today)))
            let stays = try await directory.organization("Alpha")
            let operating = try directory.client(.operator)
            func merge() async throws -> Merge {
                try await operating.send(
                    MergeRecords.request(
                        body: .init(kind: .organization, survivor: .init(stays.id.uuid), merged: .init(goes.id.uuid))))
            }
            let merge1 = try await merge()
            #expect(try await credit(of: stays, in: directory).balance.amount == 25_000)
            #expect(try await directory.ask("/v1/organizations/\(goes.id)/credit").problem().slug == "merged")
            _ = try await operating.send(UndoMerge.request(path: merge1.id))
            #expect(try await credit(of: stays, in: directory).balance.amount == 0)
            #expect(try await credit(of: goes, in: directory).balance.amount == 25_000)

            let merge2 = try await merge()
            _ = try await operating.send(
                RefundCredit.request(
                    path: stays.id, body: .init(amount: Money(cents: 1), paidOn: .today)))
            let undo = try await directory.ask(.post, "/v1/merges/\(merge2.id)/undo", json: "{}")
            #expect(try undo.problem().slug == "undo-blocked")
            #expect(try await credit(of: stays, in: directory).balance.amount == 24_999)
        }
    }

    @Test(
        "concurrent repayments never exceed the credit; without the database's check they do",
        arguments: [true, false])
    func atOnce(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            let member = try await called("Alpha", in: directory)
            _ = try await pay(member, 150_000, in: directory)
            if !isGuarded {
                try await directory.database.withClient { client in
                    try await client.execute("alter table directory.credit drop constraint credit_balance_check")
                }
            }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...8 {
                    group.addTask {
                        try await directory.ask(
                            .post, "/v1/organizations/\(member.id)/credit-refunds",
                            json: #"{"amount":{"amount":10000,"currency":"EUR"},"paidOn":"\#(Day.today)"}"#
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 201 } == (isGuarded ? 3 : 8))
            #expect(try await credit(of: member, in: directory).balance.amount == (isGuarded ? 0 : -50_000))
        }
    }

    @Test("a call and concurrent repayments share the credit, and no cent is used twice")
    func callAndRefunds() async throws {
        try await withDirectory { directory in
            let member = try await called("Alpha", in: directory)
            _ = try await pay(member, 160_000, in: directory)
            _ = try await directory.membership(member.id, from: "\(year + 1)-01-01", until: "\(year + 1)-12-31")
            let next = year + 1
            let operating = try directory.client(.operator)
            let calling = Task { try await operating.send(CallContributions.request(body: .init(year: next))) }
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...4 {
                    group.addTask {
                        try await directory.ask(
                            .post, "/v1/organizations/\(member.id)/credit-refunds",
                            json: #"{"amount":{"amount":10000,"currency":"EUR"},"paidOn":"\#(Day.today)"}"#
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            let carried = try await calling.value.carriedOver.amount
            #expect(statuses.allSatisfy { [201, 409].contains($0) })
            let refunded = statuses.count { $0 == 201 } * 10_000
            #expect(try await credit(of: member, in: directory).balance.amount == 40_000 - carried - refunded)
            #expect(try await contribution(of: member, next, in: directory).paid.amount == carried)
        }
    }

    // MARK: -

    private func called(_ name: Line, in directory: TestService) async throws -> Organization {
        let member = try await directory.member(name)
        _ = try await directory.client(.operator).send(CallContributions.request(body: .init(year: year)))
        return member
    }

    private func contribution(
        of member: Organization, _ year: Int? = nil, in directory: TestService
    ) async throws -> Contribution {
        try #require(
            try await directory.client(.operator).send(
                ListContributions.request(query: .init(.init(organization: member.id, year: year ?? self.year)))
            ).items.first { $0.complements == nil })
    }

    private func credit(of member: Organization, in directory: TestService) async throws -> OrganizationCredit {
        try await directory.client(.operator).send(
            GetCredit.request(path: member.id, query: .init()))
    }

    private func pay(
        _ member: Organization, _ cents: Int, _ means: Payment.Means = .transfer, in directory: TestService
    ) async throws -> RawAnswer {
        try await directory.ask(
            .post, "/v1/contributions/\(try await contribution(of: member, in: directory).id)/payments",
            json: """
                {"amount":{"amount":\(cents),"currency":"EUR"},"paidOn":"\(Day.today)","means":"\(means.rawValue)"}
                """)
    }
}
