import ClubProtocol
import Postgres
import ServiceKit

/// What anybody may see. Who stands there is decided by ``SQL/published`` and ``SQL/publicMember``, and by nothing else.
enum PublicStore {
    /// Where a list begins.
    enum Start<Entity> {
        case top
        /// A cursor of the API: the sort key and the identifier of the last row.
        case key(String, Identifier<Entity>)
        /// The last row's identifier, as the address of a page has it.
        case row(Identifier<Entity>)

        init(_ page: PageRequest) throws {
            self = try page.position(of: Entity.self).map { .key($0.key, $0.id) } ?? .top
        }

        init(after row: Identifier<Entity>?) {
            self = row.map { .row($0) } ?? .top
        }

        /// - Parameter table: in which the last row is.
        func rule(_ table: SQL) -> [SQL] {
            switch self {
            case .top: []
            case .key(let key, let id): ["(sort_key, id) > (\(key), \(id))"]
            case .row(let id): ["(sort_key, id) > ((select sort_key from \(table) where id = \(id)), \(id))"]
            }
        }
    }

    // MARK: Experts

    private static let expertColumns: SQL = """
        id, sub_kind as "subKind", name, postal_code as "postalCode", commune, departement, departements, topics, brands,
        website
        """

    /// - Parameters:
    ///   - query: its `limit` and `cursor` do not count here.
    ///   - limit: one more than a page has.
    static func experts(
        _ query: ListPublicExperts.Query, from start: Start<Expert>, limit: Int, on database: PostgresClient
    ) async throws -> Rows {
        var scope: [SQL] = [.listed] + start.rule("expert")
        if let subKind = query.subKind { scope.append("sub_kind = \(subKind)") }
        var rules: [SQL] = [.published]
        if let departement = query.departement { rules.append("departements @> \([departement])::text[]") }
        if let topic = query.topic { rules.append("topics @> \([topic])::text[]") }
        let (known, others) = (scope, rules)
        return try await database.transaction(readOnly: true) { transaction in
            try await ExpertWalk.prepare(transaction)
            var rules = others
            if let words = query.q { rules.append(try await ExpertWordStore.read(words, in: transaction).rule) }
            let walk = ExpertWalk(columns: expertColumns, scope: known, rules: rules, order: .name)
            return try await walk.page(after: nil, limit: limit, in: transaction)
        }
    }

    static func expert(_ id: Expert.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(expertColumns) from expert where id = \(id) and \(.published)")
    }

    // MARK: Members

    private static let memberColumns: SQL = """
        id, kind, sub_kind as "subKind", name, commune, departement, topics, website
        """

    /// - Parameters:
    ///   - query: its `limit` and `cursor` do not count here.
    ///   - limit: one more than a page has.
    static func members(
        _ query: ListPublicMembers.Query, from start: Start<Organization>, limit: Int,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = [.publicMember] + start.rule("organization")
        if let words = query.q { rules.append(.matches(words)) }
        if let kind = query.kind { rules.append("kind = \(kind.rawValue)") }
        if let departement = query.departement { rules.append("departement = \(departement)") }
        if let topic = query.topic { rules.append("topics @> \([topic])::text[]") }
        return try await executor.query(
            """
            select \(memberColumns), sort_key as "_key" from organization
            where \(rules.all)
            order by sort_key, id limit \(limit)
            """)
    }

    static func member(_ id: Organization.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(memberColumns) from organization where id = \(id) and \(.publicMember)")
    }

    // MARK: Words

    /// What people call the topics, in the order of these words.
    static func topics(on executor: any PostgresExecutor) async throws -> [(code: Topic, label: String)] {
        try await executor.query("select code, label from topic order by directory.folded(label)").map {
            (try $0["code"], try $0["label"])
        }
    }
}

extension SQL {
    /// Whether an organization is shown as a member of the club: an institution or a brand whose membership holds today.
    static var publicMember: SQL {
        """
        kind in ('institution', 'brand') and exists (
            select from membership
            where membership.organization = organization.id
                and membership.during @> (now() at time zone 'Europe/Paris')::date)
        """
    }
}
