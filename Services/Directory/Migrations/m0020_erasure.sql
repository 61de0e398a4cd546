-- The erasure of people and experts, which every service confirms.

-- One erasure. To find what they keep by address only, the services need the addresses, when they were the record's,
-- and the identifiers of records that had been merged into it; the staff needs the records that share an address or a
-- telephone with it. All of this is removed when the last service has reported.
create table directory.erasure (
    id uuid primary key,
    entity text not null check (entity in ('person', 'expert')),
    subject uuid not null,
    reason text not null check (reason in ('request', 'mistake', 'retention')),
    state text not null check (state in ('requested', 'refused', 'erasing', 'done')),
    emails text[] not null default '{}',
    -- [{"email": …, "since": …, "until": …}, …]
    held jsonb not null default '[]' check (jsonb_typeof(held) = 'array'),
    aliases uuid[] not null default '{}',
    -- [{"kind": "expert", "id": …}, …]
    others jsonb not null default '[]' check (jsonb_typeof(others) = 'array'),
    requested_by text not null,
    started_at timestamptz,
    completed_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint erasure_traces_go check (
        (emails = '{}' and aliases = '{}' and others = '[]' and held = '[]') or state = 'erasing'),
    constraint erasure_started check ((started_at is not null) = (state in ('erasing', 'done'))),
    constraint erasure_completed check ((completed_at is not null) = (state = 'done'))
);

create unique index erasure_once on directory.erasure (entity, subject) where state <> 'refused';
create index erasure_state_idx on directory.erasure (state, id desc);
create index erasure_subject_idx on directory.erasure (subject, id desc);
-- What retention removes next.
create index erasure_age_idx on directory.erasure (updated_at) where state in ('done', 'refused');

create table directory.erasure_report (
    erasure uuid not null references directory.erasure,
    service text not null check (service in ('directory', 'events', 'content', 'lobbying')),
    done_at timestamptz not null default now(),
    primary key (erasure, service)
);

-- Why no record has an identifier: it was merged into another, which is named; or it was erased; or it never existed.
create function directory.absence_of(kind text, record uuid) returns text
    language sql stable parallel safe
    return (
        with recursive heir (id) as (
            select survivor from directory.absorbed_by(absence_of.kind, record) as survivor
            union
            select survivor from heir cross join lateral directory.absorbed_by(absence_of.kind, heir.id) as survivor
        )
        select coalesce(
            (
                select 'The ' || absence_of.kind || ' with this identifier was merged into ' || heir.id || '.'
                from heir
                where not exists (select from directory.absorbed_by(absence_of.kind, heir.id))
                limit 1),
            case
                when exists (
                    select from directory.erasure where subject = record and erasure.state in ('erasing', 'done'))
                then 'The ' || absence_of.kind || ' with this identifier was erased.'
                else 'There is no ' || absence_of.kind || ' with this identifier.'
            end));
