-- Which person represents which organization, and when.

create table directory.mandate (
    id uuid primary key,
    -- Null after an erasure: it remains known that the organization was represented, but not by whom.
    person uuid references directory.person,
    organization uuid not null references directory.organization,
    kind text not null check (kind in ('titular', 'alternate')),
    from_day date not null,
    -- The last day; null: until further notice.
    until_day date,
    version integer not null default 1,
    -- The highest version that it had before a merge was undone (m0019_merge.sql).
    version_floor integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    during daterange not null generated always as (daterange(from_day, until_day, '[]')) stored,
    -- One titular representative at a time.
    constraint mandate_titular_excl
        exclude using gist (organization with =, during with &&) where (kind = 'titular'),
    constraint mandate_person_excl
        exclude using gist (organization with =, person with =, kind with =, during with &&)
);

create index mandate_organization_idx on directory.mandate (organization, from_day desc, id desc);
-- Who represented an organization on a day.
create index mandate_during_idx on directory.mandate using gist (organization, during);
create index mandate_from_idx on directory.mandate (from_day desc, id desc);
create index mandate_person_from_idx on directory.mandate (person, from_day desc, id desc);
-- Who represented any organization on a day.
create index mandate_all_during_idx on directory.mandate using gist (during);
create index mandate_kind_idx on directory.mandate (kind, from_day desc, id desc);
