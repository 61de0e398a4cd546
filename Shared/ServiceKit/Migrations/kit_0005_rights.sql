-- How long what is known about people is kept: the periods are data, the service's code says what becomes of what is due.
create table retention_rule (
    code text primary key check (code ~ '^[a-z][a-zA-Z0-9]{1,39}$'),
    months integer not null check (months between 1 and 600),
    last_run timestamptz,
    last_count integer check (last_count >= 0),
    version integer not null default 1,
    updated_at timestamptz not null default now(),
    check ((last_run is null) = (last_count is null))
);
