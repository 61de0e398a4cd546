import ClubProtocol
import Postgres
import ServiceKit

/// The periods in which organizations are members.
enum MembershipStore {
    private static let columns: SQL = """
        id, organization, tier, from_day as "from", until_day as "until", version, created_at as "createdAt",
        updated_at as "updatedAt"
        """

    static func create(
        _ id: Membership.ID, _ body: CreateMembership.Body, in transaction: PostgresTransaction
    ) async throws -> Rows {
        try MandateStore.checkDays(body.from, body.until, of: .membership)
        return try await transaction.query(
            """
            insert into membership (id, organization, tier, from_day, until_day)
            values (\(id), \(body.organization), \(body.tier), \(body.from), \(body.until))
            returning \(columns)
            """)
    }

    static func get(
        _ id: Membership.ID, for principal: Principal, on executor: any PostgresExecutor
    ) async throws -> Rows {
        let rules = ["id = \(id)"] + SQL.recordsOfOrganizations(visibleTo: principal)
        return try await executor.query("select \(columns) from membership where \(rules.all)")
    }

    /// The condition of the list across all its pages, and of its export.
    static func selection(_ query: ListMemberships.Filter, for principal: Principal) -> [SQL] {
        var rules = SQL.recordsOfOrganizations(visibleTo: principal)
        if let organization = query.organization { rules.append("organization = \(organization)") }
        if let tier = query.tier { rules.append("tier = \(tier)") }
        if let day = query.asOf { rules.append(.isActive(on: day)) }
        return rules
    }

    static func list(
        _ query: ListMemberships.Query, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = selection(query.filter, for: principal)
        if let after = try page.position(of: Membership.self) {
            rules.append("(from_day, id) < (\(after.key)::date, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns) from membership
            where \(rules.all)
            order by from_day desc, id desc limit \(page.limit + 1)
            """)
    }

    static func change(
        _ id: Membership.ID, _ patch: ChangeMembership.Body, at version: Int?, in transaction: PostgresTransaction
    ) async throws -> Rows {
        guard
            let row = try await transaction.first(
                "select \(columns) from membership where id = \(id) for no key update")
        else { throw Problem(.notFound) }
        var membership = try row.decode(Membership.self, at: version)
        if let value = patch.tier { membership.tier = value }
        if let value = patch.from { membership.from = value }
        if let value = patch.until { membership.until = value }
        try MandateStore.checkDays(
            membership.from, membership.until, of: .membership, patch.from, patch.until.map(Optional.some))
        return try await transaction.query(
            """
            update membership set
                tier = \(membership.tier), from_day = \(membership.from), until_day = \(membership.until),
                version = version + 1, updated_at = now()
            where id = \(id)
            returning \(columns)
            """)
    }

    /// Locks a membership until the transaction ends.
    static func lock(_ id: Membership.ID, in transaction: PostgresTransaction) async throws -> Membership? {
        try await transaction.first("select \(columns) from membership where id = \(id) for no key update")?
            .decode(Membership.self)
    }

    /// Changes the last day of a membership, which is locked.
    static func end(_ id: Membership.ID, on day: Day, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query(
            """
            update membership set until_day = \(day), version = version + 1, updated_at = now() where id = \(id)
            returning \(columns)
            """)
    }

    /// Contributions refer to it by a foreign key: one for which a contribution was called cannot be deleted.
    static func delete(_ id: Membership.ID, at version: Int?, in transaction: PostgresTransaction) async throws {
        let row = try await transaction.first("select version from membership where id = \(id) for update")
        guard let row else { throw Problem(.notFound) }
        guard try row["version", as: Int.self] == version else { throw Problem(.stale) }
        try await transaction.execute("delete from membership where id = \(id)")
    }

    /// The memberships with these identifiers as they are now, for the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(to_jsonb(found)) as data
        from (select \(columns) from membership where id = any(\(ids))) as found
        """
    }
}
