import ClubProtocol
import Postgres

// The statements of an import of experts. Each takes a batch of rows as one JSON parameter.
extension ExpertRow {
    /// The one matching policy: by identifier; by SIRET; otherwise by e-mail, and also by name if several share it;
    /// otherwise by name, ignoring accents, case and punctuation, with the postal code, or the town if there is none.
    /// E-mail and name are weak keys: they do not override contradicting data (``Firms``).
    static func match(
        _ rows: JSONText, for matching: ImportMatching, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch] {
        try await transaction.query(
            """
            with row as (
                select row, identifier, "isForeign", siret, left(siret, 9) as siren, lower(email) as email,
                    directory.name_key(name) as name_key, "postalCode" as postal_code, commune,
                    case when "postalCode" is null then directory.town_key(commune) end as town
                from jsonb_to_recordset(\(rows)) as row (
                    row int, identifier uuid, "isForeign" boolean, siret text, email text, name text, "postalCode" text,
                    commune text)),
            by_siret as (
                select row, array[id] as records from row join expert using (siret)),
            by_email as (
                \(Firms.byAddress)
                from row cross join lateral (
                    select *, count(*) over () as company, coalesce(name_key = row.name_key, true) as is_namesake
                    from (
                        select id, name_key, left(siret, 9) as siren, siret, commune, postal_code from expert
                        where lower(expert.email) = row.email limit \(Firms.crowd + 1)) as found) as other
                where company <= \(Firms.crowd) and not \(Firms.areTwo("other", for: matching))
                group by row),
            by_name as (
                select row, array_agg(namesake.id) as records
                from (
                        select row, row.siret, id, expert.siret as known
                        from row join expert using (name_key, postal_code)
                        union all
                        select row, row.siret, id, expert.siret
                        from row join expert on expert.name_key = row.name_key and expert.postal_code is null
                        where row.postal_code is null and directory.town_key(expert.commune) = row.town) as namesake
                where namesake.known is null or namesake.siret is null
                group by row)
            select row, case when named.id is not null then array[named.id]
                    else coalesce(by_siret.records, by_email.records, by_name.records) end as records,
                named.id is null and by_siret.records is null and is_renaming as "isRenaming",
                \(NamedRecord.fault("named.id", kind: "expert")) as fault,
                array_remove(array[
                    'id ' || row.identifier, 'siret ' || row.siret, 'email ' || row.email,
                    'name ' || coalesce(row.postal_code, row.town) || ' ' || row.name_key], null) as keys
            from row left join by_siret using (row) left join by_email using (row) left join by_name using (row)
                left join expert named on named.id = row.identifier
            order by row
            """
        ).decode(ImportMatch.self)
    }

    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [ImportLeftOut] {
        try await transaction.execute(
            """
            insert into expert (
                id, sub_kind, name, siret, contact_name, email, telephone, postal_code, commune, departement,
                departements, topics, brands, website, consents)
            select id, "subKind", name, siret, "contactName", email, telephone, "postalCode", commune,
                directory.departement_at("postalCode", departement),
                coalesce(departements, array[directory.departement_at("postalCode", departement)]),
                coalesce(topics, '{}'), coalesce(brands, '{}'), website, \(ExistingRecord.firstConsents)
            from \(recordset(rows)) \(ExistingRecord.declined(at: "array[row.email]", unless: isAnotherFirms))
            """)
        return []
    }

    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten] {
        let known = ExistingRecord("expert", filling: filling)
        return try await transaction.query(
            """
            update expert set
                sub_kind = said.sub_kind, name = said.name, siret = said.siret, contact_name = said.contact_name,
                email = said.email, telephone = said.telephone, postal_code = said.postal_code, commune = said.commune,
                departement = said.departement, departements = said.departements, topics = said.topics,
                brands = said.brands, website = said.website, consents = \(known.newConsents),
                version = version + 1, updated_at = now()
            from (
                select expert.id, \(known.text("sub_kind", #"row."subKind""#)), \(known.text("name", "row.name")),
                    \(known.text("siret", "row.siret", emptiedAs: "siret")),
                    \(known.text("contact_name", #"row."contactName""#, emptiedAs: "contactName")),
                    \(known.text("email", "row.email", emptiedAs: "email")),
                    \(known.text("telephone", "row.telephone", emptiedAs: "telephone")),
                    \(known.text("postal_code", postalCode(filling: filling))), \(known.text("commune", "row.commune")),
                    \(known.text("departement", departement)),
                    \(known.list("departements", "row.departements", emptiedAs: "departements")),
                    \(known.list("topics", "row.topics", emptiedAs: "topics")),
                    \(known.list("brands", "row.brands", emptiedAs: "brands")),
                    \(known.text("website", "row.website", emptiedAs: "website")), \(ExistingRecord.consents)
                from \(recordset(rows)) join expert using (id)
                    \(ExistingRecord.declined(at: "array[row.email, expert.email]", unless: isAnotherFirms))
            ) as said
            where expert.id = said.id and (
                expert.sub_kind, expert.name, expert.siret, expert.contact_name, expert.email, expert.telephone,
                expert.postal_code, expert.commune, expert.departement, expert.departements, expert.topics,
                expert.brands, expert.website, expert.consents
            ) is distinct from (
                said.sub_kind, said.name, said.siret, said.contact_name, said.email, said.telephone, said.postal_code,
                said.commune, said.departement, said.departements, said.topics, said.brands, said.website,
                \(known.newConsents))
            returning expert.id, expert.version
            """
        ).decode(ImportWritten.self)
    }

    /// An empty postal code of an expert abroad is not filled with a French one: its location stays.
    private static func postalCode(filling: Bool) -> SQL {
        let code: SQL = #"row."postalCode""#
        return filling ? "case when directory.departement_of(\(code)) = '990' then \(code) end" : code
    }

    /// Without any postal code it stays abroad.
    private static let departement: SQL = """
        case when coalesce(row."postalCode", expert.postal_code) is not null
            then \(SQL.importedDepartement(of: "expert")) end
        """

    /// Where two firms share a mailbox, each decides for itself whether to be in the public directory, which does not
    /// show the mailbox; but if one of them declined mail, the mailbox declined it.
    private static let isAnotherFirms: SQL = """
        (other.purpose = 'publicDirectory' and exists (
            select from (
                select siret, left(siret, 9) as siren, name_key, commune, postal_code from expert
                where expert.id = other.record) as firm
                cross join lateral (
                    select row.siret, left(row.siret, 9) as siren, directory.name_key(row.name) as name_key, row.commune,
                        row."postalCode" as postal_code) as said
            where \(Firms.areTwo("firm", row: "said"))))
        """

    static func leftOut(
        _ rows: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportLeftOut] {
        try await ImportLeftOut.consents(rows, of: "expert", for: existing, in: transaction)
    }

    private static func recordset(_ rows: JSONText) -> SQL {
        """
        jsonb_to_recordset(\(rows)) as row (
            row int, id uuid, "subKind" text, name text, siret text, "contactName" text, email text, telephone text,
            "postalCode" text, commune text, departement text, departements text[], topics text[], brands text[],
            website text, emptied text[], consents jsonb, "consentDate" date)
        """
    }
}
