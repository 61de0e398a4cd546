import ClubProtocol
import Foundation
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("mailboxes: where mail is sent, and what people are found by")
struct MailboxTests {
    private struct Found: Decodable {
        var recipient: Recipient
    }

    private func recipient(
        _ organization: Organization.ID, _ role: Mailbox.Role?, _ directory: TestService
    ) async throws -> Recipient? {
        try await directory.backend.database.first(
            """
            select \(Recipient.column) from organization \(Recipient.join(.organization, "organization.id", role: role))
            where organization.id = \(organization)
            """)?.decode(Found.self).recipient
    }

    @Test(
        "contribution mail goes to accounting, else the organization, else its titular; people's to the first address")
    func rule() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let house = try await directory.organization("CMA")
            #expect(try await recipient(house.id, .accounting, directory) == nil)
            let ana = try await operating.send(
                CreatePerson.request(
                    body: .init(familyName: "Ana", email: "ana@a.example", otherEmails: ["ana@maison.example"])))
            _ = try await operating.send(
                CreateMandate.request(
                    path: house.id,
                    body: .init(person: ana.id, kind: .titular, from: .today)))
            let titular = try #require(try await recipient(house.id, .accounting, directory))
            #expect(titular.email == "ana@a.example" && titular.name == "CMA" && titular.subject == DataSubject(ana.id))

            func change(_ json: String, _ version: Int) async throws -> RawAnswer {
                try await directory.ask(.patch, "/v1/organizations/\(house.id)", ifMatch: version, json: json)
            }
            #expect(try await change(#"{"email":"cma@a.example"}"#, 1).status == 200)
            let own = try #require(try await recipient(house.id, .accounting, directory))
            #expect(own.email == "cma@a.example" && own.subject == nil)
            let boxes =
                #"[{"role":"press","email":"presse@a.example"},{"role":"accounting","email":"compta@a.example"}]"#
            let changed = try await change(#"{"mailboxes":\#(boxes)}"#, 2).decode(Organization.self)
            #expect(changed.mailboxes?.map(\.role) == [.accounting, .press])
            #expect(try await recipient(house.id, .accounting, directory)?.email == "compta@a.example")
            #expect(try await recipient(house.id, nil, directory)?.email == "cma@a.example")
            let person = try #require(try await Recipient.find(DataSubject(ana.id), on: directory.backend.database))
            #expect(person.email == "ana@a.example" && person.name == "Ana")

            let twice = #"[{"role":"press","email":"a@a.example"},{"role":"press","email":"b@a.example"}]"#
            let refused = try await change(#"{"mailboxes":\#(twice)}"#, 3)
            #expect(try refused.status == 422 && refused.pointer() == "/mailboxes")
            #expect(try await change(#"{"mailboxes":null}"#, 3).json()["mailboxes"] == nil)
        }
    }

    @Test("a person is found by part of any address or telephone, by callers who may see the record")
    func contact() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let ana = try await operating.send(
                CreatePerson.request(
                    body: .init(
                        familyName: "Ana", email: "ana_b@chambre.example", otherEmails: ["ANA@Maison.example"],
                        telephone: "05 59 00 11 22", otherTelephones: ["06 12 34 56 78"])))
            let bob = try await directory.person("Bob", "B", email: "anaxb@ailleurs.example")
            func found(_ part: String, _ list: String = "people", as role: Role = .operator) async throws -> [String] {
                let query = part.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                return try await directory.ask("/v1/\(list)?contact=\(query)", as: role, person: bob.id).items("id")
            }
            for part in [
                "@chambre.ex", "maison", "ANA@M", "06 12 34", "0612", "12 34", "+33 6 12", "0033612", "+33 (0)6 12",
            ] {
                #expect(try await found(part) == [ana.id.text], "\(part)")
            }
            // The underscore is not a wildcard.
            #expect(try await found("ana_b") == [ana.id.text])
            #expect(try await found("ailleurs", as: .ambassador) == [bob.id.text])
            #expect(try await found("maison", as: .ambassador).isEmpty)
            for part in ["06", "a.b", "%%%", "é c", String(repeating: "1", count: 101)] {
                let query = part.addingPercentEncoding(withAllowedCharacters: .alphanumerics) ?? ""
                #expect(try await directory.ask("/v1/people?contact=\(query)").status == 422, "\(part)")
            }
            let house = try await operating.send(
                CreateOrganization.request(
                    body: .init(
                        kind: .institution, name: "CMA", mailboxes: [.init(role: .press, email: "presse@cma.example")]))
            )
            #expect(try await found("presse@", "organizations") == [house.id.text])
            let expert = try await directory.expert("Agence") { $0.telephone = "0692 12 34 56" }
            #expect(try await found("0692 12", "experts") == [expert.id.text])
            #expect(try await found("+262 692", "experts") == [expert.id.text])
        }
    }

    @Test(
        "a table sets civility, function, further addresses and numbers; another person's address is rejected"
    )
    func imported() async throws {
        try await withDirectory { directory in
            func report(_ table: String, _ query: String = "") async throws -> ImportReport {
                try await directory.raw(
                    .post, "/v1/imports/people?mode=apply\(query)", role: .operator,
                    headers: ["Content-Type": "text/csv"], body: Array(table.utf8)
                ).decode(ImportReport.self)
            }
            func people() async throws -> [Person] {
                try await directory.client(.operator).send(ListPeople.request(query: .init())).items
            }
            let table = """
                Civ;Nom;Prénom;Fonction;E-mail;Autre email;Tél;Portable
                Mme;Été;Ada;Présidente;ada@a.example; ada@b.example / ada@c.example;05 59 00 00 00 / 05 59 00 00 01;0612345678
                ;Cher;;;cher@a.example;;;
                ;;Adèle;;adele@a.example;;;06 00 00 00 01
                """
            let first = try await report(table)
            #expect(first.created == 3 && first.rejected == 0, "\(first)")
            let all = try await people()
            #expect(all.map(\.familyName) == ["Adèle", "Cher", "Été"] && all.map(\.givenName) == [nil, nil, "Ada"])
            #expect(all[0].telephone == "+33600000001" && all[0].otherTelephones == nil)
            #expect(all[2].honorificPrefix == "Mme" && all[2].jobTitle == "Présidente")
            #expect(all[2].otherEmails == ["ada@b.example", "ada@c.example"])
            #expect(all[2].otherTelephones == ["+33559000001", "+33612345678"])
            let again = try await report(table)
            #expect(again.skipped == 3, "\(again)")

            // Matched by a further address, which remains one; new ones are added.
            let more = try await report("Nom;Prénom;Mail;Email 2\nÉté;Ada;ADA@b.example;ada@d.example\n")
            #expect(more.updated == 1)
            let now = try await people()[2]
            #expect(now.email == "ada@a.example")
            #expect(now.otherEmails == ["ada@b.example", "ada@c.example", "ada@d.example"])

            // Another person at a further address, one name for a mailbox of two, and an address that another person
            // has.
            let others = try await report(
                "Nom;Prénom;Mail;Email 2\nÉté;Paul;ada@c.example;\nPrince;;cher@a.example;\nNeuf;Luc;luc@a.example;cher@a.example\n"
            )
            #expect(others.rejected == 3 && others.updated == 0, "\(others)")
            let title = try await report(
                "Nom complet;Qualité;Mail\nDUPONT Jean Marie;M.;jean@a.example\nMadonna;Artiste;m@a.example\n")
            #expect(title.created == 2)
            let last = try await people()
            #expect(
                last.contains {
                    $0.familyName == "DUPONT" && $0.givenName == "Jean Marie" && $0.honorificPrefix == "M."
                })
            #expect(last.contains { $0.familyName == "Madonna" && $0.givenName == nil && $0.jobTitle == "Artiste" })
        }
    }

    @Test("a merge keeps the addresses of both, and its undo separates them again")
    func merged() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let one = try await directory.person("Ana", "A", email: "a@a.example")
            let two = try await operating.send(
                CreatePerson.request(
                    body: .init(familyName: "A", email: "b@a.example", otherEmails: ["c@a.example"], jobTitle: "Élue")))
            let merge = try await operating.send(
                MergeRecords.request(
                    body: .init(kind: .person, survivor: .init(one.id.uuid), merged: .init(two.id.uuid))))
            let both = try await operating.send(GetPerson.request(path: one.id))
            #expect(both.email == "a@a.example" && both.otherEmails == ["b@a.example", "c@a.example"])
            #expect(both.jobTitle == "Élue" && both.givenName == "Ana")
            _ = try await operating.send(UndoMerge.request(path: merge.id))
            #expect(try await operating.send(GetPerson.request(path: one.id)).otherEmails == nil)
            #expect(try await operating.send(GetPerson.request(path: two.id)) == two)
        }
    }
}
