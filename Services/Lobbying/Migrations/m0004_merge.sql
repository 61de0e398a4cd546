-- The directory's merges of people that this service has applied, kept until the directory undoes them.
create table merge (
    -- The identifier of the merge in the directory.
    id uuid primary key,
    survivor uuid not null,
    merged uuid not null,
    -- The invitations of the merged person, and the meetings that they attended.
    invitations uuid[] not null,
    meetings uuid[] not null,
    -- Invitations and attendances that both persons had, as whole rows, so that undoing can restore them.
    invitations_aside jsonb not null default '[]',
    attendances_aside jsonb not null default '[]',
    followed_at timestamptz not null default now()
);
create index merge_by_survivor on merge (survivor);
create index merge_by_merged on merge (merged);
