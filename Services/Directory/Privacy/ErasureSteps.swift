import ClubProtocol
import Postgres
import ServiceKit

/// What the directory erases about a subject, table by table. A feature that stores something about people adds its
/// step here; a forgotten one makes the erasure fail if a foreign key refers to the person.
enum ErasureSteps {
    /// In this order. A statement returns a row for each change that followers and the audit trail must know of, with
    /// the columns `entity`, `id`, `action` (`changed`, `deleted`, `erased`) and `version`; `erased` also deletes the
    /// keys of its commitments.
    static func statements(for subject: DataSubject, _ known: SubjectIdentifiers) -> [SQL] {
        switch subject.entity {
        case .person: person(subject.id, known)
        case .expert: expert(subject.id, known)
        }
    }

    private static func person(_ id: DataSubject.ID, _ known: SubjectIdentifiers) -> [SQL] {
        merges(of: id, "person") + [
            redact(id, known),
            bankLines(of: id, known),
            ledger("person", id),
            // It remains true that the organization was represented on these days.
            """
            update mandate set person = null, version = version + 1, updated_at = now() where person = \(id)
            returning 'mandate' as entity, id, 'changed' as action, version
            """,
            """
            delete from ambassador where person = \(id)
            returning 'ambassador' as entity, id, 'erased' as action, version
            """,
            "delete from person where id = \(id) returning 'person' as entity, id, 'erased' as action, version",
            addresses(of: id, known),
            unreachable(known),
            names(of: id, known),
        ]
    }

    private static func expert(_ id: DataSubject.ID, _ known: SubjectIdentifiers) -> [SQL] {
        merges(of: id, "expert") + [
            redact(id, known),
            bankLines(of: id, known),
            ledger("expert", id),
            """
            delete from referral_offer where expert = \(id)
            returning 'referralOffer' as entity, id, 'erased' as action, null::integer as version
            """,
            "delete from expert where id = \(id) returning 'expert' as entity, id, 'erased' as action, version",
            addresses(of: id, known),
            unreachable(known),
            names(of: id, known),
        ]
    }

    /// The images of merges: the rows that they deleted, and then the merges themselves, which can no longer be undone.
    private static func merges(of id: DataSubject.ID, _ entity: SQL) -> [SQL] {
        [
            """
            with recursive everyone (id) as (
                select \(id)
                union
                select merge.merged from merge join everyone on merge.survivor = everyone.id where undone_at is null
            )
            select step ->> 'table' as entity, (step ->> 'merged')::uuid as id, 'erased' as action,
                null::integer as version
            from merge join everyone on merge.survivor = everyone.id
                cross join jsonb_array_elements(coalesce(steps, '[]') - -1) as step
            """,
            """
            select '\(entity)' as entity, merged as id, 'erased' as action, null::integer as version
            from unnest(directory.forget_merges(\(id))) as merged
            """,
        ]
    }

    /// The lines of the ledger, and the questions that were put to no one else: one may contain a name.
    private static func ledger(_ owner: SQL, _ id: DataSubject.ID) -> SQL {
        """
        with gone as (
            delete from consent_entry where \(owner) = \(id) returning id, wording
        )
        delete from consent_wording where not standard and id in (
            select id from consent_wording as asked
            where id in (select wording from gone) and not exists (
                select from consent_entry
                where wording = asked.id and consent_entry.id not in (select gone.id from gone))
            for update skip locked)
        """
    }

    /// Its former addresses; after the record, whose deletion adds the last ones.
    private static func addresses(of id: DataSubject.ID, _ known: SubjectIdentifiers) -> SQL {
        "delete from address_past where record = any(\([id] + known.aliases))"
    }

    /// That mail to its addresses comes back; after the record, as another one may have an address, too.
    private static func unreachable(_ known: SubjectIdentifiers) -> SQL {
        """
        delete from unreachable_address
        where email = any(\(known.addresses))
            and not exists (select from address_held where address_held.email = unreachable_address.email)
        """
    }

    /// Its names; after the record, and after everything that is found by them.
    private static func names(of id: DataSubject.ID, _ known: SubjectIdentifiers) -> SQL {
        "delete from name_given where record = any(\([id] + known.aliases))"
    }

    /// Bank lines with the subject as payer, and its name in the texts of other lines.
    private static func bankLines(of id: DataSubject.ID, _ known: SubjectIdentifiers) -> SQL {
        """
        with subject as (
            \(known.payerPatterns(id))
        ), payer as (
            \(known.bankLines(id))
        ), named as (
            select id, (
                    select string_agg(pattern, '|') from subject where since < bank_line.created_at) as pattern
            from bank_line where remittance ~* (select string_agg(pattern, '|') from subject)
        )
        update bank_line set
            remittance = case when not is_payer then regexp_replace(remittance, pattern, '[…]', 'gi') end,
            counterparty = case when not is_payer then counterparty end,
            ultimate_party = case when not is_payer then ultimate_party end,
            counterparty_iban = case when not is_payer then counterparty_iban end,
            end_to_end = case when not is_payer then end_to_end end,
            forgotten_at = case when is_payer then coalesce(forgotten_at, now()) else forgotten_at end,
            version = version + 1, updated_at = now()
        from (
            select id as found, payer.id is not null as is_payer, pattern from payer full join named using (id)
        ) as line
        where id = found and (is_payer or remittance ~* pattern)
        returning 'bankLine' as entity, id, 'changed' as action, version
        """
    }

    /// A firm's contact in a referral, and names and numbers in others' texts about referrals, including rows set aside
    /// by a merge. As everywhere, only by identifiers that no one else has; addresses and names that the subject gave
    /// itself count only in texts written since. A contact is the subject by its address, or by its name if nothing
    /// contradicts it: a number may be a switchboard's, and a namesake with a number or an address of its own is
    /// someone else.
    private static func redact(_ id: DataSubject.ID, _ known: SubjectIdentifiers) -> SQL {
        """
        with own as materialized (
            select name, by_staff, since, directory.words_pattern(array[name]) as pattern
            from (\(known.namesAlone(id))) as alone
        ), subject as (
            select directory.words_pattern(numbers) as pattern,
                directory.words_pattern(numbers || \(known.addresses)::text[] || array(select name from own)) as suspect,
                array(
                    select directory.telephone_key(number)
                    from unnest(\(known.telephones)::text[]) as number) as telephones
            from (select \(known.telephonesAlone(id)) as numbers) as alone
        ), held as (
            select email, since, until, directory.words_pattern(array[email]) as pattern from \(known.held.rows)
        ), notes as (
            update referral_offer set note = regexp_replace(note, found.pattern, '[…]', 'gi'), version = version + 1,
                updated_at = now()
            from (
                select referral_offer.id, \(pattern(at: "coalesce(answered_at, created_at)")) as pattern
                from referral_offer, subject where note ~* suspect
            ) as found
            where referral_offer.id = found.id and note ~* found.pattern
            returning 'referralOffer' as entity, referral_offer.id, referral_offer.version
        ), aside as (
            update merge set steps = (
                select jsonb_agg(
                    case when step ->> 'table' = 'referral_offer' and step -> 'image' ->> 'note' is not null
                        then jsonb_set(
                            step, '{image,note}', to_jsonb(
                                coalesce(regexp_replace(step -> 'image' ->> 'note', own.pattern, '[…]', 'gi'),
                                    step -> 'image' ->> 'note')))
                        else step end order by place)
                from jsonb_array_elements(steps) with ordinality as each (step, place) cross join lateral (
                    select \(pattern(at: "coalesce(step -> 'image' ->> 'answered_at', step -> 'image' ->> 'created_at')::timestamptz"))
                        as pattern) as own)
            from subject where kind = 'expert' and steps @> '[{"table": "referral_offer"}]'
        ), needs as (
            update referral set
                description = coalesce(regexp_replace(description, found.pattern, '[…]', 'gi'), description),
                version = version + 1, updated_at = now(), firm_name = case when not is_contact then firm_name end,
                firm_contact = case when not is_contact then firm_contact end,
                firm_email = case when not is_contact then firm_email end,
                firm_telephone = case when not is_contact then firm_telephone end
            from (
                select referral.id, \(pattern(at: "referral.created_at")) as pattern, (
                        exists (
                            select from held
                            where email = lower(firm_email) and \(SQL.isWithinPeriod("referral.created_at")))
                        or exists (select from own where \(SubjectIdentifiers.isContact("own", of: "referral")))
                            and (
                                coalesce(directory.telephone_key(firm_telephone) = any(telephones), false)
                                or firm_telephone is null and firm_email is null)) as is_contact
                from referral, subject
                where description ~* suspect or lower(firm_email) in (select email from held)
                    or directory.folded(coalesce(firm_contact, firm_name)) in (select directory.folded(name) from own)
            ) as found
            where referral.id = found.id and (is_contact or description ~* found.pattern)
            returning 'referral' as entity, referral.id, referral.version
        )
        select entity, id, 'changed' as action, version from notes
        union all
        select entity, id, 'changed', version from needs
        """
    }

    /// The pattern of the subject's identifiers in a text of this time; needs `subject`, `own` and `held`. Null if
    /// there are none.
    private static func pattern(at time: SQL) -> SQL {
        """
        (select string_agg(part, '|') from (
            select subject.pattern as part
            union all
            select own.pattern from own where by_staff or since <= \(time)
            union all
            select held.pattern from held where \(SQL.isWithinPeriod(time))) as parts)
        """
    }
}
