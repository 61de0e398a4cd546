import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("changing the tier within the year")
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
        "benefits apply from its day; the surcharge is called by the months left, numbered like the others"
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
                try await operating.send(ListContributions.request(query: .init(.init(organization: member.id)))).items
                    .first)
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
                    GetStanding.request(path: member.id, query: .init(asOf: Day(validating: day))))
                #expect(standing.entitlements?.workshopSeats == seats, "\(day)")
            }
            // Owed, paid and receipted like every other; no one is called again.
            #expect(try await operating.send(CallContributions.request(body: .init(year: year))).called == 0)
            let pay = #"{"amount":{"amount":90000,"currency":"EUR"},"paidOn":"\#(Day.today)"}"#
            let paid = try await directory.ask(.post, "/v1/contributions/\(complement.id)/payments", json: pay)
            #expect(paid.status == 201)
            let receipts = try await operating.send(ListReceipts.request(query: .init(.init(organization: member.id))))
                .items
            #expect(receipts.map(\.contribution) == [complement.id])
            // The contribution that it complements is not cancelled before it.
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
        "whole if the tier says so; nothing if it costs no more; the full year if the previous tier was free"
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
                let list = try await operating.send(
                    ListMemberships.request(query: .init(.init(organization: member.id))))
                let changed = try await change(
                    #require(list.items.first), #"{"tier":"\#(new)","from":"\#(year)-12-31"}"#, directory
                ).decode(TierChange.self)
                #expect(changed.contribution?.amount.amount == amount, "\(old) → \(new)")
                #expect(changed.contribution.map { $0.complements == nil } ?? true == (old == "free" || amount == nil))
                #expect(try await operating.send(CallContributions.request(body: .init(year: year))).called == 0)
            }
        }
    }

    @Test(
        "what was called for the year is not called again, after a cheaper tier or a changed fee")
    func twice() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let gold = #"{"code":"gold","label":"Or","fee":{"amount":600000,"currency":"EUR"}}"#
            #expect(try await directory.ask(.post, "/v1/tiers", json: gold).status == 201)
            /// Calls the year in one tier, changes to the others on the first of their months, and returns each
            /// surcharge.
            func complements(_ first: Tier, _ changes: (tier: Tier, month: String)...) async throws -> [Int] {
                let name = "\(first) " + changes.map { "\($0.tier) \($0.month)" }.joined(separator: " ")
                let member = try await directory.member(Line(validating: name), tier: first)
                _ = try await operating.send(CallContributions.request(body: .init(year: year)))
                var amounts: [Int] = []
                for (tier, month) in changes {
                    let held = try #require(
                        try await operating.send(ListMemberships.request(query: .init(.init(organization: member.id))))
                            .items
                            .first)
                    let changed = try await change(
                        held, #"{"tier":"\#(tier)","from":"\#(year)-\#(month)-01"}"#, directory
                    ).decode(TierChange.self)
                    amounts.append(changed.contribution?.amount.amount ?? 0)
                }
                return amounts
            }
            #expect(try await complements("premium", ("standard", "04"), ("premium", "07")) == [0, 0])
            #expect(
                try await complements(
                    "standard", ("premium", "07"), ("standard", "09"), ("premium", "10"), ("gold", "11")
                ) == [90_000, 0, 0, 50_000])
            #expect(try await complements("standard", ("gold", "07"), ("premium", "10")) == [240_000, 0])

            // A fee changed since adds no surcharge to what was called, and a cancelled one counts for nothing.
            let member = try await directory.member("Alpha", tier: "premium")
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            for (tier, cents) in [("premium", 100_000), ("standard", 300_000)] {
                let json = #"{"fee":{"amount":\#(cents),"currency":"EUR"}}"#
                #expect(try await directory.ask(.patch, "/v1/tiers/\(tier)", ifMatch: 1, json: json).status == 200)
            }
            func last() async throws -> Membership {
                try #require(
                    try await operating.send(ListMemberships.request(query: .init(.init(organization: member.id))))
                        .items.first
                )
            }
            func changed(_ tier: Tier, _ month: String) async throws -> Contribution? {
                try await change(last(), #"{"tier":"\#(tier)","from":"\#(year)-\#(month)-01"}"#, directory)
                    .decode(TierChange.self).contribution
            }
            #expect(try await changed("standard", "04") == nil)
            let complement = try #require(try await changed("gold", "07"))
            #expect(complement.amount.amount == 150_000)
            let cancellation = "/v1/contributions/\(complement.id)/cancellation"
            #expect(try await directory.ask(.post, cancellation, json: #"{"reason":"Erreur"}"#).status == 200)
            #expect(try await changed("premium", "08") == nil)
            #expect(try await changed("gold", "10")?.amount.amount == 75_000)
        }
    }

    @Test("the surcharge for an earlier part of the year is based on what was called up to then")
    func earlier() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let patron = #"{"code":"patron","label":"Mécène","fee":{"amount":600000,"currency":"EUR"}}"#
            #expect(try await directory.ask(.post, "/v1/tiers", json: patron).status == 201)
            _ = try await directory.member("Alpha")
            let early = try await membership(directory)
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let later = try await change(early, #"{"tier":"premium","from":"\#(year)-07-01"}"#, directory)
                .decode(TierChange.self)
            #expect(later.contribution?.amount == Money(cents: 90_000))
            let earlier = try await change(early, #"{"tier":"patron","from":"\#(year)-03-01"}"#, directory)
                .decode(TierChange.self)
            // Four twelfths, from March to June, of 6,000 less 1,200 euros.
            #expect(earlier.contribution?.amount == Money(cents: 160_000))
        }
    }

    @Test("an invalid day or tier is refused, and so is a year after which more was called")
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
            // Nothing of it was stored.
            let list = try await operating.send(ListMemberships.request(query: .init())).items
            #expect(list == [membership])
        }
    }

    @Test("of two concurrent changes one succeeds; each number is assigned once")
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
