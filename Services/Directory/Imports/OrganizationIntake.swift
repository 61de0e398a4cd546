import ClubProtocol
import Postgres

// The statements of an import of organizations. Each takes a batch of rows as one JSON parameter.
extension OrganizationRow {
    /// As experts are: by SIRET, else by e-mail, else by name and postal code; those without one among themselves. The head
    /// of network is another organization, by SIRET or by a SIREN that only one has; one that is not there may come later.
    static func match(
        _ rows: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch] {
        try await transaction.query(
            """
            with row as (
                select row, siret, lower(email) as email, directory.name_key(name) as name_key,
                    coalesce("postalCode", '') as postal_code, parent, "parentSiret" as parent_siret,
                    "parentSiren" as parent_siren, siren, kind, "subKind" as sub_kind
                from jsonb_to_recordset(\(rows)) as row (
                    row int, siret text, email text, name text, "postalCode" text, parent uuid, "parentSiret" text,
                    "parentSiren" text, siren text, kind text, "subKind" text)),
            by_siret as (
                select row, array[id] as records from row join organization using (siret)),
            by_email as (
                select row, coalesce(
                    array_agg(o.id) filter (where directory.name_key(o.name) = row.name_key), array_agg(o.id)) as records
                from row join organization o on lower(o.email) = row.email
                where o.siret is null or row.siret is null
                group by row),
            by_name as (
                select row, array_agg(o.id) as records
                from row join organization o
                    on directory.name_key(o.name) = row.name_key and coalesce(o.postal_code, '') = row.postal_code
                where o.siret is null or row.siret is null
                group by row),
            head as (
                select row, array_agg(id) as heads
                from (
                    select row, o.id from row join organization o on o.id = row.parent
                    union all select row, o.id from row join organization o on o.siret = row.parent_siret
                    union all select row, o.id from row join organization o on o.siren = row.parent_siren) as found
                group by row),
            matched as (
                select row, coalesce(by_siret.records, by_email.records, by_name.records) as records,
                    array_remove(array[
                        'siret ' || siret, 'email ' || email, 'name ' || postal_code || ' ' || name_key], null) as keys,
                    heads, coalesce(parent::text, parent_siret, parent_siren) is not null as has_head, siret, siren,
                    kind, sub_kind
                from row left join by_siret using (row) left join by_email using (row) left join by_name using (row)
                    left join head using (row))
            select row, records, keys, has_head and heads is null as waits,
                case when known.parent is distinct from heads[1] then heads[1] end as head,
                case
                    when cardinality(heads) > 1
                        then 'Several organizations have the SIREN of its head of network: the SIRET would tell.'
                    when heads[1] = known.id then 'An organization is not its own head of network.'
                    when known.parent is distinct from heads[1] and exists (
                        with recursive above (id) as (
                            select heads[1]
                            union
                            select o.parent from organization o join above on o.id = above.id where o.parent is not null)
                        select from above where above.id = known.id)
                        then 'Its head of network is one of its own branches.'
                    else \(contradiction(of: existing))
                end as fault
            from matched left join organization known on known.id = records[1] and cardinality(records) = 1
            order by row
            """
        ).decode(ImportMatch.self)
    }

    /// What a row says that cannot be true of the organization that it was matched with.
    private static func contradiction(of existing: Import.Existing) -> SQL {
        switch existing {
        case .skip: "null"
        case .fill:
            """
            case
                when matched.siren <> coalesce(known.siren, left(known.siret, 9))
                    then 'The organization that is there has another SIREN.'
            end
            """
        case .update:
            """
            case
                when matched.siret is null and matched.siren <> left(known.siret, 9)
                    then 'The organization that is there has a SIRET of another SIREN.'
                when matched.kind <> known.kind and matched.sub_kind is null and known.sub_kind is not null
                    then 'The organization that is there is of a sort that this kind has not.'
                when matched.kind <> known.kind and known.agency is not null
                    then 'The organization that is there is a brand with an agency.'
            end
            """
        }
    }

    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws {
        try await transaction.execute(
            """
            insert into organization (
                id, kind, sub_kind, name, siren, siret, street, postal_code, commune, departement, email, telephone,
                website, topics, parent, public_directory)
            select id, coalesce(kind, "kindOfNew"), "subKind", name, siren, siret, street, "postalCode", commune,
                directory.departement_at("postalCode", departement), email, telephone, website, coalesce(topics, '{}'), \(head),
                coalesce("publicDirectory", true)
            from \(recordset(rows))
            """)
    }

    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten] {
        let said = ExistingRecord("organization", filling: filling)
        return try await transaction.query(
            """
            update organization set
                kind = said.kind, sub_kind = said.sub_kind, name = said.name, siren = said.siren, siret = said.siret,
                street = said.street, postal_code = said.postal_code, commune = said.commune,
                departement = said.departement, email = said.email, telephone = said.telephone,
                website = said.website, topics = said.topics, parent = said.parent,
                public_directory = said.public_directory, version = version + 1,
                updated_at = now()
            from (
                select organization.id, \(said.text("name", "row.name")),
                    \(said.together([("kind", "row.kind"), ("sub_kind", #"row."subKind""#)])),
                    \(said.together([("siren", "row.siren"), ("siret", "row.siret")])),
                    \(said.together(seat)), \(said.text("email", "row.email")),
                    \(said.text("telephone", "row.telephone")), \(said.text("website", "row.website")),
                    \(said.list("topics", "row.topics")), \(said.text("parent", head)),
                    \(said.text("public_directory", #"row."publicDirectory""#))
                from \(recordset(rows)) join organization using (id)
            ) as said
            where organization.id = said.id and (
                organization.kind, organization.sub_kind, organization.name, organization.siren, organization.siret,
                organization.street, organization.postal_code, organization.commune, organization.departement,
                organization.email, organization.telephone, organization.website, organization.topics,
                organization.parent, organization.public_directory
            ) is distinct from (
                said.kind, said.sub_kind, said.name, said.siren, said.siret, said.street, said.postal_code, said.commune,
                said.departement, said.email, said.telephone, said.website, said.topics, said.parent,
                said.public_directory)
            returning organization.id, organization.version
            """
        ).decode(ImportWritten.self)
    }

    private static let seat: [(column: SQL, cell: SQL)] = [
        ("street", "row.street"), ("postal_code", #"row."postalCode""#), ("commune", "row.commune"),
        ("departement", SQL.importedDepartement(of: "organization")),
    ]

    /// After the match there is not more than one.
    private static let head: SQL = """
        coalesce(
            row.parent, (select o.id from organization o where o.siret = row."parentSiret"),
            (select o.id from organization o where o.siren = row."parentSiren" order by o.id limit 1))
        """

    private static func recordset(_ rows: JSONText) -> SQL {
        """
        jsonb_to_recordset(\(rows)) as row (
            row int, id uuid, kind text, "subKind" text, name text, siren text, siret text, street text,
            "postalCode" text, commune text, departement text, email text, telephone text, website text, topics text[],
            "kindOfNew" text, parent uuid, "parentSiret" text, "parentSiren" text,
            "publicDirectory" boolean)
        """
    }
}
