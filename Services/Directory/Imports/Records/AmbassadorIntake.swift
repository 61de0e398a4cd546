import ClubProtocol
import Postgres
import ServiceKit

// The statements of an import of ambassadors whose people are known. Each takes a batch of rows as one JSON parameter.
extension AmbassadorRow {
    /// The record that a row's identifier refers to.
    private struct Named: Decodable {
        var row: Int
        var person: Identifier<ImportRow>?
        var fault: String?
    }

    /// The rows with the people that their identifiers refer to; rows whose identifiers refer to no one, or to two
    /// people, are rejected.
    static func named(
        _ rows: [AmbassadorRow], in transaction: PostgresTransaction, into outcome: inout ImportOutcome
    ) async throws -> [AmbassadorRow] {
        let naming = rows.filter { $0.identifier != nil }
        guard !naming.isEmpty else { return rows }
        let found = try await transaction.query(
            """
            select row.row, ambassador.person, coalesce(
                \(NamedRecord.fault("ambassador.id", kind: "ambassador")),
                case when row.person <> ambassador.person then 'The two identifiers are not of one ambassador.' end) as fault
            from \(recordset(try JSONText(encoding: naming)))
                left join ambassador on ambassador.id = row.identifier
            """
        ).decode(Named.self)
        let known = Dictionary(uniqueKeysWithValues: found.map { ($0.row, $0) })
        return rows.compactMap { row in
            guard let named = known[row.row] else { return row }
            if let fault = named.fault {
                outcome.reject(row.row, [.init(column: nil, detail: fault)])
                return nil
            }
            var row = row
            row.who.identifier = named.person ?? row.person
            return row
        }
    }

    /// A person is at most one ambassador.
    static func match(
        _ rows: JSONText, for matching: ImportMatching, in transaction: PostgresTransaction
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

    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [ImportLeftOut] {
        try await transaction.execute(
            """
            insert into ambassador (id, person, name, organization, topics, departements, enrolled_on, left_on)
            select row.id, person.id, full_name, \(PersonRow.organization), coalesce(topics, '{}'),
                coalesce(departements, '{}'), coalesce("enrolledOn", directory.today()), "leftOn"
            from \(recordset(rows)) join person on person.id = row.person
            """)
        return []
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
                select ambassador.id,
                    \(said.text("organization", PersonRow.organization, emptiedAs: "organization")),
                    \(said.list("topics", "row.topics", emptiedAs: "topics")),
                    \(said.list("departements", "row.departements", emptiedAs: "departements"))
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
            row int, id uuid, identifier uuid, "isForeign" boolean, emptied text[], person uuid, organization uuid, siret text, "organizationName" text, topics text[],
            departements text[], "enrolledOn" date, "leftOn" date)
        """
    }
}
