import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("deleting and renewing memberships")
struct MembershipTests {
    private let year = Day.today.year

    @Test("mistaken mandates and memberships are deleted by version; one that was called for stays")
    func deleted() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let organization = try await directory.member("Alpha")
            let ana = try await directory.person("Ana", "A")
            let mandate = try await directory.mandate(ana.id, of: organization.id, .titular, from: "2026-01-01")
            let wrong = try await directory.membership(
                organization.id, from: "\(year + 1)-01-01", until: "\(year + 1)-12-31")
            let mandates = "/v1/organizations/\(organization.id)/mandates"
            for path in ["\(mandates)/\(mandate.id)", "/v1/memberships/\(wrong.id)"] {
                #expect(try await directory.ask(.delete, path).status == 428)
                #expect(try await directory.ask(.delete, path, ifMatch: 2).status == 412)
                #expect(
                    try await directory.ask(
                        .delete, path, as: .representative, organization: organization.id, ifMatch: 1
                    ).status == 403)
                #expect(try await directory.ask(.delete, path, ifMatch: 1).status == 204)
                #expect(try await directory.ask(.delete, path, ifMatch: 1).status == 404)
            }
            let elsewhere = "/v1/organizations/\(Organization.ID())/mandates/\(mandate.id)"
            #expect(try await directory.ask(.delete, elsewhere, ifMatch: 1).status == 404)
            #expect(try await directory.ask(mandates).items("id").isEmpty)
            // Its days are free again.
            _ = try await directory.mandate(ana.id, of: organization.id, .titular, from: "2026-01-01")

            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let membership = try #require(try await directory.ask("/v1/memberships").items("id").first)
            let refused = try await directory.ask(.delete, "/v1/memberships/\(membership)", ifMatch: 1)
            #expect(refused.status == 409)
            #expect(try refused.problem().slug == "membership-called")
        }
    }

    @Test(
        "a membership that was called for keeps its years and its tier, whether paid or cancelled"
    )
    func called() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let organization = try await directory.member("Alpha")
            let path = "/v1/memberships/\(try #require(try await directory.ask("/v1/memberships").items("id").first))"
            func version() async throws -> Int { try await directory.ask(path).json()["version"]?.integer ?? 0 }
            func change(_ json: String) async throws -> RawAnswer {
                try await directory.ask(.patch, path, ifMatch: try await version(), json: json)
            }
            let moves = [
                #"{"from":"\#(year + 1)-01-01","until":"\#(year + 1)-12-31"}"#,
                #"{"from":"\#(year - 1)-01-01","until":"\#(year - 1)-12-31"}"#,
            ]
            // As long as nothing was called, both ways have the same result.
            for json in moves + [#"{"from":"\#(year)-01-01","until":"\#(year)-12-31","tier":"premium"}"#] {
                #expect(try await change(json).status == 200)
            }
            #expect(try await change(#"{"tier":"standard"}"#).status == 200)
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let contribution = try #require(
                try await operating.send(ListContributions.request(query: .init())).items.first)
            /// - Parameter isTierHeld: false once the contribution is cancelled.
            func refused(isTierHeld: Bool = true) async throws {
                for json in moves + (isTierHeld ? [#"{"tier":"premium"}"#] : []) {
                    let answer = try await change(json)
                    #expect(answer.status == 409, "\(json)")
                    #expect(try answer.problem().slug == "membership-called", "\(json)")
                }
                #expect(try await directory.ask(.delete, path, ifMatch: try await version()).status == 409)
            }
            try await refused()
            let payments = "/v1/contributions/\(contribution.id)/payments"
            let pay = #"{"amount":{"amount":\#(contribution.amount.amount),"currency":"EUR"},"paidOn":"\#(Day.today)"}"#
            #expect(try await directory.ask(.post, payments, json: pay).status == 201)
            try await refused()
            // It may end on other days of the year, or continue beyond it.
            for json in [
                #"{"until":"\#(year)-06-30"}"#, #"{"until":"\#(year + 1)-06-30"}"#,
                #"{"from":"\#(year)-01-01","until":"\#(year)-12-31"}"#,
            ] {
                #expect(try await change(json).status == 200, "\(json)")
            }
            let back =
                #"{"amount":{"amount":-\#(contribution.amount.amount),"currency":"EUR"},"paidOn":"\#(Day.today)"}"#
            #expect(try await directory.ask(.post, payments, json: back).status == 201)
            let cancellation = "/v1/contributions/\(contribution.id)/cancellation"
            #expect(try await directory.ask(.post, cancellation, json: #"{"reason":"Mauvais barème"}"#).status == 200)
            try await refused(isTierHeld: false)
            #expect(try await change(#"{"tier":"premium"}"#).status == 200)
            #expect(try await directory.ask("/v1/memberships?organization=\(organization.id)").items("id").count == 1)
        }
    }

    @Test("days of a called year are not withdrawn: a membership may end earlier in it, or last longer")
    func covered() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let organization = try await directory.member("Alpha")
            _ = try await operating.send(CallContributions.request(body: .init(year: year)))
            let contribution = try #require(
                try await operating.send(ListContributions.request(query: .init())).items.first)
            let path = "/v1/memberships/\(contribution.membership)"
            func change(_ json: String) async throws -> RawAnswer {
                let version = try await directory.ask(path).json()["version"]?.integer ?? 0
                return try await directory.ask(.patch, path, ifMatch: version, json: json)
            }
            func refused(_ moves: [String]) async throws {
                for json in moves {
                    let answer = try await change(json)
                    #expect(answer.status == 409, "\(json)")
                    #expect(try answer.problem().slug == "membership-called", "\(json)")
                }
                let standing = try await operating.send(
                    GetStanding.request(
                        path: organization.id,
                        query: .init(asOf: Day(validating: "\(year)-06-01"))))
                #expect(standing.status == .active)
            }
            let oneDay = #"{"from":"\#(year)-12-31","until":"\#(year + 1)-12-31"}"#
            try await refused([
                oneDay, #"{"from":"\#(year - 1)-01-01","until":"\#(year)-01-01"}"#, #"{"from":"\#(year)-01-02"}"#,
                #"{"from":"\#(year)-02-01","until":"\#(year)-11-30"}"#,
            ])
            // A member resigns: the contribution stays, and cannot be moved to the year before.
            #expect(try await change(#"{"until":"\#(year)-06-30"}"#).status == 200)
            try await refused([#"{"from":"\#(year - 1)-01-01"}"#, #"{"from":"\#(year - 1)-12-31"}"#, oneDay])
            #expect(try await operating.send(ListContributions.request(query: .init())).items == [contribution])
            for json in [
                #"{"until":"\#(year)-12-31"}"#, #"{"from":"\#(year - 1)-03-01","until":"\#(year + 1)-03-31"}"#,
                #"{"from":"\#(year - 1)-06-01"}"#, #"{"from":"\#(year)-01-01","until":"\#(year)-12-31"}"#,
            ] { #expect(try await change(json).status == 200, "\(json)") }

            // Nor in two steps that each look harmless: its beginning when it was called counts.
            #expect(try await change(#"{"from":"\#(year - 6)-01-01"}"#).status == 200)
            try await refused([
                #"{"from":"\#(year - 2)-01-01","until":"\#(year)-01-01"}"#, #"{"until":"\#(year)-01-01"}"#,
            ])
            #expect(try await change(#"{"from":"\#(year)-01-01"}"#).status == 200)

            // The surcharge of another tier was called for days, too.
            let changed = try await operating.send(
                ChangeMembershipTier.request(
                    path: contribution.membership,
                    body: .init(tier: "premium", from: Day(validating: "\(year)-07-01"))))
            let begun = "/v1/memberships/\(changed.begun.id)"
            let later = try await directory.ask(.patch, begun, ifMatch: 1, json: #"{"from":"\#(year)-08-01"}"#)
            #expect(try later.problem().slug == "membership-called")
            // A cancelled contribution covers nothing.
            let complement = try #require(changed.contribution?.id)
            let cancellation = "/v1/contributions/\(complement)/cancellation"
            #expect(try await directory.ask(.post, cancellation, json: #"{"reason":"Erreur"}"#).status == 200)
            #expect(
                try await directory.ask(.patch, begun, ifMatch: 1, json: #"{"from":"\#(year)-08-01"}"#).status == 200)
        }
    }

    @Test(
        "a member moved to another year during a call is not called; without waiting, it would be",
        arguments: [true, false])
    func movedMeanwhile(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            _ = try await directory.member("Alpha")
            let year = self.year
            let operating = try directory.client(.operator)
            if !isGuarded {
                try await directory.database.withClient(searchPath: "directory") { client in
                    _ = try await client.execute("drop trigger contribution_membership_days on contribution")
                }
            }
            let calling = try await directory.database.withClient(searchPath: "directory") { client in
                try await client.transaction { transaction in
                    try await transaction.execute(
                        """
                        update membership set from_day = make_date(\(year + 1)::integer, 1, 1),
                            until_day = make_date(\(year + 1)::integer, 12, 31)
                        """)
                    let calling = Task {
                        try await operating.send(CallContributions.request(body: .init(year: year))).called
                    }
                    if isGuarded {
                        try await directory.database.untilWaiting()
                    } else {
                        _ = try await calling.value
                    }
                    return calling
                }
            }
            #expect(try await calling.value == (isGuarded ? 0 : 1))
        }
    }

    @Test(
        "members whose last membership lasts to the end of a year are renewed in the same tier, once"
    )
    func renewed() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            func renew() async throws -> MembershipRenewal {
                try await operating.send(RenewMemberships.request(body: .init(year: year)))
            }
            #expect(try await renew() == MembershipRenewal(year: year, renewed: 0, endedEarlier: 0))
            let whole = try await directory.member("Année", tier: "premium")
            let late = try await directory.organization("Depuis juin")
            _ = try await directory.membership(late.id, from: "\(year)-06-01", until: "\(year)-12-31")
            let left = try await directory.organization("Partie en juin")
            _ = try await directory.membership(left.id, from: "\(year)-01-01", until: "\(year)-06-30")
            let followed = try await directory.member("Suivie")
            _ = try await directory.membership(
                followed.id, tier: "premium", from: "\(year + 1)-03-01", until: "\(year + 1)-12-31")
            let former = try await directory.organization("Ancienne")
            _ = try await directory.membership(former.id, from: "\(year - 1)-01-01", until: "\(year - 1)-12-31")

            #expect(try await renew() == MembershipRenewal(year: year, renewed: 2, endedEarlier: 1))
            #expect(try await renew() == MembershipRenewal(year: year, renewed: 0, endedEarlier: 1))
            let next = try await operating.send(
                ListMemberships.request(query: .init(.init(asOf: Day(validating: "\(year + 1)-01-01")))))
            #expect(Set(next.items.map(\.organization)) == [whole.id, late.id])
            #expect(next.items.first { $0.organization == whole.id }?.tier == "premium")
            #expect(
                next.items.allSatisfy { $0.from.text == "\(year + 1)-01-01" && $0.until.text == "\(year + 1)-12-31" })
            let members = try await operating.send(
                ListMembers.request(query: .init(.init(asOf: Day(validating: "\(year + 1)-01-01"), status: .active))))
            #expect(Set(members.items.map(\.organization)) == [whole.id, late.id])

            for wrong in [1999, 2999, Int.max] {
                let answer = try await directory.ask(.post, "/v1/membership-renewals", json: #"{"year":\#(wrong)}"#)
                #expect(try answer.pointer() == "/year")
            }
        }
    }

    @Test("concurrent renewals give each member one next year")
    func atOnce() async throws {
        try await withDirectory { directory in
            for number in 1...20 { _ = try await directory.member(Line(validating: "Membre \(number)")) }
            let operating = try directory.client(.operator)
            let year = self.year
            let renewed = try await withThrowingTaskGroup(of: Int.self) { group in
                for _ in 0..<4 {
                    group.addTask {
                        try await operating.send(RenewMemberships.request(body: .init(year: year))).renewed
                    }
                }
                return try await group.reduce(0, +)
            }
            #expect(renewed == 20)
            let next = try await operating.send(
                ListMemberships.request(query: .init(.init(asOf: Day(validating: "\(year + 1)-07-01")), limit: 200)))
            #expect(next.items.count == 20 && Set(next.items.map(\.organization)).count == 20)
        }
    }

    @Test("a renewal within another duplicates nothing; without the constraint it does", arguments: [true, false])
    func doubled(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            _ = try await directory.member("Alpha")
            let year = self.year
            try await directory.database.withClient(searchPath: "directory") { client in
                if !isGuarded { try await client.execute("alter table membership drop constraint membership_excl") }
                @Sendable func renew(_ meanwhile: @escaping @Sendable () async throws -> Void) async throws {
                    try await client.transaction { transaction in
                        let ending = try await RenewalStore.ending(year, in: transaction)
                        #expect(ending.count == 1)
                        try await meanwhile()
                        _ = try await RenewalStore.renew(ending, after: year, in: transaction)
                    }
                }
                try await renew { try await renew {} }
                let row = try await client.first(
                    "select count(*) as count from membership where from_day = make_date(\(year + 1)::integer, 1, 1)")
                #expect(try row?["count", as: Int.self] == (isGuarded ? 1 : 2))
            }
        }
    }
}
