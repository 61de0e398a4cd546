import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("vocabularies")
struct VocabularyTests {
    @Test("topics are listed for everyone by label, added, relabelled, and deleted when no one has them")
    func topics() async throws {
        try await withDirectory { directory in
            let first = try await directory.raw(.get, "/v1/topics?limit=20")
            #expect(first.status == 200)
            let next = try #require(try first.json()["next"]?.string)
            let second = try await directory.raw(.get, "/v1/topics?limit=20&cursor=\(next)")
            #expect(try first.items("code").count + second.items("code").count == Topic.starters.count)
            #expect(try first.items("label").prefix(2) == ["Bureautique", "Caisse"])

            let operating = try directory.client(.operator)
            let added = try await operating.send(
                CreateTopic.request(body: .init(code: "drones", label: "Drones et imagerie")))
            #expect(added.version == 1)
            let twice = try await directory.ask(.post, "/v1/topics", json: #"{"code":"drones","label":"Autre"}"#)
            #expect(twice.status == 409)
            #expect(try twice.pointer() == "/code")
            let sameLabel = try await directory.ask(
                .post, "/v1/topics", json: #"{"code":"drones2","label":"Drones et imagerie"}"#)
            #expect(try sameLabel.pointer() == "/label")
            let changed = try await operating.send(
                ChangeTopic.request(path: "drones", body: .init(label: "Drones"), ifMatch: 1))
            #expect(changed.label == "Drones" && changed.version == 2)

            let expert = try await directory.expert("Vol au vent") { $0.topics = ["drones"] }
            let inUse = try await directory.ask(.delete, "/v1/topics/drones")
            #expect(inUse.status == 409)
            #expect(try inUse.problem().slug == "topic-in-use")
            _ = try await operating.send(
                ChangeExpert.request(path: expert.id, body: .init(topics: []), ifMatch: 1))
            #expect(try await directory.ask(.delete, "/v1/topics/drones").status == 204)
            #expect(try await directory.ask(.delete, "/v1/topics/drones").status == 404)
            let unknown = try await directory.ask(
                .post, "/v1/organizations", json: #"{"kind":"brand","name":"A","topics":["drones"]}"#)
            #expect(try unknown.pointer() == "/topics")
        }
    }

    @Test("a topic is not deleted while a referral has it, or while an undo of a merge would restore it")
    func remembered() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            _ = try await operating.send(CreateTopic.request(body: .init(code: "drones", label: "Drones")))
            func delete() async throws -> Int { try await directory.ask(.delete, "/v1/topics/drones").status }
            func strip(_ id: Expert.ID) async throws {
                let path = id
                let expert = try await operating.send(GetExpert.request(path: path))
                _ = try await operating.send(
                    ChangeExpert.request(path: path, body: .init(topics: []), ifMatch: expert.version))
            }
            let referral = try await operating.send(
                CreateReferral.request(body: .init(topics: ["drones"], postalCode: "64000", description: "Un besoin")))
            #expect(try await delete() == 409)
            try await directory.database.withClient(as: "directory") { client in
                _ = try await client.execute("delete from referral where id = \(referral.id)")
            }
            let survivor = try await directory.expert("A")
            let merged = try await directory.expert("B") { $0.topics = ["drones"] }
            let merge = try await directory.merge(merged.id.record, into: survivor.id.record, .expert)
            try await strip(survivor.id)
            #expect(try await delete() == 409)
            _ = try await directory.undo(merge)
            #expect(try await operating.send(GetExpert.request(path: merged.id)).topics == ["drones"])
            try await strip(merged.id)
            #expect(try await delete() == 204)
        }
    }

    @Test("a topic that a record is about to get is not deleted: the deletion waits, and is refused")
    func race() async throws {
        try await withDirectory { directory in
            _ = try await directory.client(.operator).send(
                CreateTopic.request(body: .init(code: "drones", label: "Drones")))
            let (held, hold) = AsyncStream<Void>.makeStream()
            let (inserted, insert) = AsyncStream<Void>.makeStream()
            try await directory.database.withClient(as: "directory") { client in
                async let writing: Void = client.transaction { transaction in
                    _ = try await transaction.execute(
                        """
                        insert into organization (id, kind, name, topics)
                        values (\(Organization.ID()), 'brand', 'A', '{drones}')
                        """)
                    insert.finish()
                    for await _ in held {}
                }
                for await _ in inserted {}
                async let deleting = directory.ask(.delete, "/v1/topics/drones")
                // Committed once the deletion waits for the lock; without one it would have finished by then.
                for _ in 1...500 {
                    let waiting = try await client.first(
                        "select from pg_locks join pg_database d on d.oid = database and d.datname = current_database() "
                            + "where not granted")
                    if waiting != nil { break }
                    try await Task.sleep(for: .milliseconds(10))
                }
                hold.finish()
                try await writing
                #expect(try await deleting.status == 409)
            }
        }
    }

    @Test("tiers are listed, added and changed; one for a kind of organization is for that kind only")
    func tiers() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let tiers = try await operating.send(ListTiers.request(query: .init()))
            #expect(tiers.items.map(\.code) == ["premium", "standard"])
            #expect(tiers.items.last?.fee == Money(cents: 120_000))
            let created = try await operating.send(
                CreateTier.request(
                    body: .init(
                        code: "partner", label: "Marque partenaire", kind: .brand, fee: Money(cents: 900_000),
                        monthlySeats: 4, insertions: 12)))
            #expect(created.workshopSeats == 0 && created.kind == .brand)
            #expect(try await operating.send(GetTier.request(path: "partner")) == created)
            #expect(try await directory.ask("/v1/tiers/none").status == 404)

            let brand = try await directory.organization("Marque", kind: .brand)
            let institution = try await directory.organization("Chambre")
            _ = try await directory.membership(brand.id, tier: "partner", from: "2026-01-01", until: "2026-12-31")
            let membership = try await directory.membership(institution.id, from: "2026-01-01", until: "2026-12-31")
            let wrong = try await directory.ask(
                .patch, "/v1/memberships/\(membership.id)", ifMatch: 1, json: #"{"tier":"partner"}"#)
            #expect(wrong.status == 422)
            #expect(try wrong.pointer() == "/tier")

            func change(_ json: String, at version: Int) async throws -> RawAnswer {
                try await directory.ask(.patch, "/v1/tiers/partner", ifMatch: version, json: json)
            }
            let narrowed = try await change(#"{"kind":"institution"}"#, at: 1)
            #expect(narrowed.status == 409)
            #expect(try narrowed.problem().slug == "tier-in-use")
            #expect(try await change(#"{"kind":null,"monthlySeats":5}"#, at: 1).status == 200)
            #expect(try await change(#"{"monthlySeats":6}"#, at: 1).status == 412)
            #expect(try await change(#"{"monthlySeats":1001}"#, at: 2).pointer() == "/monthlySeats")
            #expect(
                try await change(#"{"fee":{"amount":-1,"currency":"EUR"}}"#, at: 2).pointer() == "/fee/amount")
            let standing = try await operating.send(
                GetStanding.request(path: brand.id, query: .init(asOf: "2026-06-01")))
            #expect(standing.entitlements == Entitlements(monthlySeats: 5, workshopSeats: 0, insertions: 12))
        }
    }
}
