import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("organizations")
struct OrganizationTests {
    @Test("an organization is created, read and changed; its SIRET sets the SIREN and its postal code the département")
    func life() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let created = try await operating.exchange(
                CreateOrganization.request(
                    body: .init(
                        kind: .institution, subKind: .chamber, name: "CCI Pau Béarn", siret: "73282932000074",
                        postalCode: "64000", commune: "Pau", website: "https://www.example.org/",
                        email: "contact@example.org", telephone: "05 59 00 00 00",
                        topics: ["businessCreation", "training"])))
            #expect(created.status == .created)
            #expect(created.version == 1)
            #expect(created.value.siren == "732829320")
            #expect(created.value.departement == "64")
            #expect(created.value.telephone == "0559000000")
            let path = created.value.id
            #expect(try await operating.send(GetOrganization.request(path: path)) == created.value)

            var patch = ChangeOrganization.Body(name: "CCI Béarn")
            patch.postalCode = .some("40000")
            patch.website = .some(nil)
            let changed = try await operating.exchange(ChangeOrganization.request(path: path, body: patch, ifMatch: 1))
            #expect(changed.version == 2)
            #expect(changed.value.name == "CCI Béarn")
            #expect(changed.value.departement == "40")
            #expect(changed.value.website == nil)
            #expect(changed.value.email == "contact@example.org")
            #expect(changed.value.topics == ["businessCreation", "training"])
            #expect(changed.value.updatedAt >= created.value.updatedAt)
        }
    }

    @Test("a change requires a version: 428 without, 412 with an old one, 404 if the record is not found")
    func versions() async throws {
        try await withDirectory { directory in
            let organization = try await directory.organization("Fédération")
            let path = "/v1/organizations/\(organization.id)"
            #expect(try await directory.ask(.patch, path, json: #"{"name":"A"}"#).status == 428)
            #expect(try await directory.ask(.patch, path, ifMatch: 1, json: #"{"name":"A"}"#).status == 200)
            #expect(try await directory.ask(.patch, path, ifMatch: 1, json: #"{"name":"B"}"#).status == 412)
            let answer = try await directory.ask(path)
            #expect(try answer.json()["name"]?.string == "A")
            #expect(answer.headers["etag"] == "\"2\"")
            let nowhere = "/v1/organizations/\(Organization.ID())"
            #expect(try await directory.ask(nowhere).status == 404)
            #expect(try await directory.ask(.patch, nowhere, ifMatch: 1, json: "{}").status == 404)
            #expect(try await directory.ask("/v1/organizations/none").status == 404)
        }
    }

    @Test(
        "invalid fields are named",
        arguments: [
            (#"{"kind":"institution","name":"A","role":"x"}"#, 422, "/role"),
            (#"{"kind":"institution"}"#, 422, "/name"),
            (#"{"kind":"club","name":"A"}"#, 422, "/kind"),
            (#"{"kind":"institution","name":"A\u0000"}"#, 422, "/name"),
            (#"{"kind":"institution","name":"A","siret":"73282932000075"}"#, 422, "/siret"),
            // The check digit of the whole is right, that of its first nine digits is not.
            (#"{"kind":"institution","name":"A","siret":"10000000000008"}"#, 422, "/siret"),
            (#"{"kind":"institution","name":"A","siren":"732829321"}"#, 422, "/siren"),
            (#"{"kind":"institution","name":"A","siren":"552100554","siret":"73282932000074"}"#, 422, "/siret"),
            (#"{"kind":"brand","subKind":"chamber","name":"A"}"#, 422, "/subKind"),
            (#"{"kind":"institution","subKind":"reseller","name":"A"}"#, 422, "/subKind"),
            (#"{"kind":"brand","name":"A","topics":["flying"]}"#, 422, "/topics"),
            (#"{"kind":"brand","name":"A","parent":"01930f2e-7c50-7b3a-9f53-2f6d1c0a4e11"}"#, 422, "/parent"),
            (#"{"kind":"brand","name":"A","postalCode":"6400"}"#, 422, "/postalCode"),
        ])
    func invalid(json: String, status: Int, pointer: String) async throws {
        try await withDirectory { directory in
            let answer = try await directory.ask(.post, "/v1/organizations", json: json)
            #expect(answer.status == status)
            #expect(try answer.pointer() == pointer)
            #expect(try await directory.ask("/v1/organizations").items("id").isEmpty)
        }
    }

    @Test("a SIRET added later sets its SIREN too, or is refused if it has none")
    func laterSiret() async throws {
        try await withDirectory { directory in
            let path = "/v1/organizations/\(try await directory.organization("Fédération").id)"
            func change(_ siret: String) async throws -> RawAnswer {
                try await directory.ask(.patch, path, ifMatch: 1, json: #"{"siret":"\#(siret)"}"#)
            }
            let refused = try await change("10000000000008")
            #expect(refused.status == 422)
            #expect(try refused.pointer() == "/siret")
            #expect(try await change("73282932000074").decode(Organization.self).siren == "732829320")
        }
    }

    @Test("a SIRET belongs to one organization, and a head of network is not among its own branches")
    func constraints() async throws {
        try await withDirectory { directory in
            let body = #"{"kind":"brand","name":"A","siret":"73282932000074"}"#
            #expect(try await directory.ask(.post, "/v1/organizations", json: body).status == 201)
            let second = try await directory.ask(.post, "/v1/organizations", json: body)
            #expect(second.status == 409)
            #expect(try second.pointer() == "/siret")

            let head = try await directory.organization("Tête")
            let branch = try await directory.organization("Branche")
            let twig = try await directory.organization("Rameau")
            for (child, parent) in [(branch, head), (twig, branch)] {
                let answer = try await directory.ask(
                    .patch, "/v1/organizations/\(child.id)", ifMatch: 1, json: #"{"parent":"\#(parent.id)"}"#)
                #expect(answer.status == 200)
            }
            for parent in [head, branch, twig] {
                let answer = try await directory.ask(
                    .patch, "/v1/organizations/\(head.id)", ifMatch: 1, json: #"{"parent":"\#(parent.id)"}"#)
                #expect(answer.status == 422)
                #expect(try answer.pointer() == "/parent")
            }
            #expect(try await directory.ask("/v1/organizations?parent=\(branch.id)").items("name") == ["Rameau"])
        }
    }

    @Test("two concurrent changes do not close a cycle; without the guard they do", arguments: [true, false])
    func circle(isGuarded: Bool) async throws {
        try await withDirectory { directory in
            if !isGuarded {
                try await directory.database.withClient { client in
                    _ = try await client.execute("drop trigger organization_parent on directory.organization")
                }
            }
            let one = try await directory.organization("Une")
            let two = try await directory.organization("Deux")
            async let first = directory.ask(
                .patch, "/v1/organizations/\(one.id)", ifMatch: 1, json: #"{"parent":"\#(two.id)"}"#)
            async let second = directory.ask(
                .patch, "/v1/organizations/\(two.id)", ifMatch: 1, json: #"{"parent":"\#(one.id)"}"#)
            let statuses = try await [first.status, second.status].sorted()
            #expect(statuses == (isGuarded ? [200, 422] : [200, 200]))
        }
    }

    @Test("changes of the tree wait for each other; a change that keeps the head of network waits for none")
    func unrelated() async throws {
        try await withDirectory { directory in
            let head = try await directory.organization("Tête")
            let branch = try await directory.organization("Branche")
            let other = try await directory.organization("Autre")
            @Sendable func change(_ organization: Organization, _ version: Int, _ json: String) async throws
                -> RawAnswer
            {
                try await directory.ask(.patch, "/v1/organizations/\(organization.id)", ifMatch: version, json: json)
            }
            let below = #"{"parent":"\#(head.id)"}"#
            #expect(try await change(branch, 1, below).status == 200)
            try await directory.database.withClient(searchPath: "directory") { client in
                let moving = try await client.transaction { transaction in
                    try await transaction.execute(
                        "select pg_advisory_xact_lock(hashtextextended('directory.organization.parent', 0))")
                    #expect(try await change(branch, 2, #"{"name":"Antenne"}"#).status == 200)
                    let new = try await directory.ask(
                        .post, "/v1/organizations", json: #"{"kind":"brand","name":"Neuve","parent":"\#(head.id)"}"#)
                    #expect(new.status == 201)
                    let moving = Task { try await change(other, 1, below) }
                    try await directory.database.untilWaiting()
                    return moving
                }
                #expect(try await moving.value.status == 200)
                // New organizations inserted together can close a cycle.
                let error = await #expect(throws: PostgresError.self) {
                    _ = try await client.execute(
                        """
                        with new as (select gen_random_uuid() as one, gen_random_uuid() as two)
                        insert into organization (id, kind, name, parent)
                        select one, 'brand', 'Une', two from new union all select two, 'brand', 'Deux', one from new
                        """)
                }
                #expect(error?.constraint == "organization_circle_check")
            }
        }
    }

    @Test("SQL, quotes and markup are stored and returned unchanged")
    func literally() async throws {
        try await withDirectory { directory in
            let name: Line = "'); drop table person; -- \"<b>\\ $1 % _ ${x}"
            let organization = try await directory.organization(name)
            #expect(organization.name == name)
            #expect(try await directory.ask("/v1/organizations").items("name") == [name.text])
            let path = "/v1/organizations?q=%27%29%3B%20drop%20table%20%26%20%7C%20%21%20%3A%2A"
            #expect(try await directory.ask(path).status == 200)
        }
    }

    @Test("lists are empty at first, filtered, and ordered ignoring accents and case")
    func lists() async throws {
        try await withDirectory { directory in
            let empty = try await directory.ask("/v1/organizations")
            #expect(empty.text == #"{"items":[]}"#)
            _ = try await directory.organization("Étoile", subKind: .federation, postalCode: "40000")
            _ = try await directory.organization("zèbre", kind: .brand, topics: ["cloud"])
            _ = try await directory.organization("Eau", subKind: .chamber, postalCode: "64100", topics: ["cloud"])
            _ = try await directory.organization("abeille", kind: .provider, subKind: .reseller, postalCode: "64000")
            func names(_ query: String) async throws -> [String] {
                try await directory.ask("/v1/organizations\(query)").items("name")
            }
            #expect(try await names("") == ["abeille", "Eau", "Étoile", "zèbre"])
            #expect(try await names("?kind=institution") == ["Eau", "Étoile"])
            #expect(try await names("?subKind=reseller") == ["abeille"])
            #expect(try await names("?departement=64") == ["abeille", "Eau"])
            #expect(try await names("?topic=cloud") == ["Eau", "zèbre"])
            #expect(try await names("?topic=cloud&kind=brand") == ["zèbre"])
            #expect(try await names("?updatedSince=2090-01-01T00:00:00Z") == [])
            #expect(try await directory.ask("/v1/organizations?flavour=1").status == 400)
            #expect(try await directory.ask("/v1/organizations?kind=brand&kind=provider").status == 400)
            #expect(try await directory.ask("/v1/organizations?departement=20").status == 422)
            #expect(try await directory.ask("/v1/organizations?limit=0").status == 422)
        }
    }

    @Test("pages stay consistent while rows are added and deleted, and a cursor is valid for its own list only")
    func pages() async throws {
        try await withDirectory { directory in
            // A duplicate name: the identifier decides.
            for name: Line in ["B", "D", "D", "F", "H", "J"] { _ = try await directory.organization(name) }
            let first = try await directory.ask("/v1/organizations?limit=2")
            #expect(try first.items("name") == ["B", "D"])
            let cursor = try #require(try first.json()["next"]?.string)
            // One is added before the cursor and one after it; the row of the cursor itself is deleted.
            _ = try await directory.organization("A")
            _ = try await directory.organization("E")
            let last = try #require(try first.items("id").last)
            try await directory.database.withClient(as: "directory") { client in
                _ = try await client.execute("delete from organization where id = \(last)::uuid")
            }
            let second = try await directory.ask("/v1/organizations?limit=2&cursor=\(cursor)")
            #expect(try second.items("name") == ["D", "E"])
            #expect(try !second.items("id").contains(last))
            let third = try #require(try second.json()["next"]?.string)
            let rest = try await directory.ask("/v1/organizations?limit=200&cursor=\(third)")
            #expect(try rest.items("name") == ["F", "H", "J"])
            #expect(try rest.json()["next"] == nil)

            #expect(try await directory.ask("/v1/organizations?kind=brand&cursor=\(cursor)").status == 400)
            #expect(try await directory.ask("/v1/people?cursor=\(cursor)").status == 400)
            #expect(try await directory.ask("/v1/organizations?cursor=\(cursor.dropLast(3))").status == 400)
        }
    }
}
