import ClubProtocol
import Postgres
import ServiceKit

/// The identifiers by which a subject is known, including those of records merged into it: an erasure and an access
/// document use them to find its data.
struct SubjectIdentifiers: Decodable {
    /// The records that were merged into it, directly or through others.
    var aliases: [DataSubject.ID]
    /// Names of people in spoken order, of an expert also the firm's.
    var names: [String]
    /// In lower case; including those that were given up.
    var addresses: [String]
    /// Its present ones, in lower case.
    var present: [String]
    /// When the addresses were its own and no one else's; those that it gave itself, only since then.
    var held: [AddressPeriod]
    var telephones: [String]

    /// The identifiers that no one else has. Shared ones are not used: they would lead to other people. Neither is a
    /// name of one word, which may be any word.
    struct Alone: Decodable {
        /// Only those given by the staff: a subject may give itself anyone's name.
        var names: [String]
        /// Without those supported only by its own claim.
        var addresses: [String]
        var telephones: [String]
    }

    /// Whether only its own claim supports that an address is or was its own: it may be a stranger's, for whom it
    /// cannot decide.
    func isSelfGiven(_ address: String) -> Bool {
        let periods = held.filter { $0.email.text.asciiLowercased.utf8.elementsEqual(address.utf8) }
        return !periods.isEmpty && periods.allSatisfy { $0.selfGiven == true }
    }

    /// Empty if the subject is not found.
    static func find(_ subject: DataSubject, on executor: any PostgresExecutor) async throws -> SubjectIdentifiers {
        let row = try await executor.first(
            """
            with recursive everyone (id) as (
                select \(subject.id)
                union
                select merge.merged from merge join everyone on merge.survivor = everyone.id where undone_at is null
            ), remembered (image) as (
                select to_jsonb(present) from \(subject.table) as present where id = \(subject.id)
                union all
                select jsonb_build_array(before, after, steps, edits) from merge
                where survivor = any(array(select id from everyone))
            )
            select array(select id from everyone where id <> \(subject.id) order by id) as aliases,
                array(
                    select distinct name from remembered cross join lateral (\(names(of: subject.entity))) as said (name)
                    where name is not null order by name) as names,
                array(
                    select lower(found #>> '{}')
                    from remembered cross join lateral (
                        select jsonb_path_query(image, '$.**.email ? (@.type() == "string")')
                        union all
                        select jsonb_path_query(image, '$.**.other_emails[*] ? (@.type() == "string")')) as written (found)
                    union
                    select email from address_past
                    where record = any(array(select id from everyone)) and email is not null
                    order by 1) as addresses,
                array(select email from address_held where record = \(subject.id) order by email) as present,
                (select coalesce(jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
                        'email', email, 'since', directory.rfc3339(since), 'until', directory.rfc3339(until),
                        'selfGiven', nullif(self_given, false)))
                        order by email, since nulls first), '[]')
                    from directory.addresses_of(array(select id from everyone))) as held,
                array(
                    select distinct found #>> '{}'
                    from remembered cross join lateral (
                        select jsonb_path_query(image, '$.**.telephone ? (@.type() == "string")')
                        union all
                        select jsonb_path_query(image, '$.**.other_telephones[*] ? (@.type() == "string")')) as written (found)
                    order by 1) as telephones
            """)
        guard let row else {
            return SubjectIdentifiers(aliases: [], names: [], addresses: [], present: [], held: [], telephones: [])
        }
        return try row.decode(SubjectIdentifiers.self)
    }

    /// A person's in both orders.
    private static func names(of entity: DataSubject.Entity) -> SQL {
        switch entity {
        case .person:
            """
            select unnest(array[directory.person_name(given, family), family || coalesce(' ' || given, '')])
            from jsonb_path_query(image, '$.** ? (exists (@.given_name))') as person
            cross join lateral (select person ->> 'given_name', person ->> 'family_name') as name (given, family)
            """
        case .expert:
            """
            select found #>> '{}' from jsonb_path_query(image, '$.**.name ? (@.type() == "string")') as found
            union all
            select found #>> '{}' from jsonb_path_query(image, '$.**.contact_name ? (@.type() == "string")') as found
            union all
            select found #>> '{}' from jsonb_path_query(image, '$.**.contactName ? (@.type() == "string")') as found
            """
        }
    }

    /// Which of these no one else has.
    func alone(_ subject: DataSubject, on executor: any PostgresExecutor) async throws -> Alone {
        let row = try await executor.first(
            """
            select array(select name from (\(namesAlone(subject.id))) as own where by_staff) as names,
                array(
                    select known from unnest(\(addresses)::text[]) as known
                    where not exists (
                        select from address_held where email = known and record <> \(subject.id))) as addresses,
                \(telephonesAlone(subject.id)) as telephones
            """)
        guard let row else { return Alone(names: [], addresses: [], telephones: []) }
        var alone = try row.decode(Alone.self)
        alone.addresses.removeAll(where: isSelfGiven)
        return alone
    }

    /// Its names that no one else has: a row of `name`, `by_staff` and `since` for each. A name that the subject gave
    /// itself counts only since then, not for earlier texts.
    func namesAlone(_ id: DataSubject.ID) -> SQL {
        """
        select known as name, coalesce(by_staff, false) as by_staff, coalesce(since, 'infinity') as since
        from unnest(\(names)::text[]) as known left join lateral (
            select by_staff, since from name_given
            where record = any(\([id] + aliases)) and directory.folded(known) in (name, turned)
            order by by_staff desc, since limit 1) as given on true
        where known like '% %' and not exists (
                select from person
                where directory.name_key(\(SQL.personName(of: "person"))) = directory.name_key(known) and id <> \(id))
            and not exists (
                select from person where sort_key = directory.sort_key(known) and id <> \(id))
            and not exists (
                select from expert where sort_key = directory.sort_key(known) and id <> \(id))
            and not exists (
                select from expert
                where contact_name is not null and directory.sort_key(contact_name) = directory.sort_key(known)
                    and id <> \(id))
            and not exists (select from organization where sort_key = directory.sort_key(known))
        """
    }

    /// Its telephone numbers that no one else has, as an array; excluding those of a referral's contact, who may have
    /// no record here.
    func telephonesAlone(_ id: DataSubject.ID) -> SQL {
        """
        array(
            select known
            from unnest(\(telephones)::text[]) as known cross join directory.telephone_key(known) as key
            where not exists (select from person where telephone = key and id <> \(id))
                and not exists (
                    select from person
                    where other_telephones <> '{}' and other_telephones @> array[key] and id <> \(id))
                and not exists (select from expert where telephone = key and id <> \(id))
                and not exists (select from organization where telephone = key)
                and not exists (
                    select from referral
                    where firm_telephone is not null and firm_telephone = key and not (
                        exists (
                            select from \(held.rows)
                            where email = lower(firm_email) and \(SQL.isWithinPeriod("referral.created_at")))
                        or exists (
                            select from (\(namesAlone(id))) as own where \(Self.isContact("own", of: "referral"))))))
        """
    }

    /// Whether a referral's contact, or the firm if it has none, has one of the names of ``namesAlone(_:)``.
    static func isContact(_ own: SQL, of referral: SQL) -> SQL {
        """
        directory.folded(\(own).name) = directory.folded(coalesce(\(referral).firm_contact, \(referral).firm_name))
            and (\(own).by_staff or \(own).since <= \(referral).created_at)
        """
    }

    /// The names by which it may be a payer. A line contains only a name, in the bank's spelling: names that the
    /// subject gave itself are not used, nor any that could mean a member of the club, by the similarity that proposals
    /// use, or another expert.
    private func payerNames(_ id: DataSubject.ID) -> SQL {
        """
        select name, since from (\(namesAlone(id))) as own cross join lateral directory.payer_key(name) as payer
        where by_staff
            and not exists (
                select from (
                    select directory.payer_key(organization.name) as key from organization
                    order by directory.payer_key(organization.name) operator(directory.<->) payer limit 1) as near
                where directory.similarity(key, payer)::float8 >= \(BankProposals.likeness))
            and not exists (
                select from expert where directory.payer_key(expert.name) = payer and id <> \(id))
        """
    }

    /// Bank lines with it as payer, by `id`: lines later than the name, and not booked for a member.
    func bankLines(_ id: DataSubject.ID) -> SQL {
        """
        select line.id from (\(payerNames(id))) as own cross join lateral (
            select id, state, created_at from bank_line
            where counterparty is not null and directory.folded(counterparty) = directory.folded(own.name)
            union
            select id, state, created_at from bank_line
            where ultimate_party is not null and directory.folded(ultimate_party) = directory.folded(own.name)
            offset 0) as line
        where line.state <> 'booked' and own.since < line.created_at
        """
    }

    /// The same names as patterns for the texts of later lines: rows of `pattern` and `since`.
    func payerPatterns(_ id: DataSubject.ID) -> SQL {
        "select directory.words_pattern(array[name]) as pattern, since from (\(payerNames(id))) as own"
    }

    /// The records that share an address or a telephone with it; at most fifty, as for a switchboard.
    func others(_ subject: DataSubject) -> SQL {
        let numbers: SQL = "array(select directory.telephone_key(number) from unnest(\(telephones)::text[]) as number)"
        return """
            select jsonb_build_object('kind', kind, 'id', id) as other
            from (
                select kind, record as id from address_held
                where record <> \(subject.id) and email = any(\(addresses)::text[])
                union
                select 'person', id from person
                where id <> \(subject.id) and (telephone = any(\(numbers)) or other_telephones && \(numbers))
                union
                select 'expert', id from expert where id <> \(subject.id) and telephone = any(\(numbers))
                union
                select 'organization', id from organization where telephone = any(\(numbers))
            ) as found order by kind, id limit 50
            """
    }
}
