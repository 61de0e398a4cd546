-- Merges of the directory's organizations that were followed here, until they are undone there.
create table merge (
    -- The directory's.
    id uuid primary key,
    survivor uuid not null,
    -- The resources that were of the merged one.
    merged uuid not null,
    resources uuid[] not null,
    followed_at timestamptz not null default now()
);
