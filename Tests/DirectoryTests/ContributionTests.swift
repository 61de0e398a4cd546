import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("contributions")
struct ContributionTests {
    private let thisYear = Day.today.year

    @Test("a call creates one contribution per member of the year, numbered by name; a second call adds new members")
    func call() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            #expect(try await operating.send(ListContributions.request(query: .init())).items.isEmpty)
            let empty = try await operating.send(CallContributions.request(body: .init(year: thisYear)))
            #expect(empty == ContributionCall(year: thisYear, called: 0, amount: Money(cents: 0), total: 0))

            let beta = try await directory.member("Béta")
            let alpha = try await directory.member("Alpha", tier: "premium")
            let gone = try await directory.organization("Partie")
            _ = try await directory.membership(gone.id, from: "\(thisYear - 2)-01-01", until: "\(thisYear - 1)-12-31")
            let call = try await operating.send(CallContributions.request(body: .init(year: thisYear)))
            #expect(call == ContributionCall(year: thisYear, called: 2, amount: Money(cents: 420_000), total: 2))

            _ = try await directory.member("Aaron")
            let again = try await operating.send(CallContributions.request(body: .init(year: thisYear)))
            #expect(again.called == 1 && again.total == 3)
            let nothing = try await operating.send(CallContributions.request(body: .init(year: thisYear)))
            #expect(nothing.called == 0 && nothing.total == 3)

            let list = try await operating.send(ListContributions.request(query: .init(.init(year: thisYear))))
            #expect(list.items.map(\.number) == [3, 2, 1])
            #expect(list.items.map(\.organization).suffix(2) == [beta.id, alpha.id])
            #expect(list.items.allSatisfy { $0.state == .due && $0.dueOn == Day.today.adding(days: 30) })
            let first = try await operating.send(ListContributions.request(query: .init(limit: 2)))
            let second = try await operating.send(
                ListContributions.request(query: .init(limit: 2, cursor: first.next)))
            #expect((first.items + second.items).map(\.number) == [3, 2, 1] && second.next == nil)
        }
    }

    @Test("invalid calls are refused by pointer")
    func refused() async throws {
        try await withDirectory { directory in
            for (json, pointer) in [
                (#"{"year":1999}"#, "/year"), (#"{"year":3000}"#, "/year"),
                (#"{"year":2027,"dueOn":"2020-01-01"}"#, "/dueOn"), (#"{"year":"2027"}"#, "/year"), ("{}", "/year"),
            ] {
                let answer = try await directory.ask(.post, "/v1/contribution-calls", json: json)
                #expect(answer.status == 422)
                #expect(try answer.pointer() == pointer)
            }
            let other = try await directory.ask(
                .post, "/v1/contribution-calls", as: .representative, organization: Organization.ID(),
                json: #"{"year":2027}"#)
            #expect(other.status == 403)
        }
    }

    @Test("a dry run returns what a call would amount to, and calls no one")
    func dryRun() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            _ = try await directory.member("Alpha")
            _ = try await directory.member("Béta", tier: "premium")
            let would = try await operating.send(
                CallContributions.request(body: .init(year: thisYear, dryRun: true)))
            #expect(would == ContributionCall(year: thisYear, called: 2, amount: Money(cents: 420_000), total: 2))
            let wrong = try await operating.send(
                CallContributions.request(body: .init(year: thisYear + 1, dryRun: true)))
            #expect(wrong == ContributionCall(year: thisYear + 1, called: 0, amount: Money(cents: 0), total: 0))
            #expect(try await operating.send(ListContributions.request(query: .init())).items.isEmpty)
            #expect(try await operating.send(CallContributions.request(body: .init(year: thisYear))) == would)
            _ = try await directory.member("Gamma")
            let more = try await operating.send(
                CallContributions.request(body: .init(year: thisYear, dryRun: true)))
            #expect(more.called == 1 && more.total == 3)
        }
    }

    @Test("a member merged away during a call is skipped, and the others are called")
    func mergedMeanwhile() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let stays = try await directory.member("Alpha")
            let goes = try await directory.member("Béta")
            let year = thisYear
            let calling = try await directory.database.withClient(searchPath: "directory") { client in
                try await client.transaction { transaction in
                    try await transaction.execute("delete from membership where organization = \(goes.id)")
                    try await transaction.execute("delete from organization where id = \(goes.id)")
                    let calling = Task {
                        try await operating.send(CallContributions.request(body: .init(year: year)))
                    }
                    try await directory.database.untilWaiting()
                    return calling
                }
            }
            #expect(try await calling.value.called == 1)
            let list = try await operating.send(ListContributions.request(query: .init()))
            #expect(list.items.map(\.organization) == [stays.id] && list.items.map(\.number) == [1])
        }
    }

    @Test("partial and full payments change the state; money can be returned, but no more than was paid")
    func payments() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            _ = try await directory.member("Alpha")
            _ = try await operating.send(CallContributions.request(body: .init(year: thisYear)))
            let contribution = try #require(
                try await operating.send(ListContributions.request(query: .init())).items.first)
            let path = contribution.id
            func pay(_ cents: Int) async throws -> RawAnswer {
                try await directory.ask(
                    .post, "/v1/contributions/\(contribution.id)/payments",
                    json: """
                        {"amount":{"amount":\(cents),"currency":"EUR"},"paidOn":"\(Day.today.text)","reference":"VIR 1"}
                        """)
            }
            func now() async throws -> Contribution {
                try await operating.send(GetContribution.request(path: path))
            }
            #expect(try await pay(50_000).status == 201)
            #expect(try await now().state == .partlyPaid)
            #expect(try await pay(70_000).status == 201)
            let paid = try await now()
            #expect(paid.state == .paid && paid.paid == paid.amount && paid.version == 3)
            #expect(try await pay(-70_000).status == 201)
            #expect(try await now().state == .partlyPaid)
            let tooMuch = try await pay(-50_001)
            #expect(tooMuch.status == 409)
            #expect(try tooMuch.problem().slug == "contribution-overpaid")
            for cents in [0, Int(Int32.max) + 1, -Int(Int32.max) - 1, Int.max, Int.min] {
                #expect(try await pay(cents).pointer() == "/amount/amount", "\(cents)")
            }

            let payments = try await operating.send(ListPayments.request(path: path, query: .init(limit: 2)))
            #expect(payments.items.map(\.amount.amount) == [50_000, 70_000])
            let rest = try await operating.send(
                ListPayments.request(path: path, query: .init(limit: 2, cursor: payments.next)))
            #expect(rest.items.map(\.amount.amount) == [-70_000])
            #expect(rest.next == nil)
            // The database keeps bookings unchanged for every role.
            try await directory.database.withClient { client in
                await #expect(throws: PostgresError.self) {
                    try await client.execute("update directory.payment set amount = 1")
                }
                await #expect(throws: PostgresError.self) { try await client.execute("delete from directory.payment") }
            }
        }
    }

    @Test("the standing follows from the facts on a day: active, late, lapsed")
    func standing() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let member = try await directory.member("Alpha")
            let path = member.id
            func standing(_ day: Day? = nil) async throws -> Standing {
                try await operating.send(GetStanding.request(path: path, query: .init(asOf: day)))
            }
            let active = try await standing()
            #expect(active.status == .active && active.tier == "standard" && active.owed == Money(cents: 0))
            #expect(active.entitlements == Entitlements(monthlySeats: 1, workshopSeats: 2, insertions: 2))
            _ = try await operating.send(
                CallContributions.request(body: .init(year: thisYear, dueOn: Day.today)))
            #expect(try await standing().status == .active)
            #expect(try await standing().owed == Money(cents: 120_000))
            let tomorrow = Day.today.adding(days: 1)
            let isLastDay = tomorrow.year != thisYear
            #expect(try await standing(tomorrow).status == (isLastDay ? .lapsed : .late))
            let over = try await standing(Day(validating: "\(thisYear + 1)-01-01"))
            #expect(over.status == .lapsed && over.membership == nil && over.entitlements == nil)
            let before = try await directory.ask(
                "/v1/organizations/\(member.id)/standing?asOf=\(thisYear - 1)-12-31")
            #expect(before.status == 404)

            // A paid amount is no longer owed, from the day of the payment.
            let contribution = try #require(
                try await operating.send(ListContributions.request(query: .init())).items.first)
            _ = try await operating.send(
                CreatePayment.request(
                    path: contribution.id,
                    body: .init(amount: contribution.amount, paidOn: Day.today)))
            #expect(try await standing().owed == Money(cents: 0))
            #expect(try await standing(tomorrow).status == (isLastDay ? .lapsed : .active))
        }
    }

    @Test("a representative sees only their organization's contributions")
    func visibility() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let own = try await directory.member("Alpha")
            let other = try await directory.member("Béta")
            _ = try await operating.send(CallContributions.request(body: .init(year: thisYear)))
            let all = try await operating.send(ListContributions.request(query: .init())).items
            let foreign = try #require(all.first { $0.organization == other.id })
            func ask(_ path: String) async throws -> RawAnswer {
                try await directory.ask(path, as: .representative, organization: own.id)
            }
            #expect(try await ask("/v1/contributions").items("organization") == [own.id.text])
            #expect(try await ask("/v1/contributions?organization=\(other.id)").items("id").isEmpty)
            #expect(try await ask("/v1/contributions/\(foreign.id)").status == 404)
            #expect(try await ask("/v1/contributions/\(foreign.id)/payments").status == 404)
            #expect(try await ask("/v1/organizations/\(other.id)/standing").status == 404)
            #expect(try await ask("/v1/organizations/\(own.id)/standing").status == 200)
        }
    }

    @Test("without the counter's lock two concurrent calls see the same members, and only the constraint remains")
    func withoutLock() async throws {
        try await withDirectory { directory in
            let member = try await directory.member("Alpha")
            let year = thisYear
            try await directory.database.withClient(searchPath: "directory") { client in
                try await client.execute("insert into contribution_counter (year) values (\(year))")
                @Sendable func call(_ meanwhile: @escaping @Sendable () async throws -> Void) async throws {
                    try await client.transaction { transaction in
                        let found = try await ContributionStore.candidates(year, in: transaction)
                        #expect(found.map(\.organization) == [member.id])
                        try await meanwhile()
                        try await ContributionStore.insert(
                            found, ids: [Contribution.ID()], year: year, dueOn: Day.today, after: 0, in: transaction)
                    }
                }
                do {
                    try await call { try await call {} }
                    Testing.Issue.record("the constraint let a second contribution in")
                } catch let error as PostgresError {
                    #expect(error.sqlState == SQLState.uniqueViolation)
                }
                try await client.execute("delete from contribution")
                try await client.execute("drop index contribution_once")
                try await client.execute("alter table contribution drop constraint contribution_number_key")
                try await call { try await call {} }
                let row = try await client.first("select count(*) as count from contribution")
                #expect(try row?["count", as: Int.self] == 2)
            }
        }
    }
}

extension TestService {
    /// Creates an organization that is a member this year.
    func member(_ name: Line, tier: Tier = "standard") async throws -> Organization {
        let organization = try await organization(name)
        let year = Day.today.year
        _ = try await membership(organization.id, tier: tier, from: "\(year)-01-01", until: "\(year)-12-31")
        return organization
    }

    func membership(
        _ organization: Organization.ID, tier: Tier = "standard", from: String, until: String
    ) async throws -> Membership {
        try await client(.operator).send(
            CreateMembership.request(
                body: .init(
                    organization: organization, tier: tier, from: Day(validating: from), until: Day(validating: until)))
        )
    }
}
