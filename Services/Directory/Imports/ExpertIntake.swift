import ClubProtocol
import Postgres

// The statements of an import of experts. Each takes a batch of rows as one JSON parameter.
extension ExpertRow {
    /// The one policy of matching: by SIRET; else by e-mail, where SIRETs do not speak against it, if several share
    /// it by the name too; else by name, without accents, case and signs, and postal code.
    static func match(
        _ rows: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch] {
        try await transaction.query(
            """
            with row as (
                select row, siret, lower(email) as email, directory.name_key(name) as name_key, "postalCode" as postal_code
                from jsonb_to_recordset(\(rows))
                    as row (row int, siret text, email text, name text, "postalCode" text)),
            by_siret as (
                select row, array[id] as records from row join expert using (siret)),
            by_email as (
                select row, coalesce(
                    array_agg(expert.id) filter (where expert.name_key = row.name_key), array_agg(expert.id)) as records
                from row join expert on lower(expert.email) = row.email
                where expert.siret is null or row.siret is null
                group by row),
            by_name as (
                select row, array_agg(expert.id) as records
                from row join expert using (name_key, postal_code)
                where expert.siret is null or row.siret is null
                group by row)
            select row, coalesce(by_siret.records, by_email.records, by_name.records) as records,
                array_remove(array[
                    'siret ' || siret, 'email ' || email, 'name ' || postal_code || ' ' || name_key], null) as keys
            from row left join by_siret using (row) left join by_email using (row) left join by_name using (row)
            order by row
            """
        ).decode(ImportMatch.self)
    }

    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            insert into expert (
                id, sub_kind, name, siret, contact_name, email, telephone, postal_code, commune, departement,
                departements, topics, brands, website, consents)
            select id, "subKind", name, siret, "contactName", email, telephone, "postalCode", commune,
                directory.departement_at("postalCode", departement),
                coalesce(departements, array[directory.departement_at("postalCode", departement)]), coalesce(topics, '{}'), coalesce(brands, '{}'), website,
                directory.with_consents('{}', coalesce(consents, '{}'))
            from \(recordset(rows))
            """)
    }

    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten] {
        let said = ExistingRecord("expert", filling: filling)
        return try await transaction.query(
            """
            update expert set
                sub_kind = said.sub_kind, name = said.name, siret = said.siret, contact_name = said.contact_name,
                email = said.email, telephone = said.telephone, postal_code = said.postal_code, commune = said.commune,
                departement = said.departement, departements = said.departements, topics = said.topics,
                brands = said.brands, website = said.website, consents = said.consents,
                version = version + 1, updated_at = now()
            from (
                select expert.id, \(said.text("sub_kind", #"row."subKind""#)), \(said.text("name", "row.name")),
                    \(said.text("siret", "row.siret")), \(said.text("contact_name", #"row."contactName""#)),
                    \(said.text("email", "row.email")), \(said.text("telephone", "row.telephone")),
                    \(said.text("postal_code", #"row."postalCode""#)), \(said.text("commune", "row.commune")),
                    \(said.text("departement", SQL.importedDepartement(of: "expert"))), \(said.list("departements", "row.departements")),
                    \(said.list("topics", "row.topics")), \(said.list("brands", "row.brands")),
                    \(said.text("website", "row.website")), \(said.consents)
                from \(recordset(rows)) join expert using (id)
            ) as said
            where expert.id = said.id and (
                expert.sub_kind, expert.name, expert.siret, expert.contact_name, expert.email, expert.telephone,
                expert.postal_code, expert.commune, expert.departement, expert.departements, expert.topics,
                expert.brands, expert.website, expert.consents
            ) is distinct from (
                said.sub_kind, said.name, said.siret, said.contact_name, said.email, said.telephone, said.postal_code,
                said.commune, said.departement, said.departements, said.topics, said.brands, said.website, said.consents)
            returning expert.id, expert.version
            """
        ).decode(ImportWritten.self)
    }

    private static func recordset(_ rows: JSONText) -> SQL {
        """
        jsonb_to_recordset(\(rows)) as row (
            row int, id uuid, "subKind" text, name text, siret text, "contactName" text, email text, telephone text,
            "postalCode" text, commune text, departement text, departements text[], topics text[], brands text[],
            website text, consents jsonb)
        """
    }
}
