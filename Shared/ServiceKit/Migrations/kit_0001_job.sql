-- Work that a transaction leaves to be done after it. A job that is done leaves no row.
create table job (
    id bigint generated always as identity primary key,
    kind text not null check (kind <> '' and length(kind) <= 100),
    payload jsonb not null,
    -- At most one live job of a kind has this key.
    unique_key text check (length(unique_key) <= 500),
    state text not null default 'queued' check (state in ('queued', 'running', 'dead')),
    -- When a worker is to take it: a queued job at its time, a running one when its lease ends.
    due_at timestamptz not null default now(),
    attempt integer not null default 0 check (attempt >= 0),
    maximum_attempts integer not null check (maximum_attempts > 0),
    -- A new one for each attempt: a worker whose lease was lost finds another token and changes nothing.
    lease_token uuid,
    created_at timestamptz not null default now(),
    died_at timestamptz,
    -- The kind of failure, never a value: payloads are about people.
    last_error text,
    check ((state = 'running') = (lease_token is not null)),
    check ((state = 'dead') = (died_at is not null))
);

create index job_due on job (kind, due_at, id) where state <> 'dead';
create unique index job_unique on job (kind, unique_key) where state <> 'dead' and unique_key is not null;
create index job_dead on job (died_at desc, id) where state = 'dead';
-- Rows come and go quickly: a few hundred dead tuples are worth a vacuum.
alter table job set (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 200);

-- Schedules: one row for all replicas, so that each run is enqueued once.
create table schedule (
    name text primary key,
    -- When it runs, as the service last said it: a schedule that was changed starts from now.
    rule text not null,
    next_run timestamptz not null,
    last_run timestamptz
);
