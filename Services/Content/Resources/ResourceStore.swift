import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of resources; columns are named after the keys of ``Resource``.
enum ResourceStore {
    static let columns: SQL = """
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

    static func get(_ id: Resource.ID, on database: some PostgresExecutor) async throws -> Rows {
        try await database.query("select \(columns) from resource where id = \(id)")
    }

    static func list(
        _ query: ListResources.Query, _ page: PageRequest, on database: some PostgresExecutor
    ) async throws -> Rows {
        let kind: SQL = if let kind = query.kind { "and kind = \(kind)" } else { "" }
        let organization: SQL =
            if let organization = query.organization { "and organization = \(organization)" } else { "" }
        let after: SQL = if let key = page.after?.first { "and id < \(key)::uuid" } else { "" }
        return try await database.query(
            """
            select \(columns) from resource
            where true \(kind) \(organization) \(after)
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
}
