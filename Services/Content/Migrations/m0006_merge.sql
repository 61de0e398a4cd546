-- The directory's merges of organizations that this service has applied, kept until the directory undoes them.
create table merge (
    -- The identifier of the merge in the directory.
    id uuid primary key,
    survivor uuid not null,
    merged uuid not null,
    -- The resources that belonged to the merged organization.
    resources uuid[] not null,
    followed_at timestamptz not null default now()
);
