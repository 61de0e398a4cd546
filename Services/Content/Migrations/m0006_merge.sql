-- The directory's merges of organizations that were applied in this service, kept until they are undone there.
create table merge (
    -- The directory's identifier of the merge.
    id uuid primary key,
    survivor uuid not null,
    merged uuid not null,
    -- The resources that belonged to the merged organization.
    resources uuid[] not null,
    followed_at timestamptz not null default now()
);
