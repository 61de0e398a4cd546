import ClubProtocol
import Postgres

// The statements of an import of organizations. Each takes a batch of rows as one JSON parameter.
extension OrganizationRow {
    /// Like experts: by identifier, by SIRET, otherwise by e-mail, otherwise by name and postal code; those without a
    /// postal code only among each other, if they may be in one town. The head of network is another organization, by
    /// SIRET or by a SIREN that only one has; one that is not found may come later.
    static func match(
        _ rows: JSONText, for matching: ImportMatching, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch] {
        try await transaction.query(
            """
            with row as (
                select row, identifier, "isForeign", siret, lower(email) as email, directory.name_key(name) as name_key,
                    coalesce("postalCode", '') as postal_code, commune, directory.town_key(commune) as town, parent,
                    "parentSiret" as parent_siret, "parentSiren" as parent_siren, siren, kind, "subKind" as sub_kind,
                    coalesce('subKind' = any(emptied), false) as is_plain
                from jsonb_to_recordset(\(rows)) as row (
                    row int, identifier uuid, "isForeign" boolean, siret text, email text, name text, "postalCode" text,
                    commune text, parent uuid, "parentSiret" text, "parentSiren" text, siren text, kind text,
                    "subKind" text, emptied text[])),
            by_siret as (
                select row, array[id] as records from row join organization using (siret)),
            by_email as (
                \(Firms.byAddress)
                from row cross join lateral (
                    select *, count(*) over () as company, coalesce(name_key = row.name_key, true) as is_namesake
                    from (
                        select id, directory.name_key(name) as name_key, \(siren(of: "organization")) as siren, siret,
                            commune, postal_code
                        from organization
                        where lower(organization.email) = row.email limit \(Firms.crowd + 1)) as found) as other
                where company <= \(Firms.crowd) and not \(Firms.areTwo("other", for: matching))
                group by row),
            namesake as (
                select row, o.id, o.siren, o.siret
                from row join organization o
                    on directory.name_key(o.name) = row.name_key and coalesce(o.postal_code, '') = row.postal_code
                where row.postal_code <> '' or row.town is null
                union all
                select row, o.id, o.siren, o.siret
                from row join organization o on directory.name_key(o.name) = row.name_key and o.postal_code is null
                where row.postal_code = '' and directory.town_key(o.commune) = row.town
                union all
                select row, o.id, o.siren, o.siret
                from row join organization o on directory.name_key(o.name) = row.name_key and o.postal_code is null
                where row.postal_code = '' and row.town is not null and directory.town_key(o.commune) is null),
            by_name as (
                select row, array_agg(o.id) as records
                from row join namesake o using (row)
                where coalesce(o.siret = row.siret, true) and coalesce(\(siren(of: "o")) = row.siren, true)
                group by row),
            head as (
                select row, array_agg(id) as heads
                from (
                    select row, o.id from row join organization o on o.id = row.parent
                    union all select row, o.id from row join organization o on o.siret = row.parent_siret
                    union all select row, o.id from row join organization o on o.siren = row.parent_siren) as found
                group by row),
            matched as (
                select row, case when named.id is not null then array[named.id]
                        else coalesce(by_siret.records, by_email.records, by_name.records) end as records,
                    named.id is null and by_siret.records is null and is_renaming as is_renaming,
                    \(NamedRecord.fault("named.id", kind: "organization")) as misnamed,
                    array_remove(array[
                        'id ' || row.identifier, 'siret ' || row.siret, 'email ' || row.email,
                        'name ' || row.postal_code || ' ' || row.name_key], null) as keys,
                    heads, coalesce(row.parent::text, parent_siret, parent_siren) is not null as has_head, row.siret,
                    row.siren, row.kind, row.sub_kind, is_plain
                from row left join by_siret using (row) left join by_email using (row) left join by_name using (row)
                    left join head using (row) left join organization named on named.id = row.identifier)
            select row, records, keys, is_renaming as "isRenaming", has_head and heads is null as waits,
                case when known.parent is distinct from heads[1] then heads[1] end as head,
                case
                    when misnamed is not null then misnamed
                    when cardinality(heads) > 1
                        then 'Several organizations have the SIREN of its head of network: add the SIRET.'
                    when heads[1] = known.id then 'An organization is not its own head of network.'
                    when known.parent is distinct from heads[1] and exists (
                        with recursive above (id) as (
                            select heads[1]
                            union
                            select o.parent from organization o join above on o.id = above.id where o.parent is not null)
                        select from above where above.id = known.id)
                        then 'Its head of network is one of its own branches.'
                    else \(contradiction(of: matching.existing))
                end as fault
            from matched left join organization known on known.id = records[1] and cardinality(records) = 1
            order by row
            """
        ).decode(ImportMatch.self)
    }

    /// The SIREN of an organization, also derived from its SIRET.
    private static func siren(of organization: SQL) -> SQL {
        "coalesce(\(organization).siren, left(\(organization).siret, 9))"
    }

    /// A contradiction between a row and the organization that it was matched with.
    private static func contradiction(of existing: Import.Existing) -> SQL {
        switch existing {
        case .skip: "null"
        case .fill:
            """
            case
                when matched.siren <> coalesce(known.siren, left(known.siret, 9))
                    then 'The existing organization has another SIREN.'
            end
            """
        case .update:
            """
            case
                when matched.siret is null and matched.siren <> left(known.siret, 9)
                    then 'The existing organization has a SIRET of another SIREN.'
                when matched.kind <> known.kind and matched.sub_kind is null and not is_plain
                        and known.sub_kind is not null
                    then 'The existing organization has a sub-kind of another kind.'
                when matched.kind <> known.kind and known.agency is not null
                    then 'The existing organization is a brand with an agency.'
            end
            """
        }
    }

    /// Whether the same organization, judging by its addresses, exists under another name and is hidden.
    private static let isHidden: SQL = """
        exists (
            select from (
                    select organization from directory.hidden_at(array[lower(row.email)])
                    union all
                    select hidden.organization from jsonb_each_text(row.mailboxes) as box
                        cross join lateral directory.hidden_at(array[lower(box.value)]) as hidden
                ) as other
                cross join lateral (
                    select siret, \(siren(of: "organization")) as siren, directory.name_key(name) as name_key, commune, postal_code
                    from organization where organization.id = other.organization) as firm
                cross join lateral (
                    select row.siret, \(siren(of: "row")) as siren, directory.name_key(row.name) as name_key, row.commune,
                        row."postalCode" as postal_code) as said
            where not \(Firms.areTwo("firm", row: "said")))
        """

    /// A hidden organization has declined to be shown, and may be this one in another town: a new one next to it is
    /// shown only if its row says so.
    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [ImportLeftOut] {
        try await transaction.query(
            """
            with row as materialized (select * from \(recordset(rows))),
            made as (
                insert into organization (
                    id, kind, sub_kind, name, siren, siret, street, postal_code, commune, departement, email, mailboxes,
                    telephone, website, topics, parent, public_directory)
                select id, coalesce(kind, "kindOfNew"), "subKind", name, siren, siret, street, "postalCode", commune,
                    directory.departement_at("postalCode", departement), email,
                    directory.with_mailboxes('[]', mailboxes, emptied, false), telephone, website,
                    coalesce(topics, '{}'), \(head),
                    coalesce("publicDirectory", not exists (
                        select from organization as hidden
                        where directory.name_key(hidden.name) = directory.name_key(row.name)
                            and not hidden.public_directory)) and not \(isHidden)
                from row
                returning id, public_directory)
            select row.row, array['publicDirectory'] as columns, 'namesake' as reason
            from row join made using (id)
            where not public_directory and row."publicDirectory" is null order by row.row
            """
        ).decode(ImportLeftOut.self)
    }

    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten] {
        let known = ExistingRecord("organization", filling: filling)
        // A hidden organization has declined to be shown: no import shows it again, but any may hide it.
        let shown: SQL = "(organization.public_directory and coalesce(said.shown, true))"
        return try await transaction.query(
            """
            update organization set
                kind = said.kind, sub_kind = said.sub_kind, name = said.name, siren = said.siren, siret = said.siret,
                street = said.street, postal_code = said.postal_code, commune = said.commune,
                departement = said.departement, email = said.email, mailboxes = said.mailboxes, telephone = said.telephone,
                website = said.website, topics = said.topics, parent = said.parent,
                public_directory = \(shown), version = version + 1,
                updated_at = now()
            from (
                select organization.id, \(known.text("name", "row.name")),
                    \(known.together([("kind", "row.kind", nil), ("sub_kind", #"row."subKind""#, "subKind")])),
                    \(known.together([("siren", "row.siren", "siren"), ("siret", "row.siret", "siret")])),
                    \(known.together(seat)), \(known.text("email", "row.email", emptiedAs: "email")),
                    directory.with_mailboxes(organization.mailboxes, row.mailboxes, row.emptied, \(filling)) as mailboxes,
                    \(known.text("telephone", "row.telephone", emptiedAs: "telephone")),
                    \(known.text("website", "row.website", emptiedAs: "website")),
                    \(known.list("topics", "row.topics", emptiedAs: "topics")),
                    \(known.text("parent", head, emptiedAs: "parent")), row."publicDirectory" as shown
                from \(recordset(rows)) join organization using (id)
            ) as said
            where organization.id = said.id and (
                organization.kind, organization.sub_kind, organization.name, organization.siren, organization.siret,
                organization.street, organization.postal_code, organization.commune, organization.departement,
                organization.email, organization.mailboxes, organization.telephone, organization.website, organization.topics,
                organization.parent, organization.public_directory
            ) is distinct from (
                said.kind, said.sub_kind, said.name, said.siren, said.siret, said.street, said.postal_code, said.commune,
                said.departement, said.email, said.mailboxes, said.telephone, said.website, said.topics, said.parent,
                \(shown))
            returning organization.id, organization.version
            """
        ).decode(ImportWritten.self)
    }

    static func leftOut(
        _ rows: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportLeftOut] {
        try await transaction.query(
            """
            select row.row, array['publicDirectory'] as columns, \(ImportLeftOut.reason(said: "false", existing)) as reason
            from jsonb_to_recordset(\(rows)) as row (row int, id uuid, "publicDirectory" boolean)
                join organization using (id)
            where organization.public_directory <> row."publicDirectory" order by row.row
            """
        ).decode(ImportLeftOut.self)
    }

    private static let seat: [(column: SQL, cell: SQL, name: String?)] = [
        ("street", "row.street", "street"), ("postal_code", #"row."postalCode""#, "postalCode"),
        ("commune", "row.commune", "commune"),
        ("departement", SQL.importedDepartement(of: "organization"), "departement"),
    ]

    /// After matching there is at most one.
    private static let head: SQL = """
        coalesce(
            row.parent, (select o.id from organization o where o.siret = row."parentSiret"),
            (select o.id from organization o where o.siren = row."parentSiren" order by o.id limit 1))
        """

    private static func recordset(_ rows: JSONText) -> SQL {
        """
        jsonb_to_recordset(\(rows)) as row (
            row int, id uuid, kind text, "subKind" text, name text, siren text, siret text, street text,
            "postalCode" text, commune text, departement text, email text, mailboxes jsonb, telephone text, website text, topics text[],
            "kindOfNew" text, parent uuid, "parentSiret" text, "parentSiren" text,
            "publicDirectory" boolean, emptied text[])
        """
    }
}
