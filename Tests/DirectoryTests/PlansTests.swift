import ClubProtocol
import HTTPTypes
import Postgres
import ServiceKit
import TestKit
import Testing

@testable import Directory

/// The actual query plans of every reading operation, with every filter, on tables of realistic size.
///
/// New operations are included automatically. An unknown filter fails the test, and so does a table that is neither
/// filled nor known to stay small.
@Suite("plans", .timeLimit(.minutes(10)))
struct PlansTests {
    /// Operations that are not called, and why.
    private static let apart: [String: String] = [
        "getCoverage": "counts everybody", "exportCoverage": "counts everybody", "getCoverageMap": "counts everybody",
        "listCoverageGaps": "counts everybody", "exportExperts": "writes the whole table, by the rules of its list",
        "exportOrganizations": "the same", "exportPeople": "the same", "exportAmbassadors": "the same",
        "exportCards": "the same", "exportMembers": "the same", "exportMemberships": "the same",
        "exportContributions": "the same", "exportCreditEntries": "the same",
        "exportPayments": "the same", "exportReceipts": "the same",
        "readChanges": "waits for changes; the kit's",
        "showSitemap": "writes all that is published",
        "showReceiptByLink": "by a signed link: one row by its identifier", "showOwnRecord": "the same",
        "getReceiptDocumentByLink": "the same", "showContributionCallByLink": "the same",
        "getContributionCallDocumentByLink": "the same",
        "showOwnRecordForm": "the same",
        "getDuplicateScan": "one each night", "listWebhooks": "the kit's", "getWebhook": "the kit's",
        "showReferralInvitation": "the same", "showReferralFollowUp": "the same", "getOwnData": "the same",
        "listWebhookDeliveries": "the kit's", "getWebhookDelivery": "the kit's", "getTier": "a handful",
        "listTiers": "a handful",
    ]

    /// Statements that scan a table, and why; each identified by words that occur in no other.
    private static let through: [String: String] = [
        "as standing":
            "a member's status follows from its facts: they are read for some hundred members, and nothing is stored",
        "insert into expert_word": "a job: once, the words of all",
        "as freshness from expert where true limit":
            "facets of all: of the first 10,000 that there are",
        "as freshness from expert where left_on is null limit": "the same, of nearly all",
    ]

    private struct Reader: Sendable {
        var role: Role
        var organization: Organization.ID?
        var person: Person.ID?
    }

    @Test("every operation finds what it reads by an index")
    func plans() async throws {
        try await TestCluster.private { cluster in
            try await cluster.explain("directory")
            try await withService(DirectoryApplication.self, on: cluster) { directory in
                try await Crowd.fill(directory.database)
                let tables = try await grown(directory)
                let ids = try await identifiers(directory)
                let answered = try await walk(directory, ids)
                #expect(answered > 250)
                // A posting list is walked if there are many matches, but too few to walk all experts.
                #expect(try await directory.ask("/v1/expert-search?region=75&limit=200").status == 200)

                // Possible duplicates are looked up by every key that a record can share.
                for body in [
                    #"{"kind":"person","givenName":"Ana","familyName":"Martin","email":"p7@example.org","#
                        + #""telephone":"0559000000","organization":"\#(Organization.ID())"}"#,
                    #"{"kind":"expert","name":"Agence Pau","siret":"73282932000074","email":"e7@example.org","#
                        + #""telephone":"0559000000","website":"https://a.example","postalCode":"64000"}"#,
                    #"{"kind":"organization","name":"Maison Pau","siret":"73282932000074","email":"o7@example.org","#
                        + #""telephone":"0559000000","website":"https://a.example","postalCode":"64000"}"#,
                ] {
                    #expect(try await directory.ask(.post, "/v1/possible-duplicates", json: body).status == 200)
                }

                let plans = try await written(on: cluster, by: directory)
                let read = Set(plans.flatMap { $0.root.all.compactMap(\.table) })
                let unread = Set(tables.keys).subtracting(read)
                #expect(unread == [])
                let faults = Set(
                    plans.filter { plan in
                        let statement = plan.statement.split(whereSeparator: \.isWhitespace).joined(separator: " ")
                        return !Self.through.keys.contains { statement.contains($0) }
                    }.flatMap { plan in plan.walks(through: tables).map { "\($0): \(plan.statement)" } })
                for fault in faults.sorted() { Testing.Issue.record("\(fault)") }

                // Without its index, a query is detected.
                try await directory.database.withClient { client in
                    try await client.execute("drop index directory.expert_email_idx")
                }
                #expect(try await directory.ask("/v1/experts?email=e77@example.org").status == 200)
                let later = try await written(on: cluster, by: directory).dropFirst(plans.count)
                let found = later.filter { !$0.walks(through: tables).isEmpty }
                #expect(found.contains { $0.statement.contains("lower(email)") })
            }
        }
    }

    // MARK: Calling

    /// Calls every reading operation, as each allowed caller, once for each value of each filter, and for a second
    /// page.
    private func walk(_ directory: TestService, _ ids: [String: String]) async throws -> Int {
        let document = try await directory.raw(.get, "/openapi.json").json()
        let organization = try Organization.ID(validating: #require(ids["organization"]))
        let readers = try [
            Reader(role: .operator), Reader(role: .representative, organization: organization),
            Reader(role: .ambassador, person: Person.ID(validating: #require(ids["person"]))),
            Reader(role: .expert, organization: Organization.ID(validating: #require(ids["expert"]))),
        ]
        var answered = 0
        for (path, operations) in members(document["paths"]) {
            guard let operation = operations["get"] else { continue }
            let name = operation["operationId"]?.string ?? path
            guard Self.apart[name] == nil else { continue }
            var filled = path
            for variable in path.split(separator: "{").dropFirst().compactMap({ $0.split(separator: "}").first }) {
                let value = try #require(ids[String(variable)], "no \(variable), for \(name)")
                filled = filled.replacing("{\(variable)}", with: value)
            }
            let roles = operation["x-roles"]?.array?.compactMap(\.string)
            for reader in readers where roles?.contains(reader.role.rawValue) ?? (reader.role == .operator) {
                for query in try queries(of: operation, document["components"], ids) {
                    // A prepared statement is planned for its values five times; after that it may get a generic plan.
                    for _ in 1...(query.isEmpty ? 7 : 1) {
                        answered += try await ask(filled + query, as: reader, in: directory)
                    }
                }
            }
        }
        return answered
    }

    private func members(_ value: JSONValue?) -> [String: JSONValue] {
        if case .object(let members) = value { members } else { [:] }
    }

    private func queries(
        of operation: JSONValue, _ components: JSONValue?, _ ids: [String: String]
    ) throws -> [String] {
        var queries = [""]
        for parameter in operation["parameters"]?.array ?? [] where parameter["in"]?.string == "query" {
            let key = try #require(parameter["name"]?.string)
            guard key != "cursor" else { continue }
            var schema = parameter["schema"]
            if let name = schema?["$ref"]?.string?.split(separator: "/").last {
                schema = components?["schemas"]?[String(name)]
            }
            if schema?["type"]?.string == "boolean" {
                queries += ["?\(key)=true", "?\(key)=false"]
            } else if let choices = schema?["enum"]?.array {
                queries += choices.compactMap(\.string).map { "?\(key)=\($0)" }
            } else {
                let name = operation["operationId"]?.string ?? ""
                queries += try #require(values(of: key, in: name, ids), "no \(key), for \(name)").map {
                    "?\(key)=\($0)"
                }
            }
        }
        return queries
    }

    /// Values of a filter with many matches, with few, and with none.
    private func values(of filter: String, in operation: String, _ ids: [String: String]) -> [String]? {
        switch filter {
        case "organization", "person", "ambassador", "expert", "referral", "parent", "agency":
            ids[filter].map { [$0] }
        case "statement": ids["statement"].map { [$0] }
        case "record": ids["expert"].map { [$0] }
        case "apres", "avant": ids["expert"].map { ["0~m~\($0)"] }
        case "siret": ids["siret"].map { [$0] }
        case "email": ["e77@example.org", "nobody@example.org"]
        case "contact": ["e77@exa", "p77@exa", "o77@exa", "0699%2099%2099"]
        // In every fourth name; in three; in three, with two letters changed; in none.
        case "q": ["agence", ids["word"] ?? "", ids["misspelt"] ?? "", "xyzzyx", "agence%20\(ids["word"] ?? "")"]
        case "brand", "marque": ["altea", "boreal", "nobody"]
        case "departement", "serves": ["64"]
        case "topic", "theme": ["cloud", "network"]
        case "tier": ["standard", "premium"]
        case "year": ["2026", "2001"]
        case "asOf": [Day.today.text, "2012-03-04", "2001-01-01"]
        case "updatedSince": ["2000-01-01T00:00:00Z", "2100-01-01T00:00:00Z"]
        case "near", "pres": ["64000", "75011"]
        case "region": ["75"]
        case "minimumScore": ["10", "100"]
        case "limit": ["1"]
        case "type": [operation == "showMembers" ? "institution" : "webAgency"]
        default: nil
        }
    }

    /// One response, and that of the next page.
    private func ask(_ path: String, as reader: Reader, in directory: TestService) async throws -> Int {
        let first = try await directory.ask(
            path, as: reader.role, organization: reader.organization, person: reader.person)
        // Personal data is returned only if complete, and the other services are missing here.
        let isRefused = [400, 422].contains(first.status) || first.status >= 500 && !path.hasSuffix("/data")
        #expect(!isRefused, "\(path) as \(reader.role): \(first.text)")
        guard first.status == 200, let next = (try? first.json())?["next"]?.string else { return 1 }
        let second = try await directory.ask(
            "\(path)\(path.contains("?") ? "&" : "?")cursor=\(next)", as: reader.role,
            organization: reader.organization,
            person: reader.person)
        #expect(second.status == 200, "\(path) as \(reader.role), second page")
        return 2
    }

    // MARK: Data

    /// The tables that grow, with their numbers of rows.
    private func grown(_ directory: TestService) async throws -> [String: Int] {
        let rows = try await directory.database.withClient { client in
            try await client.query(
                """
                select relname::text as name, reltuples::bigint as count from pg_class
                where relnamespace = 'directory'::regnamespace and relkind = 'r'
                """)
        }
        var tables: [String: Int] = [:]
        for row in rows {
            let name: String = try row["name"]
            guard Crowd.small[name] == nil else { continue }
            tables[name] = try row["count"]
            #expect(tables[name, default: 0] >= 5000, "\(name) is not filled")
        }
        return tables
    }

    /// Values for path variables and filters: existing records.
    private func identifiers(_ directory: TestService) async throws -> [String: String] {
        let row = try await directory.database.withClient(searchPath: "directory") { client in
            try await client.first(
                """
                select json_build_object(
                    'organization', md5('organization77')::uuid, 'parent', md5('organization77')::uuid,
                    'agency', md5('organization77')::uuid, 'person', md5('person77')::uuid,
                    'ambassador', md5('ambassador77')::uuid, 'expert', md5('expert77')::uuid,
                    'membership', md5('membership77')::uuid, 'contribution', md5('contribution77')::uuid,
                    'referral', md5('referral77')::uuid, 'offer', md5('offer77')::uuid, 'import', md5('import77')::uuid,
                    'erasure', md5('erasure77')::uuid, 'statement', md5('statement77')::uuid,
                    'line', md5('line80')::uuid, 'rule', 'inactivePeople', 'merge', md5('merge77')::uuid, 'siret', (select min(siret) from expert),
                    'word', word, 'misspelt', overlay(word placing 'zz' from 4)) as ids
                from (select split_part(name, ' ', 2) as word from expert where id = md5('expert77')::uuid) as known
                """)
        }
        let ids: JSONText = try #require(try row?["ids"])
        return try LenientJSON.decode([String: String].self, from: Array(ids.text.utf8))
    }

    /// The plans so far. A final statement of our own is in the log once all before it are.
    private func written(on cluster: TestCluster, by directory: TestService) async throws -> [QueryPlan] {
        let marker = "written \(UInt64.random(in: 0...UInt64.max))"
        try await directory.database.withClient(as: "directory") { client in
            try await client.withConnection { connection in
                try await connection.execute(script: Array("select '\(marker)' from tier limit 1".utf8))
            }
        }
        for _ in 1...200 {
            let plans = try cluster.plans()
            if plans.contains(where: { $0.statement.contains(marker) }) { return plans }
            try await Task.sleep(for: .milliseconds(50))
        }
        Testing.Issue.record("the log does not say how statements were run")
        return []
    }
}
