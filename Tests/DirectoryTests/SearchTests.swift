import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

@Suite("search")
struct SearchTests {
    /// A directory with a handful of experts whose words are indexed.
    private func withExperts(_ body: (TestService) async throws -> Void) async throws {
        try await withDirectory { directory in
            let experts: [(Line, PostalCode, Line, [Topic], [Line])] = [
                ("Réseaux du Béarn", "64000", "Pau", ["network"], ["Altéa"]),
                ("Béarn Informatique", "64110", "Jurançon", ["network", "cloud"], []),
                ("Informatique Landaise", "40000", "Mont-de-Marsan", ["cloud"], ["Altéa"]),
                ("Atelier Numérique", "64100", "Bayonne", ["webSite"], []),
                ("Agence de Paris", "75002", "Paris", ["webSite"], []),
            ]
            for (name, code, commune, topics, brands) in experts {
                _ = try await directory.expert(name) {
                    $0.postalCode = code
                    $0.commune = commune
                    $0.topics = topics
                    $0.brands = brands
                }
            }
            try await directory.database.withClient(as: "directory") { client in
                try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
            }
            try await body(directory)
        }
    }

    private func names(_ query: String, in directory: TestService, as role: Role = .operator) async throws -> [String] {
        let answer = try await directory.ask("/v1/expert-search\(query)", as: role)
        #expect(answer.status == 200)
        return try answer.items("name")
    }

    @Test("accents, endings, prefixes and typing errors are tolerated; nonsense finds no one")
    func words() async throws {
        try await withExperts { directory in
            for q in ["bearn", "B%C3%89ARN", "b%C3%A9arne", "bear", "baern"] {
                let found = try await names("?q=\(q)", in: directory)
                #expect(found == ["Béarn Informatique", "Réseaux du Béarn"], "\(q)")
            }
            #expect(try await names("?q=reseau", in: directory) == ["Réseaux du Béarn"])
            #expect(try await names("?q=infromatique%20bearn", in: directory) == ["Béarn Informatique"])
            #expect(try await names("?q=jurancon", in: directory) == ["Béarn Informatique"])
            #expect(try await names("?q=xyzzyx", in: directory) == [])
            #expect(try await names("?q=%26%20%7C%20!%20%3A%2A%20'", in: directory) == [])
        }
    }

    @Test("St, Ste, Sts and Stes match Saint, Sainte, Saints and Saintes, in stored names and queries")
    func saints() async throws {
        try await withExperts { directory in
            let experts: [(Line, PostalCode, Line)] = [
                ("Web A", "42000", "Saint-Étienne"), ("Web B", "42000", "ST ETIENNE"),
                ("Web C", "42000", "St. Étienne"),
                ("Web D", "69110", "Ste-Foy-lès-Lyon"), ("Web E", "69110", "Sainte Foy lès Lyon"),
                ("Web F", "17100", "Saintes"),
                ("Atelier St-Martin", "64000", "Pau"), ("Studio Blanc", "64000", "Pau"),
                ("Étienne et fils", "64000", "Pau"),
                ("Stes Maries", "13460", "Saintes-Maries"),
            ]
            for (name, code, commune) in experts {
                _ = try await directory.expert(name) {
                    $0.postalCode = code
                    $0.commune = commune
                    $0.consents = .init(publicDirectory: true)
                }
            }
            try await taken(directory)
            for (q, found) in [
                ("st etienne", ["Web A", "Web B", "Web C"]), ("saint-etienne", ["Web A", "Web B", "Web C"]),
                ("St-%C3%89tienne", ["Web A", "Web B", "Web C"]), ("SAINT ETIENNE", ["Web A", "Web B", "Web C"]),
                ("ste foy", ["Web D", "Web E"]), ("sainte-foy", ["Web D", "Web E"]),
                ("saint martin", ["Atelier St-Martin"]), ("stes maries", ["Stes Maries"]),
                ("saintes maries", ["Stes Maries"]), ("etienne fils", ["Étienne et fils"]),
            ] {
                let query = q.replacing(" ", with: "%20")
                #expect(Set(try await names("?q=\(query)", in: directory)) == Set(found), "\(q)")
                let shown = try await directory.raw(.get, "/v1/public/experts?q=\(query)")
                #expect(Set(try shown.items("name")) == Set(found), "\(q)")
                let listed = try await directory.ask("/v1/experts?q=\(query)")
                #expect(Set(try listed.items("name")) == Set(found), "\(q)")
            }
            #expect(try await names("?q=saintes", in: directory).contains("Web F"))
            // Two letters may be the beginning of a longer word.
            let begun = try await names("?q=st", in: directory)
            #expect(begun.contains("Studio Blanc") && begun.contains("Web A") && begun.contains("Atelier St-Martin"))
            #expect(try await names("?q=blanc%20st", in: directory) == ["Studio Blanc"])
        }
    }

    @Test("the same for organizations, in the list and in the public directory")
    func saintOrganizations() async throws {
        try await withDirectory { directory in
            let operating = try directory.client(.operator)
            let year = Day.today.year
            for (name, commune) in [
                ("Chambre A", "Saint-Étienne"), ("Chambre B", "St Étienne"), ("Chambre C", "Sainte-Foy"),
                ("Chambre D", "Ste Foy"), ("Studio", "Pau"), ("Chambre E", "Étienne-sur-Mer"),
            ] as [(Line, Line)] {
                let organization = try await operating.send(
                    CreateOrganization.request(body: .init(kind: .institution, name: name, commune: commune)))
                _ = try await directory.membership(organization.id, from: "\(year)-01-01", until: "\(year)-12-31")
            }
            for (q, found) in [
                ("st etienne", ["Chambre A", "Chambre B"]), ("saint-etienne", ["Chambre A", "Chambre B"]),
                ("ste%20foy", ["Chambre C", "Chambre D"]), ("sainte foy", ["Chambre C", "Chambre D"]),
                ("chambre st etienne", ["Chambre A", "Chambre B"]),
            ] {
                let query = q.replacing(" ", with: "%20")
                #expect(
                    Set(try await directory.ask("/v1/organizations?q=\(query)").items("name")) == Set(found), "\(q)")
                let shown = try await directory.raw(.get, "/v1/public/members?q=\(query)")
                #expect(Set(try shown.items("name")) == Set(found), "\(q)")
            }
            #expect(try await directory.ask("/v1/organizations?q=st").items("name").contains("Studio"))
        }
    }

    @Test("words are indexed as soon as they are written, in every way, without waiting for the minute's job")
    func atOnce() async throws {
        try await withDirectory { directory in
            try await eventually("the job of the minute is put off") {
                try await directory.database.withClient(as: "directory") { client in
                    try await client.execute(
                        "update schedule set next_run = now() + interval '1 day' where name = 'expert-words-refresh'")
                        == 1
                }
            }
            func isFound(_ q: String) async throws -> Bool {
                try await names("?q=\(q)", in: directory).count == 1
            }
            let expert = try await directory.expert("Informatique du Gave")
            try await eventually("a new expert's") { try await isFound("infromatique") }
            _ = try await directory.ask(
                .patch, "/v1/experts/\(expert.id)", ifMatch: 1, json: #"{"name":"Cordonnerie du Gave"}"#)
            try await eventually("a renamed one's") { try await isFound("cordonerie") }
            let report = try await directory.report(
                "subKind,name,postalCode,commune\nwebAgency,Menuiserie Bertrand,64000,Pau\n")
            #expect(report.created == 1)
            try await eventually("an imported one's") { try await isFound("menuisreie") }
            // And by no other job.
            let runs = try await directory.database.withClient(as: "directory") { client in
                try await client.first(
                    """
                    select count(last_run) as runs, (select count(*) from expert_word_due) as due from schedule
                    where name = 'expert-words-refresh'
                    """)
            }
            #expect(try runs?["runs", as: Int.self] == 0 && runs?["due", as: Int.self] == 0)
        }
    }

    @Test("one run indexes what many have written, and writers of experts do not wait for each other")
    func coalesced() async throws {
        try await withDirectory { directory in
            let database = directory.backend.database
            try await database.transaction(retries: 0) { transaction in
                try await transaction.execute(
                    """
                    insert into expert (id, sub_kind, name, postal_code, commune, departement)
                    values (gen_random_uuid(), 'webAgency', 'Premier', '64000', 'Pau', '64')
                    """)
                // Another one, while the first has not committed.
                _ = try await directory.expert("Second")
            }
            try await database.transaction(retries: 0) { transaction in
                for _ in 1...5 {
                    try await transaction.execute(
                        "insert into job (kind, payload, maximum_attempts) values ('expert.words', '{}', 1)")
                }
                _ = try await ExpertWordStore.takeIn(in: transaction)
                let left = try await transaction.first(
                    "select count(*) as count from job where kind = 'expert.words' and state = 'queued'")
                #expect(try left?["count", as: Int.self] == 0)
            }
            for word in ["premier", "second"] {
                #expect(try await database.first("select from expert_word where word = \(word)") != nil, "\(word)")
            }
        }
    }

    private func taken(_ directory: TestService) async throws {
        try await directory.database.withClient(as: "directory") { client in
            try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
        }
    }

    @Test("a word that PostgreSQL would split is one word, and keeps no other from being indexed")
    func takenApart() async throws {
        try await withDirectory { directory in
            _ = try await directory.expert("Cordonnerie 3e12ab 1e5x2 0e1f")
            try await eventually("the words are taken in") {
                try await names("?q=cordonerie", in: directory).count == 1
            }
            try await taken(directory)
            for word in ["3e12ab", "1e5x2", "0e1f"] {
                #expect(try await names("?q=\(word)", in: directory).count == 1, "\(word)")
                let known = try await directory.backend.database.query(
                    "select from expert_word where word = \(word)")
                #expect(known.count == 1, "\(word)")
            }
        }
    }

    @Test("punctuation and digits in a name do not matter, and a name of stop words is found")
    func signs() async throws {
        try await withExperts { directory in
            for name: Line in ["Skyminds.net", "Studio web/print", "Créa3D", "Web 2.0 & Cie", "Aura", "Groupe Aura"] {
                _ = try await directory.expert(name)
            }
            for (q, found) in [
                ("skyminds", "Skyminds.net"), ("skyminds.net", "Skyminds.net"), ("print", "Studio web/print"),
                ("cr%C3%A9a3d", "Créa3D"), ("crea3D", "Créa3D"), ("web%202", "Web 2.0 & Cie"),
            ] {
                #expect(try await names("?q=\(q)", in: directory) == [found], "\(q)")
            }
            #expect(try await names("?q=aura", in: directory) == ["Aura", "Groupe Aura"])
            // Beside a significant word, they need not match.
            #expect(try await names("?q=l%27agence%20du%20paris", in: directory) == ["Agence de Paris"])
        }
    }

    @Test("a misspelling corrected in a name counts as a typing error from the next night on")
    func corrected() async throws {
        try await withExperts { directory in
            let wrong = try await directory.expert("Infromatique du Gave")
            try await directory.database.withClient(as: "directory") { client in
                try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
            }
            #expect(try await names("?q=infromatique", in: directory) == ["Infromatique du Gave"])
            _ = try await directory.ask(
                .patch, "/v1/experts/\(wrong.id.text)", ifMatch: 1,
                json: #"{"name":"Informatique du Gave"}"#)
            try await directory.database.withClient(as: "directory") { client in
                try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
                try await client.transaction { try await ExpertWordStore.review(in: $0) }
            }
            #expect(try await names("?q=infromatique", in: directory).count == 3)
        }
    }

    @Test("words of hidden experts do not exist for an ambassador")
    func hiddenWords() async throws {
        try await withExperts { directory in
            _ = try await directory.expert("Bearm Caché")
            _ = try await directory.expert("Béarn Visible") { $0.consents = .init(publicDirectory: true) }
            try await directory.database.withClient(as: "directory") { client in
                try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
            }
            #expect(try await names("?q=bearm", in: directory) == ["Bearm Caché"])
            let ana = try await directory.person("Ana", "A")
            for (q, expected) in [("bearm", ["Béarn Visible"]), ("cache", []), ("cach", []), ("reseaux", [])] {
                let found = try await directory.ask("/v1/expert-search?q=\(q)", as: .ambassador, person: ana.id)
                #expect(try found.items("name") == expected, "\(q)")
                let shown = try await directory.raw(.get, "/v1/public/experts?q=\(q)")
                #expect(try shown.items("name") == expected, "\(q)")
            }
        }
    }

    @Test("names that begin with the query come first, then the others, page after page")
    func order() async throws {
        try await withExperts { directory in
            let all = ["Informatique Landaise", "Béarn Informatique"]
            #expect(try await names("?q=informatique", in: directory) == all)
            // With another ending, too.
            #expect(try await names("?q=Informatiques", in: directory) == all)
            #expect(try await names("?q=ateliers", in: directory) == ["Atelier Numérique"])
            _ = try await directory.expert("Anciens Ateliers")
            #expect(try await names("?q=ateliers", in: directory) == ["Atelier Numérique", "Anciens Ateliers"])
            let first = try await directory.ask("/v1/expert-search?q=informatique&limit=1")
            let next = try #require(try first.json()["next"]?.string)
            // A record added before the cursor does not repeat or shift anything.
            _ = try await directory.expert("Informatique Avant")
            let second = try await directory.ask("/v1/expert-search?q=informatique&limit=1&cursor=\(next)")
            #expect(try first.items("name") + second.items("name") == all)
            #expect(try second.json()["next"] == nil)
            #expect(try await directory.ask("/v1/expert-search?q=reseau&cursor=\(next)").status == 400)
            #expect(try await names("", in: directory).count == 7)
        }
    }

    @Test("nearest first: the postal code, its neighbourhood, the département, then farther and farther")
    func near() async throws {
        try await withExperts { directory in
            let fromPau = [
                "Réseaux du Béarn", "Atelier Numérique", "Béarn Informatique", "Informatique Landaise",
                "Agence de Paris",
            ]
            #expect(try await names("?near=64000", in: directory) == fromPau)
            #expect(
                try await names("?near=75011", in: directory).first == "Agence de Paris")
            #expect(
                try await names("?near=40180&q=informatique", in: directory)
                    == ["Informatique Landaise", "Béarn Informatique"])
            var paged: [String] = []
            var cursor = ""
            for _ in 1...5 {
                let page = try await directory.ask("/v1/expert-search?near=64000&limit=1\(cursor)")
                paged += try page.items("name")
                cursor = try page.json()["next"]?.string.map { "&cursor=\($0)" } ?? ""
            }
            #expect(paged == fromPau && cursor == "")
            // An unknown postal code has no neighbours: sorted by name.
            #expect(try await names("?near=99999", in: directory).first == "Agence de Paris")
        }
    }

    @Test("filters are combined, and facets count the results")
    func facets() async throws {
        try await withExperts { directory in
            #expect(try await names("?region=75&topic=cloud", in: directory).count == 2)
            #expect(try await names("?region=11", in: directory) == ["Agence de Paris"])
            #expect(try await names("?brand=altea&serves=64", in: directory) == ["Réseaux du Béarn"])
            #expect(try await directory.ask("/v1/expert-search?region=99").status == 422)
            let operating = try directory.client(.operator)
            let all = try await operating.send(CountExperts.request(query: .init()))
            #expect(all.counted == 5 && all.isComplete)
            #expect(all.regions == [.init(value: "75", count: 4), .init(value: "11", count: 1)])
            #expect(all.departements.first == FacetCount(value: "64", count: 3))
            #expect(all.topics.map(\.value) == ["cloud", "network", "webSite"])
            #expect(all.brands == [.init(value: "Altéa", count: 2)])
            #expect(all.freshness == [.init(value: "fresh", count: 5)])
            let read = try await operating.send(CountExperts.request(query: .init(q: "baern")))
            #expect(read.counted == 2 && read.readings == [.init(typed: "baern", takenFor: ["bearn"])])
            let none = try await operating.send(CountExperts.request(query: .init(q: "xyzzyx")))
            #expect(none.counted == 0 && none.topics.isEmpty)
        }
    }

    @Test("fresh, ageing, stale, enrolled and former experts are found by their state, and counted")
    func freshness() async throws {
        try await withExperts { directory in
            try await directory.database.withClient { client in
                try await client.execute(
                    """
                    update directory.expert set confirmed_at = now() - make_interval(months => case
                        when commune = 'Pau' then 13 when commune = 'Paris' then 19 else 1 end)
                    """)
                try await client.execute(
                    "update directory.expert set left_on = (now() at time zone 'Europe/Paris')::date where commune in ('Paris', 'Bayonne')"
                )
            }
            #expect(try await names("?freshness=ageing", in: directory) == ["Réseaux du Béarn"])
            #expect(try await names("?freshness=stale", in: directory) == ["Agence de Paris"])
            #expect(try await names("?freshness=fresh&q=informatique&near=40000", in: directory).count == 2)
            #expect(try await names("?enrolled=false", in: directory) == ["Agence de Paris", "Atelier Numérique"])
            #expect(try await names("?freshness=stale&enrolled=true", in: directory) == [])
            #expect(try await names("?freshness=fresh&enrolled=false", in: directory) == ["Atelier Numérique"])
            #expect(try await directory.ask("/v1/expert-search?freshness=old").status == 422)
            let counted = try await directory.ask("/v1/expert-search/facets").decode(ExpertFacets.self)
            #expect(
                counted.freshness == [
                    .init(value: "fresh", count: 3), .init(value: "ageing", count: 1), .init(value: "stale", count: 1),
                ])
            let left = try await directory.ask("/v1/expert-search/facets?enrolled=false").decode(ExpertFacets.self)
            #expect(left.counted == 2 && left.freshness.count == 2)
        }
    }

    @Test("ambassadors find experts who consented to the public directory, experts themselves")
    func visibility() async throws {
        try await withExperts { directory in
            let shown = try await directory.expert("Béarn Visible") { $0.consents = .init(publicDirectory: true) }
            let ana = try await directory.person("Ana", "A")
            for query in ["?q=bearn", "?near=64000", ""] {
                let found = try await directory.ask("/v1/expert-search\(query)", as: .ambassador, person: ana.id)
                #expect(try found.items("id") == [shown.id.text])
                let own = try await directory.ask(
                    "/v1/expert-search\(query)", as: .expert, organization: Organization.ID(shown.id.uuid))
                #expect(try own.items("id") == [shown.id.text])
            }
            let counted = try await directory.ask("/v1/expert-search/facets", as: .ambassador, person: ana.id)
            #expect(try counted.decode(ExpertFacets.self).counted == 1)
        }
    }

    @Test(
        "characters that normalise to several letters are searched like all others",
        arguments: ["℡", "ﬁ", "㎉", "㏘", "ﷺ", "⅒", "İ"])
    func expanding(sign: String) async throws {
        try await withExperts { directory in
            _ = try await directory.expert("Tel Telecom") { $0.consents = ConsentChoices(publicDirectory: true) }
            try await directory.database.withClient(as: "directory") { client in
                try await client.transaction { try await ExpertWordStore.refresh(in: $0) }
            }
            for count in [1, 13, 16, 85, 86, 100, 200] {
                let text = String(repeating: sign, count: count)
                let query = text.utf8.map { "%" + String($0, radix: 16) }.joined()
                for path in ["/annuaire", "/v1/expert-search", "/v1/public/experts"] {
                    let answer = try await directory.ask("\(path)?q=\(query)")
                    #expect(answer.status < 500, "\(path) \(count)")
                }
            }
        }
    }

    @Test("characters that normalise to search operators cause no failure, however often and wherever typed")
    func foldedSigns() async throws {
        try await withDirectory { directory in
            let chamber = try await directory.client(.operator).send(
                CreateOrganization.request(body: .init(kind: .institution, name: "Chambre du Béarn", commune: "Pau")))
            let year = Day.today.year
            _ = try await directory.membership(chamber.id, from: "\(year)-01-01", until: "\(year)-12-31")
            let signs = try await directory.database.withClient { client in
                try await client.query(
                    """
                    select chr(code) as sign from generate_series(33, 66000) as code
                    where code not between 55296 and 57343
                        and directory.folded(chr(code)) ~ '[-"]' and directory.folded(chr(code)) !~ '[[:alnum:]]'
                    """
                ).map { row -> String in try row["sign"] }
            }
            #expect(signs.count > 10 && signs.contains("-") && signs.contains("\u{2010}"))
            for sign in signs {
                for text in [sign, "a\(sign)", "\(sign) ", "\"\(sign)"].map({ String(repeating: $0, count: 45) }) {
                    let typed = "\(text)bearn".utf8.map { "%" + String($0, radix: 16) }.joined()
                    for path in [
                        "/annuaire/membres", "/v1/public/members", "/v1/organizations", "/v1/organizations.csv",
                    ] {
                        let answer = try await directory.ask("\(path)?q=\(typed)")
                        #expect(answer.status == 200, "\(path) \(sign.unicodeScalars.map(\.value)) \(text)")
                    }
                }
            }
            for (typed, isFound) in [
                ("b%C3%A9arn%20%2D%20chambre", true), ("chambre%20%E2%80%93%20b%C3%A9arn", true), ("xyzzy", false),
                ("%2Dxyzzy%20chambre", true), ("%E2%80%90xyzzy%20chambre", true),
            ] {
                let found = try await directory.ask("/v1/organizations?q=\(typed)").items("name")
                #expect(found == (isFound ? ["Chambre du Béarn"] : []), "\(typed)")
            }
        }
    }
}
