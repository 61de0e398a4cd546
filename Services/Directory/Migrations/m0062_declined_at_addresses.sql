-- What others declined at an address is looked for as a part of the statement that asks: a function called for each holder cost twenty
-- times as much, and an address may have thousands of holders. Only of records that were merged the heirs are looked for.

create or replace function directory.declined_at(emails text[])
    returns table (purpose text, declined_at timestamptz, record uuid)
    language sql stable rows 1 as $$
    select answer.key, (answer.value ->> 'at')::timestamptz, had.record
    from (
        select held.record from directory.address_held as held where held.email = any(emails)
        union all
        select past.record from directory.address_past as past where past.email = any(emails)) as had
        cross join lateral (
            select consents from directory.person where id = had.record
            union all
            select consents from directory.expert where id = had.record
            union all
            select heir_known.consents
            from directory.merge
                cross join lateral directory.heirs_of(merge.survivor) as heir
                cross join lateral (
                    select consents from directory.person where id = heir
                    union all
                    select consents from directory.expert where id = heir) as heir_known
            where merge.merged = had.record and undone_at is null) as known
        cross join lateral jsonb_each(known.consents) as answer
    where answer.value -> 'agreed' = 'false'
$$;

drop function directory.declined_by(uuid);

create or replace function directory.hidden_at(emails text[]) returns table (organization uuid)
    language sql stable rows 1 as $$
    select known.id
    from (
        select held.record from directory.address_held as held where held.email = any(emails)
        union all
        select past.record from directory.address_past as past where past.email = any(emails)) as had
        cross join lateral (
            select id from directory.organization where id = had.record and not public_directory
            union all
            select organization.id
            from directory.merge
                cross join lateral directory.heirs_of(merge.survivor) as heir
                join directory.organization on organization.id = heir and not public_directory
            where merge.merged = had.record and undone_at is null) as known
$$;
