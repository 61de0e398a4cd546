-- The names of people and experts, since when, and whether the club's staff gave them. A text that contains only a name
-- belongs to a record only if the record did not give itself this name, or had it before the text was written.

create table directory.name_given (
    -- A person or an expert. No foreign key: it outlives a record that was merged into another, and goes with an
    -- erasure.
    record uuid not null,
    -- Folded: a person's in spoken order; an expert's are those of the firm and of its contact.
    name text not null,
    -- A person's, the family name first.
    turned text,
    by_staff boolean not null,
    since timestamptz not null default now(),
    primary key (record, name)
);

-- Stores the present names of records. The setting `directory.named_by` tells who gives them: `staff`; `merge`, which
-- only moves names, and keeps the former ones for its undo; unset, it may be the records themselves.
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
