-- How long personal data is kept: the periods are data, so that staff can change them; what is done with data that is due is
-- code of the service.
create table retention_rule (
    code text primary key check (code ~ '^[a-z][a-zA-Z0-9]{1,39}$'),
    months integer not null check (months between 1 and 600),
    last_run timestamptz,
    last_count integer check (last_count >= 0),
    version integer not null default 1,
    updated_at timestamptz not null default now(),
    check ((last_run is null) = (last_count is null))
);
