-- Files that were taken: how far each came, and what became of each of its rows.

create table directory.import (
    id uuid primary key,
    records text not null check (records in ('experts', 'organizations', 'people')),
    mode text not null check (mode in ('dryRun', 'apply')),
    rejects text not null check (rejects in ('refuseFile', 'skipRow')),
    existing text not null check (existing in ('update', 'fill', 'skip')),
    state text not null check (state in ('running', 'interrupted', 'refused', 'completed')),
    -- How often the file began to be sent. Who sends it again takes over: what an older attempt still brings is refused.
    attempt integer not null default 1 check (attempt > 0),
    -- How far it came; what comes after is in no table yet.
    rows integer not null default 0,
    created integer not null default 0 check (created >= 0),
    updated integer not null default 0 check (updated >= 0),
    skipped integer not null default 0 check (skipped >= 0),
    rejected integer not null default 0 check (rejected >= 0),
    -- Of the header and these rows, to tell whether a file that goes on is the same one.
    digest bigint not null default 0,
    unknown_columns text[] not null default '{}',
    reason text check (length(reason) between 1 and 500),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint import_rows_check check (rows = created + updated + skipped + rejected)
);

create index import_created_idx on directory.import (created_at desc, id desc);

create table directory.import_row (
    import uuid not null references directory.import on delete cascade,
    -- Counted from 1, the header not counted.
    number integer not null check (number > 0),
    outcome text not null check (outcome in ('created', 'updated', 'skipped', 'rejected')),
    record uuid,
    -- [{"column": "E-mail", "detail": "…"}, …]; never a value of the file.
    errors jsonb not null default '[]' check (jsonb_typeof(errors) = 'array'),
    primary key (import, number)
);

create index import_row_outcome_idx on directory.import_row (import, outcome, number) where outcome <> 'created';

-- How an import finds an organization again, after the SIRET and the e-mail.
create index organization_import_idx on directory.organization (
    directory.name_key(name), (coalesce(postal_code, '')));

-- And a person, after the e-mail.
create index person_name_key_idx on directory.person (directory.name_key(full_name));
