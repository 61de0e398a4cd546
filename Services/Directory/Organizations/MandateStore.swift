import ClubProtocol
import Postgres
import ServiceKit

/// The people who represent organizations, and when.
enum MandateStore {
    private static let columns: SQL = """
        id, person, organization, kind, from_day as "from", until_day as "until", version, created_at as "createdAt",
        updated_at as "updatedAt"
        """

    static func create(
        _ id: Mandate.ID, of organization: Organization.ID, _ body: CreateMandate.Body,
        in transaction: PostgresTransaction
    ) async throws -> Rows {
        try checkDays(body.from, body.until, of: .mandate)
        return try await transaction.query(
            """
            insert into mandate (id, person, organization, kind, from_day, until_day)
            values (\(id), \(body.person), \(organization), \(body.kind), \(body.from), \(body.until))
            returning \(columns)
            """)
    }

    static func list(
        _ query: ListAllMandates.Filter, _ page: PageRequest, for principal: Principal,
        on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules = SQL.recordsOfOrganizations(visibleTo: principal)
        if let organization = query.organization { rules.append("organization = \(organization)") }
        if let kind = query.kind { rules.append("kind = \(kind)") }
        if let person = query.person { rules.append("person = \(person)") }
        if let day = query.asOf { rules.append(.isActive(on: day)) }
        if let after = try page.position(of: Mandate.self) {
            rules.append("(from_day, id) < (\(after.key)::date, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns) from mandate
            where \(rules.all)
            order by from_day desc, id desc limit \(page.limit + 1)
            """)
    }

    static func change(
        _ path: MandatePath, _ patch: ChangeMandate.Body, at version: Int?, in transaction: PostgresTransaction
    ) async throws -> Rows {
        guard
            let row = try await transaction.first(
                """
                select \(columns) from mandate
                where id = \(path.mandate) and organization = \(path.organization)
                for no key update
                """)
        else { throw Problem(.notFound) }
        var mandate = try row.decode(Mandate.self, at: version)
        if let value = patch.from { mandate.from = value }
        if let value = patch.until { mandate.until = value }
        try checkDays(mandate.from, mandate.until, of: .mandate, patch.from, patch.until)
        return try await transaction.query(
            """
            update mandate set
                from_day = \(mandate.from), until_day = \(mandate.until), version = version + 1, updated_at = now()
            where id = \(path.mandate)
            returning \(columns)
            """)
    }

    static func delete(_ path: MandatePath, at version: Int?, in transaction: PostgresTransaction) async throws {
        let row = try await transaction.first(
            """
            select version from mandate
            where id = \(path.mandate) and organization = \(path.organization) for update
            """)
        guard let row else { throw Problem(.notFound) }
        guard try row["version", as: Int.self] == version else { throw Problem(.stale) }
        try await transaction.execute("delete from mandate where id = \(path.mandate)")
    }

    /// - Throws: 422 if the last day is before the first.
    private static func checkOrder(_ from: Day, _ until: Day?) throws {
        guard let until, until < from else { return }
        throw Problem.invalid("/until", "is before the first day")
    }

    /// - Throws: 422 for days out of range, or if the last is before the first.
    static func checkDays(_ from: Day, _ until: Day?, of meaning: DayMeaning) throws {
        try meaning.check(from, at: "/from")
        try DayMeaning.end.check(until, at: "/until")
        try checkOrder(from, until)
    }

    /// After a patch: only days that it changes are checked for their range.
    static func checkDays(
        _ from: Day, _ until: Day?, of meaning: DayMeaning, _ newFrom: Day?, _ newUntil: Patched<Day>
    ) throws {
        try meaning.check(newFrom, at: "/from")
        try DayMeaning.end.check(newUntil ?? nil, at: "/until")
        try checkOrder(from, until)
    }

    /// The mandates with these identifiers as they are now, for the change feed.
    static func snapshot(_ ids: ChangedIDs) -> SQL {
        """
        select id, jsonb_strip_nulls(to_jsonb(found)) as data
        from (select \(columns) from mandate where id = any(\(ids))) as found
        """
    }
}
