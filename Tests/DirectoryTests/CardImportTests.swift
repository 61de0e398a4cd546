import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

extension TestService {
    /// Imports cards.
    func cards(
        _ file: String, _ query: String = "mode=apply", media: String = "text/vcard", key: String? = nil
    ) async throws -> RawAnswer {
        var headers = ["Content-Type": media]
        if let key { headers["Idempotency-Key"] = key }
        return try await raw(
            .post, "/v1/imports/people?\(query)", role: .operator, headers: headers, body: Array(file.utf8))
    }

    func takesCards(_ file: String, _ query: String = "mode=apply") async throws -> ImportReport {
        try await cards(file, query).decode(ImportReport.self)
    }
}

@Suite("importing cards")
struct CardImportTests {
    /// All people, and the number of changes so far.
    private func everything(_ directory: TestService) async throws -> [String] {
        let people = try await directory.backend.database.query(
            "select (to_jsonb(person) - 'search')::text as row from person order by id"
        ).map { try $0["row", as: String.self] }
        let row = try await directory.backend.database.first(
            """
            select concat_ws(' ', (select count(*) from change), (select count(*) from audit),
                (select count(*) from consent_entry)) as counts
            """)
        return people + [try row?["counts", as: String.self] ?? ""]
    }

    private func card(_ lines: String...) -> String {
        (["BEGIN:VCARD", "VERSION:4.0"] + lines + ["END:VCARD", ""]).joined(separator: "\r\n")
    }

    @Test("importing an export changes nothing", arguments: Import.Existing.allCases)
    func roundTrip(existing: Import.Existing) async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let firm = try await operating.send(
                CreateOrganization.request(
                    body: .init(kind: .institution, name: "Un; deux, \\ trois", siret: "73282932000074")))
            let halls = [try await directory.organization("Mairie"), try await directory.organization("MAIRIE")]
            let long = try Line(validating: String(repeating: "Éé;", count: 66))
            _ = try await directory.person(
                "+Ada", "=Été", email: "ada@a.example", organization: firm.id,
                consents: .init(flashInfo: false, eventInvitations: true))
            _ = try await directory.person("Bob", "'Zola", organization: halls[0].id)
            _ = try await directory.person("Éve", "-", organization: halls[1].id)
            _ = try await directory.person(long, "C:\\new, \"A\"", email: "a|b@a.example")
            let twins = [try await directory.person("Luc", "Martin"), try await directory.person("Luc", "Martin")]
            for (twin, number) in zip(twins, ["39 49", "+44 20 7183 8750"]) {
                _ = try await directory.ask(
                    .patch, "/v1/people/\(twin.id)", ifMatch: 1, json: #"{"telephone":"\#(number)"}"#)
            }
            _ = try await operating.send(CreatePerson.request(body: .init(familyName: "Cher", email: "cher@a.example")))
            _ = try await operating.send(
                CreatePerson.request(
                    body: .init(
                        honorificPrefix: "M., Dr;", givenName: "Noé", familyName: "Etcheverry", email: "noe@a.example",
                        otherEmails: ["b|c@a.example", "NOE@maison.example"], telephone: "0559000000",
                        otherTelephones: ["0612345678", "3949", "+442071838750"], organization: firm.id,
                        jobTitle: "Président; \"délégué\", \\ trésorier")))
            let before = try await everything(directory)
            for version in CardVersion.allCases {
                let file = try await directory.ask("/v1/people.vcf?version=\(version.rawValue)").text
                #expect(file.contains("VERSION:\(version.rawValue)\r\n"))
                for mode in ["mode=dryRun", "mode=apply", "mode=apply&rejects=skipRow"] {
                    let report = try await directory.takesCards(file, "\(mode)&existing=\(existing.rawValue)")
                    #expect(report.errors == [] && report.notes == nil && report.unknownColumns == [])
                    #expect((report.rows, report.skipped) == (8, 8), "\(version) \(mode)")
                }
            }
            #expect(try await everything(directory) == before)
        }
    }

    @Test("cards of one directory create the same people in another", arguments: CardVersion.allCases)
    func elsewhere(version: CardVersion) async throws {
        func content(_ directory: TestService) async throws -> [Substring] {
            try await directory.ask("/v1/people.vcf?version=\(version.rawValue)").text.split(separator: "\r\n")
                .filter { !$0.hasPrefix("UID:") && !$0.hasPrefix("REV:") }
        }
        try await withDirectory { directory in
            let firm = try await directory.organization("Fédération; des métiers, de l'été")
            let ada = try await directory.person("Ada", "d'Été", email: "ada@a.example", organization: firm.id)
            _ = try await directory.ask(
                .patch, "/v1/people/\(ada.id)", ifMatch: 1, json: #"{"telephone":"0692123456"}"#)
            _ = try await directory.person("Bob", "O'Zola 🚀", consents: .init(flashInfo: true))
            let file = try await directory.ask("/v1/people.vcf?version=\(version.rawValue)").text
            let expected = try await content(directory)
            try await withDirectory { other in
                // These identifiers are unknown there.
                #expect(try await other.takesCards(file, "mode=apply&rejects=skipRow").rejected == 2)
                _ = try await other.organization("FEDERATION des métiers de l’été")
                let anonymous = file.split(separator: "\r\n").filter { !$0.hasPrefix("UID:") }.map { "\($0)\r\n" }
                    .joined()
                #expect(try await other.takesCards(anonymous).created == 2)
                #expect(try await other.takesCards(anonymous).skipped == 2)
                let people = try await other.ask("/v1/people").json()["items"]?.array ?? []
                // A card carries no consent.
                #expect(people.allSatisfy { $0["consents"]?["flashInfo"] == nil })
                #expect(people.first?["telephone"]?.string == "+262692123456")
                let name = try await content(other).map { $0.replacing("FEDERATION des métiers de l’été", with: "") }
                let known = expected.map { $0.replacing("Fédération\\; des métiers\\, de l'été", with: "") }
                #expect(name == known)
            }
        }
    }

    @Test("a card is matched like a row of a table, and rejected for the same reasons")
    func matching() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let firm = try await directory.organization("Un")
            let ada = try await directory.person(
                "Ada", "Été", email: "ada@a.example", consents: .init(flashInfo: false))
            let bob = try await directory.person("Bob", "Zola", organization: firm.id)
            let merged = try await directory.person("Luc", "Martin", email: "luc@a.example")
            let survivor = try await directory.person("Luc", "Martin", email: "luc2@a.example")
            _ = try await operating.send(
                MergeRecords.request(
                    body: .init(kind: .person, survivor: survivor.id.record, merged: merged.id.record)))
            let file =
                card("N:Automne;Ada;;;", "EMAIL:ADA@a.example", "ORG:un;Service")
                + card("N:ZOLA;Bob", "ORG:Un", "TEL:05 59 00 00 01")
                + card("N:Autre;Paul", "EMAIL:ada@a.example")
                + card("N:Neuf;Éve", "ORG:Inconnue")
                + card("UID:urn:uuid:\(merged.id)", "N:Martin;Luc")
                + card("UID:5B1A-ABPerson", "N:Nouveau;Noé", "EMAIL:noe@a.example")
                + card("UID:urn:uuid:4fbe8971-0bc3-424c-9c26-36c3e1eff6b1", "N:Nouvelle;Nina")
                + card("FN:Rose Rosa", "EMAIL:rose@a.example")
                + card("N:Faux;Numéro", "TEL:12")
                + "BEGIN:VCARD\r\nN:Sans;Fin\r\n"
            let dry = try await directory.takesCards(file, "mode=dryRun&rejects=skipRow")
            let report = try await directory.takesCards(file, "mode=apply&rejects=skipRow")
            #expect((report.rows, report.created, report.updated, report.rejected) == (10, 2, 2, 6))
            #expect(dry.errors == report.errors && dry.created == 2 && dry.updated == 2)
            #expect(report.errors.map(\.row) == [3, 4, 5, 8, 9, 10])
            #expect(
                report.errors.map(\.detail) == [
                    "A person with another given name has this address.", "The organization is not in the directory.",
                    "The person with this identifier was merged into \(survivor.id).", "A new person needs it.",
                    "is not a telephone number that can be dialled", "The card has no end: END:VCARD is missing.",
                ])
            #expect(report.errors.map(\.column) == [nil, nil, nil, "N (family name)", "TEL", nil])
            let now = try await operating.send(GetPerson.request(path: ada.id))
            #expect(
                now.familyName == "Automne" && now.organization == firm.id && now.consents.flashInfo?.agreed == false)
            let other = try await operating.send(GetPerson.request(path: bob.id))
            #expect(other.telephone == "0559000001" && other.version == 2)
            #expect(try await directory.takesCards(file, "mode=apply&rejects=skipRow").skipped == 4)
            // All or nothing.
            let whole = try await directory.takesCards(card("N:Un;Un") + card("N:Deux;Deux", "TEL:12"))
            #expect(!whole.applied && whole.rejected == 1)
            #expect(try await directory.ask("/v1/people?q=deux").items("id") == [])
        }
    }

    @Test("a person can have several addresses and telephones, a civility, a function and a single name")
    func contacts() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let file =
                card(
                    "N:Etcheverry;Ana;;Mme;", "TITLE:Présidente", "EMAIL:ana@maison.example",
                    "EMAIL;PREF=1:ana@a.example", "TEL;TYPE=cell:06 12 34 56 78", "TEL;PREF=1:05 59 00 00 00")
                + card("N:Cher;;;;", "TEL:0559000001")
            let report = try await directory.takesCards(file)
            #expect(report.created == 2 && report.unknownColumns == [])
            #expect(try await directory.takesCards(file).skipped == 2)
            func ana() async throws -> Person {
                try #require(
                    try await operating.send(ListPeople.request(query: .init(.init(email: "ana@a.example")))).items
                        .first)
            }
            var now = try await ana()
            #expect(now.honorificPrefix == "Mme" && now.jobTitle == "Présidente" && now.email == "ana@a.example")
            #expect(now.otherEmails == ["ana@maison.example"] && now.otherTelephones == ["+33612345678"])
            // A further address is known, too. If it is given first for the record that the identifier names, it is
            // swapped with the main one, and nothing is lost.
            let other = card("N:Etcheverry;Ana", "EMAIL:ANA@maison.example", "TEL:+33612345678")
            #expect(try await directory.takesCards(other, "mode=apply&existing=fill").skipped == 1)
            let named = other.replacing("N:Etcheverry", with: "UID:urn:uuid:\(now.id)\r\nN:Etcheverry")
            #expect(try await directory.takesCards(named).updated == 1)
            now = try await ana()
            #expect(now.email == "ANA@maison.example" && now.otherEmails == ["ana@a.example"])
            #expect(now.telephone == "+33612345678" && now.otherTelephones == ["+33559000000"])
            #expect(try await directory.takesCards(named).skipped == 1)
            // A card says nothing about absent properties.
            #expect(try await directory.takesCards(card("N:Etcheverry", "EMAIL:ANA@maison.example")).skipped == 1)
            #expect(try await ana() == now)
            let many = card("N:Trop;Un", (1...12).map { "EMAIL:m\($0)@a.example" }.joined(separator: "\r\n"))
            #expect(try await directory.takesCards(many).rejected == 1)
        }
    }

    @Test("ignored properties are listed, and a card empties no field")
    func leftOut() async throws {
        try await withDirectory { directory in
            let ada = try await directory.person("Ada", "Été", email: "ada@a.example")
            let file = card(
                "UID:\(ada.id.text.uppercased())", "N:Été;Ada", "EMAIL:", "NOTE:x", "BDAY:19700101",
                "item1.ADR:;;1 rue A;Pau",
                "CATEGORIES:a", "PHOTO;ENCODING=b:AAAA", "item1.X-ABLabel:b", "REV:20260101T000000Z", "PRODID:c")
            let report = try await directory.takesCards(file)
            #expect(report.skipped == 1)
            #expect(report.unknownColumns == ["NOTE", "BDAY", "ADR", "CATEGORIES", "PHOTO", "X-ABLABEL"])
            // A hyphen empties nothing either, and an apostrophe is not an export's mark.
            let literal = card("UID:\(ada.id)", "N:-;'=Ada")
            #expect(try await directory.takesCards(literal).updated == 1)
            let now = try await directory.client(.operator).send(GetPerson.request(path: ada.id))
            #expect(now.familyName == "-" && now.givenName == "'=Ada" && now.email == "ada@a.example")
        }
    }

    @Test("only people can be imported as cards, under any of the format's media types, in UTF-8")
    func media() async throws {
        try await withDirectory { directory in
            let file = card("N:Été;Ada", "EMAIL:ada@a.example")
            for media in [
                "text/vcard", "text/x-vcard", "text/directory; profile=vCard", "Text/VCard; charset=UTF-8; version=3.0",
            ] {
                #expect(try await directory.cards(file, "mode=apply", media: media).status == 200, "\(media)")
            }
            for media in ["text/vcard; charset=iso-8859-1", "text/plain", "application/json", "text/vcards"] {
                #expect(try await directory.cards(file, media: media).status == 415, "\(media)")
            }
            for records in ["experts", "organizations", "ambassadors"] {
                let answer = try await directory.raw(
                    .post, "/v1/imports/\(records)", role: .operator, headers: ["Content-Type": "text/vcard"],
                    body: Array(file.utf8))
                #expect(answer.status == 415 && answer.headers["accept"] == "text/csv")
            }
            for text in ["", "\r\n", "name,email\nA,a@a.fr\n", "BEGIN:VCALENDAR\nEND:VCALENDAR\n"] {
                let answer = try await directory.cards(text)
                #expect(answer.status == 422)
                #expect(try answer.problem().detail == "The file contains no vCard: one begins with BEGIN:VCARD.")
            }
            // A table is still read as a table.
            #expect(try await directory.takes(.people, "nom,prenom,email\nÉté,Ada,ada@a.example\n").skipped == 1)
            #expect(try await directory.cards(file, media: "text/csv").status == 422)
        }
    }

    @Test("a file of many cards is resumed where it ended, and a repeated request has one effect")
    func again() async throws {
        try await withDirectory { directory in
            let cards = (1...2345).map { number in
                card(
                    "N:Nom \(number);Ada", number % 1000 == 0 ? "TEL:12" : "EMAIL:a\(number)@a.example",
                    "NOTE:\(number)")
            }
            let file = cards.joined()
            let id = Import.ID()
            let query = "mode=apply&rejects=skipRow&import=\(id)"
            // The part that arrived before the connection was lost.
            let claim = try await directory.cards(cards[..<1500].joined() + "BEGIN:VCARD\r\nN:Coup", query)
            #expect(try claim.decode(ImportReport.self).rows == 1501)
            #expect(try await directory.cards(file, query).status == 409)
            let next = "mode=apply&rejects=skipRow&import=\(Import.ID())"
            let report = try await directory.takesCards(file, next)
            #expect((report.rows, report.created, report.skipped, report.rejected) == (2345, 844, 1499, 2))
            #expect(report.unknownColumns == ["NOTE"])
            #expect(try await directory.takesCards(file, next) == report)

            let keyed = try await directory.cards(file, key: "k1").decode(ImportReport.self)
            #expect(keyed.rejected == 2 && !keyed.applied)
            #expect(try await directory.cards(file, key: "k1").decode(ImportReport.self) == keyed)
            #expect(try await directory.cards(cards[0], key: "k1").status == 422)
            #expect(try await directory.cards("nom,email\nA,a@a.fr\n", media: "text/csv", key: "k1").status == 422)
        }
    }
}
