import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("members and mandates by day")
struct MemberTests {
    @Test("members are listed by name with their standing on a day")
    func members() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            func list(
                _ filter: ListMembers.Filter, limit: PageLimit? = nil, cursor: Cursor? = nil
            ) async throws -> Page<MemberStanding> {
                try await operating.send(ListMembers.request(query: .init(filter, limit: limit, cursor: cursor)))
            }
            #expect(try await list(.init()).items.isEmpty)
            let active = try await directory.organization("Alpha", kind: .brand)
            let lapsed = try await directory.organization("Béta")
            _ = try await directory.organization("Jamais membre")
            _ = try await directory.membership(active.id, tier: "premium", from: "2024-01-01", until: "2024-12-31")
            _ = try await directory.membership(active.id, tier: "premium", from: "2025-01-01", until: "2099-12-31")
            _ = try await directory.membership(lapsed.id, from: "2024-01-01", until: "2024-12-31")

            let all = try await list(.init()).items
            #expect(all.map(\.organization) == [active.id, lapsed.id])
            #expect(all.map(\.status) == [.active, .lapsed])
            #expect(all.map(\.tier) == ["premium", nil])
            #expect(all.map(\.since) == ["2024-01-01", "2024-01-01"])
            #expect(try await list(.init(status: .lapsed)).items.map(\.organization) == [lapsed.id])
            #expect(try await list(.init(asOf: "2024-06-01", status: .active)).items.count == 2)
            #expect(try await list(.init(asOf: "2023-06-01")).items.isEmpty)
            #expect(try await list(.init(kind: .brand)).items.map(\.organization) == [active.id])
            #expect(try await list(.init(tier: "standard")).items.isEmpty)
            let first = try await list(.init(), limit: 1)
            let second = try await list(.init(), limit: 1, cursor: first.next)
            #expect(second.items.map(\.organization) == [lapsed.id] && second.next == nil)

            // Overdue, and then paid.
            let year = Day.today.year
            _ = try await operating.send(CallContributions.request(body: .init(year: year, dueOn: .today)))
            let tomorrow = Day.today.adding(days: 1)
            let late = try await list(.init(asOf: tomorrow, status: .late)).items
            #expect(late.map(\.organization) == [active.id] && late.first?.owed == Money(cents: 300_000))

            let own = try await directory.ask("/v1/members", as: .representative, organization: lapsed.id)
            #expect(try own.items("organization") == [lapsed.id.text])
            #expect(try await directory.ask("/v1/members", as: .expert).status == 403)
        }
    }

    @Test("who represented which organization on a day is listed for all organizations, and for one's own")
    func mandates() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let one = try await directory.organization("Une")
            let two = try await directory.organization("Deux")
            let ana = try await directory.person("Ana", "A")
            let bob = try await directory.person("Bob", "B")
            func mandate(
                _ person: Person, _ organization: Organization, _ kind: Mandate.Kind, _ from: Day, _ until: Day?
            ) async throws -> Mandate {
                try await operating.send(
                    CreateMandate.request(
                        path: organization.id,
                        body: .init(person: person.id, kind: kind, from: from, until: until)))
            }
            let first = try await mandate(ana, one, .titular, "2026-01-01", "2026-12-31")
            let second = try await mandate(bob, one, .titular, "2027-01-01", nil)
            let third = try await mandate(ana, two, .alternate, "2027-02-01", nil)
            func ids(_ query: String, as role: Role = .operator, of organization: Organization? = nil) async throws
                -> [String]
            {
                try await directory.ask("/v1/mandates\(query)", as: role, organization: organization?.id).items("id")
            }
            #expect(try await ids("") == [third, second, first].map(\.id.text))
            #expect(try await ids("?asOf=2027-03-14") == [third, second].map(\.id.text))
            #expect(try await ids("?asOf=2026-03-14&person=\(ana.id)") == [first.id.text])
            #expect(try await ids("?kind=alternate") == [third.id.text])
            #expect(try await ids("?organization=\(one.id)&limit=1") == [second.id.text])
            #expect(try await ids("", as: .representative, of: two) == [third.id.text])
            #expect(try await ids("?organization=\(one.id)", as: .representative, of: two) == [])
            #expect(try await directory.ask("/v1/mandates", as: .ambassador, person: ana.id).status == 403)
        }
    }

    @Test("organizations: members of a day, further addresses, and the agency of a brand")
    func organizations() async throws {
        try await withDirectory { directory in
            let agency = try await directory.organization("Agence Presse", kind: .provider, subKind: .webAgency)
            let created = try await directory.ask(
                .post, "/v1/organizations",
                json: """
                    {"kind":"brand","name":"Marque","street":"1 rue de la Paix","postalCode":"75002","commune":"Paris",
                    "agency":"\(agency.id)","addresses":[{"use":"billing","postalCode":"64000","commune":"Pau"}]}
                    """)
            #expect(created.status == 201)
            let brand = try created.decode(Organization.self)
            #expect(
                brand.addresses == [
                    Address(use: .billing, postalCode: "64000", commune: "Pau", departement: "64", region: "75")
                ])
            #expect(brand.street == "1 rue de la Paix" && brand.agency == agency.id)
            #expect(try await directory.ask("/v1/organizations?agency=\(agency.id)").items("name") == ["Marque"])
            let path = "/v1/organizations/\(brand.id)"
            func change(_ json: String, at version: Int) async throws -> RawAnswer {
                try await directory.ask(.patch, path, ifMatch: version, json: json)
            }
            #expect(try await change(#"{"agency":"\#(brand.id)"}"#, at: 1).pointer() == "/agency")
            #expect(try await change(#"{"kind":"institution"}"#, at: 1).pointer() == "/agency")
            #expect(try await change(#"{"agency":"\#(Organization.ID())"}"#, at: 1).pointer() == "/agency")
            let wrong = try await change(#"{"addresses":[{"use":"site","postalCode":"6400","commune":"Pau"}]}"#, at: 1)
            #expect(try wrong.pointer() == "/addresses/0/postalCode")
            let one = #"{"use":"site","postalCode":"64000","commune":"Pau"}"#
            let many = "{\"addresses\":[\(Array(repeating: one, count: 21).joined(separator: ","))]}"
            #expect(try await change(many, at: 1).pointer() == "/addresses")
            let changed = try await change(#"{"addresses":[\#(one)],"agency":null,"street":null}"#, at: 1)
            #expect(try changed.decode(Organization.self).addresses.map(\.use) == [.site])
            #expect(try changed.json()["agency"] == nil)

            _ = try await directory.membership(brand.id, from: "2027-01-01", until: "2027-12-31")
            #expect(try await directory.ask("/v1/organizations?asOf=2027-03-14").items("name") == ["Marque"])
            #expect(try await directory.ask("/v1/organizations?asOf=2028-03-14").items("name") == [])
        }
    }
}
