import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("who sees and changes what")
struct AccessTests {
    @Test("a representative sees and changes only their organization's data")
    func representative() async throws {
        try await withDirectory { directory in
            let own = try await directory.organization("À nous")
            let other = try await directory.organization("À eux")
            let colleague = try await directory.person("Ana", "A", organization: own.id)
            let stranger = try await directory.person("Bob", "B", organization: other.id)
            let operating = try directory.client(.operator)
            for person in [colleague, stranger] {
                _ = try await operating.send(
                    CreateAmbassador.request(body: .init(person: person.id, organization: person.organization)))
                if let organization = person.organization {
                    _ = try await operating.send(
                        CreateMembership.request(
                            body: .init(
                                organization: organization, tier: "standard", from: "2026-01-01", until: "2026-12-31")))
                }
            }
            func ask(_ path: String) async throws -> RawAnswer {
                try await directory.ask(path, as: .representative, organization: own.id)
            }
            #expect(try await ask("/v1/organizations").items("name") == ["À nous"])
            #expect(try await ask("/v1/organizations?q=eux").items("name") == [])
            #expect(try await ask("/v1/organizations/\(own.id)").status == 200)
            #expect(try await ask("/v1/organizations/\(other.id)").status == 404)
            #expect(try await ask("/v1/organizations/\(own.id)/mandates").status == 200)
            #expect(try await ask("/v1/organizations/\(other.id)/mandates").status == 404)
            #expect(try await ask("/v1/people").items("id") == [colleague.id.text])
            #expect(try await ask("/v1/people?organization=\(other.id)").items("id") == [])
            #expect(try await ask("/v1/people/\(stranger.id)").status == 404)
            #expect(try await ask("/v1/memberships").items("organization") == [own.id.text])
            #expect(try await ask("/v1/ambassadors").items("person") == [colleague.id.text])
            #expect(try await ask("/v1/experts").status == 403)
            #expect(try await ask("/v1/changes").status == 403)

            func change(_ path: String, _ json: String) async throws -> Int {
                try await directory.ask(
                    .patch, path, as: .representative, organization: own.id, ifMatch: 1, json: json
                ).status
            }
            #expect(try await change("/v1/organizations/\(other.id)", #"{"name":"Pris"}"#) == 404)
            #expect(try await change("/v1/people/\(stranger.id)", #"{"givenName":"Pris"}"#) == 404)
            #expect(try await change("/v1/people/\(colleague.id)", #"{"organization":"\#(other.id)"}"#) == 403)
            #expect(try await change("/v1/people/\(colleague.id)", #"{"consents":{"flashInfo":true}}"#) == 403)
            #expect(try await change("/v1/organizations/\(own.id)", #"{"kind":"brand"}"#) == 403)
            #expect(try await change("/v1/organizations/\(own.id)", #"{"name":"Toujours nous"}"#) == 200)
            #expect(try await change("/v1/people/\(colleague.id)", #"{"givenName":"Anna"}"#) == 200)

            func add(_ json: String) async throws -> RawAnswer {
                try await directory.ask(.post, "/v1/people", as: .representative, organization: own.id, json: json)
            }
            let added = try await add(#"{"givenName":"C","familyName":"C"}"#)
            #expect(added.status == 201)
            #expect(try added.json()["organization"]?.string == own.id.text)
            let smuggled = try await add(#"{"givenName":"D","familyName":"D","organization":"\#(other.id)"}"#)
            #expect(smuggled.status == 422)
            #expect(try await directory.ask("/v1/people", as: .representative).items("id") == [])
        }
    }

    @Test("ambassadors see themselves, their organization and public experts; experts see themselves")
    func field() async throws {
        try await withDirectory { directory in
            let home = try await directory.organization("Maison")
            _ = try await directory.organization("Ailleurs")
            let ana = try await directory.person("Ana", "A", organization: home.id)
            let bob = try await directory.person("Bob", "B", organization: home.id)
            let operating = try directory.client(.operator)
            var enrolled: [Ambassador] = []
            for person in [ana, bob] {
                enrolled.append(
                    try await operating.send(
                        CreateAmbassador.request(body: .init(person: person.id, organization: home.id))))
            }
            let shown = try await directory.expert("Visible") { $0.consents = .init(publicDirectory: true) }
            let hidden = try await directory.expert("Caché")

            func ambassador(_ path: String) async throws -> RawAnswer {
                try await directory.ask(path, as: .ambassador, person: ana.id)
            }
            #expect(try await ambassador("/v1/ambassadors").items("person") == [ana.id.text])
            #expect(try await ambassador("/v1/ambassadors/\(enrolled[1].id)").status == 404)
            #expect(try await ambassador("/v1/people").items("id") == [ana.id.text])
            #expect(try await ambassador("/v1/organizations").items("name") == ["Maison"])
            #expect(try await ambassador("/v1/experts").items("name") == ["Visible"])
            #expect(try await ambassador("/v1/experts/\(shown.id)").status == 200)
            #expect(try await ambassador("/v1/experts/\(hidden.id)").status == 404)
            let own = "/v1/ambassadors/\(enrolled[0].id)"
            func change(_ path: String, _ json: String) async throws -> Int {
                try await directory.ask(.patch, path, as: .ambassador, person: ana.id, ifMatch: 1, json: json).status
            }
            #expect(try await change("/v1/ambassadors/\(enrolled[1].id)", #"{"topics":["cloud"]}"#) == 404)
            #expect(try await change(own, #"{"organization":null}"#) == 403)
            #expect(try await change(own, #"{"topics":["cloud"]}"#) == 200)
            #expect(try await change("/v1/people/\(ana.id)", #"{"consents":{"flashInfo":true}}"#) == 200)

            // An expert's token carries its identifier as the organization.
            let claim = Organization.ID(hidden.id.uuid)
            func expert(_ path: String) async throws -> RawAnswer {
                try await directory.ask(path, as: .expert, organization: claim)
            }
            #expect(try await expert("/v1/experts").items("name") == ["Caché"])
            #expect(try await expert("/v1/experts?q=visible").items("name") == [])
            #expect(try await expert("/v1/experts/\(shown.id)").status == 404)
            #expect(try await expert("/v1/organizations").status == 403)
            func expertChange(_ id: Expert.ID, _ json: String) async throws -> Int {
                try await directory.ask(
                    .patch, "/v1/experts/\(id)", as: .expert, organization: claim, ifMatch: 1, json: json
                ).status
            }
            #expect(try await expertChange(shown.id, #"{"name":"Pris"}"#) == 404)
            #expect(try await expertChange(hidden.id, #"{"subKind":"reseller"}"#) == 403)
            #expect(try await expertChange(hidden.id, #"{"commune":"Billère"}"#) == 200)
        }
    }

    @Test(
        "a representative cannot take over an ambassador's address, nor learn by trying which ones exist")
    func addresses() async throws {
        try await withDirectory { directory in
            let organization = try await directory.organization("Une")
            let ana = try await directory.person(
                "Ana", "Bidart", email: "ana@une.example", organization: organization.id)
            let bob = try await directory.person("Bob", "Coll", email: "bob@une.example", organization: organization.id)
            let own = try await directory.person("Zoé", "Diaz", email: "zoe@une.example", organization: organization.id)
            for person in [ana, own] {
                _ = try await directory.client(.operator).send(
                    CreateAmbassador.request(body: .init(person: person.id, departements: ["64"])))
            }
            _ = try await directory.person("Eva", "Fort", email: "eva@ailleurs.example")
            func change(_ person: Person, _ json: String) async throws -> RawAnswer {
                try await directory.ask(
                    .patch, "/v1/people/\(person.id)", as: .representative, organization: organization.id,
                    person: own.id, ifMatch: 1, json: json)
            }
            for json in [#"{"email":"moi@une.example"}"#, #"{"email":null}"#] {
                #expect(try await change(ana, json).status == 403)
            }
            #expect(try await directory.ask("/v1/people?email=ana@une.example").items("id") == [ana.id.text])
            #expect(try await change(ana, #"{"email":"ana@une.example","telephone":"0559000000"}"#).status == 200)
            #expect(try await change(bob, #"{"email":"robert@une.example"}"#).status == 200)
            #expect(try await change(own, #"{"email":"zoe.diaz@une.example"}"#).status == 200)

            let clash = try await directory.ask(
                .post, "/v1/people", as: .representative, organization: organization.id, person: own.id,
                json: #"{"givenName":"E","familyName":"F","email":"eva@ailleurs.example"}"#)
            #expect(clash.status == 409)
            #expect(try clash.problem().slug == "conflict")
            #expect(try clash.pointer() == nil && !clash.text.contains("email"))
        }
    }

    @Test("an auditor reads everything and changes nothing")
    func auditor() async throws {
        try await withDirectory { directory in
            let organization = try await directory.organization("Une")
            for path in [
                "/v1/organizations", "/v1/organizations/\(organization.id)", "/v1/people", "/v1/memberships",
                "/v1/ambassadors", "/v1/experts", "/v1/changes", "/v1/organizations/\(organization.id)/mandates",
            ] {
                #expect(try await directory.ask(path, as: .auditor).status == 200, "\(path)")
            }
            let path = "/v1/organizations/\(organization.id)"
            #expect(try await directory.ask(.patch, path, as: .auditor, ifMatch: 1, json: "{}").status == 403)
            #expect(try await directory.ask(.post, "/v1/people", as: .auditor, json: "{}").status == 403)
            let file = try await directory.raw(
                .post, "/v1/imports/experts", role: .auditor, headers: ["Content-Type": "text/csv"], body: [])
            #expect(file.status == 403)
        }
    }
}
