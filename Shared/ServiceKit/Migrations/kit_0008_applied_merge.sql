-- The directory's merges that this service has applied, kept until the directory undoes them.
create table applied_merge (
    -- The identifier of the merge in the directory.
    id uuid primary key,
    kind text not null check (kind in ('person', 'organization', 'expert')),
    survivor uuid not null,
    merged uuid not null,
    -- The keys of the rows that were moved to the survivor, as an array for each table: {"registration": […]}.
    moved jsonb not null default '{}',
    -- Rows that would contradict the survivor's, as whole rows for each table, so that undoing can restore them.
    aside jsonb not null default '{}',
    applied_at timestamptz not null default now()
);
create index applied_merge_by_survivor on applied_merge (survivor);
create index applied_merge_by_merged on applied_merge (merged);
