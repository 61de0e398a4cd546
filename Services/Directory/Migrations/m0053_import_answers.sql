-- What a row of an import may say of consent where others have answered, and where only gaps are filled.

-- The record itself, or into which it was merged, to the last.
create function directory.heirs_of(record uuid) returns setof uuid
    language sql stable strict rows 1 as $$
    with recursive heir (id) as (
        select heirs_of.record
        union
        select merge.survivor from directory.merge join heir on merge.merged = heir.id where undone_at is null
    )
    select id from heir
$$;

-- What was declined by whoever has one of these addresses, or had it, in lower case: by people and experts alike, and of a record that was
-- merged into another what counts of that one. Few addresses are anybody's: what is dear is done for those.
create function directory.declined_by(record uuid) returns table (purpose text, declined_at timestamptz)
    language sql stable strict rows 1 as $$
    select answer.key, (answer.value ->> 'at')::timestamptz
    from directory.heirs_of(declined_by.record) as heir
        cross join lateral (
            select consents from directory.person where id = heir
            union all
            select consents from directory.expert where id = heir) as known
        cross join lateral jsonb_each(known.consents) as answer
    where answer.value -> 'agreed' = 'false'
$$;

create function directory.declined_at(emails text[]) returns table (purpose text, declined_at timestamptz, record uuid)
    language sql stable rows 1 as $$
    select answer.purpose, answer.declined_at, had.record
    from (
        select held.record from directory.address_held as held where held.email = any(emails)
        union all
        select past.record from directory.address_past as past where past.email = any(emails)) as had
        cross join lateral directory.declined_by(had.record) as answer
$$;

-- As before; and where only gaps are filled a withdrawal counts, too: it needs no day, and takes nothing but an agreement away.
create or replace function directory.with_imported_consents(
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
                    when answered and filling and (agreed or not known) then null
                    when known is null then coalesce(day_begin, now())
                    when given_on is null then case when known and not agreed then now() end
                    when known and not agreed then case when day_end > known_at then day_end end
                    when day_begin > known_at then day_begin
                end as at
            ) as taken
        where agreed is not null and at is not null), '{}');

-- Which organizations that have one of these addresses, or had it, are not to be shown.
create function directory.hidden_at(emails text[]) returns table (organization uuid)
    language sql stable rows 1 as $$
    select known.id
    from (
        select held.record from directory.address_held as held where held.email = any(emails)
        union all
        select past.record from directory.address_past as past where past.email = any(emails)) as had
        cross join lateral directory.heirs_of(had.record) as heir
        -- `offset 0`: by its key, and not by a look at all.
        cross join lateral (
            select id from directory.organization where id = heir and not public_directory offset 0) as known
$$;
