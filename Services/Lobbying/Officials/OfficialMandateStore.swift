import ClubProtocol
import Postgres
import ServiceKit

/// The SQL of officials' mandates; columns are named after the keys of `OfficialMandate`.
enum OfficialMandateStore {
    private static let columns: SQL = """
        id, official, institution, role, departement, constituency, from_day as "from", until_day as until,
        created_at as "createdAt"
        """

    /// Adds a mandate and increases the version of its official, whose representation includes it.
    ///
    /// - Throws: `PostgresError` of constraint `official_mandate_seat_free` when someone else holds the seat at that
    ///   time.
    static func add(
        _ body: AddOfficialMandate.Body, to official: Official.ID, in transaction: PostgresTransaction
    ) async throws -> Rows {
        let seat = try await seat(of: body, in: transaction)
        try await transaction.execute(
            "update official set version = version + 1, updated_at = now() where id = \(official)")
        return try await transaction.query(
            """
            insert into official_mandate (
                id, official, institution, role, departement, constituency, seat, from_day, until_day)
            values (
                \(OfficialMandate.ID()), \(official), \(body.institution), \(body.role), \(body.departement),
                \(body.constituency), \(seat), \(body.from), \(body.until))
            returning \(columns)
            """)
    }

    /// The number of the seat, a new one if no one has held it before; nil if there is no constituency. Case is
    /// ignored.
    private static func seat(of body: AddOfficialMandate.Body, in transaction: PostgresTransaction) async throws
        -> Int64?
    {
        guard let constituency = body.constituency else { return nil }
        return try await transaction.query(
            """
            insert into seat (institution, departement, constituency)
            values (lower(\(body.institution)), coalesce(\(body.departement), ''), lower(\(constituency)))
            on conflict on constraint seat_once do update set constituency = excluded.constituency
            returning id
            """
        ).first?["id"]
    }

    static func list(
        of official: Official.ID, _ page: PageRequest, on executor: any PostgresExecutor
    ) async throws -> Rows {
        var rules: [SQL] = ["official = \(official)"]
        if let after = try page.position(of: OfficialMandate.self) {
            rules.append("(from_day, id) > (\(after.key)::date, \(after.id))")
        }
        return try await executor.query(
            """
            select \(columns) from official_mandate where \(rules.all)
            order by from_day, id
            limit \(page.limit + 1)
            """)
    }
}
