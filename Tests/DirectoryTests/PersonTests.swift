import ClubProtocol
import Foundation
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("people, mandates and memberships")
struct PersonTests {
    @Test("a consent has the time at which it was given, and keeps it when it is repeated")
    func consents() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let person = try await directory.person(
                "Camille", "Etcheverry", email: "camille@example.org",
                consents: .init(flashInfo: true, partnerOffers: false))
            let first = try #require(person.consents.flashInfo)
            #expect(first.agreed)
            #expect(person.consents.partnerOffers?.agreed == false)
            #expect(person.consents.eventInvitations == nil)
            let changed = try await operating.send(
                ChangePerson.request(
                    path: person.id,
                    body: .init(consents: .init(flashInfo: true, eventInvitations: true, partnerOffers: true)),
                    ifMatch: 1))
            #expect(changed.consents.flashInfo == first)
            #expect(changed.consents.eventInvitations?.agreed == true)
            #expect(changed.consents.partnerOffers?.agreed == true)
            #expect(try #require(changed.consents.partnerOffers).at > first.at)
            let who = try await directory.ask("/v1/people?purpose=eventInvitations").items("id")
            #expect(who == [person.id.text])
            #expect(try await directory.ask("/v1/people?purpose=publicDirectory").items("id").isEmpty)
        }
    }

    @Test("an e-mail address belongs to one person, ignoring case, and any number of people have none")
    func emails() async throws {
        try await withDirectory { directory in
            _ = try await directory.person("Ana", "Garcia", email: "Ana@example.org")
            _ = try await directory.person("Ana", "Garcia")
            _ = try await directory.person("Ana", "Garcia")
            let again = try await directory.ask(
                .post, "/v1/people", json: #"{"givenName":"A","familyName":"G","email":"aNA@Example.org"}"#)
            #expect(again.status == 409)
            #expect(try again.pointer() == "/email")
            #expect(try await directory.ask("/v1/people?email=ANA@example.org").items("email") == ["Ana@example.org"])
            #expect(try await directory.ask("/v1/people").items("id").count == 3)
        }
    }

    @Test("people are found without accents, with typing errors, and listed by family name")
    func search() async throws {
        try await withDirectory { directory in
            for (given, family): (Line, Line) in [
                ("Léa", "Étchebarne"), ("Zoé", "Alvarez"), ("Benoît", "Étcheverry"), ("Ana", "Étcheverry"),
            ] {
                _ = try await directory.person(given, family)
            }
            func found(_ query: String) async throws -> [String] {
                try await directory.ask("/v1/people\(query)").items("givenName")
            }
            #expect(try await found("") == ["Zoé", "Léa", "Ana", "Benoît"])
            #expect(try await found("?q=etcheveri") == ["Ana", "Benoît"])
            #expect(try await found("?q=benoit%20etcheverry") == ["Benoît"])
            #expect(try await found("?q=alvares") == ["Zoé"])
            #expect(try await found("?q=dupont") == [])
        }
    }

    @Test(
        "St, Ste, Sts and Stes match saints for people and ambassadors, too, in stored names and queries"
    )
    func saints() async throws {
        try await withDirectory { directory in
            for (given, family): (Line?, Line) in [
                ("Ana", "Saint-Étienne"), ("Bob", "St Etienne"), ("Cyr", "ST. ÉTIENNE"), (nil, "Sainte-Foy Web"),
                (nil, "Ste Foy Info"), ("Ève", "Étienne"), ("Luc", "Studer"), (nil, "Stes Maries"),
            ] {
                let person = try await directory.client(.operator).send(
                    CreatePerson.request(body: .init(givenName: given, familyName: family)))
                _ = try await directory.client(.operator).send(CreateAmbassador.request(body: .init(person: person.id)))
            }
            func found(_ path: String, _ key: String) async throws -> [String] {
                try await directory.ask(path.replacing(" ", with: "%20")).items(key).sorted()
            }
            for (q, names) in [
                ("st etienne", ["ST. ÉTIENNE", "Saint-Étienne", "St Etienne"]),
                ("saint etienne", ["ST. ÉTIENNE", "Saint-Étienne", "St Etienne"]),
                ("Saint-%C3%89tienne ana", ["Saint-Étienne"]), ("ste foy", ["Sainte-Foy Web", "Ste Foy Info"]),
                ("sainte foy", ["Sainte-Foy Web", "Ste Foy Info"]), ("saintes maries", ["Stes Maries"]),
                ("stes maries", ["Stes Maries"]),
            ] {
                #expect(try await found("/v1/people?q=\(q)", "familyName") == names.sorted(), "\(q)")
                let ids = try await found("/v1/people?q=\(q)", "id")
                #expect(try await found("/v1/ambassadors?q=\(q)", "person") == ids, "\(q)")
            }
            let begun = try await found("/v1/people?q=st", "familyName")
            #expect(begun.contains("Studer") && begun.contains("Saint-Étienne"))
        }
    }

    @Test("an organization has one titular representative on a day and any number of alternates")
    func mandates() async throws {
        try await withDirectory { directory in
            let organization = try await directory.organization("CMA")
            let ana = try await directory.person("Ana", "A")
            let bob = try await directory.person("Bob", "B")
            let path = "/v1/organizations/\(organization.id)/mandates"
            func give(_ person: Person, _ kind: String, _ days: String) async throws -> RawAnswer {
                try await directory.ask(
                    .post, path, json: #"{"person":"\#(person.id)","kind":"\#(kind)",\#(days)}"#)
            }
            #expect(try await directory.ask(path).text == #"{"items":[]}"#)
            let first = try await give(ana, "titular", #""from":"2026-01-01""#)
            #expect(first.status == 201)
            let overlap = try await give(bob, "titular", #""from":"2026-06-01""#)
            #expect(overlap.status == 409)
            #expect(try overlap.problem().slug == "mandate-overlaps")
            #expect(try await give(bob, "alternate", #""from":"2026-02-01","until":"2026-03-01""#).status == 201)
            #expect(try await give(bob, "alternate", #""from":"2026-03-01""#).status == 409)
            #expect(try await give(bob, "alternate", #""from":"2026-04-01","until":"2026-03-31""#).status == 422)

            let id = try #require(try first.json()["id"]?.string)
            let end = try await directory.ask(.patch, "\(path)/\(id)", ifMatch: 1, json: #"{"until":"2026-05-31"}"#)
            #expect(end.status == 200)
            #expect(try await give(bob, "titular", #""from":"2026-06-01""#).status == 201)
            let reopen = try await directory.ask(.patch, "\(path)/\(id)", ifMatch: 2, json: #"{"until":null}"#)
            #expect(reopen.status == 409)

            #expect(try await directory.ask("\(path)?kind=titular").items("person") == [bob.id.text, ana.id.text])
            #expect(try await directory.ask("\(path)?asOf=2026-05-31").items("person") == [ana.id.text])
            #expect(try await directory.ask("\(path)?asOf=2026-06-01").items("person") == [bob.id.text])
            let page = try await directory.ask("\(path)?limit=2")
            let cursor = try #require(try page.json()["next"]?.string)
            #expect(try await directory.ask("\(path)?limit=2&cursor=\(cursor)").items("id") == [id])

            let nowhere = "/v1/organizations/\(Organization.ID())/mandates"
            #expect(try await directory.ask(nowhere).status == 404)
            let json = #"{"person":"\#(ana.id)","kind":"titular","from":"2026-01-01"}"#
            #expect(try await directory.ask(.post, nowhere, json: json).status == 404)
            let nobody = #"{"person":"\#(Person.ID())","kind":"alternate","from":"2026-01-01"}"#
            #expect(try await directory.ask(.post, path, json: nobody).pointer() == "/person")
        }
    }

    @Test("the memberships of an organization do not overlap")
    func memberships() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let brand = try await directory.organization("Marque", kind: .brand)
            let other = try await directory.organization("Autre", kind: .brand)
            func join(_ organization: Organization, _ from: Day, _ until: Day) -> Request<CreateMembership> {
                CreateMembership.request(
                    body: .init(organization: organization.id, tier: "standard", from: from, until: until))
            }
            #expect(try await directory.ask("/v1/memberships").text == #"{"items":[]}"#)
            let membership = try await operating.send(join(brand, "2026-01-01", "2026-12-31"))
            _ = try await operating.send(join(brand, "2027-01-01", "2027-12-31"))
            _ = try await operating.send(join(other, "2026-06-01", "2027-05-31"))
            let overlap = await #expect(throws: ServiceClientError.self) {
                try await operating.send(join(brand, "2026-12-31", "2027-01-01"))
            }
            guard case .problem(let document) = overlap else { Issue.record("no problem"); return }
            #expect(document.status == 409 && document.slug == "membership-overlaps")

            let path = membership.id
            let changed = try await operating.send(
                ChangeMembership.request(path: path, body: .init(tier: "premium"), ifMatch: 1))
            #expect(changed.tier == "premium")
            #expect(try await operating.send(GetMembership.request(path: path)) == changed)
            let wrong = #"{"organization":"\#(brand.id)","tier":"gold","from":"2030-01-01","until":"2030-12-31"}"#
            #expect(try await directory.ask(.post, "/v1/memberships", json: wrong).pointer() == "/tier")
            let backwards = #"{"from":"2027-01-01"}"#
            let answer = try await directory.ask(
                .patch, "/v1/memberships/\(membership.id)", ifMatch: 2, json: backwards)
            #expect(try answer.pointer() == "/until")

            func days(_ query: String) async throws -> [String] {
                try await directory.ask("/v1/memberships\(query)").items("from")
            }
            #expect(try await days("") == ["2027-01-01", "2026-06-01", "2026-01-01"])
            #expect(try await days("?organization=\(brand.id)") == ["2027-01-01", "2026-01-01"])
            #expect(try await days("?asOf=2026-12-31") == ["2026-06-01", "2026-01-01"])
            #expect(try await days("?tier=premium") == ["2026-01-01"])
            let first = try await directory.ask("/v1/memberships?limit=1")
            let cursor = try #require(try first.json()["next"]?.string)
            #expect(try await days("?limit=2&cursor=\(cursor)") == ["2026-06-01", "2026-01-01"])
        }
    }
}
