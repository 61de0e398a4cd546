-- Imported files: how far each came, what became of each of its rows, and the rules for what a row may change.

create table directory.import (
    id uuid primary key,
    records text not null check (records in ('experts', 'organizations', 'people', 'ambassadors')),
    mode text not null check (mode in ('dryRun', 'apply')),
    rejects text not null check (rejects in ('refuseFile', 'skipRow')),
    existing text not null check (existing in ('update', 'fill', 'skip')),
    state text not null check (state in ('running', 'interrupted', 'refused', 'completed')),
    -- The Idempotency-Key of the request that began it, and its sender: a repeated request finds its import.
    request_key text check (length(request_key) between 1 and 200),
    requested_by text,
    -- How often the file was sent. Sending it again takes over: what an earlier attempt still sends is refused.
    attempt integer not null default 1 check (attempt > 0),
    -- How many rows were read; nothing has been written of those after them.
    rows integer not null default 0,
    created integer not null default 0 check (created >= 0),
    updated integer not null default 0 check (updated >= 0),
    skipped integer not null default 0 check (skipped >= 0),
    rejected integer not null default 0 check (rejected >= 0),
    -- Rows that were read and wait.
    held integer not null default 0 check (held >= 0),
    -- Of the header and these rows, to recognize the same file when it is continued.
    digest bigint not null default 0,
    unknown_columns text[] not null default '{}',
    -- Why it was refused.
    reason text check (length(reason) between 1 and 500),
    -- When its rows were forgotten; the counts are kept.
    rows_forgotten_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint import_request_check check ((request_key is null) = (requested_by is null)),
    constraint import_rows_check check (rows = created + updated + skipped + rejected + held)
);

create index import_created_idx on directory.import (created_at desc, id desc);
create index import_request_idx on directory.import (requested_by, request_key, created_at)
    where request_key is not null;
create index import_rows_due_idx on directory.import (updated_at) where rows > 0 and rows_forgotten_at is null;
create index import_state_idx on directory.import (state, created_at desc, id desc);
-- Imports of one kind of record, which may be few among many.
create index import_records_idx on directory.import (records, created_at desc, id desc);

-- What became of a row; kept for some months only. Never contains a value of the file.
create table directory.import_row (
    import uuid not null references directory.import on delete cascade,
    -- Counted from 1, without the header.
    number integer not null check (number > 0),
    outcome text not null check (outcome in ('created', 'updated', 'skipped', 'rejected')),
    record uuid,
    -- [{"column": "E-mail", "detail": "…"}, …]
    errors jsonb not null default '[]' check (jsonb_typeof(errors) = 'array'),
    -- What was left out of an accepted row: [{"column": "Flash info", "detail": "…"}, …].
    notes jsonb not null default '[]' check (jsonb_typeof(notes) = 'array'),
    primary key (import, number)
);

create index import_row_outcome_idx on directory.import_row (import, outcome, number) where outcome <> 'created';
create index import_row_notes_idx on directory.import_row (import, number) where notes <> '[]';
-- Whether an earlier row of an import was about a record.
create index import_row_record_idx on directory.import_row (record, import) where record is not null;

-- Rows that wait for a head of network that may be further down in their file. Each is deleted when it is accepted or
-- rejected.
create table directory.import_held (
    import uuid not null references directory.import on delete cascade,
    number integer not null check (number > 0),
    -- As the import read it.
    row jsonb not null,
    primary key (import, number)
);

-- What a row changes ------------------------------------------------------------------------------

-- The family name that a cell gives to a person with two names, where the table has one cell for both; null if it names
-- another person. A cell of several words contains a whole name, whatever its column is called:
-- 1. the family name, perhaps in another spelling, is accepted;
-- 2. the given name, or both in either order, change nothing;
-- 3. another single word is a new family name, as after a marriage;
-- 4. of several words, the given name is the first or the last, and the rest is a new family name;
-- 5. any other words are another person: two people share a mailbox, and one family name does not make them one.
create function directory.family_name_said(said text, given text, family text) returns text
    language sql immutable parallel safe
    return case
        when directory.name_key(said) = directory.name_key(family) then said
        when directory.name_key(said) in (
            directory.name_key(given), directory.name_key(given || ' ' || family),
            directory.name_key(family || ' ' || given)) then family
        when said !~ '[ \u00A0\u202F]' then said
        else (
            select case
                when directory.name_key(array_to_string(words[:cut], ' ')) = directory.name_key(given)
                    then array_to_string(words[cut + 1:], ' ')
                else array_to_string(words[:cut], ' ') end
            from regexp_split_to_array(said, '[ \u00A0\u202F]') as words
                cross join generate_series(1, cardinality(words) - 1) as cut
                cross join cardinality(string_to_array(directory.name_key(given), ' ')) as longest
            -- A given name as written has no more words than its key, in which hyphens are spaces.
            where (cut <= longest or cut >= cardinality(words) - longest)
                and directory.name_key(given) in (
                    directory.name_key(array_to_string(words[:cut], ' ')),
                    directory.name_key(array_to_string(words[cut + 1:], ' ')))
            order by cut limit 1)
    end;

-- An organization's mailboxes after a row, which has some by role: {"accounting": "…"}.
create function directory.with_mailboxes(known jsonb, said jsonb, emptied text[], filling boolean) returns jsonb
    language sql immutable parallel safe
    return (
        select coalesce(jsonb_agg(jsonb_build_object('role', role, 'email', email) order by role collate "C"), '[]')
        from (
            select role, case
                    when filling then coalesce(had.email, row.email)
                    else coalesce(
                        row.email, case when role || 'Email' = any(emptied) then null else had.email end) end as email
            from jsonb_to_recordset(known) as had (role text, email text)
                full join jsonb_each_text(coalesce(said, '{}')) as row (role, email) using (role)) as box
        where email is not null);

-- What others declined ----------------------------------------------------------------------------

-- What was declined by the people and experts who have one of these addresses (in lower case), or had it. Of a record
-- that was merged into another, the answers of that one count. Written as one query that PostgreSQL plans with the
-- statement that calls it: a function called for each holder costs twenty times as much, and an address may have
-- thousands of holders. Only for merged records are the heirs looked up.
create function directory.declined_at(emails text[])
    returns table (purpose text, declined_at timestamptz, record uuid)
    language sql stable rows 1 as $$
    select answer.key, (answer.value ->> 'at')::timestamptz, had.record
    from directory.address_holding as had
        cross join lateral (
            select consents from directory.person where id = had.record
            union all
            select consents from directory.expert where id = had.record
            union all
            select heir_known.consents
            from directory.merge
                cross join lateral directory.heirs_of(merge.survivor) as heir
                cross join lateral (
                    select consents from directory.person where id = heir
                    union all
                    select consents from directory.expert where id = heir) as heir_known
            where merge.merged = had.record and undone_at is null) as known
        cross join lateral jsonb_each(known.consents) as answer
    where had.email = any(emails) and answer.value -> 'agreed' = 'false'
$$;

-- Which organizations that have one of these addresses, or had it, are hidden from the public directory.
create function directory.hidden_at(emails text[]) returns table (organization uuid)
    language sql stable rows 1 as $$
    select known.id
    from directory.address_holding as had
        cross join lateral (
            select id from directory.organization where id = had.record and not public_directory
            union all
            select organization.id
            from directory.merge
                cross join lateral directory.heirs_of(merge.survivor) as heir
                join directory.organization on organization.id = heir and not public_directory
            where merge.merged = had.record and undone_at is null) as known
    where had.email = any(emails)
$$;
