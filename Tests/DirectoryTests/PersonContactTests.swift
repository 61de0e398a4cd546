import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("people's names, functions, addresses and telephones")
struct PersonContactTests {
    @Test("civility, function and further addresses are stored, listed, changed and removed")
    func kept() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let added = try await operating.send(
                CreatePerson.request(
                    body: .init(
                        honorificPrefix: "Mme", givenName: "Ana", familyName: "Etcheverry", email: "ana@example.org",
                        otherEmails: ["ana@maison.example", "ANA@Maison.example", "Ana@example.org"],
                        telephone: "05 59 00 00 00", otherTelephones: ["06 12 34 56 78", "+33612345678", "0559000000"],
                        jobTitle: "Présidente")))
            #expect(added.honorificPrefix == "Mme" && added.jobTitle == "Présidente")
            #expect(added.otherEmails == ["ana@maison.example"] && added.otherTelephones == ["+33612345678"])
            let read = try await operating.send(GetPerson.request(path: added.id))
            let listed = try await operating.send(ListPeople.request(query: .init(.init(email: "ana@MAISON.example"))))
                .items
            #expect(read == added && listed == [added])

            // One of the further addresses is swapped with the first.
            let swapped = try await operating.send(
                ChangePerson.request(
                    path: added.id,
                    body: .init(email: "Ana@maison.example", telephone: "06 12 34 56 78"),
                    ifMatch: 1))
            #expect(swapped.email == "Ana@maison.example" && swapped.otherEmails == ["ana@example.org"])
            #expect(swapped.telephone == "+33612345678" && swapped.otherTelephones == ["+33559000000"])

            let bare = try await directory.ask(
                .patch, "/v1/people/\(added.id)", ifMatch: 2,
                json: #"{"honorificPrefix":null,"jobTitle":null,"otherEmails":null,"otherTelephones":[]}"#)
            let json = try bare.json()
            #expect(bare.status == 200 && json["email"]?.string == "Ana@maison.example")
            for field in ["honorificPrefix", "jobTitle", "otherEmails", "otherTelephones"] {
                #expect(json[field] == nil, "\(field)")
            }
        }
    }

    @Test("a person may have a single name; an empty one counts as none")
    func oneName() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let cher = try await operating.send(CreatePerson.request(body: .init(familyName: "Cher")))
            #expect(cher.givenName == nil && cher.name == "Cher")
            let null = try await directory.ask(.post, "/v1/people", json: #"{"givenName":null,"familyName":"Adèle"}"#)
            #expect(try null.status == 201 && null.json()["givenName"] == nil)
            let empty = try await directory.ask(.post, "/v1/people", json: #"{"givenName":"","familyName":"Adèle"}"#)
            #expect(try empty.status == 422 && empty.pointer() == "/givenName")
            _ = try await directory.person("Zoé", "Cher")
            // By family name; people without other names come first.
            #expect(try await directory.ask("/v1/people?q=cher").items("givenName").count == 1)
            #expect(try await directory.ask("/v1/people").items("familyName") == ["Adèle", "Cher", "Cher"])
            #expect(try await directory.ask("/v1/people").items("id")[1] == cher.id.text)

            let ambassador = try await operating.send(CreateAmbassador.request(body: .init(person: cher.id)))
            #expect(ambassador.name == "Cher")
            let named = try await operating.send(
                ChangePerson.request(path: cher.id, body: .init(givenName: "Sonny"), ifMatch: 1))
            #expect(named.givenName == "Sonny")
            let renamed = try await operating.send(
                ChangePerson.request(path: cher.id, body: .init(givenName: .some(nil)), ifMatch: 2))
            #expect(renamed.givenName == nil && renamed.familyName == "Cher")
            let followed = try await operating.send(
                GetAmbassador.request(path: ambassador.id))
            #expect(followed.name == "Cher")
            let card = try await directory.ask("/v1/people/\(cher.id)/vcard").text
            #expect(card.contains("FN:Cher\r\n") && card.contains("N:Cher;;;;\r\n"))
        }
    }

    @Test("an address belongs to one person, as the first or a further one, and there are at most ten")
    func unique() async throws {
        try await withDirectory { directory in
            let ana = try await directory.person("Ana", "A", email: "ana@example.org")
            let bob = try await directory.person("Bob", "B", email: "bob@example.org")
            func change(_ person: Person, _ json: String, as role: Role = .operator) async throws -> RawAnswer {
                let version = try await directory.ask("/v1/people/\(person.id)").decode(Person.self).version
                return try await directory.ask(
                    .patch, "/v1/people/\(person.id)", as: role, person: person.id, ifMatch: version, json: json)
            }
            let further = try await change(bob, #"{"otherEmails":["x@example.org","ANA@example.org"]}"#)
            #expect(try further.status == 409 && further.pointer() == "/otherEmails")
            let hidden = try await change(bob, #"{"otherEmails":["ANA@example.org"]}"#, as: .expert)
            #expect(hidden.status == 409 && !hidden.text.contains("otherEmails"))
            #expect(try await change(ana, #"{"otherEmails":["x@example.org"]}"#).status == 200)
            let first = try await change(bob, #"{"email":"X@example.org"}"#)
            #expect(try first.status == 409 && first.pointer() == "/email")
            let added = try await directory.ask(
                .post, "/v1/people", json: #"{"familyName":"C","otherEmails":["x@example.org"]}"#)
            #expect(added.status == 409)
            // Once given up, it is free.
            #expect(try await change(ana, #"{"otherEmails":[]}"#).status == 200)
            #expect(try await change(bob, #"{"email":"x@example.org"}"#).status == 200)
            let many = (1...11).map { #""m\#($0)@example.org""# }.joined(separator: ",")
            let crowd = try await change(bob, #"{"otherEmails":[\#(many)]}"#)
            #expect(try crowd.status == 422 && crowd.pointer() == "/otherEmails")
        }
    }

    @Test("of two concurrent claims to an address, one succeeds")
    func race() async throws {
        try await withDirectory { directory in
            let people = try await [directory.person("A", "A"), directory.person("B", "B"), directory.person("C", "C")]
            let statuses = try await withThrowingTaskGroup(of: Int.self) { group in
                for (number, person) in people.enumerated() {
                    group.addTask {
                        let field = number == 0 ? #""email":"one@example.org""# : #""otherEmails":["ONE@example.org"]"#
                        return try await directory.ask(
                            .patch, "/v1/people/\(person.id)", ifMatch: 1, json: "{\(field)}"
                        ).status
                    }
                }
                return try await group.reduce(into: []) { $0.append($1) }
            }
            #expect(statuses.sorted() == [200, 409, 409])
        }
    }
}
