-- Mailboxes of organizations by what they are for, one rule for who is written to where, and records found by part of an address or of a
-- telephone.

-- What the scan for duplicates compares, of every address of people alike.
create index address_held_mailbox_idx on directory.address_held (directory.mailbox_key(email)) where kind = 'person';
drop index directory.person_mailbox_idx;

-- [{"role": "accounting", "email": "…"}, …], a role once.
create function directory.are_mailboxes(mailboxes jsonb) returns boolean
    language sql immutable strict parallel safe
    return case when jsonb_typeof(mailboxes) = 'array' then (
        select coalesce(bool_and(
                role in ('general', 'accounting', 'communication', 'events', 'press', 'technical', 'training')
                and length(email) <= 254), true)
            and count(*) = count(distinct role)
        from jsonb_to_recordset(mailboxes) as mailbox (role text, email text)) else false end;

create function directory.mailbox_emails(mailboxes jsonb) returns text[]
    language sql immutable strict parallel safe
    return array(select mailbox ->> 'email' from jsonb_array_elements(mailboxes) as mailbox);

-- Everything by which somebody may be looked up by part of it: addresses in lower case, telephones as they are dialled abroad and at
-- home, one a line.
create function directory.contact_text(emails text[], telephones text[]) returns text
    language sql immutable parallel safe
    return (
        select coalesce(string_agg(line, E'\n'), '')
        from (
            select lower(email) as line from unnest(emails) as email
            union all
            select number from unnest(telephones) as number
            union all
            select regexp_replace(number, '^\+(33|262|590|594|596)', '0') from unnest(telephones) as number
            where number ~ '^\+(33|262|590|594|596)') as lines
        where line is not null);

alter table directory.organization
    add column mailboxes jsonb not null default '[]'
        constraint organization_mailboxes_check check (directory.are_mailboxes(mailboxes)),
    add column contact_text text not null generated always as (
        directory.contact_text(array_prepend(email, directory.mailbox_emails(mailboxes)), array[telephone])) stored;
alter table directory.person
    add column contact_text text not null generated always as (
        directory.contact_text(array_prepend(email, other_emails), array_prepend(telephone, other_telephones))) stored;
alter table directory.expert
    add column contact_text text not null generated always as (
        directory.contact_text(array[email], array[telephone])) stored;
create index organization_contact_idx on directory.organization using gin (contact_text directory.gin_trgm_ops);
create index person_contact_idx on directory.person using gin (contact_text directory.gin_trgm_ops);
create index expert_contact_idx on directory.expert using gin (contact_text directory.gin_trgm_ops);

-- An organization's own address and its mailboxes, and since when: as of people, what somebody else has is not somebody's to erase.
insert into directory.address_held (record, email, kind, since)
select id, lower(email), 'organization',
    coalesce((select max(until) from directory.address_past where record = organization.id), created_at)
from directory.organization where email is not null;

drop trigger organization_address_changed on directory.organization;
drop trigger organization_address_gone on directory.organization;

create function directory.organization_addresses_added() returns trigger
    language plpgsql as $$
begin
    insert into directory.address_held (record, email, kind, since)
    select id, address, 'organization',
        coalesce((select max(until) from directory.address_past where record = fresh.id), created_at)
    from fresh
        cross join unnest(directory.all_emails(fresh.email, directory.mailbox_emails(mailboxes))) as address
    on conflict do nothing;
    return null;
end $$;

create function directory.organization_addresses_changed() returns trigger
    language plpgsql as $$
declare
    changed uuid[] := array(
        select id from fresh join stale using (id)
        where lower(fresh.email) is distinct from lower(stale.email) or fresh.mailboxes <> stale.mailboxes);
begin
    if changed = '{}' then return null; end if;
    with gone as (
        delete from directory.address_held as held using fresh
        where fresh.id = any(changed) and held.record = fresh.id
            and held.email <> all(directory.all_emails(fresh.email, directory.mailbox_emails(fresh.mailboxes)))
        returning held.record, held.email, held.since)
    insert into directory.address_past (record, email, since, until)
    select record, email, since, greatest(since, now()) from gone;
    insert into directory.address_held (record, email, kind, since)
    select id, address, 'organization', now()
    from fresh
        cross join unnest(directory.all_emails(fresh.email, directory.mailbox_emails(mailboxes))) as address
    where id = any(changed)
    on conflict do nothing;
    return null;
end $$;

create trigger organization_addresses_added after insert on directory.organization referencing new table as fresh
    for each statement execute function directory.organization_addresses_added();
create trigger organization_addresses_changed after update on directory.organization
    referencing old table as stale new table as fresh
    for each statement execute function directory.organization_addresses_changed();
create trigger organization_addresses_gone after delete on directory.organization referencing old table as stale
    for each statement execute function directory.record_addresses_gone();

create or replace view directory.address_holding as
select record, email, tstzrange(since, until) as during from directory.address_past where email is not null
union all
select record, email, tstzrange(since, null) from directory.address_held
union all
select id, lower(email),
    tstzrange(coalesce((select max(until) from directory.address_past where record = expert.id), created_at), null)
from directory.expert where email is not null;

-- Who is written to where: the one place that decides it. Of a person or an expert its own address; of an organization its mailbox for
-- what the letter is about, else its own address, else that of its titular representative today. `reader` is whose data the letter is: of
-- an organization's own address nobody's. No row where nobody knows an address.
create function directory.mailbox(entity text, record uuid, role text default null)
    returns table (email text, name text, reader_entity text, reader uuid)
    language sql stable as $$
    select person.email, left(directory.person_name(given_name, family_name), 200), 'person', person.id
    from directory.person where $1 = 'person' and person.id = $2 and person.email is not null
    union all
    select expert.email, coalesce(contact_name, expert.name), 'expert', expert.id
    from directory.expert where $1 = 'expert' and expert.id = $2 and expert.email is not null
    union all
    select coalesce(known.email, person.email), known.name, case when known.email is null then 'person' end,
        case when known.email is null then person.id end
    from (
        select organization.id, organization.name, coalesce(
            (select box ->> 'email' from jsonb_array_elements(mailboxes) as box where box ->> 'role' = $3),
            organization.email) as email
        from directory.organization where $1 = 'organization' and organization.id = $2
    ) as known
    left join lateral (
        select person.id, person.email
        from directory.mandate join directory.person on person.id = mandate.person
        where known.email is null and mandate.organization = known.id and mandate.kind = 'titular'
            and mandate.during @> (now() at time zone 'Europe/Paris')::date and person.email is not null
        limit 1
    ) as person on true
    where coalesce(known.email, person.email) is not null
$$;

-- What merges remember is compared with what the records are now, to tell what was edited since.
update directory.merge set before = '{"mailboxes": []}'::jsonb || before, after = '{"mailboxes": []}'::jsonb || after
where kind = 'organization' and undone_at is null;

-- An organization's mailboxes after a row of an import, which says some by role: {"accounting": "…"}.
create function directory.with_mailboxes(known jsonb, said jsonb, emptied text[], filling boolean) returns jsonb
    language sql immutable parallel safe
    return (
        select coalesce(jsonb_agg(jsonb_build_object('role', role, 'email', email) order by role collate "C"), '[]')
        from (
            select role, case
                    when filling then coalesce(had.email, row.email)
                    else coalesce(
                        row.email, case when role || 'Email' = any(emptied) then null else had.email end) end as email
            from jsonb_to_recordset(known) as had (role text, email text)
                full join jsonb_each_text(coalesce(said, '{}')) as row (role, email) using (role)) as box
        where email is not null);
