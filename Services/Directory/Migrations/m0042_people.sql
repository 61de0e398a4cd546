-- People as they are: with one name where they have one, with a civility and a function, with further addresses and telephones.

-- The name as one says it. As null has no length, a person's only name is the family name.
create function directory.person_name(given text, family text) returns text
    language sql immutable parallel safe
    return coalesce(given || ' ', '') || family;

-- PostgreSQL 15 does not change how a column is computed: both columns, and what depends on them, are dropped and added again.
alter table directory.ambassador drop constraint ambassador_person_fkey;
alter table directory.person drop column full_name, drop column sort_key;
alter table directory.person
    alter column given_name drop not null,
    add column honorific_prefix text check (length(honorific_prefix) between 1 and 200),
    add column job_title text check (length(job_title) between 1 and 200),
    -- Beside `email`, which is the one that is written to, and `telephone`: in the order in which they were given.
    add column other_emails text[] not null default '{}',
    add column other_telephones text[] not null default '{}',
    add column full_name text not null generated always as (family_name || coalesce(' ' || given_name, '')) stored,
    add column sort_key text collate "C" not null
        generated always as (directory.sort_key(family_name || coalesce(' ' || given_name, ''))) stored,
    add constraint person_full_name_key unique (id, full_name),
    add constraint person_other_emails_check check (cardinality(other_emails) <= 10),
    add constraint person_other_telephones_check check (cardinality(other_telephones) <= 10);
alter table directory.ambassador
    add constraint ambassador_person_fkey
        foreign key (person, name) references directory.person (id, full_name) on update cascade;

create index person_name_idx on directory.person (sort_key, id);
create index person_organization_idx on directory.person (organization, sort_key, id);
create index person_search_idx on directory.person using gin (sort_key directory.gin_trgm_ops);
create index person_name_key_idx on directory.person (directory.name_key(full_name));
drop index directory.person_swapped_idx;
create index person_swapped_idx on directory.person (directory.name_key(directory.person_name(given_name, family_name)));
-- Few have any.
create index person_other_telephones_idx on directory.person using gin (other_telephones)
    where other_telephones <> '{}';

-- Further addresses and telephones as they are kept: each once, in their order, without the first.
create function directory.further_emails(first text, others text[]) returns text[]
    language sql immutable parallel safe
    return array(
        select address
        from (
            select distinct on (lower(address)) address, place
            from unnest(others) with ordinality as given (address, place)
            where lower(address) <> coalesce(lower(first), '') order by lower(address), place) as kept
        order by place);

create function directory.further_telephones(first text, others text[]) returns text[]
    language sql immutable parallel safe
    return array(
        select number
        from (
            select distinct on (number) number, place
            from unnest(others) with ordinality as given (said, place) cross join directory.telephone(said) as number
            where number <> coalesce(directory.telephone(first), '') order by number, place) as kept
        order by place);

-- On every write, the undo of a merge included: no two are the same, none is the first, and there are none without a first.
create function directory.keep_further() returns trigger
    language plpgsql as $$
begin
    new.email := coalesce(new.email, new.other_emails[1]);
    new.telephone := coalesce(new.telephone, new.other_telephones[1]);
    new.other_emails := directory.further_emails(new.email, new.other_emails);
    new.other_telephones := directory.further_telephones(new.telephone, new.other_telephones);
    return new;
end $$;

create trigger person_further before insert or update of email, telephone, other_emails, other_telephones
    on directory.person for each row
    when (cardinality(new.other_emails) > 0 or cardinality(new.other_telephones) > 0)
    execute function directory.keep_further();

-- Every address of a record, in lower case.
create function directory.all_emails(email text, others text[]) returns text[]
    language sql immutable parallel safe
    return array(
        select distinct lower(address) from unnest(array_prepend(email, others)) as address where address is not null);

-- Which addresses people have, the first and the further ones alike, and since when: an address is one person's, and what was given
-- up is remembered with the time from when it was had. Written by the database from what is in the records.
create table directory.address_held (
    record uuid not null,
    -- In lower case.
    email text not null,
    kind text not null check (kind in ('person', 'organization')),
    since timestamptz not null,
    primary key (record, email)
);

create unique index address_held_person_key on directory.address_held (email) where kind = 'person';
create index address_held_email_idx on directory.address_held (email);

insert into directory.address_held (record, email, kind, since)
select id, lower(email), 'person',
    coalesce((select max(until) from directory.address_past where record = person.id), created_at)
from directory.person where email is not null;

drop trigger person_address_changed on directory.person;
drop trigger person_address_gone on directory.person;

-- What somebody else has is told by the name of the field in which it stands.
create function directory.refuse_taken_address(first text, taken text) returns void
    language plpgsql as $$
begin
    raise unique_violation using
        message = 'another person has this address', table = 'person',
        constraint = case when lower(first) = taken then 'person_email_key' else 'person_other_emails_key' end;
end $$;

create function directory.person_addresses_added() returns trigger
    language plpgsql as $$
begin
    insert into directory.address_held (record, email, kind, since)
    select id, address, 'person',
        coalesce((select max(until) from directory.address_past where record = fresh.id), created_at)
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
    order by address
    on conflict do nothing;
    perform directory.refuse_taken_address(fresh.email, address)
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
    where not exists (
        select from directory.address_held as held where held.record = fresh.id and held.email = address);
    return null;
end $$;

create function directory.person_addresses_changed() returns trigger
    language plpgsql as $$
declare
    changed uuid[] := array(
        select id from fresh join stale using (id)
        where lower(fresh.email) is distinct from lower(stale.email) or fresh.other_emails <> stale.other_emails);
begin
    if changed = '{}' then return null; end if;
    with gone as (
        delete from directory.address_held as held using fresh
        where fresh.id = any(changed) and held.record = fresh.id
            and held.email <> all(directory.all_emails(fresh.email, fresh.other_emails))
        returning held.record, held.email, held.since)
    insert into directory.address_past (record, email, since, until)
    select record, email, since, greatest(since, now()) from gone;
    insert into directory.address_held (record, email, kind, since)
    select id, address, 'person', now()
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
    where id = any(changed) order by address
    on conflict do nothing;
    perform directory.refuse_taken_address(fresh.email, address)
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
    where id = any(changed) and not exists (
        select from directory.address_held as held where held.record = fresh.id and held.email = address);
    return null;
end $$;

create function directory.record_addresses_gone() returns trigger
    language plpgsql as $$
begin
    with gone as (
        delete from directory.address_held as held using stale where held.record = stale.id
        returning held.record, held.email, held.since)
    insert into directory.address_past (record, email, since, until)
    select record, email, since, greatest(since, now()) from gone;
    return null;
end $$;

create trigger person_addresses_added after insert on directory.person referencing new table as fresh
    for each statement execute function directory.person_addresses_added();
create trigger person_addresses_changed after update on directory.person
    referencing old table as stale new table as fresh
    for each statement execute function directory.person_addresses_changed();
create trigger person_addresses_gone after delete on directory.person referencing old table as stale
    for each statement execute function directory.record_addresses_gone();

create or replace view directory.address_holding as
select record, email, tstzrange(since, until) as during from directory.address_past where email is not null
union all
select record, email, tstzrange(since, null) from directory.address_held
union all
select id, lower(email),
    tstzrange(coalesce((select max(until) from directory.address_past where record = expert.id), created_at), null)
from directory.expert where email is not null
union all
select id, lower(email),
    tstzrange(coalesce((select max(until) from directory.address_past where record = organization.id), created_at), null)
from directory.organization where email is not null;

-- What merges remember is compared with what the records are now, to tell what was edited since.
create function directory.image_of_old(image jsonb) returns jsonb
    language sql immutable strict parallel safe
    return '{"honorific_prefix": null, "job_title": null, "other_emails": [], "other_telephones": []}'::jsonb || image;

update directory.merge
set before = directory.image_of_old(before), after = directory.image_of_old(after)
where kind = 'person' and undone_at is null;

drop function directory.image_of_old(jsonb);
