import ClubProtocol
import Postgres
import ServiceKit

/// Counts who serves what: people who are enrolled and have been confirmed. Each statement reads the network once,
/// which takes some tens of milliseconds at 5,150 experts and 1,200 ambassadors, so nothing is cached.
enum CoverageStore {
    /// What each ambassador or expert offers, one row per person; with a topic, only those who know it. No list
    /// contains a code twice.
    private static func field(_ topic: Topic?) -> SQL {
        let rule: SQL = "where \(.isPresent)" + (topic.map { " and \(.isAbout($0))" } ?? .empty)
        return """
            select departements, topics, true as is_expert from expert \(rule)
            union all
            select departements, topics, false from ambassador \(rule)
            """
    }

    private static let counts: SQL = """
        count(*) filter (where not is_expert) as ambassadors, count(*) filter (where is_expert) as experts
        """

    /// How many serve a département.
    private static func totals(_ topic: Topic?) -> SQL {
        """
        select code, \(counts)
        from (select is_expert, unnest(departements) as code from (\(field(topic))) as field) as served
        group by code
        """
    }

    /// How many serve a département on a topic.
    private static func cells(_ topic: Topic?) -> SQL {
        let rule: SQL = topic.map { "where topic = \($0)" } ?? .empty
        return """
            select code, topic, \(counts)
            from (
                select is_expert, code, unnest(topics) as topic
                from (select is_expert, topics, unnest(departements) as code from (\(field(topic))) as field) as served
            ) as known
            \(rule)
            group by code, topic
            """
    }

    /// The départements in the requested area with their names, in official order.
    private static func departements(_ area: CoverageArea?) -> SQL {
        let tiles = DepartementTile.all.filter { area?.departements.contains($0.departement) ?? true }
        return """
            unnest(\(tiles.map(\.departement.text)), \(tiles.map(\.name))) with ordinality as departement (code, name, place)
            """
    }

    /// Every département in the requested area with every topic, and who serves them.
    private static func matrix(_ topic: Topic?, _ area: CoverageArea?) -> SQL {
        let rule: SQL = topic.map { "where topic.code = \($0)" } ?? .empty
        return """
            select departement.code as departement, departement.name, departement.place, topic.code as topic, topic.label,
                coalesce(cell.ambassadors, 0) as ambassadors, coalesce(cell.experts, 0) as experts
            from \(departements(area))
            cross join topic
            left join (\(cells(topic))) as cell on cell.code = departement.code and cell.topic = topic.code
            \(rule)
            """
    }

    /// The label of a topic.
    ///
    /// - Throws: 422 for one that is not in the vocabulary.
    static func label(of topic: Topic, on executor: any PostgresExecutor) async throws -> String {
        guard let row = try await executor.first("select label from topic where code = \(topic)") else {
            throw Problem.invalid("topic", "is not in the vocabulary")
        }
        return try row["label"]
    }

    /// The whole coverage in one row.
    static func coverage(
        _ query: CoverageFilter, in area: CoverageArea?, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let ambassadors: SQL = query.of == .experts ? "null::bigint" : "coalesce(ambassadors, 0)"
        let experts: SQL = query.of == .ambassadors ? "null::bigint" : "coalesce(experts, 0)"
        return try await executor.query(
            """
            with by_topic as (
                select code, json_agg(
                    json_build_object('topic', topic, 'ambassadors', \(ambassadors), 'experts', \(experts))
                    order by topic) as topics
                from (\(cells(query.topic))) as cell
                where coalesce(\(ambassadors), 0) + coalesce(\(experts), 0) > 0
                group by code)
            select coalesce(json_strip_nulls(json_agg(
                json_build_object(
                    'departement', code, 'name', name, 'ambassadors', \(ambassadors), 'experts', \(experts),
                    'topics', coalesce(topics, '[]'))
                order by place)), '[]') as departements
            from \(departements(area))
            left join (\(totals(query.topic))) as total using (code)
            left join by_topic using (code)
            """)
    }

    static func gaps(
        _ query: ListCoverageGaps.Query, _ page: PageRequest, in area: CoverageArea?,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        let enough = query.enough ?? 3
        guard (1...1000).contains(enough) else { throw Problem.invalid("enough", "must be from 1 to 1000") }
        let ambassadors: SQL = "greatest(\(enough) - ambassadors, 0)"
        let experts: SQL = "greatest(\(enough) - experts, 0)"
        let missing: SQL =
            switch query.of {
            case .ambassadors: ambassadors
            case .experts: experts
            case nil: "\(ambassadors) + \(experts)"
            }
        var rules: [SQL] = ["missing > 0"]
        let place = try page.place(of: 3) { key in
            Int(key[0]).map { (missing: $0, departement: key[1], topic: key[2]) }
        }
        if let (missing, departement, topic) = place {
            rules.append(
                "(-missing, departement, topic) > (-\(missing)::bigint, \(departement)::text, \(topic)::text)")
        }
        return try await executor.query(
            """
            select departement, name, topic, ambassadors, experts, missing
            from (
                select departement collate "C" as departement, name, topic collate "C" as topic, ambassadors, experts,
                    \(missing) as missing
                from (\(matrix(query.topic, area))) as cell
            ) as cell
            where \(rules.all)
            order by -missing, departement, topic limit \(page.limit + 1)
            """)
    }

    /// One line of the table.
    struct Line: Decodable {
        var departement: String
        var name: String
        var topic: String
        var label: String
        var ambassadors: Int
        var experts: Int
    }

    static func table(
        _ topic: Topic?, in area: CoverageArea?, on executor: any PostgresExecutor
    ) async throws -> [Line] {
        try await executor.query(
            "select * from (\(matrix(topic, area))) as cell order by place, topic collate \"C\""
        ).decode(Line.self)
    }

    /// How many serve each département; one that no one serves is absent.
    static func counts(
        of subject: Coverage.Subject, _ topic: Topic?, on executor: any PostgresExecutor
    ) async throws -> [Departement: Int] {
        let rows = try await executor.query("select code, ambassadors, experts from (\(totals(topic))) as total")
        var counts: [Departement: Int] = [:]
        for row in rows { counts[try row["code"]] = try row[subject.rawValue] }
        return counts.filter { $0.value > 0 }
    }
}
