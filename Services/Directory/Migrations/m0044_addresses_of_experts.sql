-- Since when experts have their addresses, as of people and organizations, and when an answer on consent was written down: one that was
-- written down before somebody had an address says nothing of that address.

alter table directory.address_held
    drop constraint address_held_kind_check,
    add constraint address_held_kind_check check (kind in ('person', 'organization', 'expert'));

insert into directory.address_held (record, email, kind, since)
select id, lower(email), 'expert',
    coalesce((select max(until) from directory.address_past where record = expert.id), created_at)
from directory.expert where email is not null;

drop trigger expert_address_changed on directory.expert;
drop trigger expert_address_gone on directory.expert;

create function directory.expert_addresses_added() returns trigger
    language plpgsql as $$
begin
    insert into directory.address_held (record, email, kind, since)
    select id, lower(email), 'expert',
        coalesce((select max(until) from directory.address_past where record = fresh.id), created_at)
    from fresh where email is not null
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
        delete from directory.address_held where record = any(changed) returning record, email, since)
    insert into directory.address_past (record, email, since, until)
    select record, email, since, greatest(since, now()) from gone;
    insert into directory.address_held (record, email, kind, since)
    select id, lower(email), 'expert', now() from fresh where id = any(changed) and email is not null;
    return null;
end $$;

create trigger expert_addresses_added after insert on directory.expert referencing new table as fresh
    for each statement execute function directory.expert_addresses_added();
create trigger expert_addresses_changed after update on directory.expert
    referencing old table as stale new table as fresh
    for each statement execute function directory.expert_addresses_changed();
create trigger expert_addresses_gone after delete on directory.expert referencing old table as stale
    for each statement execute function directory.record_addresses_gone();

create or replace view directory.address_holding as
select record, email, tstzrange(since, until) as during from directory.address_past where email is not null
union all
select record, email, tstzrange(since, null) from directory.address_held;

-- Of the lines that are there, nobody knows it: they count from when they say that they were given.
alter table directory.consent_entry add column recorded_at timestamptz;
alter table directory.consent_entry alter column recorded_at set default now();
