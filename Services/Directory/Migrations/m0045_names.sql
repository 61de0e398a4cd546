-- By which names people and experts are known, since when, and whether it is the club's staff that says so. What is found by a name alone is
-- somebody's only by a name that it did not give itself, or that it had before.

create table directory.name_given (
    -- A person or an expert. No foreign key: it outlives a record that was merged into another, and goes with an erasure.
    record uuid not null,
    -- Folded: of a person as one says it, of an expert the firm's and the contact's.
    name text not null,
    -- A person's, the family name first.
    turned text,
    by_staff boolean not null,
    since timestamptz not null default now(),
    primary key (record, name)
);

-- Takes down what records are called now. Who says so is in the setting `directory.named_by`: `staff`; `merge`, which only moves names, and
-- leaves those of before for its undo; unsaid, it may be the records themselves.
create function directory.keep_names(records uuid[], names text[], turned text[]) returns void
    language plpgsql as $$
declare
    said text := coalesce(current_setting('directory.named_by', true), '');
begin
    if said <> 'merge' then
        delete from directory.name_given as former
        where record = any(records) and not exists (
            select from unnest(records, names) as present (record, name)
            where present.record = former.record and present.name = former.name);
    end if;
    insert into directory.name_given (record, name, turned, by_staff)
    select record, name, present.turned, said = 'staff'
    from unnest(records, names, turned) as present (record, name, turned)
    on conflict do nothing;
end $$;

create function directory.person_named() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform directory.keep_names(
            array_agg(id), array_agg(directory.folded(directory.person_name(given_name, family_name))),
            array_agg(directory.folded(full_name)))
        from fresh;
    else
        perform directory.keep_names(
            array_agg(id), array_agg(directory.folded(directory.person_name(fresh.given_name, fresh.family_name))),
            array_agg(directory.folded(fresh.full_name)))
        from fresh join stale using (id)
        where fresh.given_name is distinct from stale.given_name or fresh.family_name <> stale.family_name;
    end if;
    return null;
end $$;

create function directory.expert_named() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform directory.keep_names(array_agg(id), array_agg(directory.folded(called)), array_agg(null::text))
        from fresh cross join lateral unnest(array[fresh.name, contact_name]) as called where called is not null;
    else
        perform directory.keep_names(array_agg(id), array_agg(directory.folded(called)), array_agg(null::text))
        from fresh join stale using (id) cross join lateral unnest(array[fresh.name, fresh.contact_name]) as called
        where called is not null
            and (fresh.name <> stale.name or fresh.contact_name is distinct from stale.contact_name);
    end if;
    return null;
end $$;

create trigger person_named_first after insert on directory.person referencing new table as fresh
    for each statement execute function directory.person_named();
create trigger person_named after update on directory.person referencing old table as stale new table as fresh
    for each statement execute function directory.person_named();
create trigger expert_named_first after insert on directory.expert referencing new table as fresh
    for each statement execute function directory.expert_named();
create trigger expert_named after update on directory.expert referencing old table as stale new table as fresh
    for each statement execute function directory.expert_named();

-- Of those who are there: the staff's, where nobody else has ever written the record, as far as the trail goes back.
create function directory.is_the_staffs(entity text, record uuid) returns boolean
    language sql stable
    return coalesce((
        select bool_and(audit.role = 'operator') and bool_or(audit.action = 'created')
        from directory.audit where audit.entity = is_the_staffs.entity and audit.subject = is_the_staffs.record::text), false);

insert into directory.name_given (record, name, turned, by_staff, since)
select id, directory.folded(directory.person_name(given_name, family_name)), directory.folded(full_name), by_staff,
    case when by_staff then created_at else updated_at end
from directory.person cross join lateral (select directory.is_the_staffs('person', id) as by_staff) as said;

insert into directory.name_given (record, name, by_staff, since)
select id, directory.folded(called), by_staff, case when by_staff then created_at else updated_at end
from directory.expert cross join lateral (select directory.is_the_staffs('expert', id) as by_staff) as said
    cross join lateral unnest(array[name, contact_name]) as called
where called is not null
on conflict do nothing;

drop function directory.is_the_staffs(text, uuid);

-- And of those who were merged into them.
insert into directory.name_given (record, name, turned, by_staff, since)
select (image ->> 'id')::uuid, directory.folded(directory.person_name(given, family)),
    directory.folded(family || coalesce(' ' || given, '')), false, (image ->> 'created_at')::timestamptz
from directory.merge cross join jsonb_array_elements(steps) as step
    cross join lateral (
        select step -> 'image' as image, step -> 'image' ->> 'given_name' as given,
            step -> 'image' ->> 'family_name' as family) as said
where undone_at is null and step ->> 'table' = 'person'
on conflict do nothing;

insert into directory.name_given (record, name, by_staff, since)
select (image ->> 'id')::uuid, directory.folded(called), false, (image ->> 'created_at')::timestamptz
from directory.merge cross join jsonb_array_elements(steps) as step
    cross join lateral (select step -> 'image' as image) as said
    cross join lateral unnest(array[image ->> 'name', image ->> 'contact_name']) as called
where undone_at is null and step ->> 'table' = 'expert' and called is not null
on conflict do nothing;

-- Looked through where a name or a number is somebody else's, too.
create index expert_payer_idx on directory.expert (directory.payer_key(name));
create index expert_contact_name_idx on directory.expert (directory.sort_key(contact_name))
    where contact_name is not null;
create index referral_firm_telephone_idx on directory.referral (firm_telephone) where firm_telephone is not null;
