-- Imports at size: what became of each row is kept for some months only, a request that is repeated finds its import, and a
-- row whose head of network has not come yet waits for it.

alter table directory.import
    -- When what became of each row was forgotten; the counts stay.
    add column rows_forgotten_at timestamptz,
    -- The Idempotency-Key of the request that began it, and whose it was.
    add column request_key text check (length(request_key) between 1 and 200),
    add column requested_by text,
    -- Rows that have been read and wait.
    add column held integer not null default 0 check (held >= 0),
    drop constraint import_rows_check,
    add constraint import_rows_check check (rows = created + updated + skipped + rejected + held),
    add constraint import_request_check check ((request_key is null) = (requested_by is null));

create index import_request_idx on directory.import (requested_by, request_key, created_at) where request_key is not null;
create index import_rows_due_idx on directory.import (updated_at) where rows > 0 and rows_forgotten_at is null;

-- Rows that wait for a head of network that may stand further down in their file. Each goes when it is taken or rejected.
create table directory.import_held (
    import uuid not null references directory.import on delete cascade,
    number integer not null check (number > 0),
    -- As the import read it.
    row jsonb not null,
    primary key (import, number)
);

insert into retention_rule (code, months) values ('importRows', 3);
