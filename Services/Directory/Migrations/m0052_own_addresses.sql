-- Whether the club's staff says that an address is a record's, or the record itself. By its own word a record has an address since it said
-- so, and never had it before: nothing that was there at the address is its own.

-- Null where the staff gave the address, or where its reader has opened the record by a link that was mailed there; else from when it
-- counts. Of an organization nobody asks: it has no mails of its own to read.
alter table directory.address_held add column counts_from timestamptz;
alter table directory.address_past add column counts_from timestamptz;

-- Of an address that is written down now. Who says so is in the setting `directory.named_by`, as of names: `staff`; `merge` and `undo`, which
-- only move an address from record to record, with what is known of it; unsaid, it may be the record itself.
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
                -- What comes with a merge is the other record's; what comes back with its undo is the own.
                order by case said when 'merge' then past.until >= now() else past.record = address_counts_from.record end
                        desc, past.until desc
                limit 1) as former on true);

create or replace function directory.record_addresses_gone() returns trigger
    language plpgsql as $$
begin
    with gone as (
        delete from directory.address_held as held using stale where held.record = stale.id
        returning held.record, held.email, held.since, held.counts_from)
    insert into directory.address_past (record, email, since, until, counts_from)
    select record, email, since, greatest(since, now()), counts_from from gone;
    return null;
end $$;

create or replace function directory.person_addresses_added() returns trigger
    language plpgsql as $$
declare
    is_the_staffs boolean := coalesce(current_setting('directory.named_by', true), '') = 'staff';
begin
    insert into directory.address_held (record, email, kind, since, counts_from)
    select id, address, 'person', start,
        case when not is_the_staffs then directory.address_counts_from(id, address, start) end
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
        cross join lateral (
            select coalesce((select max(until) from directory.address_past where record = fresh.id), created_at) as start
        ) as had
    order by address
    on conflict do nothing;
    perform directory.refuse_taken_address(fresh.email, address)
    from fresh cross join unnest(directory.all_emails(fresh.email, other_emails)) as address
    where not exists (
        select from directory.address_held as held where held.record = fresh.id and held.email = address);
    return null;
end $$;

create or replace function directory.person_addresses_changed() returns trigger
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

create or replace function directory.expert_addresses_added() returns trigger
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

create or replace function directory.expert_addresses_changed() returns trigger
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

create or replace view directory.address_holding as
select record, email, tstzrange(since, until) as during, counts_from
from directory.address_past where email is not null
union all
select record, email, tstzrange(since, null), counts_from from directory.address_held;

-- Of those who are there: the staff's, where no person has ever written the record but the staff, as far as the trail goes back. Services
-- give nobody an address. What a record may have given itself before there was a table of addresses counts from its last change.
create function directory.is_the_staffs(entity text, record uuid) returns boolean
    language sql stable
    return coalesce((
        select bool_and(audit.role in ('operator', 'service')) and bool_or(audit.action = 'created')
        from directory.audit where audit.entity = is_the_staffs.entity and audit.subject = is_the_staffs.record::text), false);

update directory.address_held as held
set counts_from = greatest(held.since, case when held.since = known.created_at then known.updated_at end)
from (
    select 'person' as kind, id, created_at, updated_at from directory.person
    union all
    select 'expert', id, created_at, updated_at from directory.expert) as known
where held.kind = known.kind and held.record = known.id and not directory.is_the_staffs(known.kind, known.id);

update directory.address_past set counts_from = since
where email is not null
    and not directory.is_the_staffs('person', record) and not directory.is_the_staffs('expert', record);

drop function directory.is_the_staffs(text, uuid);

-- As before, but by its own word nobody had an address before it said so. `self_given` are the times for which nothing but its own word
-- speaks.
drop function directory.addresses_of(uuid[]);
create function directory.addresses_of(records uuid[])
    returns table (email text, since timestamptz, until timestamptz, self_given boolean)
    language sql stable as $$
    with own as materialized (
        select email, during, counts_from from directory.address_holding
        where record = any(records) and not isempty(during)
    ), other as materialized (
        -- `offset 0`: found address by address, by the indexes, and not by a look at everybody.
        select holding.email, holding.during
        from (select distinct email from own) as mine cross join lateral (
            select email, during, record from directory.address_holding where address_holding.email = mine.email offset 0
        ) as holding
        where record <> all(records) and not isempty(during)
    ), bounds as (
        select email, counts_from is not null as self_given,
            case
                when counts_from is not null then greatest(lower(during), counts_from)
                when exists (select from other where other.email = own.email and lower(other.during) < lower(own.during))
                    then lower(own.during) end as since,
            case when not upper_inf(own.during) then (
                select min(lower(other.during)) from other
                where other.email = own.email and lower(other.during) >= upper(own.during)) end as until
        from own
    ), claim as (
        select email, self_given, range_agg(tstzrange(case when self_given then least(since, until) else since end, until)) as during
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
