import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("another tier within the year")
struct TierChangeTests {
    private let year = Day.today.year

    private func membership(_ directory: TestService) async throws -> Membership {
        try #require(
            try await directory.client(.operator).send(ListMemberships.request(query: .init())).items.first)
    }

    private func change(_ membership: Membership, _ json: String, _ directory: TestService) async throws -> RawAnswer {
        try await directory.ask(.post, "/v1/memberships/\(membership.id)/tier-changes", json: json)
    }

    @Test(
        "what it gives holds from its day, and what it costs more is called by the months that are left, numbered like the others"
    )
    func proRata() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let member = try await directory.member("Alpha")
            let early = try await membership(directory)
            let uncalled = try await change(early, #"{"tier":"premium","from":"\#(year)-07-01"}"#, directory)
            #expect(try uncalled.problem().slug == "contribution-uncalled")
            _ = try await directory.member("Béta")
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let base = try #require(
                try await operating.send(ListContributions.request(query: .init(organization: member.id))).items.first)
            let changed = try await change(early, #"{"tier":"premium","from":"\#(year)-07-15"}"#, directory).decode(
                TierChange.self)
            #expect(changed.ended.until.text == "\(year)-07-14" && changed.ended.tier == "standard")
            #expect(changed.begun.from.text == "\(year)-07-15" && changed.begun.until == early.until)
            let complement = try #require(changed.contribution)
            // Six twelfths of 3,000 less 1,200 euros.
            #expect(complement.amount == Money(cents: 90_000) && complement.complements == base.id)
            #expect(complement.number == 3 && complement.year == year && complement.membership == changed.begun.id)
            for (day, seats) in [("\(year)-07-14", 2), ("\(year)-07-15", 8)] {
                let standing = try await operating.send(
                    GetStanding.request(path: .init(organization: member.id), query: .init(asOf: Day(validating: day))))
                #expect(standing.entitlements?.workshopSeats == seats, "\(day)")
            }
            // Owed, paid and receipted like every other; nobody is called anew.
            #expect(try await operating.send(CallContributions.request(body: .init(year: year))).called == 0)
            let pay = #"{"amount":{"amount":90000,"currency":"EUR"},"paidOn":"\#(Day.today)"}"#
            let paid = try await directory.ask(.post, "/v1/contributions/\(complement.id)/payments", json: pay)
            #expect(paid.status == 201)
            let receipts = try await operating.send(ListReceipts.request(query: .init(organization: member.id))).items
            #expect(receipts.map(\.contribution) == [complement.id])
            // The contribution beside which it stands is not taken back before it.
            let cancellation = #"{"reason":"Erreur"}"#
            let held = try await directory.ask(
                .post, "/v1/contributions/\(base.id)/cancellation", json: cancellation)
            #expect(try held.problem().slug == "contribution-complemented")
            // The part that ended is not changed again, and neither of them is moved or deleted.
            let again = try await change(early, #"{"tier":"standard","from":"\#(year)-08-01"}"#, directory)
            #expect(again.status == 422)
            let moved = try await directory.ask(
                .patch, "/v1/memberships/\(changed.begun.id)", ifMatch: 1, json: #"{"tier":"standard"}"#)
            #expect(try moved.problem().slug == "membership-called")
        }
    }

    @Test(
        "whole where the tier says so; nothing where it costs no more; the year's own where the tier before cost nothing"
    )
    func others() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            for (code, fee, complement) in [("gold", 300_001, "whole"), ("free", 0, "proRata")] {
                let json = """
                    {"code":"\(code)","label":"\(code)","fee":{"amount":\(fee),"currency":"EUR"},"complement":"\(complement)"}
                    """
                #expect(try await directory.ask(.post, "/v1/tiers", json: json).status == 201)
            }
            for (old, new, amount) in [
                ("standard", "gold", 180_001), ("premium", "standard", nil), ("free", "premium", 25_000),
                ("standard", "free", nil),
            ] as [(Tier, Tier, Int?)] {
                let member = try await directory.member(Line(validating: "\(old) \(new)"), tier: old)
                _ = try await operating.send(CallContributions.request(body: .init(year: year)))
                let list = try await operating.send(ListMemberships.request(query: .init(organization: member.id)))
                let changed = try await change(
                    #require(list.items.first), #"{"tier":"\#(new)","from":"\#(year)-12-31"}"#, directory
                ).decode(TierChange.self)
                #expect(changed.contribution?.amount.amount == amount, "\(old) → \(new)")
                #expect(changed.contribution.map { $0.complements == nil } ?? true == (old == "free" || amount == nil))
                #expect(try await operating.send(CallContributions.request(body: .init(year: year))).called == 0)
            }
        }
    }

    @Test("a day or a tier that cannot be is refused, and so is a year after which more was called")
    func refused() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let organization = try await directory.organization("Alpha")
            let membership = try await directory.membership(
                organization.id, from: "\(year)-02-01", until: "\(year + 1)-12-31")
            for year in [year, year + 1] {
                _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            }
            for (json, pointer) in [
                (#"{"tier":"standard","from":"\#(year)-07-01"}"#, "/tier"),
                (#"{"tier":"none","from":"\#(year)-07-01"}"#, "/tier"),
                (#"{"tier":"premium","from":"\#(year)-02-01"}"#, "/from"),
                (#"{"tier":"premium","from":"\#(year + 2)-01-01"}"#, "/from"),
                (#"{"tier":"premium","from":"\#(year)-07-01","dueOn":"2020-01-01"}"#, "/dueOn"),
            ] {
                let answer = try await change(membership, json, directory)
                #expect(answer.status == 422, "\(json)")
                #expect(try answer.pointer() == pointer, "\(json)")
            }
            let later = try await change(membership, #"{"tier":"premium","from":"\#(year)-07-01"}"#, directory)
            #expect(try later.problem().slug == "membership-called")
            let nowhere = try await directory.ask(
                .post, "/v1/memberships/\(Membership.ID())/tier-changes",
                json: #"{"tier":"premium","from":"\#(year)-07-01"}"#)
            #expect(nowhere.status == 404)
            // Nothing of it stayed.
            let list = try await operating.send(ListMemberships.request(query: .init())).items
            #expect(list == [membership])
        }
    }

    @Test("of two changes at once one is done; each number is given once")
    func atOnce() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            _ = try await directory.member("Alpha")
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let membership = try await membership(directory)
            let json = #"{"tier":"premium","from":"\#(year)-07-01"}"#
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 1...4 { group.addTask { try await change(membership, json, directory).status } }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.count { $0 == 200 } == 1 && statuses.count { $0 == 422 } == 3)
            let numbers = try await operating.send(ListContributions.request(query: .init())).items.map(\.number)
            #expect(numbers.sorted() == [1, 2])
        }
    }
}
