-- Imports that take no answer back and no record over: what a file may say of consent, which town is which, and whose record it is.

-- What two spellings of one town have in common: without arrondissement and CEDEX, `St-Étienne` is `Saint Étienne`.
create function directory.town_key(commune text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(
        regexp_replace(directory.name_key(commune), '\s+(cedex\M.*|[0-9]+.*)$', ''), '\mst(e?s?)\M', 'saint\1', 'g');

-- Whether two places are different towns, as far as both are known; null where they may be one. Saint-Denis of one département
-- is not that of another; of one town there may be several postal codes.
create function directory.are_two_towns(commune text, postal_code text, other text, other_postal_code text) returns boolean
    language sql immutable parallel safe
    return case
        when commune is not null and other is not null
            then directory.town_key(commune) <> directory.town_key(other)
                or left(postal_code, 2 + (postal_code ~ '^9[78]')::integer)
                    <> left(other_postal_code, 2 + (other_postal_code ~ '^9[78]')::integer)
        else postal_code <> other_postal_code
    end;

-- Organizations without a postal code are told apart by their towns.
create index organization_town_idx on directory.organization (directory.name_key(name), directory.town_key(commune))
    where postal_code is null;

-- Addresses of those who left the Flash info, or asked to be erased, as nobody can read them: a file does not make them agree
-- again. Kept as content keeps them, and for as long: the key stays here and not in a file.
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

-- Two rounds under the key, as HMAC has (RFC 2104).
create function directory.address_hash(email text) returns bytea
    language sql stable strict parallel safe
    return (
        select sha256(key || sha256(key || convert_to(lower(address_hash.email), 'UTF8')))
        from directory.declined_address_key);

-- The answers on consent after those of a file, of which nobody knows when they were given. They fill what was never answered,
-- and withdraw; they make no yes of a no, nor of what was declined at the address. With a day of their own, the later answer
-- counts: a yes as of the beginning of the day, a no as of its end.
create function directory.with_imported_consents(
    answers jsonb, choices jsonb, given_on date, declined jsonb, filling boolean) returns jsonb
    language sql stable parallel safe
    return answers || coalesce((
        select jsonb_object_agg(purpose, jsonb_build_object('agreed', agreed, 'at',
            to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
        from jsonb_each(choices) as choice (purpose, value)
            cross join lateral (
                select (value #>> '{}')::boolean as agreed, answers ? purpose as answered,
                    case
                        when answers ? purpose then (answers -> purpose ->> 'agreed')::boolean
                        when (value #>> '{}')::boolean and declined ? purpose then false
                    end as known,
                    coalesce((answers -> purpose ->> 'at')::timestamptz, (declined ->> purpose)::timestamptz) as known_at,
                    given_on::timestamp at time zone 'Europe/Paris' as day_begin,
                    least((given_on + 1)::timestamp at time zone 'Europe/Paris', now()) as day_end
            ) as said
            cross join lateral (
                select case
                    when answered and filling then null
                    when known is null then coalesce(day_begin, now())
                    when given_on is null then case when known and not agreed then now() end
                    when known and not agreed then case when day_end > known_at then day_end end
                    when day_begin > known_at then day_begin
                end as at
            ) as taken
        where agreed is not null and at is not null), '{}');

-- Where the sender of a file says that an answer is from: "fiche du salon, 14 mars".
alter table directory.consent_entry add column origin text check (length(origin) between 1 and 200);

-- As before, with what a file says of each record: {"origins": {"<id>": "…"}}.
create or replace function directory.ledger_added() returns trigger
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

create or replace function directory.ledger_changed() returns trigger
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

-- Into which record another one was merged, itself and no further. An ambassador goes with its person: a merge of two who both
-- are ambassadors remembers which of them it took out.
create function directory.absorbed_by(kind text, record uuid) returns setof uuid
    language sql stable parallel safe
begin atomic
    select merge.survivor from directory.merge
    where merge.kind = absorbed_by.kind and merge.merged = record and undone_at is null
    union all
    select (step ->> 'survivor')::uuid
    from directory.merge cross join jsonb_array_elements(steps) as step
    where absorbed_by.kind = 'ambassador' and touched @> array[record] and undone_at is null
        and step ->> 'table' = 'ambassador' and (step ->> 'merged')::uuid = record;
end;

-- Why no record has an identifier: it was merged into another, which is named, or erased, or there never was one.
create function directory.absence_of(kind text, record uuid) returns text
    language sql stable parallel safe
    return (
        with recursive heir (id) as (
            select survivor from directory.absorbed_by(absence_of.kind, record) as survivor
            union
            select survivor from heir cross join lateral directory.absorbed_by(absence_of.kind, heir.id) as survivor
        )
        select coalesce(
            (
                select 'The ' || absence_of.kind || ' with this identifier was merged into ' || heir.id || '.'
                from heir
                where not exists (select from directory.absorbed_by(absence_of.kind, heir.id))
                limit 1),
            case
                when exists (
                    select from directory.erasure where subject = record and erasure.state in ('erasing', 'done'))
                then 'The ' || absence_of.kind || ' with this identifier was erased.'
                else 'There is no ' || absence_of.kind || ' with this identifier.'
            end));

-- What was left out of a row that was taken: [{"column": "Flash info", "detail": "…"}, …]; never a value of the file.
alter table directory.import_row
    add column notes jsonb not null default '[]' check (jsonb_typeof(notes) = 'array');
create index import_row_notes_idx on directory.import_row (import, number) where notes <> '[]';
