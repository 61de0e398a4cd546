import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("audiences and the change feed")
struct FeedTests {
    private func resolve(_ directory: TestService, _ audience: Audience) async throws -> [AudienceMember] {
        var members: [AudienceMember] = []
        for try await member in try directory.client(.service).stream(ResolveAudience.request(body: audience)) {
            members.append(member)
        }
        return members
    }

    @Test("an audience contains those who consented, have an address, and serve the place")
    func audience() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            for (number, (departements, agreed, email)): (Int, ([Departement], Bool?, EmailAddress?)) in [
                (["64"], true, "a@example.org"), (["40", "33"], true, "b@example.org"), (["75"], true, "c@example.org"),
                (["64"], false, "d@example.org"), (["64"], nil, "e@example.org"), (["64"], true, nil),
            ].enumerated() {
                let person = try await directory.person(
                    try Line(validating: "P\(number)"), "Z", email: email, consents: .init(flashInfo: agreed))
                _ = try await operating.send(
                    CreateAmbassador.request(
                        body: .init(person: person.id, topics: ["cloud"], departements: departements)))
            }
            let all = try await resolve(directory, .init(audience: .ambassadors, purpose: .flashInfo))
            #expect(all.map(\.email) == ["a@example.org", "b@example.org", "c@example.org"])
            #expect(all.first?.name == "P0 Z" && all.first?.entity == .ambassador && all.first?.person != nil)
            let near = try await resolve(
                directory, .init(audience: .ambassadors, purpose: .flashInfo, departements: ["64", "40"]))
            #expect(near.map(\.departement) == ["64", "40"])
            let other = try await resolve(directory, .init(audience: .ambassadors, purpose: .eventInvitations))
            #expect(other.isEmpty)
            let topic = Audience(audience: .ambassadors, purpose: .flashInfo, topics: ["hosting"])
            #expect(try await resolve(directory, topic).isEmpty)

            for (name, kind): (Line, Expert.SubKind) in [("W", .webAgency), ("R", .reseller)] {
                _ = try await directory.expert(name) {
                    $0.subKind = kind
                    $0.email = "contact@example.org"
                    $0.consents = .init(flashInfo: true)
                }
            }
            for (group, names) in [(Audience.Group.webAgencies, ["W"]), (.resellers, ["R"]), (.experts, ["W", "R"])] {
                let members = try await resolve(directory, .init(audience: group, purpose: .flashInfo))
                #expect(members.map(\.name) == names)
                #expect(members.allSatisfy { $0.entity == .expert && $0.departement == "64" })
            }
        }
    }

    @Test("a large audience is streamed completely and once")
    func large() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(as: "directory") { client in
                _ = try await client.execute(
                    """
                    insert into expert (id, sub_kind, name, postal_code, commune, departement, email, consents)
                    select gen_random_uuid(), 'webAgency', 'Agence ' || i, '64000', 'Pau', '64', 'a' || i || '@example.org',
                        '{"flashInfo": {"agreed": true, "at": "2026-01-01T00:00:00Z"}}'
                    from generate_series(1, 3000) as i
                    """)
            }
            let members = try await resolve(directory, .init(audience: .experts, purpose: .flashInfo))
            #expect(Set(members.map(\.id)).count == 3000)
            #expect(members.map(\.id.text) == members.map(\.id.text).sorted())
        }
    }

    @Test("every change is in the feed, in order, with the current state")
    func feed() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let organization = try await directory.organization("Une")
            let person = try await directory.person("Ana", "A", email: "ana@example.org", organization: organization.id)
            let changed = try await operating.send(
                ChangePerson.request(path: person.id, body: .init(givenName: "Anna"), ifMatch: 1))
            let expert = try await directory.expert("Agence") { $0.consents = .init(flashInfo: true) }
            let ambassador = try await operating.send(CreateAmbassador.request(body: .init(person: person.id)))
            let batch = try await directory.changes(5)
            #expect(batch.items.map(\.entity) == [.organization, .person, .person, .expert, .ambassador])
            #expect(batch.items.map(\.action) == [.created, .created, .changed, .created, .created])
            #expect(batch.items.map(\.version) == [1, 1, 2, 1, 1])
            let data = batch.items.map(\.data)
            #expect(try data[0]?.decoded(as: Organization.self) == organization)
            #expect(try data[1]?.decoded(as: Person.self) == changed)
            #expect(try data[3]?.decoded(as: Expert.self) == expert)
            #expect(try data[4]?.decoded(as: Ambassador.self) == ambassador)
            let more = try await directory.client(.service).send(
                ReadChanges.request(query: .init(after: batch.next)))
            #expect(more.items.isEmpty)
        }
    }

    @Test("a refused change leaves nothing in the feed")
    func refused() async throws {
        try await withDirectory { directory in
            let json = #"{"kind":"brand","name":"A","siret":"73282932000074"}"#
            for _ in 1...2 { _ = try await directory.ask(.post, "/v1/organizations", json: json) }
            #expect(try await directory.changes(1).items.count == 1)
        }
    }

    @Test("the database checks numbers and codes as the protocol does")
    func sameChecks() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(as: "directory") { client in
                var generator = SystemRandomNumberGenerator()
                var texts = ["356000000" + "00048", "35600000012345", "", "0", "7328293200007A", "٧٣٢٨٢٩٣٢٠"]
                for _ in 0..<200 {
                    let prefix = String((0..<13).map { _ in "0123456789".randomElement(using: &generator) ?? "0" })
                    texts.append(prefix + "\(Luhn.checkDigit(for: prefix))")
                    texts.append(String(prefix.prefix(8)) + "\(Luhn.checkDigit(for: String(prefix.prefix(8))))")
                    texts.append(prefix + "0")
                }
                for text in texts {
                    let row = try #require(
                        try await client.first(
                            "select directory.is_siret(\(text)) as siret, directory.is_siren(\(text)) as siren"))
                    #expect(try row["siret"] == ((try? Siret(validating: text)) != nil), "\(text)")
                    #expect(try row["siren"] == ((try? Siren(validating: text)) != nil), "\(text)")
                }
                let codes = Departement.all
                let row = try await client.first("select directory.are_departements(\(codes)) as known")
                #expect(try row?["known", as: Bool.self] == true)
                for code in ["20", "96", "970", "979", "2a", ""] {
                    let row = try await client.first("select directory.are_departements(\([code])) as known")
                    #expect(try row?["known", as: Bool.self] == false, "\(code)")
                }
                let topics = try await client.query("select code from topic order by code collate \"C\"")
                #expect(try topics.map { try $0["code", as: Topic.self] } == Topic.starters.sorted())
                let tiers = try await client.query("select code from tier order by code")
                #expect(try tiers.map { try $0["code", as: Tier.self] } == Tier.starters)
            }
        }
    }
}
