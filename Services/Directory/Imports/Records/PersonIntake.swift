import ClubProtocol
import Postgres

// The statements of an import of people. Each takes a batch of rows as one JSON parameter.
extension PersonRow {
    /// Matching: by identifier; otherwise by e-mail; otherwise by name, ignoring accents, case and punctuation, and
    /// organization, unless the addresses contradict it. A person has neither a SIRET nor a postal code of their own:
    /// those are the organization's. For an ambassador, the organization that they advise for also counts.
    ///
    /// The organization is given by its SIRET, otherwise by its name, which must then be unique; or be that of the one
    /// where the person already works.
    ///
    /// Two people may share a mailbox, and two may have the same name: a row with another given name, or a match by
    /// name alone with another telephone, is someone else, and the row is rejected, because no address belongs to two
    /// people. A row without a given name, or a record without one, may have the whole name in one cell, in either
    /// order: `directory.family_name_said` interprets it.
    static func match(
        _ rows: JSONText, for matching: ImportMatching, in transaction: PostgresTransaction
    ) async throws -> [ImportMatch] {
        try await transaction.query(
            """
            with said as (
                select * from jsonb_to_recordset(\(rows)) as row (
                    row int, identifier uuid, "isForeign" boolean, email text, telephone text, "familyName" text,
                    "givenName" text, "otherEmails" text[], "otherTelephones" text[], siret text, organization uuid,
                    "organizationName" text, "isAmbassador" boolean)),
            named as (
                select row, array_agg(o.id) as organizations
                from said join organization o on directory.name_key(o.name) = directory.name_key("organizationName")
                where said.organization is null and said.siret is null
                group by row),
            row as (
                select said.row, said.identifier, "isForeign", lower(said.email) as email, o.id as organization,
                    directory.name_key(coalesce("familyName" || coalesce(' ' || "givenName", ''), "givenName")) as name_key,
                    "familyName" as family, directory.name_key("familyName") as family_key,
                    directory.name_key("givenName") as given_key,
                    directory.name_key(directory.person_name("givenName", "familyName")) as spoken_key,
                    directory.all_emails(null, "otherEmails") as further,
                    array_remove(array_prepend(said.telephone, "otherTelephones"), null) as telephones,
                    coalesce("isAmbassador", false) as is_ambassador,
                    case
                        when cardinality(organizations) > 1 and o.id is null
                            then 'Several organizations have this name: add the SIRET.'
                        when o.id is null and coalesce(said.siret, said.organization::text, "organizationName") is not null
                            then 'The organization is not in the directory.'
                    end as fault
                from said left join named using (row) left join organization o on o.id = coalesce(
                    said.organization, (select id from organization where organization.siret = said.siret),
                    case
                        when cardinality(organizations) = 1 then organizations[1]
                        when cardinality(organizations) > 1 and "isAmbassador" is not true then (
                            select p.organization from person p
                            where p.organization = any(organizations)
                                and p.id = coalesce(said.identifier, (
                                    select record from address_held as held
                                    where held.email = lower(said.email) and held.kind = 'person'))
                            limit 1)
                    end)),
            holder as (
                select row.row, held.record, held.email = row.email as is_first
                from row join address_held as held
                    on held.kind = 'person' and held.email = any(array_append(row.further, row.email))),
            by_email as (
                select row, coalesce(
                        array_agg(distinct record) filter (where is_first), array_agg(distinct record)) as records,
                    bool_or(coalesce(case
                        when person.given_name is not null and row.given_key is not null
                            then directory.name_key(person.given_name) <> row.given_key
                        when person.given_name is not null
                            then row.family is not null
                                and directory.family_name_said(row.family, person.given_name, person.family_name) is null
                        -- An only name is all that can tell.
                        else directory.name_key(person.family_name)
                                <> all(array_remove(array[
                                    coalesce(row.family_key, row.given_key), row.name_key, row.spoken_key], null))
                        end, false)) as is_other
                from row join holder using (row) join person on person.id = holder.record
                group by row),
            named_alike as (
                select row.row, person.* from row join person on directory.name_key(full_name) = row.name_key
                union all
                select row.row, person.*
                from row join person
                    on directory.name_key(directory.person_name(given_name, family_name)) = row.family_key
                where row.given_key is null and person.given_name is not null
                union all
                select row.row, person.* from row join person on directory.name_key(full_name) = row.spoken_key
                where row.given_key is not null and person.given_name is null),
            namesake as (
                select row, person.id, person.organization is not distinct from row.organization as is_colleague,
                    person.telephone is not null and row.telephones <> '{}'
                        and not row.telephones && array_prepend(person.telephone, person.other_telephones) as is_other
                from row join named_alike as person using (row)
                where (person.email is null or row.email is null)
                    and (person.organization is not distinct from row.organization
                        or is_ambassador and exists (
                            select from ambassador
                            where ambassador.person = person.id
                                and ambassador.organization is not distinct from row.organization))),
            by_name as (
                select row, coalesce(
                    array_agg(distinct id) filter (where is_colleague and not is_other),
                    array_agg(distinct id) filter (where not is_other)
                ) as records
                from namesake group by row)
            select row, case when named.id is not null then array[named.id]
                    else coalesce(by_email.records, by_name.records) end as records,
                coalesce(row.fault, \(NamedRecord.fault("named.id", kind: "person")), case
                    when named.id is not null then null
                    when by_email.is_other and row.given_key is null
                        then 'A person with another name has this address: put the given name in a column of its own.'
                    when by_email.is_other then 'A person with another given name has this address.'
                    when by_email.records is null and by_name.row is not null and by_name.records is null
                        then 'A person of this name has another telephone: add an e-mail address or the identifier.'
                end) as fault,
                array_remove(array[
                    'id ' || row.identifier, 'email ' || row.email,
                    'name ' || coalesce(row.organization::text, '') || ' ' || (
                        select string_agg(word, ' ' order by word collate "C")
                        from unnest(string_to_array(row.name_key, ' ')) as word)], null)
                    || array(select 'email ' || address from unnest(row.further) as address) as keys
            from row left join by_email using (row) left join by_name using (row)
                left join person named on named.id = row.identifier
            order by row
            """
        ).decode(ImportMatch.self)
    }

    static func insert(_ rows: JSONText, in transaction: PostgresTransaction) async throws -> [ImportLeftOut] {
        try await transaction.execute(
            """
            insert into person (
                id, honorific_prefix, given_name, family_name, email, other_emails, telephone, other_telephones,
                organization, job_title, consents)
            select id, "honorificPrefix", case when "familyName" is not null then "givenName" end,
                coalesce("familyName", "givenName"), email, coalesce("otherEmails", '{}'), telephone,
                coalesce("otherTelephones", '{}'), \(organization), "jobTitle", \(ExistingRecord.firstConsents)
            from \(recordset(rows)) \(ExistingRecord.declined(at: #"array_prepend(row.email, row."otherEmails")"#))
            """)
        return []
    }

    static func update(
        _ rows: JSONText, filling: Bool, in transaction: PostgresTransaction
    ) async throws -> [ImportWritten] {
        let known = ExistingRecord("person", filling: filling)
        return try await transaction.query(
            """
            update person set
                honorific_prefix = said.honorific_prefix, given_name = said.given_name,
                family_name = said.family_name, email = said.email, other_emails = said.other_emails,
                telephone = said.telephone, other_telephones = said.other_telephones,
                organization = said.organization, job_title = said.job_title, consents = \(known.newConsents),
                version = version + 1, updated_at = now()
            from (
                select person.id, \(known.text("honorific_prefix", #"row."honorificPrefix""#, emptiedAs: "honorificPrefix")),
                    \(known.text("given_name", givenName(filling: filling), emptiedAs: "givenName")),
                    \(known.text("family_name", familyName)), first.email, first.telephone,
                    directory.further_emails(first.email, \(further("other_emails", "otherEmails", "email", known)))
                        as other_emails,
                    directory.further_telephones(
                        first.telephone, \(further("other_telephones", "otherTelephones", "telephone", known)))
                        as other_telephones,
                    \(known.text("organization", #"case when row."isAmbassador" is not true then \#(organization) end"#, emptiedAs: "organization")),
                    \(known.text("job_title", #"row."jobTitle""#, emptiedAs: "jobTitle")), \(ExistingRecord.consents)
                from \(recordset(rows)) join person using (id)
                    cross join lateral (
                        select \(known.text("email", first("email", "other_emails"), emptiedAs: "email")),
                            \(known.text("telephone", first("telephone", "other_telephones"), emptiedAs: "telephone"))
                    ) as first
                    \(ExistingRecord.declined(
                        at: #"array_cat(array[row.email, person.email], array_cat(row."otherEmails", person.other_emails))"#))
            ) as said
            where person.id = said.id and (
                person.honorific_prefix, person.given_name, person.family_name, person.email, person.other_emails,
                person.telephone, person.other_telephones, person.organization, person.job_title, person.consents
            ) is distinct from (
                said.honorific_prefix, said.given_name, said.family_name, said.email, said.other_emails, said.telephone,
                said.other_telephones, said.organization, said.job_title, \(known.newConsents))
            returning person.id, person.version
            """
        ).decode(ImportWritten.self)
    }

    static func leftOut(
        _ rows: JSONText, for existing: Import.Existing, in transaction: PostgresTransaction
    ) async throws -> [ImportLeftOut] {
        try await ImportLeftOut.consents(rows, of: "person", for: existing, in: transaction)
    }

    /// A person with one name has a family name only, whichever cell it is in. If the record's only name is kept, as
    /// when gaps are filled, a given name is added if the row's family name is that name.
    private static func givenName(filling: Bool) -> SQL {
        let isHad: SQL = "person.given_name is not null"
        return filling
            ? """
            case
                when \(isHad) or directory.name_key(row."familyName") = directory.name_key(person.family_name)
                    then row."givenName"
            end
            """
            : #"case when row."familyName" is not null or \#(isHad) then row."givenName" end"#
    }

    /// One cell may hold the whole name of a person who has two. If it cannot be split and an identifier names the
    /// person, it is taken literally.
    private static let familyName: SQL = """
        case
            when row."givenName" is null and person.given_name is not null
                    and coalesce('givenName' <> all(row.emptied), true)
                then coalesce(
                    directory.family_name_said(row."familyName", person.given_name, person.family_name), row."familyName")
            else row."familyName"
        end
        """

    /// The row's first address or telephone. One that is an additional one of the record stays additional, unless the
    /// row has an identifier: then it is intended.
    private static func first(_ column: SQL, _ others: SQL) -> SQL {
        """
        case when row.identifier is not null or lower(row.\(column)) <> all(directory.all_emails(null, person.\(others)))
            then row.\(column) end
        """
    }

    /// The additional ones: those of the row if it has an identifier, since it then knows them all; otherwise they are
    /// added. A first one that trades places with an additional one is kept.
    private static func further(_ column: SQL, _ cell: SQL, _ first: SQL, _ known: ExistingRecord) -> SQL {
        known.filling
            ? #"case when person.\#(column) = '{}' then coalesce(row."\#(cell)", '{}') else person.\#(column) end"#
            : #"""
            case
                when '\#(cell)' = any(row.emptied) then '{}'
                when row.identifier is not null and row."\#(cell)" is not null then row."\#(cell)"
                when lower(row.\#(first)) = any(directory.all_emails(null, person.\#(column)))
                    then array_append(person.\#(column), person.\#(first)) || coalesce(row."\#(cell)", '{}')
                else person.\#(column) || coalesce(row."\#(cell)", '{}') end
            """#
    }

    /// After matching there is at most one, other than the one where the person already works.
    static let organization: SQL = """
        coalesce(
            row.organization, (select o.id from organization o where o.siret = row.siret),
            (select o.id from organization o where directory.name_key(o.name) = directory.name_key(row."organizationName")
                order by exists (select from person p where p.id = row.id and p.organization = o.id) desc, o.id limit 1))
        """

    private static func recordset(_ rows: JSONText) -> SQL {
        """
        jsonb_to_recordset(\(rows)) as row (
            row int, id uuid, identifier uuid, "honorificPrefix" text, "givenName" text, "familyName" text, email text,
            "otherEmails" text[], telephone text, "otherTelephones" text[], "jobTitle" text, organization uuid, siret text,
            "organizationName" text, "isAmbassador" boolean, emptied text[], consents jsonb, "consentDate" date)
        """
    }
}
