import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("telephones, names and domains, whichever way they arrive")
struct ValueTests {
    @Test("the database and the protocol read and write the same number for every input")
    func telephones() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(searchPath: "directory") { client in
                for (written, kept, shown) in TelephoneCases.all {
                    let row = try await client.first(
                        """
                        select directory.telephone(\(written)) as kept,
                            directory.telephone_written(directory.telephone(\(written))) as shown
                        """)
                    let (number, text): (String?, String?) = (try row?.optional("kept"), try row?.optional("shown"))
                    #expect(number == kept && text == shown, "\(written): \(number ?? "–"), \(text ?? "–")")
                }
                // Every assigned country code, and no unassigned one.
                let rows = try await client.query(
                    """
                    select code, directory.telephone(code || '22345678') is not null as known,
                        directory.telephone_written(directory.telephone(code || '22345678')) as shown
                    from (select '+' || number as code from generate_series(10, 999) as number) as codes
                    """)
                for row in rows {
                    let code: String = try row["code"]
                    let number = try? Telephone(validating: code + "22345678")
                    #expect(try (number != nil) == row["known"] && number?.written == row.optional("shown"), "\(code)")
                }
            }
        }
    }

    @Test("a number is the same on every way: API, table, card, and exported table")
    func ways() async throws {
        try await withDirectory { directory in
            let made = try await directory.expert("Agence de l'Est") { $0.telephone = "0692 12 34 56" }
            #expect(made.telephone?.text == "+262692123456")
            let report = try await directory.report(
                "Société;Type;CP;Ville;Tél.\nA;agence;97400;Saint-Denis;692123456.0\nB;agence;97400;Saint-Denis;6,92123456E+08\n"
                    + "C;agence;97400;Saint-Denis;+33 (0)692 12 34 56\nD;agence;97400;Saint-Denis;692123456\n",
                "?mode=apply&rejects=skipRow")
            #expect(report.created == 4 && report.errors == [])
            let all = try await directory.client(.operator).send(ListExperts.request(query: .init())).items
            #expect(Set(all.map(\.telephone)) == ["+262692123456"])
            for wrong in ["05 59 00 00 0", "112345", "+330"] {
                let answer = try await directory.ask(
                    .post, "/v1/people", json: #"{"givenName":"A","familyName":"B","telephone":"\#(wrong)"}"#)
                #expect(try answer.status == 422 && answer.pointer() == "/telephone")
            }
            let rejected = try await directory.report(
                "Société;Type;CP;Ville;Tél.\nE;agence;97400;Saint-Denis;6,9E+08\nF;agence;97400;Saint-Denis;05 59 00\n",
                "?mode=apply&rejects=skipRow")
            #expect(rejected.errors.map(\.row) == [1, 2] && rejected.errors.allSatisfy { $0.column == "Tél." })
            // Rounded-away digits are lost: that is reported, and nothing made up.
            #expect(rejected.errors.allSatisfy { $0.detail == "is not a telephone number that can be dialled" })
            let table = try await directory.ask("/v1/experts.csv")
            #expect(table.text.contains("'+262 692 12 34 56"))
            let back = try await directory.imports(table.body).decode(ImportReport.self)
            #expect(back.errors == [] && back.updated == 0)
            let person = try await directory.client(.operator).send(
                CreatePerson.request(body: .init(givenName: "Ada", familyName: "Zola", telephone: "0692 12 34 56")))
            #expect(try await directory.ask("/v1/people/\(person.id)/vcard").text.contains("tel:+262692123456"))
        }
    }

    @Test("a number of an older numbering plan is kept, read and exported unchanged, but refused as input")
    func olderPlan() async throws {
        try await withDirectory { directory in
            let person = try await directory.person("Ada", "Zola", email: "ada@a.example")
            let old = ["+590559123456", "+262559123456"]
            try await directory.database.withClient(searchPath: "directory") { client in
                _ = try await client.execute(
                    """
                    update person set telephone = \(old[0]), other_telephones = array[\(old[1]), '+33559000000']
                    where id = \(person.id)
                    """)
            }
            let client = try directory.client(.operator)
            let known = try await client.send(GetPerson.request(path: person.id))
            #expect(known.telephone?.text == old[0] && known.otherTelephones?.map(\.text) == [old[1], "+33559000000"])
            // A change of something else does not affect it.
            let path = "/v1/people/\(person.id)"
            let changed = try await directory.ask(
                .patch, path, ifMatch: known.version, json: #"{"familyName":"Zoé","otherEmails":["zoe@a.example"]}"#)
            let now = try changed.decode(Person.self)
            #expect(now.familyName == "Zoé" && now.telephone == known.telephone)
            #expect(now.otherTelephones == known.otherTelephones)
            #expect(try await directory.ask("/v1/people.csv").text.contains("+590 559 12 34 56"))
            #expect(try await directory.ask("\(path)/vcard").text.contains("tel:+590559123456"))
            let table = try await directory.raw(
                .post, "/v1/imports/people?mode=apply", role: .operator, headers: ["Content-Type": "text/csv"],
                body: Array("Email;Prénom\nada@a.example;Ada\n".utf8)
            ).decode(ImportReport.self)
            #expect(table.skipped == 1 && table.errors == [])
            for number in old {
                let again = try await directory.ask(
                    .patch, path, ifMatch: now.version, json: #"{"telephone":"\#(number)"}"#)
                #expect(try again.status == 422 && again.pointer() == "/telephone")
            }
        }
    }

    @Test("numbers written directly to the database are normalised")
    func trigger() async throws {
        try await withDirectory { directory in
            let person = try await directory.person("Ada", "Zola")
            try await directory.database.withClient(searchPath: "directory") { client in
                for (written, kept) in [("0559000000", "+33559000000"), ("3949", "3949"), ("112345", nil)] {
                    _ = try await client.execute("update person set telephone = \(written) where id = \(person.id)")
                    let row = try await client.first("select telephone from person")
                    #expect(try row?.optional("telephone", as: String.self) == kept)
                }
            }
        }
    }

    @Test("people whose names are typed differently are found: spaces, hyphens, accents, invisible characters, order")
    func people() async throws {
        try await withDirectory { directory in
            _ = try await directory.person("Jean-Paul", "Ibañez")
            for (given, family) in [
                ("Jean Paul", "Ibañez"), ("  Jean  Paul ", "Ibanez"), ("Jean\u{A0}Paul", "IBANEZ"),
                ("Je\u{AD}an\u{2011}Paul", "Iba\u{6E}\u{303}ez"), ("Ibañez", "Jean‑Paul"),
            ] as [(Line, Line)] {
                let other = try await directory.person(given, family)
                try await directory.scan()
                let pairs = try await directory.duplicates(.init(kind: .person))
                #expect(pairs.contains { [$0.first.id, $0.second.id].contains(other.id.record) }, "\(given) \(family)")
            }
            _ = try await directory.person("Jeanne", "Paul")
            try await directory.scan()
            #expect(try await directory.duplicates(.init(kind: .person)).count == 15)
        }
    }

    @Test("a name is stored without invisible characters; if nothing is left, it is no name")
    func names() async throws {
        try await withDirectory { directory in
            let person = try await directory.ask(
                .post, "/v1/people", json: #"{"givenName":"  Ma\u200brie  Anne ","familyName":"\u00a0Ete\u0301\ufeff"}"#
            )
            #expect(try person.json()["givenName"]?.string == "Marie Anne")
            for name in [#"\u200b"#, #"\udb40\udc41"#, #"\ue000"#, #"\ufdd0"#, #" \u2060 "#] {
                let answer = try await directory.ask(
                    .post, "/v1/people", json: #"{"givenName":"\#(name)","familyName":"A"}"#)
                #expect(try answer.status == 422 && answer.pointer() == "/givenName", "\(name)")
            }
            let report = try await directory.report(
                "Société;Type;CP;Ville\n\u{200B};agence;64000;Pau\n Deux\u{AD}\u{A0}\u{A0}mots ;agence;64000;Pau\n",
                "?mode=apply&rejects=skipRow")
            #expect(report.errors.map(\.row) == [1])
            #expect(try await directory.ask("/v1/experts").items("name") == ["Deux mots"])
        }
    }

    @Test("an address at a domain with accents is the same however it is written")
    func domains() async throws {
        try await withDirectory { directory in
            let expert = try await directory.expert("École") {
                $0.email = "contact@École-Numérique.example"
                $0.website = "https://école.example/"
            }
            #expect(expert.email?.text == "contact@xn--cole-numrique-9gbi.example")
            #expect(expert.website?.text == "https://xn--cole-9oa.example/")
            #expect(
                try await directory.ask("/v1/experts?email=contact@%C3%A9cole-num%C3%A9rique.example").items("id").count
                    == 1)
            let report = try await directory.report(
                "Société;E-mail;Site web;Type;CP;Ville\n"
                    + "Autre nom;contact@e\u{301}cole-nume\u{301}rique.example;école.example/;agence;64000;Pau\n")
            #expect(report.updated == 1 && report.created == 0)
            let person = try await directory.person("Ada", "Zola", email: "ada@école.example")
            let again = try await directory.ask(
                .post, "/v1/people", json: #"{"givenName":"A","familyName":"B","email":"ada@ÉCOLE.example"}"#)
            #expect(again.status == 409 && person.email?.text == "ada@xn--cole-9oa.example")
        }
    }
}
