import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// A tier for one kind of organization is held by that kind only, whichever of the three rows changes.
@Suite("tiers and kinds")
struct TierKindTests {
    @Test("an organization keeps the kind that its tier requires; the tier's other terms can be changed all the same")
    func kind() async throws {
        try await withDirectory { directory in
            let brand = try await partner(directory)
            _ = try await directory.membership(brand.id, tier: "partner", from: "2026-01-01", until: "2026-12-31")
            let refused = try await change(brand, to: "institution", directory)
            #expect(refused.status == 422)
            #expect(try refused.pointer() == "/kind")
            #expect(try await narrow(to: #""provider""#, directory).status == 409)
            #expect(try await narrow(to: "null", directory).status == 200)
            #expect(try await change(brand, to: "institution", directory).status == 200)
        }
    }

    @Test(
        "an organization does not change its kind while it is given a tier; without the guard it does",
        arguments: [true, false])
    func given(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            let brand = try await partner(directory)
            try await directory.database.withClient(searchPath: "directory") { client in
                if !isGuarded { try await client.execute("drop trigger membership_tier on membership") }
                let changing = try await client.transaction { transaction in
                    try await transaction.execute(
                        """
                        insert into membership (id, organization, tier, from_day, until_day)
                        values (gen_random_uuid(), \(brand.id), 'partner', '2026-01-01', '2026-12-31')
                        """)
                    // Not through the API, which writes every column: because of the keys among them, it always waits.
                    let changing = Task {
                        try await client.execute("update organization set kind = 'institution' where id = \(brand.id)")
                    }
                    if isGuarded { try await directory.database.untilWaiting() } else { _ = try await changing.value }
                    return changing
                }
                if isGuarded {
                    let error = await #expect(throws: PostgresError.self) { try await changing.value }
                    #expect(error?.constraint == "organization_tier_kind")
                }
                #expect(try await contradictions(client) == (isGuarded ? 0 : 1))
            }
        }
    }

    @Test(
        "a tier is not narrowed while an organization changes its kind; without the guard it is",
        arguments: [true, false])
    func narrowed(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            let brand = try await partner(directory)
            #expect(try await narrow(to: "null", directory).status == 200)
            _ = try await directory.membership(brand.id, tier: "partner", from: "2026-01-01", until: "2026-12-31")
            try await directory.database.withClient(searchPath: "directory") { client in
                if !isGuarded { try await client.execute("drop trigger organization_kind on organization") }
                let narrowing = try await client.transaction { transaction in
                    try await transaction.execute("update organization set kind = 'institution' where id = \(brand.id)")
                    let narrowing = Task { try await narrow(to: #""brand""#, at: 2, directory) }
                    if isGuarded { try await directory.database.untilWaiting() } else { _ = try await narrowing.value }
                    return narrowing
                }
                let answer = try await narrowing.value
                #expect(answer.status == (isGuarded ? 409 : 200))
                if isGuarded { #expect(try answer.problem().slug == "tier-in-use") }
                #expect(try await contradictions(client) == (isGuarded ? 0 : 1))
            }
        }
    }

    /// A brand, and a tier for brands.
    private func partner(_ directory: TestService) async throws -> Organization {
        _ = try await directory.client(.operator).send(
            CreateTier.request(
                body: .init(code: "partner", label: "Marque partenaire", kind: .brand, fee: Money(cents: 900_000))))
        return try await directory.organization("Marque", kind: .brand)
    }

    private func change(_ organization: Organization, to kind: String, _ directory: TestService) async throws
        -> RawAnswer
    {
        try await directory.ask(
            .patch, "/v1/organizations/\(organization.id)", ifMatch: 1, json: #"{"kind":"\#(kind)"}"#)
    }

    private func narrow(to kind: String, at version: Int = 1, _ directory: TestService) async throws -> RawAnswer {
        try await directory.ask(.patch, "/v1/tiers/partner", ifMatch: version, json: #"{"kind":\#(kind)}"#)
    }

    private func contradictions(_ client: PostgresClient) async throws -> Int {
        let row = try await client.first(
            """
            select count(*) as count from membership join tier on tier.code = membership.tier
                join organization on organization.id = membership.organization
            where tier.kind <> organization.kind
            """)
        return try row?["count"] ?? 0
    }
}
