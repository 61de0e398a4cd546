-- The directory's merges that were applied in this service, kept until they are undone there.
create table merge (
    -- The directory's identifier of the merge.
    id uuid primary key,
    kind text not null check (kind in ('person', 'organization')),
    survivor uuid not null,
    merged uuid not null,
    -- The registrations that belonged to the merged record.
    moved uuid[] not null,
    -- Registrations for an event for which the survivor had one already, as whole rows, so that undoing can restore them.
    aside jsonb not null default '[]',
    followed_at timestamptz not null default now()
);
create index merge_by_survivor on merge (survivor);
create index merge_by_merged on merge (merged);
