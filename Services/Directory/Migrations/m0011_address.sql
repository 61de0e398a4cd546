-- Who has had which e-mail address, and when. Data kept by address only, such as a letter without a known reader,
-- belongs to the record that had the address at that time, and to none if two had it. Also the address that a letter is
-- sent to.

-- The addresses that records have: all those of a person, an expert or an organization. Only one person has an address.
-- Maintained by triggers.
create table directory.address_held (
    record uuid not null,
    -- In lower case.
    email text not null,
    kind text not null check (kind in ('person', 'organization', 'expert')),
    since timestamptz not null,
    -- Null if the staff gave the address, or if its reader has opened the record by a link that was mailed there.
    -- Otherwise the time from which it counts: on its own claim alone, a record has an address only from then on, and
    -- nothing older at the address is its own. Not used for organizations: they have no letters of their own to read.
    counts_from timestamptz,
    primary key (record, email)
);

create unique index address_held_person_key on directory.address_held (email) where kind = 'person';
create index address_held_email_idx on directory.address_held (email);
-- What the search for duplicates compares.
create index address_held_mailbox_idx on directory.address_held (directory.mailbox_key(email)) where kind = 'person';
create index address_held_organization_mailbox_idx on directory.address_held (directory.mailbox_key(email))
    where kind = 'organization';

-- The addresses that records have given up.
create table directory.address_past (
    -- No foreign key: it outlives a record that was merged into another, and goes with an erasure or by the rule of
    -- retention.
    record uuid not null,
    -- In lower case; null for a time without an address.
    email text,
    since timestamptz not null,
    until timestamptz not null,
    -- As in `address_held`.
    counts_from timestamptz,
    constraint address_past_ends_after_start check (until >= since)
);

create index address_past_record_idx on directory.address_past (record, until);
create index address_past_email_idx on directory.address_past (email);
create index address_past_until_idx on directory.address_past (until);

-- Every address of every record, and when the record had it.
create view directory.address_holding as
select record, email, tstzrange(since, until) as during, counts_from
from directory.address_past where email is not null
union all
select record, email, tstzrange(since, null), counts_from from directory.address_held;

-- The time from which an address recorded in this transaction counts. The setting `directory.named_by` tells who gives
-- it, as for names: `staff`; `merge` and `undo`, which only move an address between records, with what is known about
-- it; unset, it may be the record itself.
create function directory.address_counts_from(record uuid, email text, since timestamptz) returns timestamptz
    language sql stable
    return (
        select case
            when said = 'staff' then null
            when former.is_known then former.counts_from
            else address_counts_from.since end
        from (select coalesce(current_setting('directory.named_by', true), '') as said) as giver
            left join lateral (
                select true as is_known, past.counts_from
                from directory.address_past as past
                where said in ('merge', 'undo') and past.email = address_counts_from.email
                    and (past.record = address_counts_from.record or past.until >= now())
                -- A merge brings the other record's address; an undo brings back the record's own.
                order by
                    case said
                        when 'merge' then past.until >= now()
                        else past.record = address_counts_from.record end desc,
                    past.until desc
                limit 1) as former on true);

-- Maintaining them --------------------------------------------------------------------------------

create function directory.record_addresses_gone() returns trigger
    language plpgsql as $$
begin
    with gone as (
        delete from directory.address_held as held using stale where held.record = stale.id
        returning held.record, held.email, held.since, held.counts_from)
    insert into directory.address_past (record, email, since, until, counts_from)
    select record, email, since, greatest(since, now()), counts_from from gone;
    return null;
end $$;

-- An address that another person has is refused under the name of the field that contains it.
create function directory.refuse_taken_address(first text, taken text) returns void
    language plpgsql as $$
begin
    raise unique_violation using
        message = 'another person has this address', table = 'person',
        constraint = case when lower(first) = taken then 'person_email_key' else 'person_other_emails_key' end;
end $$;

create function directory.person_addresses_added() returns trigger
    language plpgsql as $$
declare
    is_the_staffs boolean := coalesce(current_setting('directory.named_by', true), '') = 'staff';
begin
    insert into directory.address_held (record, email, kind, since, counts_from)
    select id, address, 'person', start,
        case when not is_the_staffs then directory.address_counts_from(id, address, start) end
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
        cross join lateral (
            select coalesce(
                (select max(until) from directory.address_past where record = fresh.id), created_at) as start
        ) as had
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
        returning held.record, held.email, held.since, held.counts_from)
    insert into directory.address_past (record, email, since, until, counts_from)
    select record, email, since, greatest(since, now()), counts_from from gone;
    insert into directory.address_held (record, email, kind, since, counts_from)
    select id, address, 'person', now(), directory.address_counts_from(id, address, now())
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
    where id = any(changed) order by address
    on conflict do nothing;
    perform directory.refuse_taken_address(fresh.email, address)
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
    where id = any(changed) and not exists (
        select from directory.address_held as held where held.record = fresh.id and held.email = address);
    return null;
end $$;

create trigger person_addresses_added after insert on directory.person referencing new table as fresh
    for each statement execute function directory.person_addresses_added();
create trigger person_addresses_changed after update on directory.person
    referencing old table as stale new table as fresh
    for each statement execute function directory.person_addresses_changed();
create trigger person_addresses_gone after delete on directory.person referencing old table as stale
    for each statement execute function directory.record_addresses_gone();

create function directory.expert_addresses_added() returns trigger
    language plpgsql as $$
declare
    is_the_staffs boolean := coalesce(current_setting('directory.named_by', true), '') = 'staff';
begin
    insert into directory.address_held (record, email, kind, since, counts_from)
    select id, lower(email), 'expert', start,
        case when not is_the_staffs then directory.address_counts_from(id, lower(email), start) end
    from fresh cross join lateral (
        select coalesce((select max(until) from directory.address_past where record = fresh.id), created_at) as start
    ) as had
    where email is not null
    on conflict do nothing;
    return null;
end $$;

create function directory.expert_addresses_changed() returns trigger
    language plpgsql as $$
declare
    changed uuid[] := array(
        select id from fresh join stale using (id) where lower(fresh.email) is distinct from lower(stale.email));
begin
    if changed = '{}' then return null; end if;
    with gone as (
        delete from directory.address_held where record = any(changed) returning record, email, since, counts_from)
    insert into directory.address_past (record, email, since, until, counts_from)
    select record, email, since, greatest(since, now()), counts_from from gone;
    insert into directory.address_held (record, email, kind, since, counts_from)
    select id, lower(email), 'expert', now(), directory.address_counts_from(id, lower(email), now())
    from fresh where id = any(changed) and email is not null;
    return null;
end $$;

create trigger expert_addresses_added after insert on directory.expert referencing new table as fresh
    for each statement execute function directory.expert_addresses_added();
create trigger expert_addresses_changed after update on directory.expert
    referencing old table as stale new table as fresh
    for each statement execute function directory.expert_addresses_changed();
create trigger expert_addresses_gone after delete on directory.expert referencing old table as stale
    for each statement execute function directory.record_addresses_gone();

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

-- Using them --------------------------------------------------------------------------------------

-- The addresses of some records and when they were theirs: while they had them, and before and after for as long as no
-- other record had had them or took them; never while another record also had them. An address that was always shared
-- has one empty period. `self_given` is true of periods supported only by the record's own claim, which does not cover
-- the time before it was made.
create function directory.addresses_of(records uuid[])
    returns table (email text, since timestamptz, until timestamptz, self_given boolean)
    language sql stable as $$
    with own as materialized (
        select email, during, counts_from from directory.address_holding
        where record = any(records) and not isempty(during)
    ), other as materialized (
        -- `offset 0`: looked up address by address in the indexes, and not by reading every record.
        select holding.email, holding.during
        from (select distinct email from own) as mine cross join lateral (
            select email, during, record from directory.address_holding
            where address_holding.email = mine.email offset 0
        ) as holding
        where record <> all(records) and not isempty(during)
    ), bounds as (
        select email, counts_from is not null as self_given,
            case
                when counts_from is not null then greatest(lower(during), counts_from)
                when exists (
                    select from other where other.email = own.email and lower(other.during) < lower(own.during))
                    then lower(own.during) end as since,
            case when not upper_inf(own.during) then (
                select min(lower(other.during)) from other
                where other.email = own.email and lower(other.during) >= upper(own.during)) end as until
        from own
    ), claim as (
        select email, self_given,
            range_agg(tstzrange(case when self_given then least(since, until) else since end, until)) as during
        from bounds group by email, self_given
    )
    select claim.email, case when piece is null then now() else lower(piece) end,
        case when piece is null then now() else upper(piece) end, claim.self_given
    from claim left join lateral unnest(
            claim.during
                - coalesce((select range_agg(during) from other where other.email = claim.email), '{}')
                - coalesce((
                    select given.during from claim as given
                    where claim.self_given and given.email = claim.email and not given.self_given), '{}')
        ) as piece on true
$$;

-- How a letter addresses a person or an expert.
create function directory.salutation(reader directory.person) returns text
    language sql immutable parallel safe
    return left(directory.person_name((reader).given_name, (reader).family_name), 200);

create function directory.salutation(reader directory.expert) returns text
    language sql immutable parallel safe
    return coalesce((reader).contact_name, (reader).name);

-- Where a letter goes, for every letter. To a person or an expert at its own address; to an organization at its mailbox
-- for the subject, else at its own address, else at that of its titular representative today. `reader` is whose data
-- the letter is; a letter to an organization's own address is no one's data. No row if there is no address.
create function directory.mailbox(entity text, record uuid, role text default null)
    returns table (email text, name text, reader_entity text, reader uuid)
    language sql stable as $$
    select person.email, directory.salutation(person), 'person', person.id
    from directory.person where $1 = 'person' and person.id = $2 and person.email is not null
    union all
    select expert.email, directory.salutation(expert), 'expert', expert.id
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
            and mandate.during @> directory.today() and person.email is not null
        limit 1
    ) as person on true
    where coalesce(known.email, person.email) is not null
$$;
