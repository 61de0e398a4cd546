-- Merges of the directory that were followed here, until they are undone there.
create table merge (
    -- The directory's.
    id uuid primary key,
    kind text not null check (kind in ('person', 'organization')),
    survivor uuid not null,
    merged uuid not null,
    -- The registrations that were of the merged one.
    moved uuid[] not null,
    -- Registrations for an event for which the same person had another, whole.
    aside jsonb not null default '[]',
    followed_at timestamptz not null default now()
);
create index merge_by_survivor on merge (survivor);
create index merge_by_merged on merge (merged);
create index registration_by_organization on registration (organization);
