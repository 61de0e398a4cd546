-- The directory's merges that this service has applied, kept until the directory undoes them.
create table merge (
    -- The identifier of the merge in the directory.
    id uuid primary key,
    kind text not null check (kind in ('person', 'organization')),
    survivor uuid not null,
    merged uuid not null,
    -- The registrations that belonged to the merged record.
    moved uuid[] not null,
    -- Registrations for an event that the survivor had already registered for, as whole rows, so that undoing can
    -- restore them.
    aside jsonb not null default '[]',
    followed_at timestamptz not null default now()
);
create index merge_by_survivor on merge (survivor);
create index merge_by_merged on merge (merged);
