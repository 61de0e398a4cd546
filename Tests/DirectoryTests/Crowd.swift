import ClubProtocol
import Postgres
import TestKit

/// A directory with enough rows in every growing table that the planner uses an index if there is one.
enum Crowd {
    /// The minimum number of rows in each table.
    static let rows = 12_000
    static let experts = 30_000

    /// Tables that do not grow with the club, or that are not the directory's own.
    static let small: [String: String] = [
        "departement": "101, by law", "departement_near": "101 times 101", "region": "18, by law",
        "tier": "a handful, kept by the staff", "topic": "some dozens, kept by the staff",
        "contribution_counter": "a row for each year", "receipt_counter": "a row for each year",
        "expert_word_due": "emptied by a job as soon as it is filled", "expert_word_progress": "one row",
        "duplicate_scan": "one each night",
        "import_held": "rows that wait for a later one of a file that is being taken",
        "declined_address": "looked up by its primary key when a row of an import answers",
        "unreachable_address": "looked up by its index when an address is written",
        "declined_address_key": "one row", "consent_wording": "a question now and then",
        "bank_booking": "looked up by its primary key when a line is booked",
        "retention_rule": "a handful, by the code",
        "schema_migration": "one for each migration", "schedule": "one for each",
        "feed_cursor": "one for each feed", "feed_compaction": "one row",
        "audit_head": "one row", "audit_base": "one row", "audit_key": "the kit's, looked up by its tests",
        "audit": "the kit's",
        "change": "the kit's", "idempotency": "the kit's", "job": "the kit's", "webhook": "the kit's",
        "webhook_secret": "the kit's", "webhook_delivery": "the kit's", "webhook_attempt": "the kit's",
    ]

    /// Fills the tables with triggers disabled: what they check is valid here.
    static func fill(_ database: TestDatabase) async throws {
        try await database.withClient(searchPath: "directory") { client in
            try await client.withConnection { connection in
                try await connection.execute(script: [UInt8](script.utf8))
            }
        }
    }

    static let script = """
        set session_replication_role = replica;
        set statement_timeout = '120s';
        create function pg_temp.key(kind text, number bigint) returns uuid language sql immutable
            return md5(kind || number)::uuid;
        -- Eight letters that nobody else has, or few.
        create function pg_temp.word(number bigint) returns text language sql immutable
            return initcap(translate(left(md5((number / 3)::text), 8), '0123456789', 'ghijklmnop'));
        create function pg_temp.siret(number bigint) returns text language sql immutable return (
            select base || digit from (select '1' || lpad(number::text, 12, '0') as base) as of,
                generate_series(0, 9) as digit
            where directory.luhn(base || digit));
        create temporary table place as
            select row_number() over (order by code) - 1 as number, code,
                case when code in ('2A', '2B') then '20' else code end as prefix
            from departement;

        insert into organization (
            id, kind, sub_kind, name, siret, parent, postal_code, commune, departement, email, topics, agency, updated_at)
        select pg_temp.key('organization', i), (array['institution', 'brand', 'provider'])[1 + i % 3],
            (array['chamber', null, 'reseller'])[1 + i % 3],
            (array['Chambre', 'Maison', 'Union', 'Centre'])[1 + i % 4] || ' ' || pg_temp.word(i),
            case when i % 10 = 0 then pg_temp.siret(i) end, case when i > 100 then pg_temp.key('organization', i % 100) end,
            rpad(prefix, 5, '0'), pg_temp.word(i + 7), code, 'o' || i || '@example.org',
            case when i % 20 = 0 then '{cloud}'::text[] else '{network}' end,
            case when i % 3 = 1 and i > 100 then pg_temp.key('organization', 2 + i % 50 * 3) end, now() - i * interval '1 hour'
        from generate_series(0, \(rows) - 1) as i join place on number = i % 101;

        insert into person (id, given_name, family_name, email, organization, consents, updated_at)
        select pg_temp.key('person', i), (array['Ana', 'Jean', 'Camille'])[1 + i % 3], pg_temp.word(i),
            'p' || i || '@example.org', pg_temp.key('organization', i % \(rows)),
            case when i % 50 = 0 then '{"flashInfo": {"agreed": true}}'::jsonb else '{}' end, now() - i * interval '1 hour'
        from generate_series(0, 2 * \(rows) - 1) as i;

        insert into mandate (id, person, organization, kind, from_day, until_day)
        select pg_temp.key('mandate', i), pg_temp.key('person', i), pg_temp.key('organization', i % \(rows / 4)),
            'alternate', '2010-01-01'::date + (i % 5000)::integer, '2010-03-01'::date + (i % 5000)::integer
        from generate_series(0, \(rows) - 1) as i;

        insert into membership (id, organization, tier, from_day, until_day)
        select pg_temp.key('membership', i), pg_temp.key('organization', i % 600),
            case when i % 20 = 0 then 'premium' else 'standard' end,
            make_date(2008 + (i / 600)::integer, 1, 1), make_date(2008 + (i / 600)::integer, 12, 31)
        from generate_series(0, \(rows) - 1) as i;

        insert into contribution_counter select year, \(rows) from generate_series(2000, 2029) as year;
        insert into contribution (
            id, organization, membership, membership_from, year, number, amount, paid, called_on, due_on)
        select pg_temp.key('contribution', i), pg_temp.key('organization', i % (\(rows) / 4)), pg_temp.key('membership', i), date,
            2026 - (i / (\(rows) / 4))::integer, 1 + i % (\(rows) / 4), 120000,
            case when i % 20 = 0 then 0 when i % 21 = 0 then 1000 else 120000 end, date, date + 60
        from generate_series(0, \(rows) - 1) as i
        cross join lateral (select make_date(2026 - (i / (\(rows) / 4))::integer, 1, 15) as date) as called;
        insert into payment (id, contribution, amount, paid_on)
        select pg_temp.key('payment', i), pg_temp.key('contribution', i), 120000, '2026-02-01'
        from generate_series(0, \(rows) - 1) as i;
        insert into contribution_reminder (id, contribution, step)
        select pg_temp.key('reminder', i), pg_temp.key('contribution', i), 'called'
        from generate_series(0, \(rows) - 1) as i;
        insert into receipt_counter values (2026, \(rows));
        insert into receipt (
            id, contribution, year, number, issued_on, paid_on, amount, organization_name, contribution_year,
            contribution_number, last_payment)
        select pg_temp.key('receipt', i), pg_temp.key('contribution', i), 2026, i + 1, '2026-02-02', '2026-02-01', 120000,
            'Maison', 2026, i + 1, 0
        from generate_series(0, \(rows) - 1) as i;

        insert into credit (organization, balance)
        select pg_temp.key('organization', i), case when i % 20 = 0 then 100 + i else 0 end
        from generate_series(0, \(rows) - 1) as i;
        insert into credit_entry (id, organization, amount, kind, day)
        select pg_temp.key('entry', i), pg_temp.key('organization', i % (\(rows) / 4)), 100, 'paidBack', '2026-02-01'
        from generate_series(0, \(rows) - 1) as i;
        insert into bank_statement (id, sha256, format, accounts, lines, added, known, rejected, created_at)
        select pg_temp.key('statement', i), md5('a' || i) || md5('b' || i), 'csv', '{A}', 0, 0, 0, 0, now() - i * interval '1 hour'
        from generate_series(0, \(rows) - 1) as i;
        insert into bank_line (
            id, statement, account, key, reference, booked_on, amount, counterparty, remittance, state, updated_at)
        select pg_temp.key('line', i), pg_temp.key('statement', i % 3000), 'A', md5('a' || i) || md5('b' || i), 'R' || i,
            '2010-01-01'::date + (i % 5000)::integer, case when i % 40 = 0 then 120000 else -100 - i end,
            'Maison ' || pg_temp.word(i), 'COT ' || 2026 - i % 4 || '-' || i % 3000 + 1,
            case when i % 20 = 0 then 'open' else 'booked' end, now() - i * interval '1 hour'
        from generate_series(0, \(rows) - 1) as i;
        insert into bank_booking (line) select id from bank_line where state = 'booked';

        insert into contribution_document (contribution, kind, receipt, pdf)
        select pg_temp.key('contribution', i), 'receipt', pg_temp.key('receipt', i), '' from generate_series(0, \(rows) - 1) as i;

        insert into ambassador (
            id, person, name, organization, topics, departements, enrolled_on, left_on, confirmed_at, updated_at)
        select pg_temp.key('ambassador', i), pg_temp.key('person', i), pg_temp.word(i) || ' Ana',
            pg_temp.key('organization', i % \(rows)), case when i % 20 = 0 then '{cloud}'::text[] else '{network}' end,
            array[code], '2020-01-01', case when i % 50 = 0 then '2026-01-01'::date end,
            now() - (i % 40) * interval '1 month', now() - i * interval '1 hour'
        from generate_series(0, \(rows) - 1) as i join place on number = i % 101;

        insert into expert (
            id, sub_kind, name, siret, email, postal_code, commune, departement, departements, topics, brands, consents,
            enrolled_on, left_on, confirmed_at, updated_at)
        select pg_temp.key('expert', i), (array['webAgency', 'reseller'])[1 + i % 2],
            (array['Agence', 'Informatique', 'Studio', 'Atelier'])[1 + i % 4] || ' ' || pg_temp.word(i),
            case when i % 10 = 0 then pg_temp.siret(i) end, 'e' || i || '@example.org',
            prefix || lpad((i % 90)::text, 5 - length(prefix), '0'), pg_temp.word(i % 3000), code, array[code],
            case when i % 20 = 0 then '{cloud,network}'::text[] else '{network}' end,
            array[case when i % 100 = 0 then 'Altéa' else 'Boréal' end],
            '{"publicDirectory": {"agreed": true, "at": "2026-01-01T00:00:00Z"}}', '2020-01-01',
            case when i % 50 = 0 then '2026-01-01'::date end, now() - (i % 40) * interval '1 month',
            now() - i * interval '1 hour'
        from generate_series(0, \(experts) - 1) as i join place on number = i % 101;
        insert into expert_posting (term, sort_key, expert)
        select term, sort_key, id from expert
        cross join lateral expert_terms(search, brand_keys, departements, departement) as term;
        insert into expert_word (word, lexeme, published)
        select word, lexeme, true
        from (
            select distinct word from expert cross join regexp_split_to_table(search_text, '[^[:alnum:]]+') as word
        ) as word
        cross join lateral unnest(to_tsvector('directory.expert_words', word)) as parsed (lexeme)
        on conflict do nothing;

        insert into consent_entry (person, purpose, agreed, source, wording, at, written_by)
        select pg_temp.key('person', i), wording.purpose, i % 3 > 0, 'self', wording.id, now() - i * interval '1 hour', 'test'
        from generate_series(0, \(rows) - 1) as i
        join consent_wording as wording on wording.purpose = 'flashInfo' and wording.standard;
        insert into consent_entry (expert, purpose, agreed, source, wording, at, written_by)
        select pg_temp.key('expert', i), wording.purpose, i % 3 > 0, 'self', wording.id, now() - i * interval '1 hour', 'test'
        from generate_series(0, \(rows) - 1) as i
        join consent_wording as wording on wording.purpose = 'publicDirectory' and wording.standard;
        insert into erasure (id, entity, subject, reason, state, requested_by, started_at, completed_at, updated_at)
        select pg_temp.key('erasure', i), 'person', pg_temp.key('gone', i), 'request',
            case when i % 1000 = 0 then 'requested' when i % 1000 = 1 then 'erasing' else 'done' end, 'test',
            case when i % 1000 > 0 then now() end, case when i % 1000 > 1 then now() end, now() - i * interval '1 hour'
        from generate_series(0, \(rows) - 1) as i;
        insert into erasure_report (erasure, service)
        select pg_temp.key('erasure', i), 'directory' from generate_series(0, \(rows) - 1) as i where i % 1000 > 0;

        insert into confirmation_request (id, expert, confirmed_at, step)
        select pg_temp.key('request', i), pg_temp.key('expert', i), now(), 0 from generate_series(0, \(rows) - 1) as i;
        insert into address_past (record, email, since, until)
        select pg_temp.key('person', i), 'former' || i || '@example.org', now() - interval '2 days', now() - interval '1 day'
        from generate_series(0, \(rows) - 1) as i;
        insert into self_service_link (id, expert)
        select pg_temp.key('link', i), pg_temp.key('expert', i) from generate_series(0, \(rows) - 1) as i;

        insert into referral (id, ambassador, topics, postal_code, departement, description, closed_at)
        select pg_temp.key('referral', i), pg_temp.key('ambassador', i % 500), '{cloud}', rpad(prefix, 5, '0'), code, 'Besoin',
            case when i % 20 > 0 then now() end
        from generate_series(0, \(rows) - 1) as i join place on number = i % 101;
        insert into referral_offer (id, referral, expert, state, answer_by)
        select pg_temp.key('offer', i), pg_temp.key('referral', i), pg_temp.key('expert', i % 3000),
            case when i % 20 = 0 then 'sent' when i % 20 = 1 then 'accepted' else 'declined' end, '2027-01-01'
        from generate_series(0, \(rows) - 1) as i;

        insert into duplicate (id, kind, first, second, score, reasons, state)
        select pg_temp.key('duplicate', i), kind, least(one, other), greatest(one, other), (i % 101)::integer, '[]',
            case when i % 20 = 0 then 'dismissed' else 'open' end
        from generate_series(0, \(rows) - 1) as i
        cross join lateral (select (array['organization', 'person', 'expert'])[1 + i % 3] as kind) as of
        cross join lateral (
            select pg_temp.key(kind, i % 5000) as one, pg_temp.key(kind, 5000 + i % 4999) as other) as pair;
        insert into merge (
            id, kind, survivor, merged, fields, before, after, steps, touched, mentioned, merged_by)
        select pg_temp.key('merge', i), (array['organization', 'person', 'expert'])[1 + i % 3], pg_temp.key('expert', i),
            pg_temp.key('gone', i), '{}', '{}', '{}', '[]', array[pg_temp.key('expert', i)], '{}', 'test'
        from generate_series(0, \(rows) - 1) as i;
        insert into import (id, records, mode, rejects, existing, state, created_at)
        select pg_temp.key('import', i), (array['experts', 'organizations', 'people'])[1 + i % 3], 'apply', 'skipRow', 'update',
            case when i % 50 = 0 then 'refused' else 'completed' end, now() - i * interval '1 hour'
        from generate_series(0, \(rows) - 1) as i;
        insert into import_row (import, number, outcome)
        select pg_temp.key('import', i / 100), 1 + i % 100, case when i % 20 = 0 then 'rejected' else 'created' end
        from generate_series(0, \(rows) - 1) as i;
        insert into address_held (record, email, kind, since)
        select id, lower(email), 'person', created_at from person where email is not null
        union all
        select id, lower(email), 'organization', created_at from organization where email is not null
        union all
        select id, lower(email), 'expert', created_at from expert where email is not null;
        update person set unreachable = '{"email": "gone@example.org", "since": "2026-01-01T00:00:00Z"}'
        where email like 'p%77@example.org';
        update organization set unreachable = '{"email": "gone@example.org", "since": "2026-01-01T00:00:00Z"}'
        where email like 'o%77@example.org';
        update expert set unreachable = '{"email": "gone@example.org", "since": "2026-01-01T00:00:00Z"}'
        where email like 'e%77@example.org';
        insert into name_given (record, name, turned, by_staff)
        select id, folded(given_name || ' ' || family_name), folded(full_name), true from person
        union all
        select id, folded(name), null, true from expert;

        analyze;
        """
}
