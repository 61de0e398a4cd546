import ClubProtocol
import Postgres
import ServiceKit

/// What the public may see. `SQL.published` and `SQL.publicMember` alone decide who is included.
enum PublicStore {
    /// Where a list begins. A position contains its sort key, so its row may have been deleted.
    enum Start<Entity> {
        case top
        case after(ListPosition<Entity>)
        /// The list ends before this, and is returned in reverse.
        case before(ListPosition<Entity>)

        init(after position: ListPosition<Entity>?) {
            self = position.map { .after($0) } ?? .top
        }

        /// By name, for a list that has no other order.
        var rule: [SQL] {
            switch self {
            case .top: []
            case .after(let last): ["(sort_key, id) > (\(last.key), \(last.id))"]
            case .before(let first): ["(sort_key, id) < (\(first.key), \(first.id))"]
            }
        }

        var order: SQL {
            switch self {
            case .top, .after: "sort_key, id"
            case .before: "sort_key desc, id desc"
            }
        }
    }

    // MARK: Experts

    private static let expertColumns: SQL = """
        id, sub_kind as "subKind", name, postal_code as "postalCode", commune, departement,
        \(SQL.region(of: "expert")) as region, departements, topics, brands, website
        """

    /// - Parameter limit: one more than a page has.
    static func experts(
        _ query: ListPublicExperts.Filter, from start: Start<Expert>, limit: Int, on database: PostgresClient
    ) async throws -> Rows {
        var rules: [ExpertRule] = [.published]
        if let subKind = query.subKind { rules.append(.isA(subKind)) }
        if let departement = query.departement { rules.append(.serves(departement)) }
        if let region = query.region { rules.append(.serves(region)) }
        if let topic = query.topic { rules.append(.isAbout(topic)) }
        if let brand = query.brand { rules.append(.resells(brand)) }
        let others = rules
        return try await database.transaction(readOnly: true) { transaction in
            try await ExpertWalk.prepare(transaction)
            var rules = others
            if let words = query.q {
                rules.append(.has(try await ExpertWordStore.read(words, published: true, in: transaction)))
            }
            let order: ExpertWalk.Order
            var after: ExpertWalk.Position?
            switch start {
            case .before(let first):
                order = .nameBackwards
                after = .init(stage: 0, key: first.key, id: first.id)
            case .top: order = try await .init(near: query.near, words: nil, [], in: transaction)
            case .after(let last):
                order = try await .init(near: query.near, words: nil, [], in: transaction)
                after = .init(stage: last.stage, key: last.key, id: last.id)
            }
            let walk = ExpertWalk(columns: expertColumns, rules: rules, order: order)
            return try await walk.page(after: after, limit: limit, in: transaction)
        }
    }

    static func expert(_ id: Expert.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(expertColumns) from expert where id = \(id) and \(.published)")
    }

    /// Whether an expert that is not shown agreed to it once, or was merged into one that is not shown either.
    static func wasShown(_ id: Expert.ID, on executor: any PostgresExecutor) async throws -> Bool {
        let rows = try await executor.query(
            """
            select from consent_entry where expert = \(id) and purpose = 'publicDirectory' and agreed
            union all select from merge where merged = \(id) and undone_at is null limit 1
            """)
        return !rows.isEmpty
    }

    // MARK: Members

    private static let memberColumns: SQL = """
        id, kind, sub_kind as "subKind", name, commune, departement, \(SQL.region(of: "organization")) as region,
        topics, website
        """

    /// - Parameter limit: one more than a page has.
    static func members(
        _ query: ListPublicMembers.Filter, from start: Start<Organization>, limit: Int,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = [.publicMember] + start.rule
        if let words = query.q { rules.append(.matches(words)) }
        if let kind = query.kind { rules.append("kind = \(kind.rawValue)") }
        if let departement = query.departement { rules.append("departement = \(departement)") }
        if let region = query.region { rules.append(.isLocated(in: region)) }
        if let topic = query.topic { rules.append(.isAbout(topic)) }
        return try await executor.query(
            """
            select \(memberColumns), sort_key as "_key" from organization
            where \(rules.all)
            order by \(start.order) limit \(limit)
            """)
    }

    static func member(_ id: Organization.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(memberColumns) from organization where id = \(id) and \(.publicMember)")
    }

    /// Whether an organization that is not shown was a member, or was merged into one that is not shown either.
    static func wasShown(_ id: Organization.ID, on executor: any PostgresExecutor) async throws -> Bool {
        let rows = try await executor.query(
            """
            select from organization
            where id = \(id) and kind in ('institution', 'brand')
                and exists (select from membership where membership.organization = organization.id)
            union all select from merge where merged = \(id) and undone_at is null limit 1
            """)
        return !rows.isEmpty
    }

    // MARK: Labels

    /// The topics' labels, in alphabetical order.
    static func topics(on executor: any PostgresExecutor) async throws -> [(code: Topic, label: String)] {
        try await executor.query("select code, label from topic order by directory.folded(label)").map {
            (try $0["code"], try $0["label"])
        }
    }
}

extension SQL {
    /// Whether an organization is shown as a member of the club: an institution or a brand with a membership in force
    /// today, unless it declined.
    static var publicMember: SQL {
        """
        kind in ('institution', 'brand') and public_directory and exists (
            select from membership
            where membership.organization = organization.id
                and membership.during @> directory.today())
        """
    }
}
