import ClubProtocol
import Postgres

/// The statements of an import. Each takes a batch of rows as one JSON parameter.
enum ImportStore {
    /// With whom a row was matched.
    struct Match: Decodable {
        var row: Int
        /// One expert: it is that one; several: who knows; absent: nobody, the row is a new expert.
        var experts: [Expert.ID]?
        /// By what a later row of the same batch would be matched with this one.
        var keys: [String]
    }

    struct Written: Decodable {
        var id: Expert.ID
        var version: Int
    }

    /// One import at a time: two at once could both take the same firm for new.
    static func lock(in transaction: PostgresTransaction) async throws {
        let rows = try await transaction.query(
            "select pg_try_advisory_xact_lock(hashtextextended('directory.imports.experts', 0)) as mine")
        guard try rows.first?["mine", as: Bool.self] == true else { throw Problem(.importRunning) }
    }

    static func vocabulary(in transaction: PostgresTransaction) async throws -> TopicVocabulary {
        let rows = try await transaction.query("select code, label from topic")
        return TopicVocabulary(try rows.map { row in (try row["code"], try row["label"]) })
    }

    /// The one policy of matching: by SIRET; else by e-mail, where SIRETs do not speak against it, if several share
    /// it by the name too; else by name, without accents, case and signs, and postal code.
    static func match(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [Match] {
        try await transaction.query(
            """
            with row as (
                select row, siret, lower(email) as email, directory.name_key(name) as name_key, "postalCode" as postal_code
                from jsonb_to_recordset(\(rows))
                    as row (row int, siret text, email text, name text, "postalCode" text)),
            by_siret as (
                select row, array[id] as experts from row join expert using (siret)),
            by_email as (
                select row, coalesce(
                    array_agg(expert.id) filter (where expert.name_key = row.name_key), array_agg(expert.id)) as experts
                from row join expert on lower(expert.email) = row.email
                where expert.siret is null or row.siret is null
                group by row),
            by_name as (
                select row, array_agg(expert.id) as experts
                from row join expert using (name_key, postal_code)
                where expert.siret is null or row.siret is null
                group by row)
            select row, coalesce(by_siret.experts, by_email.experts, by_name.experts) as experts,
                array_remove(array[
                    'siret ' || siret, 'email ' || email, 'name ' || postal_code || ' ' || name_key], null) as keys
            from row left join by_siret using (row) left join by_email using (row) left join by_name using (row)
            order by row
            """
        ).decode(Match.self)
    }

    /// Adds new experts.
    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            insert into expert (
                id, sub_kind, name, siret, contact_name, email, telephone, postal_code, commune, departement,
                departements, topics, brands, website, consents)
            select id, "subKind", name, siret, "contactName", email, telephone, "postalCode", commune, departement,
                coalesce(departements, array[departement]), coalesce(topics, '{}'), coalesce(brands, '{}'), website,
                directory.with_consents('{}', coalesce(consents, '{}'))
            from \(recordset(rows))
            """)
    }

    /// Sets what the rows say, and leaves experts alone of whom they say nothing new; gives those changed.
    static func update(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [Written] {
        try await transaction.query(
            """
            update expert set
                sub_kind = said.sub_kind, name = said.name, siret = said.siret, contact_name = said.contact_name,
                email = said.email, telephone = said.telephone, postal_code = said.postal_code, commune = said.commune,
                departement = said.departement, departements = said.departements, topics = said.topics,
                brands = said.brands, website = said.website, consents = said.consents,
                version = version + 1, updated_at = now()
            from (
                select expert.id, coalesce(row."subKind", expert.sub_kind) as sub_kind,
                    coalesce(row.name, expert.name) as name, coalesce(row.siret, expert.siret) as siret,
                    coalesce(row."contactName", expert.contact_name) as contact_name,
                    coalesce(row.email, expert.email) as email, coalesce(row.telephone, expert.telephone) as telephone,
                    coalesce(row."postalCode", expert.postal_code) as postal_code,
                    coalesce(row.commune, expert.commune) as commune,
                    coalesce(row.departement, expert.departement) as departement,
                    coalesce(row.departements, expert.departements) as departements,
                    coalesce(row.topics, expert.topics) as topics, coalesce(row.brands, expert.brands) as brands,
                    coalesce(row.website, expert.website) as website,
                    directory.with_consents(expert.consents, coalesce(row.consents, '{}')) as consents
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
        ).decode(Written.self)
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
