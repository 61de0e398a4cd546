import ClubProtocol
import Postgres
import ServiceKit

extension Official.Kind: PostgresEncodable, PostgresDecodable {}

/// The SQL of officials; columns are named after the keys of `Official`.
enum OfficialStore {
    private static let columns: SQL = """
        official.id, name, kind, email, telephone, note,
        (
            select coalesce(json_agg(json_strip_nulls(json_build_object(
                'id', mandate.id, 'official', mandate.official, 'institution', mandate.institution,
                'role', mandate.role, 'departement', mandate.departement, 'constituency', mandate.constituency,
                'from', mandate.from_day, 'until', mandate.until_day, 'createdAt', rfc3339(mandate.created_at)
            )) order by mandate.from_day, mandate.id), '[]')
            from official_mandate mandate where mandate.official = official.id
        ) as mandates,
        version, created_at as "createdAt", updated_at as "updatedAt"
        """

    static func create(_ body: CreateOfficial.Body, in transaction: PostgresTransaction) async throws -> Official.ID {
        let id = Official.ID()
        try await transaction.execute(
            """
            insert into official (id, name, kind, email, telephone, note)
            values (\(id), \(body.name), \(body.kind), \(body.email), \(body.telephone), \(body.note))
            """)
        return id
    }

    static func exists(_ id: Official.ID, on executor: any PostgresExecutor) async throws -> Bool {
        try await !executor.query("select from official where id = \(id)").isEmpty
    }

    static func get(_ id: Official.ID, on executor: any PostgresExecutor) async throws -> Rows {
        try await executor.query("select \(columns) from official where official.id = \(id)")
    }

    static func list(
        _ query: ListOfficials.Query, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = []
        if let kind = query.kind { rules.append("kind = \(kind)") }
        if let day = query.inOfficeOn {
            rules.append(
                """
                exists (
                    select from official_mandate mandate
                    where mandate.official = official.id
                        and \(day)::date between mandate.from_day and coalesce(mandate.until_day, 'infinity'))
                """)
        }
        if let after = try page.position(of: Official.self) {
            rules.append("(name, official.id) > (\(after.key), \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns) from official
            where \(rules.all)
            order by name, official.id
            limit \(page.limit + 1)
            """)
    }

    /// The state that a change of an official starts from; the row is locked until the transaction ends.
    struct Current: Decodable {
        var name: Line
        var kind: Official.Kind
        var email: EmailAddress?
        var telephone: Telephone?
        var note: Prose?
        var version: Int

        /// The official after a merge patch: fields absent from the patch are unchanged, null clears.
        func applying(_ patch: ChangeOfficial.Body) -> Self {
            var official = self
            if let name = patch.name { official.name = name }
            if let kind = patch.kind { official.kind = kind }
            if let email = patch.email { official.email = email }
            if let telephone = patch.telephone { official.telephone = telephone }
            if let note = patch.note { official.note = note }
            return official
        }
    }

    static func lock(_ id: Official.ID, in transaction: PostgresTransaction) async throws -> Current? {
        try await transaction.query(
            "select name, kind, email, telephone, note, version from official where id = \(id) for update"
        ).first?.decode(Current.self)
    }

    static func change(_ id: Official.ID, to official: Current, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            update official set name = \(official.name), kind = \(official.kind), email = \(official.email),
                telephone = \(official.telephone), note = \(official.note), version = version + 1, updated_at = now()
            where id = \(id)
            """)
    }

    /// What followers of the change feed receive.
    static func snapshot(of ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_build_object('name', name, 'kind', kind, 'version', version) as data
        from official where id = any(\(ids))
        """
    }
}
