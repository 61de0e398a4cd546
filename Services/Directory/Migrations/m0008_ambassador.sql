-- The people who bring firms and experts together.

create table directory.ambassador (
    id uuid primary key,
    person uuid not null constraint ambassador_person_key unique,
    -- The person's name, kept equal by the foreign key: the list by name reads one table and one index.
    name text not null,
    organization uuid references directory.organization,
    topics text[] not null default '{}' check (cardinality(topics) <= 40),
    departements text[] not null default '{}' check (directory.are_departements(departements)),
    -- Not before `DayMeaning.floor` of the protocol.
    enrolled_on date not null default directory.today()
        constraint ambassador_enrolled_check check (enrolled_on >= '1990-01-01'),
    -- The day on which the ambassador left; the record is kept.
    left_on date,
    -- When the record was last confirmed to be right; enrolling confirms it. Freshness follows from this and from
    -- today.
    confirmed_at timestamptz not null default now(),
    version integer not null default 1,
    -- The highest version that it had before a merge was undone (m0019_merge.sql).
    version_floor integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sort_key text collate "C" not null generated always as (directory.sort_key(name)) stored,
    search_text text not null generated always as (directory.searched(name)) stored,
    constraint ambassador_left_check check (left_on >= enrolled_on),
    constraint ambassador_person_fkey
        foreign key (person, name) references directory.person (id, full_name) on update cascade
);

create index ambassador_name_idx on directory.ambassador (sort_key, id);
create index ambassador_organization_idx on directory.ambassador (organization, sort_key, id);
create index ambassador_updated_idx on directory.ambassador (updated_at, id);
create index ambassador_departements_idx on directory.ambassador using gin (departements);
create index ambassador_topics_idx on directory.ambassador using gin (topics);
-- The filter on ambassadors who left.
create index ambassador_left_idx on directory.ambassador (sort_key, id) where left_on is not null;
-- Whom to ask for a confirmation next, and the filter on freshness.
create index ambassador_confirmed_idx on directory.ambassador (confirmed_at, id);
create index ambassador_search_idx on directory.ambassador using gin (search_text directory.gin_trgm_ops);

create trigger ambassador_topics before insert or update of topics on directory.ambassador
    for each row when (cardinality(new.topics) > 0) execute function directory.check_topics();
create trigger ambassador_each_once before insert or update of topics, departements on directory.ambassador
    for each row when (cardinality(new.topics) > 1 or cardinality(new.departements) > 1)
    execute function directory.keep_each_once();
