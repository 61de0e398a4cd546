import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("tables and cards of the directory")
struct ExportTests {
    @Test("an export is imported unchanged, whatever the texts contain")
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

                // Also into an empty directory, where the identifiers are unknown.
                try await withDirectory { other in
                    let anonymous = table.text.replacing("id", with: "autre", maxReplacements: 1)
                    #expect(try await other.report(anonymous).created == 3)
                    let again = try await other.ask("/v1/experts.csv\(query)").text
                    #expect(Self.withoutIdentifiers(again) == Self.withoutIdentifiers(table.text))
                }
            }
        }
    }

    @Test("tables and cards have every filter of their list")
    func filters() async throws {
        try await withDirectory { directory in
            let document = try await directory.raw(.get, "/openapi.json").json()
            let paths = if case .object(let paths)? = document["paths"] { paths } else { [String: JSONValue]() }
            func parameters(_ path: String) -> Set<String> {
                Set((paths[path]?["get"]?["parameters"]?.array ?? []).compactMap { $0["name"]?.string })
            }
            let tables = paths.keys.filter { $0.hasByteSuffix(".csv") || $0.hasByteSuffix(".vcf") }
            #expect(tables.count > 9)
            for table in tables where paths[String(table.dropLast(4))]?["get"] != nil {
                let missing = parameters(String(table.dropLast(4))).subtracting(parameters(table))
                #expect(missing.subtracting(["limit", "cursor"]) == [], "\(table)")
            }
            _ = try await directory.person("Ada", "Été", email: "ada@a.example")
            _ = try await directory.person("Luc", "Été", email: "luc@b.example")
            _ = try await directory.expert("Une") { $0.telephone = "0559000001" }
            _ = try await directory.expert("Autre") { $0.telephone = "0559000002" }
            for (path, found, other) in [
                ("people.csv?contact=a.ex", "Ada", "Luc"), ("people.vcf?contact=b.ex", "Luc", "Ada"),
                ("experts.csv?contact=05%2059%2000%2000%2001", "Une", "Autre"),
            ] {
                let table = try await directory.ask("/v1/\(path)").text
                #expect(table.contains(found) && !table.contains(other), "\(path)")
            }
        }
    }

    private static func withoutIdentifiers(_ table: String) -> [Substring] {
        table.split(separator: "\r\n").map { $0.drop { $0 != "," && $0 != ";" } }
    }

    @Test("no cell of a table begins like a formula")
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
                    // Quoted, whatever else is in the cell.
                    #expect(answer.text.contains("\"'=") && !answer.text.contains(/[,;]'/))
                }
            }
            #expect(try await directory.ask("/v1/people.csv?excel=true").body.starts(with: [0xEF, 0xBB, 0xBF]))
        }
    }

    @Test("a table has its list's filters, and shows nothing that the list would not show")
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

            // In the list's order, whichever filter is given.
            for filter in ["", "serves=64", "q=agence"] {
                var (ids, cursor) = ([String](), "")
                while true {
                    let page = try await directory.ask("/v1/experts?limit=200&\(filter)\(cursor)")
                    ids += try page.items("id")
                    guard let next = try page.json()["next"]?.string else { break }
                    cursor = "&cursor=\(next)"
                }
                let table = try await directory.ask("/v1/experts.csv?\(filter)").text.split(separator: "\r\n")
                #expect(table.dropFirst().map { String($0.prefix { $0 != "," }) } == ids, "\(filter)")
            }
        }
    }

    @Test("an unchanged record is in the table once, whatever happens to others while it is written")
    func meanwhile() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(searchPath: "directory") { client in
                try await client.execute(
                    """
                    insert into person (id, given_name, family_name)
                    select gen_random_uuid(), case when i % 2 = 0 then 'Calme' else 'Vif' end, md5(i::text)
                    from generate_series(1, 6000) as i
                    """)
                let expected = Set(
                    try await client.query("select id::text as id from person where given_name = 'Calme'")
                        .map { try $0["id", as: String.self] })
                let moving = Task {
                    var round = 0
                    while !Task.isCancelled {
                        round += 1
                        try await client.execute(
                            """
                            update person set family_name = md5(family_name || \(round)::integer)
                            where id in (select id from person where given_name = 'Vif' order by random() limit 300)
                            """)
                        try await client.execute(
                            """
                            delete from person
                            where id in (select id from person where given_name = 'Vif' order by random() limit 10)
                            """)
                    }
                    return round
                }
                for path in ["/v1/people.csv", "/v1/people.vcf", "/v1/people.csv"] {
                    let text = try await directory.ask(path).text
                    let ids = text.matches(of: /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/).map { String($0.output.0) }
                    let found = ids.filter { expected.contains($0) }
                    #expect(found.count == expected.count && Set(found) == expected, "\(path)")
                }
                #expect(!moving.isCancelled)
                moving.cancel()
                if case .success(let rounds) = await moving.result { #expect(rounds > 0) }
            }
        }
    }

    @Test("two slow readers of tables block no one, though the directory has only two leased connections")
    func slowReaders() async throws {
        try await withService(DirectoryApplication.self, adjust: { $0.database.leasedConnections = 2 }) { directory in
            try await directory.database.withClient(searchPath: "directory") { client in
                try await client.withConnection { connection in
                    try await connection.execute(
                        script: Array(
                            """
                            set session_replication_role = replica;
                            set statement_timeout = 0;
                            insert into organization (id, kind, name, street)
                            select gen_random_uuid(), 'brand', 'Maison ' || i, repeat('x', 190)
                            from generate_series(1, 60000) as i;
                            insert into person (id, given_name, family_name, email)
                            select gen_random_uuid(), 'Ada', repeat('x', 180) || i, i || '@example.org'
                            from generate_series(1, 60000) as i;
                            """.utf8))
                }
            }
            var sockets: [RawSocket] = []
            for (reader, path) in [("ada", "/v1/organizations.csv"), ("bob", "/v1/people.vcf")] {
                let socket = try RawSocket(port: directory.apiPort)
                let token = try directory.token(.operator, subject: reader)
                await socket.send("GET \(path) HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer \(token)\r\n\r\n")
                #expect(await socket.read(until: "\r\n\r\n").hasPrefix("HTTP/1.1 200 OK"))
                sockets.append(socket)
            }
            // Both places are taken for as long as nothing is read.
            while try await directory.ask("/v1/people.csv?q=nobody").status != 429 {
                try await Task.sleep(for: .milliseconds(20))
            }
            for number in 1...5 {
                _ = try await directory.person("Eve", try Line(validating: "Eve \(number)"))
                #expect(try await directory.raw(.get, "/annuaire").status == 200)
            }
            let refused = try await directory.ask("/v1/people.csv?q=nobody")
            #expect(refused.status == 429 && refused.headers["retry-after"] != nil)
            sockets.removeAll()
            while try await directory.ask("/v1/people.csv?q=nobody").status == 429 {
                try await Task.sleep(for: .milliseconds(20))
            }
        }
    }

    @Test("a card describes a person, in lines that an address book accepts")
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

            let old = try await directory.ask("/v1/people/\(ada.id)/vcard?version=3.0")
            #expect(old.text.split(separator: "\r\n").allSatisfy { $0.utf8.count <= 75 })
            let oldWhole = old.text.replacing("\r\n ", with: "")
            #expect(oldWhole.contains("VERSION:3.0\r\n") && oldWhole.contains("N:d'Été\\; fils;Ada;;;\r\n"))
            #expect(oldWhole.contains("TEL;TYPE=WORK,VOICE:+33559000000\r\n"))
            #expect(oldWhole.contains("EMAIL;TYPE=INTERNET,WORK:ada@example.org\r\n"))
            #expect(oldWhole.contains("UID:urn:uuid:\(ada.id)\r\n") && oldWhole.contains(/REV:\d{8}T\d{6}Z/))
            #expect(try await directory.ask("/v1/people/\(ada.id)/vcard?version=2.1").status == 422)

            _ = try await directory.person("Bob", "Zola")
            let all = try await directory.ask("/v1/people.vcf?q=zola").text
            #expect(all.contains("FN:Bob Zola") && !all.contains("Ada"))
            #expect(try await directory.ask("/v1/people/\(Person.ID())/vcard").status == 404)
            #expect(
                try await directory.ask("/v1/people/\(ada.id)/vcard", as: .expert, person: Person.ID()).status == 404)
        }
    }
}
