import ClubProtocol
import HTTPTypes
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("tables and cards of the directory")
struct ExportTests {
    @Test("what was exported is taken back unchanged, whatever the texts look like")
    func roundTrip() async throws {
        try await withDirectory { directory in
            _ = try await directory.expert("=HYPERLINK(\"http://x.example\")") {
                $0.siret = "73282932000074"
                $0.contactName = "+33 ou -1"
                $0.email = "a@example.org"
                $0.telephone = "+33559000000"
            }
            _ = try await directory.expert("'=déjà; avec, \"tout\"") {
                $0.brands = ["Durand, Fils", "\"Q\" | R", "'", "Élan"]
                $0.topics = ["cloud", "webSite"]
                $0.departements = ["64", "2A", "974"]
                $0.consents = .init(flashInfo: true, publicDirectory: false)
            }
            _ = try await directory.expert("''@arobase") { $0.commune = "-L'Été\u{A0}!" }
            for query in ["", "?excel=true"] {
                let before = try await directory.ask("/v1/experts").json()
                let table = try await directory.ask("/v1/experts.csv\(query)")
                #expect(table.status == 200)
                let report = try await directory.report(table.text)
                #expect(report.errors == [] && report.applied)
                #expect((report.rows, report.created, report.updated, report.skipped) == (3, 0, 0, 3))
                #expect(try await directory.ask("/v1/experts").json() == before)

                // Into an empty directory as well.
                try await withDirectory { other in
                    #expect(try await other.report(table.text).created == 3)
                    let again = try await other.ask("/v1/experts.csv\(query)").text
                    #expect(Self.withoutIdentifiers(again) == Self.withoutIdentifiers(table.text))
                }
            }
        }
    }

    private static func withoutIdentifiers(_ table: String) -> [Substring] {
        table.split(separator: "\r\n").map { $0.drop { $0 != "," && $0 != ";" } }
    }

    @Test("no cell of a table begins as a formula does")
    func formulas() async throws {
        try await withDirectory { directory in
            let signs = ["=", "+", "-", "@", "|"]
            for sign in signs {
                _ = try await directory.organization(try Line(validating: "\(sign)cmd|' /C calc'!A0"))
                _ = try await directory.person(try Line(validating: "\(sign)1"), try Line(validating: "\(sign)2"))
            }
            for path in ["/v1/organizations.csv", "/v1/people.csv"] {
                for query in ["", "?excel=true"] {
                    let answer = try await directory.ask(path + query)
                    var reader = CSVReader()
                    let records = reader.read(answer.body) + reader.finish()
                    #expect(records.count == 1 + signs.count)
                    for cell in records.flatMap(\.cells) {
                        #expect(cell.first.map { !signs.contains(String($0)) } ?? true, "\(path)\(query)")
                    }
                    // In quotes, whatever else is in the cell.
                    #expect(answer.text.contains("\"'=") && !answer.text.contains(/[,;]'/))
                }
            }
            #expect(try await directory.ask("/v1/people.csv?excel=true").body.starts(with: [0xEF, 0xBB, 0xBF]))
        }
    }

    @Test("a sign that spreadsheets fear is taken away once and put before once")
    func guardOfFormulas() {
        for text in ["=", "+1", "-1", "@x", "|x", "\tx", "\rx", "\nx", "'=x", "''+x", "' =x"] {
            #expect(FormulaGuard.isNeeded(text.utf8))
            #expect(FormulaGuard.removed(from: "'" + text) == text)
        }
        for text in ["", "x", "'x", "'", "''", "l'=x", "0559"] {
            #expect(!FormulaGuard.isNeeded(text.utf8))
            #expect(FormulaGuard.removed(from: text) == text)
        }
    }

    @Test("a table has the filters of its list, and nothing that the list would not show")
    func visibility() async throws {
        try await withDirectory { directory in
            let own = try await directory.organization("Notre", postalCode: "64000")
            _ = try await directory.organization("Autre", postalCode: "40000")
            let person = try await directory.person("Ada", "Notre", organization: own.id)
            _ = try await directory.person("Bob", "Autre")
            _ = try await directory.expert("Public") { $0.consents = .init(publicDirectory: true) }
            _ = try await directory.expert("Discret")

            #expect(try await directory.ask("/v1/organizations.csv?departement=40").text.contains("Autre"))
            #expect(try await !directory.ask("/v1/organizations.csv?departement=40").text.contains("Notre"))
            for path in ["/v1/organizations.csv", "/v1/people.csv", "/v1/people.vcf"] {
                let answer = try await directory.ask(path, as: .representative, organization: own.id)
                #expect(answer.status == 200 && answer.text.contains("Notre") && !answer.text.contains("Autre"))
            }
            let experts = try await directory.ask("/v1/experts.csv", as: .ambassador, person: person.id).text
            #expect(experts.contains("Public") && !experts.contains("Discret"))
            #expect(try await directory.ask("/v1/experts.csv", as: .representative, organization: own.id).status == 403)
            #expect(try await directory.ask("/v1/ambassadors.csv").text.split(separator: "\r\n").count == 1)
            #expect(try await directory.ask("/v1/experts.csv?colour=red").status == 400)
        }
    }

    @Test("a table of many batches has every row once")
    func batches() async throws {
        try await withDirectory { directory in
            var file = "name,type,postalCode,commune\n"
            for number in 1...1201 { file += "Agence \(number),agence,64000,Pau\n" }
            #expect(try await directory.report(file).created == 1201)
            let lines = try await directory.ask("/v1/experts.csv").text.split(separator: "\r\n")
            #expect(lines.count == 1202 && Set(lines).count == 1202)
        }
    }

    @Test("a card says who somebody is, in lines that an address book takes")
    func cards() async throws {
        try await withDirectory { directory in
            let long = "Fédération; des métiers, de l'été " + String(repeating: "é", count: 60)
            let organization = try await directory.organization(try Line(validating: long))
            let ada = try await directory.client(.operator).send(
                CreatePerson.request(
                    body: .init(
                        givenName: "Ada", familyName: "d'Été; fils", email: "ada@example.org", telephone: "0559000000",
                        organization: organization.id)))
            let answer = try await directory.ask("/v1/people/\(ada.id)/vcard")
            #expect(answer.status == 200 && answer.headers["content-type"] == "text/vcard; charset=utf-8")
            let lines = answer.text.split(separator: "\r\n", omittingEmptySubsequences: false)
            #expect(lines.first == "BEGIN:VCARD" && lines.dropLast().last == "END:VCARD" && lines.last == "")
            #expect(lines[1] == "VERSION:4.0")
            #expect(lines.allSatisfy { $0.utf8.count <= 75 && !$0.contains("\n") })
            let whole = answer.text.replacing("\r\n ", with: "")
            #expect(whole.contains("FN:Ada d'Été\\; fils\r\n") && whole.contains("N:d'Été\\; fils;Ada;;;\r\n"))
            #expect(whole.contains("ORG:Fédération\\; des métiers\\, de l'été éé"))
            #expect(whole.contains("tel:+33559000000\r\n") && whole.contains("EMAIL;TYPE=work:ada@example.org\r\n"))

            _ = try await directory.person("Bob", "Zola")
            let all = try await directory.ask("/v1/people.vcf?q=zola").text
            #expect(all.contains("FN:Bob Zola") && !all.contains("Ada"))
            #expect(try await directory.ask("/v1/people/\(Person.ID())/vcard").status == 404)
            #expect(
                try await directory.ask("/v1/people/\(ada.id)/vcard", as: .expert, person: Person.ID()).status == 404)
        }
    }
}
