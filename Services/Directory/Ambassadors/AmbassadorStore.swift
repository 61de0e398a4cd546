import ClubProtocol
import Postgres
import ServiceKit

/// The ambassadors, each by the name of its person.
enum AmbassadorStore {
    private static let columns: SQL = """
        id, person, name, organization, topics, departements, enrolled_on as "enrolledOn", left_on as "leftOn",
        confirmed_at as "confirmedAt", version, created_at as "createdAt",
        updated_at as "updatedAt"
        """

    /// What a caller may see: a representative sees the ambassadors of its organization, an ambassador only itself.
    private static func visible(to principal: Principal) -> [SQL] {
        switch principal.role {
        case .operator, .editor, .lobbyist, .auditor, .service: []
        case .representative: ["organization = \(principal.organization)"]
        case .ambassador: ["person = \(principal.person)"]
        case .expert: ["false"]
        }
    }

    static func create(
        _ id: Ambassador.ID, _ body: CreateAmbassador.Body, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let rows = try await transaction.query(
            """
            insert into ambassador (id, person, name, organization, topics, departements)
            select \(id), person.id, full_name, \(body.organization), \(body.topics ?? [])::text[],
                \(body.departements ?? [])::text[]
            from person where person.id = \(body.person)
            returning \(columns)
            """)
        guard !rows.isEmpty else { throw Problem.invalid("/person", "unknown person") }
        return rows
    }

    static func get(
        _ id: Ambassador.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + visible(to: principal)
        return try await executor.query("select \(columns) from ambassador where \(rules.all)")
    }

    /// The filters of a list, and of its export.
    private static func filter(_ query: ListAmbassadors.Filter) -> [SQL] {
        var rules: [SQL] = []
        if let organization = query.organization { rules.append("organization = \(organization)") }
        if let person = query.person { rules.append("person = \(person)") }
        if let departement = query.departement { rules.append(.serves(departement)) }
        if let region = query.region { rules.append(.serves(region)) }
        if let topic = query.topic { rules.append(.isAbout(topic)) }
        if let words = query.q { rules.append(.nameMatches(words)) }
        if let freshness = query.freshness { rules.append(.isFresh(freshness)) }
        if let enrolled = query.enrolled { rules.append(.isEnrolled(enrolled)) }
        if let unreachable = query.unreachable { rules.append(isUnreachable(unreachable)) }
        if let since = query.updatedSince { rules.append(.hasChanged(since: since)) }
        return rules
    }

    /// By the person's record, where the address is.
    private static func isUnreachable(_ unreachable: Bool) -> SQL {
        """
        \(unreachable ? "exists" : "not exists" as SQL) (
            select from person where person.id = ambassador.person and \(SQL.isUnreachable(true)))
        """
    }

    /// The condition of an export: everything the list would show across all its pages.
    static func selection(_ query: ListAmbassadors.Filter, for principal: Principal) -> SQL {
        (visible(to: principal) + filter(query)).all
    }

    static func list(
        _ query: ListAmbassadors.Query, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = visible(to: principal) + filter(query.filter)
        if let after = try page.position(of: Ambassador.self) {
            rules.append("(sort_key, id) > (\(after.key), \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns), sort_key as "_key" from ambassador
            where \(rules.all)
            order by sort_key, id limit \(page.limit + 1)
            """)
    }

    static func change(
        _ id: Ambassador.ID, _ patch: ChangeAmbassador.Body, at version: Int?, by principal: Principal,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + visible(to: principal)
        guard
            let row = try await transaction.first(
                "select \(columns) from ambassador where \(rules.all) for no key update")
        else { throw Problem(.notFound) }
        var ambassador = try row.decode(Ambassador.self, at: version)
        if let value = patch.organization, value != ambassador.organization {
            guard principal.role == .operator else {
                throw Problem(.forbidden, "Only the club's staff may move an ambassador to another organization.")
            }
            ambassador.organization = value
        }
        if let value = patch.topics { ambassador.topics = value }
        if let value = patch.departements { ambassador.departements = value }
        return try await transaction.query(
            """
            update ambassador set
                organization = \(ambassador.organization), topics = \(ambassador.topics),
                departements = \(ambassador.departements), version = version + 1, updated_at = now()
            where id = \(id)
            returning \(columns)
            """)
    }

    /// The ambassadors with these identifiers as they are now, for the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(jsonb_build_object(
            'id', id, 'person', person, 'name', name, 'organization', organization, 'topics', topics,
            'departements', departements, 'enrolledOn', enrolled_on, 'leftOn', left_on, 'confirmedAt', confirmed_at,
            'version', version, 'createdAt', created_at, 'updatedAt', updated_at)) as data
        from ambassador where id = any(\(ids))
        """
    }
}
