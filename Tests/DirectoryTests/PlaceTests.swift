import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("départements and régions")
struct PlaceTests {
    @Test(
        "the database and the protocol derive the same département from every postal code, including overseas")
    func postalCodes() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(searchPath: "directory") { client in
                let rows = try await client.query(
                    """
                    select code, departement_of(code) as departement, departement_at(code, '04') as mainland,
                        departement_at(code, '2A') as island
                    from (select lpad(number::text, 5, '0') as code from generate_series(0, 99999) as number) as codes
                    """)
                var (codes, different): (Int, [String]) = (0, [])
                for row in rows {
                    guard let code = try? PostalCode(validating: row["code", as: String.self]) else { continue }
                    codes += 1
                    let departement: Departement? = try row.optional("departement")
                    let mainland: Departement? = try row.optional("mainland")
                    let island: Departement? = try row.optional("island")
                    if departement != Departement(postalCode: code)
                        || mainland != Departement(said: "04", postalCode: code)
                        || island != Departement(said: "2A", postalCode: code)
                    {
                        different.append(code.text)
                    }
                }
                #expect(codes > 90_000 && different.isEmpty, "\(different.prefix(5))")
                let known = try await client.query("select code, region from departement")
                #expect(Set(try known.map { try $0["code", as: Departement.self] }) == Set(Departement.all + [.abroad]))
                for region in Region.all {
                    let own = try known.filter { try $0.optional("region", as: Region.self) == region }
                    #expect(try own.map { try $0["code", as: Departement.self] }.sorted() == region.departements)
                }
            }
        }
    }

    @Test("an organization's seat and further addresses have their département and région")
    func told() async throws {
        try await withDirectory { directory in
            for (number, (postalCode, departement, region)) in [
                ("64000", "64", "75"), ("20000", "2A", "94"), ("20600", "2B", "94"), ("97110", "971", "01"),
                ("97600", "976", "06"), ("01000", "01", "84"), ("75002", "75", "11"),
            ].enumerated() {
                try await tell(postalCode, departement, region, after: number, directory)
            }
        }
    }

    private func tell(
        _ postalCode: String, _ departement: String, _ region: String, after others: Int,
        _ directory: TestService
    ) async throws {
        let created = try await directory.ask(
            .post, "/v1/organizations",
            json: """
                {"kind":"brand","name":"Marque \(postalCode)","postalCode":"\(postalCode)","addresses":[
                {"use":"site","postalCode":"98000","commune":"Monaco"},
                {"use":"billing","postalCode":"\(postalCode)","commune":"Là","street":"1 rue"}]}
                """)
        #expect(created.status == 201)
        let id = try created.decode(Organization.self).id
        let feed = try await directory.changes(others + 1).items.last { $0.id == id.text }
        let listed = try await directory.ask("/v1/organizations?departement=\(departement)").json()["items"]?.array
        for answer in [
            try created.json(), try await directory.ask("/v1/organizations/\(id)").json(), try #require(listed?.first),
            try #require(feed?.data),
        ] {
            #expect(answer["departement"]?.string == departement && answer["region"]?.string == region)
            let addresses = try #require(answer["addresses"]?.array)
            // No région: it is not a part of France.
            #expect(addresses[0]["departement"]?.string == "980" && addresses[0]["region"] == nil)
            #expect(addresses[1]["departement"]?.string == departement)
            #expect(addresses[1]["region"]?.string == region && addresses[1]["street"]?.string == "1 rue")
        }
    }

    @Test("addresses may be sent back as read, and are stored without derived fields; anything else is refused")
    func sentBack() async throws {
        try await withDirectory { directory in
            let organization = try await directory.organization("Chambre", postalCode: "64000")
            #expect(organization.region == "75")
            let path = "/v1/organizations/\(organization.id)"
            func change(_ addresses: String, at version: Int) async throws -> RawAnswer {
                try await directory.ask(.patch, path, ifMatch: version, json: #"{"addresses":[\#(addresses)]}"#)
            }
            let read = #"{"use":"site","postalCode":"20200","commune":"Bastia","departement":"2B","region":"94"}"#
            #expect(try await change(read, at: 1).status == 200)
            let kept = try await directory.database.withClient { client in
                try await client.first("select addresses::text as addresses from directory.organization")?[
                    "addresses", as: String.self]
            }
            #expect(kept?.contains("Bastia") == true && kept?.contains("2B") == false && kept?.contains("94") == false)
            for (wrong, pointer) in [
                (read.replacing("94", with: "93"), "/addresses/0/region"),
                (#"{"use":"site","postalCode":"98000","commune":"Monaco","region":"93"}"#, "/addresses/0/region"),
            ] {
                let answer = try await change(wrong, at: 2)
                #expect(answer.status == 422)
                #expect(try answer.pointer() == pointer)
            }
            // A value that the postal code excludes is dropped; one beside it stays.
            let contrary = try await change(read.replacing("2B", with: "2A"), at: 2)
            #expect(try contrary.decode(Organization.self).addresses.first?.departement == "2B")
            let claret = #"{"use":"site","postalCode":"05110","commune":"Claret","departement":"04"}"#
            let said = try await change(claret, at: 3).decode(Organization.self).addresses
            #expect(said.first?.departement == "04" && said.first?.region == "93")
            let readAgain = String(decoding: try WireJSON.encode(said), as: UTF8.self)
            let again = try await directory.ask(.patch, path, ifMatch: 4, json: #"{"addresses":\#(readAgain)}"#)
            #expect(try again.decode(Organization.self).addresses == said)
            // A seat that moves gets its new région; one whose postal code determines none has none.
            let moved = try await directory.ask(.patch, path, ifMatch: 5, json: #"{"postalCode":"97200"}"#)
            #expect(try moved.decode(Organization.self).region == "02")
            let away = try await directory.ask(.patch, path, ifMatch: 6, json: #"{"postalCode":"98000"}"#)
            #expect(
                try away.decode(Organization.self).region == nil && away.decode(Organization.self).departement == "980")
        }
    }

    /// An expert in a country without postal codes: created, moved to France and back.
    private func placeWithoutPostalCode(in directory: TestService) async throws -> String {
        let lotus = #""subKind":"reseller","name":"Lotus","commune":"Kowloon""#
        for (wrong, pointer) in [("", "/postalCode"), (#","departement":"64""#, "/postalCode")] {
            let refused = try await directory.ask(.post, "/v1/experts", json: "{\(lotus)\(wrong)}")
            #expect(refused.status == 422)
            #expect(try refused.pointer() == pointer)
        }
        let made = try await directory.ask(.post, "/v1/experts", json: #"{\#(lotus),"departement":"990"}"#)
        let id = try #require(try made.json()["id"]?.string)
        #expect(
            try made.status == 201 && made.json()["postalCode"] == nil && made.json()["departement"]?.string == "990")
        // So are further addresses, and firms in referrals.
        let seat = try await directory.ask(
            .post, "/v1/organizations",
            json:
                #"{"kind":"brand","name":"Lotus","addresses":[{"use":"site","commune":"Kowloon","departement":"990"}]}"#
        )
        #expect(seat.status == 201)
        #expect(try seat.json()["addresses"]?.array?.first?["departement"]?.string == "990")
        let wrong = try await directory.ask(
            .post, "/v1/organizations",
            json: #"{"kind":"brand","name":"Loto","addresses":[{"use":"site","commune":"Pau","departement":"64"}]}"#)
        #expect(try wrong.status == 422 && wrong.pointer() == "/addresses/0/postalCode")
        let path = "/v1/experts/\(id)"
        let moves = [
            (#"{"postalCode":"64000"}"#, 200, "64"), (#"{"postalCode":null}"#, 422, "64"),
            (#"{"postalCode":null,"departement":"40"}"#, 422, "64"),
            (#"{"postalCode":null,"departement":"990"}"#, 200, "990"), (#"{"departement":"40"}"#, 422, "990"),
            (#"{"commune":"Victoria"}"#, 200, "990"),
        ]
        var version = 1
        for (patch, status, departement) in moves {
            #expect(try await directory.ask(.patch, path, ifMatch: version, json: patch).status == status, "\(patch)")
            if status == 200 { version += 1 }
            #expect(try await directory.ask(path).json()["departement"]?.string == departement, "\(patch)")
        }
        return path
    }

    @Test("nothing is refused because of its place: seats, addresses, experts, referrals and tables, abroad too")
    func abroad() async throws {
        try await withDirectory { directory in
            let person = try await directory.person("Ana", "Bidart")
            let ambassador = try await directory.client(.operator).send(
                CreateAmbassador.request(body: .init(person: person.id, topics: ["cloud"], departements: ["64"])))
            for (code, departement) in [
                ("98000", "980"), ("97500", "975"), ("97133", "977"), ("97150", "978"), ("98600", "986"),
                ("98714", "987"),
                ("98800", "988"), ("97822", "974"), ("20700", "2A"), ("BE-1050", "990"), ("CH-1201", "990"),
            ] {
                let place = #""postalCode":"\#(code)","commune":"Là""#
                let seat = try await directory.ask(
                    .post, "/v1/organizations",
                    json: #"{"kind":"brand","name":"M \#(code)",\#(place),"addresses":[{"use":"site",\#(place)}]}"#)
                #expect(try seat.status == 201 && seat.json()["departement"]?.string == departement, "\(code)")
                #expect(try seat.json()["addresses"]?.array?.first?["departement"]?.string == departement, "\(code)")
                let made = try await directory.ask(
                    .post, "/v1/experts", json: #"{"subKind":"reseller","name":"E \#(code)",\#(place)}"#)
                #expect(try made.status == 201 && made.json()["departement"]?.string == departement, "\(code)")
                let referral = try await directory.ask(
                    .post, "/v1/referrals",
                    json:
                        #"{"topics":["cloud"],"postalCode":"\#(code)","description":"Une caisse.","ambassador":"\#(ambassador.id)"}"#
                )
                #expect(
                    try referral.status == 201 && referral.json()["departement"]?.string == departement, "\(code)")
                let near = try await directory.ask("/v1/expert-search?near=\(code)")
                #expect(try near.items("name").first == "E \(code)", "\(code)")
            }
            for (departement, status) in [("990", 201), ("64", 422)] {
                let referral = try await directory.ask(
                    .post, "/v1/referrals",
                    json:
                        #"{"topics":["cloud"],"departement":"\#(departement)","description":"Une caisse.","ambassador":"\#(ambassador.id)"}"#
                )
                #expect(try referral.status == status && referral.json()["postalCode"] == nil, "\(departement)")
            }
            let path = try await placeWithoutPostalCode(in: directory)
            #expect(try await directory.ask("/v1/expert-search?near=64000").items("name").contains("Lotus"))
            #expect(try await directory.ask("/v1/expert-search?near=BE-1050").items("name").contains("Lotus"))
            #expect(try await directory.ask(path).status == 200)
            let before = try await directory.ask("/v1/experts.csv")
            let back = try await directory.imports(before.body).decode(ImportReport.self)
            #expect(back.errors == [] && back.updated == 0 && back.created == 0)
        }
    }

    @Test("a région filters lists, tables, coverage, the map and the public directory like its départements")
    func filters() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let year = Day.today.year
            for (name, code) in [("Ajaccio", "20000"), ("Bastia", "20200"), ("Pau", "64000")] as [(Line, PostalCode)] {
                let organization = try await directory.organization(name, postalCode: code)
                _ = try await directory.membership(organization.id, from: "\(year)-01-01", until: "\(year)-12-31")
                _ = try await directory.publishedExpert(name) {
                    $0.postalCode = code
                    $0.topics = ["cloud"]
                }
                let person = try await directory.person("Ana", name)
                let ambassador = try await operating.send(
                    CreateAmbassador.request(
                        body: .init(
                            person: person.id, topics: ["cloud"],
                            departements: [try #require(Departement(postalCode: code))])))
                _ = try await operating.send(
                    CreateReferral.request(
                        body: .init(
                            topics: ["cloud"], postalCode: code, description: "Une caisse.", ambassador: ambassador.id))
                )
            }
            for path in ["organizations", "experts", "public/experts", "public/members"] {
                let found = try await directory.ask("/v1/\(path)?region=94")
                #expect(try found.items("name") == ["Ajaccio", "Bastia"], "\(path)")
                #expect(try await directory.ask("/v1/\(path)?region=94&departement=64").items("name").isEmpty)
                let wrong = try await directory.ask("/v1/\(path)?region=99")
                #expect(try wrong.status == 422 && wrong.pointer() == "region")
            }
            #expect(
                try await directory.ask("/v1/ambassadors?region=94").items("name") == ["Ajaccio Ana", "Bastia Ana"])
            #expect(try await directory.ask("/v1/referrals?region=94").items("departement") == ["2B", "2A"])
            #expect(try await directory.ask("/v1/public/experts?region=94").items("region") == ["94", "94"])
            for table in ["organizations", "experts", "ambassadors"] {
                let lines = try await directory.ask("/v1/\(table).csv?region=94").text.split(separator: "\r\n")
                #expect(lines.count == 3, "\(table)")
            }

            let coverage = try await directory.ask("/v1/coverage?region=94").decode(Coverage.self)
            #expect(coverage.departements.map(\.departement) == ["2A", "2B"])
            #expect(coverage.departements.allSatisfy { $0.experts == 1 && $0.ambassadors == 1 })
            #expect(
                try await directory.ask("/v1/coverage?region=94&departement=64").decode(Coverage.self).departements
                    == [])
            let gaps = try await directory.ask("/v1/coverage/gaps?region=94&topic=cloud&enough=1")
            #expect(try gaps.items("departement").isEmpty)
            #expect(
                try await directory.ask("/v1/coverage/gaps?departement=2A&topic=payment").items("departement") == ["2A"]
            )
            let table = try await directory.ask("/v1/coverage.csv?region=94&topic=cloud").text
            #expect(table.split(separator: "\r\n").count == 3)
            let map = try await directory.ask("/v1/coverage.svg?region=94&topic=cloud").text
            #expect(map.contains("Haute-Corse (2B)\u{A0}: 1 expert<") && map.contains("Informatique en nuage, Corse"))
            #expect(map.contains("<title>Pyrénées-Atlantiques (64)</title>"))

            let page = try await directory.raw(.get, "/annuaire?region=94&q=&departement=&theme=&type=")
            #expect(page.text.contains("Bastia") && !page.text.contains(">Pau<"))
            #expect(page.text.contains(#"<option value="94" selected="selected">Corse</option>"#))
            #expect(page.text.contains("<title>Experts – Corse – Club"))
            #expect(try await directory.raw(.get, "/annuaire/membres?region=75").text.contains(">Pau<"))
        }
    }

    @Test("a région is looked up by the index of the départements")
    func plans() async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(searchPath: "directory") { client in
                try await client.transaction { client in
                    _ = try await client.execute("set local enable_seqscan = off")
                    for (table, rule, index) in [
                        ("organization", .isLocated(in: "94"), "organization_departement_idx"),
                        ("expert", .isExpertLocated(in: "94"), "expert_filter_idx"),
                        ("expert", .serves("94" as Region), "expert_filter_idx"),
                        ("ambassador", .serves("94" as Region), "ambassador_departements_idx"),
                        ("referral", .isLocated(in: "94"), "referral_departement_idx"),
                    ] as [(SQL, SQL, String)] {
                        let rows = try await client.query("explain select id from \(table) where \(rule)")
                        let plan = try rows.map { try $0["QUERY PLAN", as: String.self] }.joined(separator: "\n")
                        #expect(plan.contains(index), "\(plan)")
                    }
                }
            }
        }
    }
}
