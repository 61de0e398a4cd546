import ClubProtocol
import HTTPTypes
import Postgres
import TestKit
import Testing

@testable import Directory

/// Every strategy for finding a page returns the page of the sorted list of all matches.
@Suite("strategies of the expert search")
struct ExpertWalkTests {
    /// A directory with 40,000 experts. One in 31 has "Pau" in its name, one in 310 at the beginning. Nearly all begin
    /// with "Expert", and the last of these by name are about printing; so are those that only end with it.
    private func withExperts(_ body: (TestService) async throws -> Void) async throws {
        try await withDirectory { directory in
            try await directory.database.withClient(adjust: { $0.statementTimeout = .seconds(60) }) { client in
                for first in stride(from: 1, to: 40_000, by: 5_000) {
                    try await client.execute(
                        """
                        insert into directory.expert (
                            id, sub_kind, name, postal_code, commune, departement, departements, topics, brands, consents,
                            confirmed_at, enrolled_on, left_on)
                        select md5(i::text)::uuid, 'reseller',
                            case when i % 310 = 0 then 'Pau ' when i % 31 = 1 then 'Bureau ' else 'Expert ' end || md5(i::text)
                                || case i % 31 when 0 then ' Pau' when 1 then ' Expert' else '' end,
                            code || lpad((i % 300)::text, 3, '0'), 'Commune', code,
                            case when i % 37 = 0 then array[code, '2A'] else array[code] end,
                            array_remove(array[case when i % 4 = 0 then 'cloud' end,
                                case when i % 31 = 1 or md5(i::text) > 'c' then 'printing' end], null),
                            array_remove(array[case when i % 29 = 0 then 'Altéa' end, case when i % 5 = 0 then 'Cyrius' end], null),
                            '{"publicDirectory": {"agreed": true, "at": "2026-01-01T00:00:00Z"}}',
                            now() - (i % 20) * interval '1 month', '2020-01-01',
                            case when i % 23 = 0 then '2026-01-01'::date end
                        from generate_series(\(first), \(first + 4_999)) as i
                        join lateral (
                            select (array['64', '40', '65', '75', '31', '33'])[1 + i % 6] as code where i > 0) as d on true
                        """)
                }
                try await client.execute("analyze directory.expert, directory.expert_posting")
                try await client.execute(
                    """
                    insert into directory.expert_word (word, lexeme, published)
                    values ('pau', 'pau', true), ('expert', 'expert', true)
                    on conflict (word) do update set published = true
                    """)
            }
            try await body(directory)
        }
    }

    private func pages(_ query: String, count: Int = 5, in directory: TestService) async throws -> [String] {
        var found: [String] = []
        var cursor: String? = ""
        for _ in 1...count {
            guard let next = cursor else { break }
            let page = try await directory.ask("/v1/expert-search?limit=150\(query)\(next)")
            found += try page.items("id")
            cursor = try page.json()["next"]?.string.map { "&cursor=\($0)" }
        }
        return found
    }

    private func sorted(
        where condition: SQL, by order: SQL = "sort_key, id", limit: Int = 750, in directory: TestService
    ) async throws -> [String] {
        try await directory.database.withClient(adjust: { $0.statementTimeout = .seconds(60) }) { client in
            try await client.query(
                """
                select id::text from directory.expert join directory.departement_near as near
                    on near.origin = '64' and near.departement = expert.departement
                where \(condition) order by \(order) limit \(limit)
                """
            ).map { try $0["id", as: String.self] }
        }
    }

    @Test("each strategy returns the page of the sorted list of all matches")
    func ways() async throws {
        try await withExperts { directory in
            try await near(in: directory)
            try await names(in: directory)
            try await backwards(in: directory)
            try await lists(in: directory)
        }
    }

    /// Nearest first, stage by stage.
    private func near(in directory: TestService) async throws {
        // Experts in a distant région are not found by the nearby stages, and then sorted.
        let filters: [(String, SQL)] = [
            ("", "true"), ("&topic=cloud", "topics @> '{cloud}'"), ("&departement=65", "expert.departement = '65'"),
            ("&brand=altea", "brands @> '{Altéa}'"), ("&region=11", "expert.departement = '75'"),
            ("&brand=altea&topic=cloud", "brands @> '{Altéa}' and topics @> '{cloud}'"),
            ("&q=pau", "name like '%Pau%'"),
            ("&freshness=stale", "confirmed_at <= now() - interval '18 months'"),
        ]
        for (filter, condition) in filters {
            let found = try await pages("&near=64001\(filter)", in: directory)
            let all = try await sorted(
                where: condition,
                by: """
                    case when postal_code = '64001' then 0 when postal_code like '640%' then 1 else rank + 2 end,
                    sort_key, id
                    """, in: directory)
            #expect(found == all, "\(filter)")
        }
    }

    /// By name: along the order, along a list, or by sorting all.
    private func names(in directory: TestService) async throws {
        let filters: [(String, SQL)] = [
            ("", "true"), ("&topic=cloud", "topics @> '{cloud}'"), ("&brand=altea", "brands @> '{Altéa}'"),
            ("&serves=2A", "departements @> '{2A}'"), ("&region=11", "expert.departement = '75'"),
            ("&region=75&brand=cyrius", "expert.departement in ('33', '40', '64') and brands @> '{Cyrius}'"),
            ("&region=11&brand=altea", "expert.departement = '75' and brands @> '{Altéa}'"),
            ("&brand=altea&topic=cloud", "brands @> '{Altéa}' and topics @> '{cloud}'"),
            (
                "&serves=2A&brand=altea&departement=64",
                "'2A' = any (departements) and brands @> '{Altéa}' and expert.departement = '64'"
            ),
            ("&freshness=stale&topic=cloud", "confirmed_at <= now() - interval '18 months' and topics @> '{cloud}'"),
            ("&enrolled=false&brand=altea", "left_on is not null and brands @> '{Altéa}'"),
        ]
        for (filter, condition) in filters {
            let found = try await pages(filter, in: directory)
            let all = try await sorted(where: condition, in: directory)
            #expect(found == all, "\(filter)")
        }
        // Experts whose names begin with it come first.
        for (word, filter, condition) in [
            ("Pau", "", "true"), ("Pau", "&brand=altea", "brands @> '{Altéa}'"),
            ("Expert", "&topic=printing", "topics @> '{printing}'"),
        ] as [(String, String, SQL)] {
            let found = try await pages("&q=\(word)\(filter)", count: 9, in: directory)
            let all = try await sorted(
                where: "name ~ \(word) and \(condition)", by: "not starts_with(name, \(word)), sort_key, id",
                limit: 9 * 150,
                in: directory)
            #expect(found == all, "\(word) \(filter)")
        }
    }

    /// Backwards it is the same list.
    private func backwards(in directory: TestService) async throws {
        let filters: [([ExpertRule], SQL)] = [
            ([.published], "true"), ([.published, .resells("Altéa")], "brands @> '{Altéa}'"),
            ([.published, .isAbout("cloud")], "topics @> '{cloud}'"),
        ]
        for (rules, condition) in filters {
            let shown: SQL = "\(condition) and left_on is null and confirmed_at > now() - interval '18 months'"
            let all = try await sorted(where: shown, limit: 700, in: directory)
            let found = try await directory.database.withClient(as: "directory") { client in
                let id = try Expert.ID(validating: all[600])
                let last = try await client.query("select sort_key from expert where id = \(id)")
                let position = ExpertWalk.Position(stage: 0, key: try last[0]["sort_key"], id: id)
                return try await client.transaction { transaction in
                    try await ExpertWalk.prepare(transaction)
                    return try await ExpertWalk(columns: "name", rules: rules, order: .nameBackwards)
                        .page(after: position, limit: 151, in: transaction)
                        .map { try $0["_id", as: Expert.ID.self].text }
                }
            }
            #expect(found == all[449..<600].reversed())
        }
    }

    /// Posting lists are walked: experts without a posting in one of them are skipped.
    private func lists(in directory: TestService) async throws {
        for (query, term) in [
            ("&brand=altea", "brand:altea"), ("&region=75&brand=cyrius", "brand:cyrius"),
            ("&region=75&brand=cyrius", "region:75"),
        ] {
            let first = try await pages(query, count: 1, in: directory)
            try await directory.database.withClient(adjust: { $0.statementTimeout = .seconds(60) }) { client in
                let id = try Expert.ID(validating: first[3])
                try await client.execute(
                    "delete from directory.expert_posting where term = \(term) and expert = \(id)")
            }
            let second = try await pages(query, count: 1, in: directory)
            #expect(second.prefix(149) == first.prefix(3) + first.dropFirst(4), "\(term)")
        }
    }

    @Test("postings match the experts, whatever is done to these; without a trigger they do not")
    func postings() async throws {
        try await withDirectory { directory in
            func areRight() async throws -> Bool {
                try await directory.database.withClient(adjust: { $0.statementTimeout = .seconds(60) }) { client in
                    try await client.query(
                        """
                        with right_ones as (
                            select term, sort_key, id from directory.expert cross join lateral
                                directory.expert_terms(search, brand_keys, departements, departement) as term
                        ), kept as (select term, sort_key, expert from directory.expert_posting)
                        (select * from right_ones except select * from kept)
                        union all (select * from kept except select * from right_ones)
                        """
                    ).isEmpty
                }
            }
            let shop = try await directory.expert("Réseaux du Béarn") { $0.brands = ["Altéa", "Cyrius"] }
            let other = try await directory.expert("Atelier Numérique") { $0.departements = ["64", "40"] }
            #expect(try await areRight())
            let changes = [
                #"{"name":"Réseaux de Gascogne"}"#, #"{"brands":["Cyrius","Delta"]}"#, #"{"commune":"Dax"}"#,
                #"{"departement":"40","departements":["40","33"]}"#, #"{"topics":["cloud"]}"#,
            ]
            for (number, change) in changes.enumerated() {
                let answer = try await directory.ask(
                    .patch, "/v1/experts/\(shop.id.text)", ifMatch: number + 1, json: change)
                #expect(answer.status == 200, "\(answer.text)")
                #expect(try await areRight(), "\(change)")
            }
            let table = """
                Raison sociale;Type;Code postal;Ville;Marques
                Atelier du Gave;Agence web;64000;Pau;HP, hp

                """
            #expect(try await directory.imports(Array(table.utf8)).status < 300)
            #expect(try await areRight())
            try await directory.database.withClient(adjust: { $0.statementTimeout = .seconds(60) }) { client in
                let count = try await client.query(
                    "select count(distinct expert) as experts, count(*) as all from directory.expert_posting")
                #expect(try count[0]["experts", as: Int.self] == 3)
                #expect(try count[0]["all", as: Int.self] > 15)
                try await client.execute("delete from directory.expert where id = \(other.id)")
            }
            #expect(try await areRight())
            try await directory.database.withClient(adjust: { $0.statementTimeout = .seconds(60) }) { client in
                try await client.execute("alter table directory.expert disable trigger expert_post_changed")
                try await client.execute("update directory.expert set name = 'Autre Nom' where id = \(shop.id)")
            }
            #expect(try await !areRight())
        }
    }
}
