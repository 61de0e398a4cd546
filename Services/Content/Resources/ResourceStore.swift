import ClubProtocol
import Postgres
import ServiceKit

extension Resource.Kind: PostgresEncodable, PostgresDecodable {}

/// The SQL of resources; columns are named after the keys of `Resource`.
enum ResourceStore {
    private static let columns: SQL = """
        id, kind, title, summary, text, link, organization, rights, embargo_until as "embargoUntil",
        expires_at as "expiresAt", version, created_at as "createdAt", updated_at as "updatedAt"
        """

    static func create(_ body: CreateResource.Body, in transaction: PostgresTransaction) async throws -> Rows {
        try await transaction.query(
            """
            insert into resource (id, kind, title, summary, text, link, organization, rights, embargo_until, expires_at)
            values (\(Resource.ID()), \(body.kind), \(body.title), \(body.summary), \(body.text), \(body.link),
                    \(body.organization), \(body.rights), \(body.embargoUntil), \(body.expiresAt))
            returning \(columns)
            """)
    }

    static func get(_ id: Resource.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from resource where id = \(id)")
    }

    static func list(
        _ query: ListResources.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let kind = query.kind { rules.append("kind = \(kind)") }
        if let organization = query.organization { rules.append("organization = \(organization)") }
        if let key = page.after?.first { rules.append("id < \(key)::uuid") }
        return try await executor.query(
            """
            select \(columns) from resource
            where \(rules.all)
            order by id desc limit \(page.limit + 1)
            """)
    }

    /// Applies the patch if the version is still the one it is based on; no row otherwise.
    static func change(
        _ id: Resource.ID, _ patch: ChangeResource.Body, basedOn version: Int, in transaction: PostgresTransaction
    ) async throws -> Rows {
        try await transaction.query(
            """
            update resource set
                title = coalesce(\(patch.title), title),
                summary = case when \(patch.summary != nil) then \(patch.summary ?? nil) else summary end,
                text = case when \(patch.text != nil) then \(patch.text ?? nil) else text end,
                link = case when \(patch.link != nil) then \(patch.link ?? nil) else link end,
                rights = case when \(patch.rights != nil) then \(patch.rights ?? nil) else rights end,
                embargo_until = case when \(patch.embargoUntil != nil) then \(patch.embargoUntil ?? nil)
                                     else embargo_until end,
                expires_at = case when \(patch.expiresAt != nil) then \(patch.expiresAt ?? nil) else expires_at end,
                version = version + 1,
                updated_at = now()
            where id = \(id) and version = \(version)
            returning \(columns)
            """)
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object('kind', kind, 'title', title, 'organization', organization) as data
        from resource where id = any(\(ids))
        """
    }
}
