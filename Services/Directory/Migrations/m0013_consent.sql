-- What people and experts answered on consent: a ledger of every answer, of which `consents` in the record is the
-- latest.

-- The questions. An answer refers to its question, so neither ever changes. A question that is not the standard one is
-- deleted with its last answer.
create table directory.consent_wording (
    id integer primary key generated always as identity,
    purpose text not null check (purpose in ('flashInfo', 'eventInvitations', 'publicDirectory', 'partnerOffers')),
    text text not null check (length(text) between 1 and 2000),
    -- The question unless another one is named.
    standard boolean not null default false,
    created_at timestamptz not null default now()
);

create unique index consent_wording_once on directory.consent_wording (purpose, md5(text));
create unique index consent_wording_standard on directory.consent_wording (purpose) where standard;

-- The ledger.
create table directory.consent_entry (
    id uuid primary key default gen_random_uuid(),
    -- The order of the lines.
    number bigint generated always as identity unique,
    person uuid references directory.person,
    expert uuid references directory.expert,
    purpose text not null check (purpose in ('flashInfo', 'eventInvitations', 'publicDirectory', 'partnerOffers')),
    agreed boolean not null,
    -- `carriedOver`: from before there was a ledger.
    source text not null check (source in ('operator', 'self', 'import', 'paper', 'carriedOver')),
    -- The source that the sender of a file gives for an answer: "fiche du salon, 14 mars".
    origin text check (length(origin) between 1 and 200),
    -- Null where others asked the question, in words that are not known here.
    wording integer references directory.consent_wording,
    -- When it was answered.
    at timestamptz not null,
    -- When it was written down: an answer from before a record had an address says nothing about that address. Null:
    -- not known, counts from `at`.
    recorded_at timestamptz default now(),
    -- Who wrote it down, as the audit trail names them.
    written_by text not null,
    constraint consent_entry_of_one check (num_nonnulls(person, expert) = 1),
    constraint consent_entry_asked_check check (wording is not null or source in ('import', 'carriedOver'))
);

create index consent_entry_person_idx on directory.consent_entry (person, number desc) where person is not null;
create index consent_entry_expert_idx on directory.consent_entry (expert, number desc) where expert is not null;
create index consent_entry_wording_idx on directory.consent_entry (wording);

-- Writing the ledger ------------------------------------------------------------------------------

-- The only way to write it: a statement that sets `consents` of a person or an expert also writes a line for each
-- answer that is new. How the answers were given is in the setting `directory.consent` of the transaction: {"source":
-- "self", "by": "person/…", "wording": 12, "origins": {"<id of the record>": "…"}}; unset, the staff entered them. A
-- merge and its undo set {"source": "moved"}: their answers are in the ledger already, and its lines move with them.
create function directory.consent_said() returns jsonb
    language sql stable
    return coalesce(nullif(current_setting('directory.consent', true), ''), '{}')::jsonb;

-- The question for each purpose: the one that was named, otherwise the standard one; null if others asked.
create function directory.consent_asked(said jsonb) returns table (purpose text, wording integer)
    language sql stable as $$
    select distinct on (w.purpose) w.purpose,
        case when w.id = (said ->> 'wording')::integer
            or coalesce(said ->> 'source', 'operator') not in ('import', 'carriedOver') then w.id end
    from directory.consent_wording as w
    where w.standard or w.id = (said ->> 'wording')::integer
    order by w.purpose, w.standard
$$;

create function directory.ledger_added() returns trigger
    language plpgsql as $$
declare
    said jsonb := directory.consent_said();
begin
    if said ->> 'source' = 'moved' then return null; end if;
    insert into directory.consent_entry (person, expert, purpose, agreed, source, wording, at, written_by, origin)
    select case when tg_table_name = 'person' then fresh.id end, case when tg_table_name = 'expert' then fresh.id end,
        answer.purpose, (answer.value ->> 'agreed')::boolean, coalesce(said ->> 'source', 'operator'),
        asked.wording, (answer.value ->> 'at')::timestamptz,
        coalesce(said ->> 'by', current_user::text), said -> 'origins' ->> fresh.id::text
    from fresh cross join lateral jsonb_each(fresh.consents) as answer (purpose, value)
        join directory.consent_asked(said) as asked on asked.purpose = answer.purpose
    where fresh.consents <> '{}';
    return null;
end $$;

create function directory.ledger_changed() returns trigger
    language plpgsql as $$
declare
    said jsonb := directory.consent_said();
begin
    if said ->> 'source' = 'moved' then return null; end if;
    insert into directory.consent_entry (person, expert, purpose, agreed, source, wording, at, written_by, origin)
    select case when tg_table_name = 'person' then fresh.id end, case when tg_table_name = 'expert' then fresh.id end,
        answer.purpose, (answer.value ->> 'agreed')::boolean, coalesce(said ->> 'source', 'operator'),
        asked.wording, (answer.value ->> 'at')::timestamptz,
        coalesce(said ->> 'by', current_user::text), said -> 'origins' ->> fresh.id::text
    from fresh join stale on stale.id = fresh.id
        cross join lateral jsonb_each(fresh.consents) as answer (purpose, value)
        join directory.consent_asked(said) as asked on asked.purpose = answer.purpose
    where fresh.consents is distinct from stale.consents
        and stale.consents -> answer.purpose is distinct from answer.value;
    return null;
end $$;

create trigger person_ledger_added after insert on directory.person
    referencing new table as fresh for each statement execute function directory.ledger_added();
create trigger person_ledger_changed after update on directory.person
    referencing old table as stale new table as fresh for each statement execute function directory.ledger_changed();
create trigger expert_ledger_added after insert on directory.expert
    referencing new table as fresh for each statement execute function directory.ledger_added();
create trigger expert_ledger_changed after update on directory.expert
    referencing old table as stale new table as fresh for each statement execute function directory.ledger_changed();

-- Lines are inserted by these triggers; and directly only for an answer that was given before the one that counts,
-- which changes nothing but the ledger. A line never changes and is deleted only with its person or expert; a merge may
-- move it to the record that remains.
create function directory.guard_ledger() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if pg_trigger_depth() > 1 then return new; end if;
        if exists (
                select from directory.person
                where id = new.person and (consents -> new.purpose ->> 'at')::timestamptz >= new.at)
            or exists (
                select from directory.expert
                where id = new.expert and (consents -> new.purpose ->> 'at')::timestamptz >= new.at)
        then return new; end if;
    elsif tg_op = 'UPDATE' then
        if (new.id, new.number, new.purpose, new.agreed, new.source, new.wording, new.at, new.written_by)
            is not distinct from (
                old.id, old.number, old.purpose, old.agreed, old.source, old.wording, old.at, old.written_by)
        then return new; end if;
    elsif exists (
        select from directory.erasure
        where subject = coalesce(old.person, old.expert) and state in ('erasing', 'done'))
    then return old;
    end if;
    raise restrict_violation using
        message = 'the ledger of consents is written by the answers, and never changed',
        constraint = 'consent_entry_final', table = tg_table_name;
end $$;

create trigger consent_entry_final before insert or update or delete on directory.consent_entry
    for each row execute function directory.guard_ledger();

-- The answers in a record -------------------------------------------------------------------------

-- The answers after new ones: a new answer gets the present time, a repeated one keeps its own.
create function directory.with_consents(answers jsonb, choices jsonb) returns jsonb
    language sql stable parallel safe
    return answers || coalesce((
        select jsonb_object_agg(purpose, jsonb_build_object('agreed', agreed, 'at',
            directory.rfc3339(now())))
        from jsonb_each(choices) as choice (purpose, agreed)
        where jsonb_typeof(agreed) = 'boolean' and answers -> purpose -> 'agreed' is distinct from agreed), '{}');

-- The answers after those of a file, which usually does not say when they were given. They answer what was never
-- answered, and withdraw: a withdrawal needs no date, even if only gaps are filled, as it only ends an agreement. They
-- never turn a no into a yes, nor override what was declined at the address. With a date the later answer counts: a yes
-- from the beginning of the day, a no from its end.
create function directory.with_imported_consents(
    answers jsonb, choices jsonb, given_on date, declined jsonb, filling boolean) returns jsonb
    language sql stable parallel safe
    return answers || coalesce((
        select jsonb_object_agg(purpose, jsonb_build_object('agreed', agreed, 'at',
            directory.rfc3339(at)))
        from jsonb_each(choices) as choice (purpose, value)
            cross join lateral (
                select (value #>> '{}')::boolean as agreed, answers ? purpose as answered,
                    case
                        when answers ? purpose then (answers -> purpose ->> 'agreed')::boolean
                        when (value #>> '{}')::boolean and declined ? purpose then false
                    end as known,
                    coalesce(
                        (answers -> purpose ->> 'at')::timestamptz, (declined ->> purpose)::timestamptz) as known_at,
                    given_on::timestamp at time zone 'Europe/Paris' as day_begin,
                    least((given_on + 1)::timestamp at time zone 'Europe/Paris', now()) as day_end
            ) as said
            cross join lateral (
                select case
                    when answered and filling and (agreed or not known) then null
                    when known is null then coalesce(day_begin, now())
                    when given_on is null then case when known and not agreed then now() end
                    when known and not agreed then case when day_end > known_at then day_end end
                    when day_begin > known_at then day_begin
                end as at
            ) as taken
        where agreed is not null and at is not null), '{}');

-- Declined addresses ------------------------------------------------------------------------------

-- The addresses of readers who left the Flash info or asked to be erased, hashed so that they cannot be read: a file
-- does not make them agree again. Content keeps its own in the same way, for the same time. The key is here and not in
-- a configuration file.
create table directory.declined_address (
    hash bytea not null,
    purpose text not null check (purpose in ('flashInfo', 'eventInvitations', 'publicDirectory', 'partnerOffers')),
    declined_at timestamptz not null,
    primary key (hash, purpose)
);

create table directory.declined_address_key (
    singleton boolean primary key default true check (singleton),
    key bytea not null
);
insert into directory.declined_address_key (key)
values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- Hashed twice with the key, as HMAC does (RFC 2104).
create function directory.address_hash(email text) returns bytea
    language sql stable strict parallel safe
    return (
        select sha256(key || sha256(key || convert_to(lower(address_hash.email), 'UTF8')))
        from directory.declined_address_key);
