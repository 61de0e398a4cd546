-- Where else an organization can be written to, and who holds a brand's press material; vocabularies that the staff keeps.

alter table directory.organization
    add column street text check (length(street) between 1 and 200),
    -- [{"use": "billing", "street": "…", "postalCode": "64000", "commune": "Pau"}, …]
    add column addresses jsonb not null default '[]' constraint organization_addresses_check
        check (jsonb_typeof(addresses) = 'array' and jsonb_array_length(addresses) <= 20),
    add column agency uuid references directory.organization,
    add constraint organization_agency_check check (agency is null or (kind = 'brand' and agency <> id));

create index organization_agency_idx on directory.organization (agency, sort_key, id);

-- Who represented what on a day, whatever the organization.
create index mandate_from_idx on directory.mandate (from_day desc, id desc);
create index mandate_person_from_idx on directory.mandate (person, from_day desc, id desc);
create index mandate_all_during_idx on directory.mandate using gist (during);
drop index directory.mandate_person_idx;

alter table directory.topic
    add column version integer not null default 1,
    add column sort_key text collate "C" not null generated always as (directory.sort_key(label)) stored;

-- A topic goes only when nobody has it. Topics stand in arrays, which no foreign key guards: so nobody writes those tables
-- while a topic goes, which is once in a few years.
create function directory.check_topic_unused() returns trigger
    language plpgsql as $$
begin
    lock table directory.organization, directory.ambassador, directory.expert in share row exclusive mode;
    if exists (select from directory.organization where topics @> array[old.code])
        or exists (select from directory.ambassador where topics @> array[old.code])
        or exists (select from directory.expert where topics @> array[old.code])
    then
        raise foreign_key_violation using message = 'topic in use', constraint = 'topic_unused', table = tg_table_name;
    end if;
    return old;
end $$;

create trigger topic_unused before delete on directory.topic
    for each row execute function directory.check_topic_unused();

alter table directory.tier
    add column sort_key text collate "C" not null generated always as (directory.sort_key(label)) stored,
    add column created_at timestamptz not null default now(),
    add column updated_at timestamptz not null default now();

-- A tier is for one kind of organization, or for every kind. Looked at when a membership is made or gets another tier;
-- the row lock keeps the tier's kind from changing meanwhile.
create function directory.check_tier() returns trigger
    language plpgsql as $$
begin
    if exists (
        select from (select kind from directory.tier where code = new.tier for share) as tier
        join directory.organization on organization.id = new.organization
        where tier.kind <> organization.kind)
    then
        raise check_violation using
            message = 'tier of another kind', constraint = 'membership_tier_kind', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger membership_tier before insert or update of tier, organization on directory.membership
    for each row execute function directory.check_tier();
