import ClubProtocol
import Postgres

// The statements of an import of ambassadors, whose people are known. Each takes a batch of rows as one JSON parameter.
extension AmbassadorRow {
    /// A person is one ambassador.
    static func match(
        _ rows: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch] {
        try await transaction.query(
            """
            select row.row, case when ambassador.id is not null then array[ambassador.id] end as records,
                array['person ' || row.person] as keys
            from \(recordset(rows)) left join ambassador on ambassador.person = row.person
            order by row.row
            """
        ).decode(ImportMatch.self)
    }

    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            insert into ambassador (id, person, name, organization, topics, departements, enrolled_on, left_on)
            select row.id, person.id, full_name, \(PersonRow.organization), coalesce(topics, '{}'),
                coalesce(departements, '{}'), coalesce("enrolledOn", (now() at time zone 'Europe/Paris')::date), "leftOn"
            from \(recordset(rows)) join person on person.id = row.person
            """)
    }

    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten] {
        let said = ExistingRecord("ambassador", filling: filling)
        return try await transaction.query(
            """
            update ambassador set
                organization = said.organization, topics = said.topics, departements = said.departements,
                version = version + 1, updated_at = now()
            from (
                select ambassador.id, \(said.text("organization", PersonRow.organization)),
                    \(said.list("topics", "row.topics")), \(said.list("departements", "row.departements"))
                from \(recordset(rows)) join ambassador on ambassador.id = row.id
            ) as said
            where ambassador.id = said.id and (
                ambassador.organization, ambassador.topics, ambassador.departements
            ) is distinct from (said.organization, said.topics, said.departements)
            returning ambassador.id, ambassador.version
            """
        ).decode(ImportWritten.self)
    }

    private static func recordset(_ rows: JSONText) -> SQL {
        """
        jsonb_to_recordset(\(rows)) as row (
            row int, id uuid, person uuid, organization uuid, siret text, "organizationName" text, topics text[],
            departements text[], "enrolledOn" date, "leftOn" date)
        """
    }
}
