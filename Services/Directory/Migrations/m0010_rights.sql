-- What people answered on consent, line by line, and who is to be erased.

-- What was asked. An answer points at the question that it is an answer to, so neither is ever changed.
create table directory.consent_wording (
    id integer primary key generated always as identity,
    purpose text not null check (purpose in ('flashInfo', 'eventInvitations', 'publicDirectory', 'partnerOffers')),
    text text not null check (length(text) between 1 and 2000),
    -- What is asked where nothing else is said.
    standard boolean not null default false,
    created_at timestamptz not null default now()
);

create unique index consent_wording_once on directory.consent_wording (purpose, md5(text));
create unique index consent_wording_standard on directory.consent_wording (purpose) where standard;

insert into directory.consent_wording (purpose, text, standard) values
    ('flashInfo', 'J''accepte de recevoir le Flash info du club par courriel, tous les quinze jours. Je peux me '
        || 'désinscrire à tout moment par le lien présent dans chaque envoi.', true),
    ('eventInvitations', 'J''accepte de recevoir par courriel les invitations aux rencontres du club. Je peux retirer cet '
        || 'accord à tout moment.', true),
    ('publicDirectory', 'J''accepte que mes coordonnées professionnelles figurent dans l''annuaire public du club. Je peux '
        || 'retirer cet accord à tout moment.', true),
    ('partnerOffers', 'J''accepte de recevoir des offres des marques partenaires du club. Mon adresse ne leur est pas '
        || 'communiquée. Je peux retirer cet accord à tout moment.', true);

create table directory.consent_entry (
    id uuid primary key default gen_random_uuid(),
    -- The order of the lines.
    number bigint generated always as identity unique,
    person uuid references directory.person,
    expert uuid references directory.expert,
    purpose text not null check (purpose in ('flashInfo', 'eventInvitations', 'publicDirectory', 'partnerOffers')),
    agreed boolean not null,
    source text not null check (source in ('operator', 'self', 'import', 'paper', 'carriedOver')),
    wording integer not null references directory.consent_wording,
    at timestamptz not null,
    -- Who wrote it down, as the audit trail names them.
    written_by text not null,
    constraint consent_entry_of_one check (num_nonnulls(person, expert) = 1)
);

create index consent_entry_person_idx on directory.consent_entry (person, number desc) where person is not null;
create index consent_entry_expert_idx on directory.consent_entry (expert, number desc) where expert is not null;

-- One erasure of a person or an expert. The services need the addresses to find what they keep by address only, and the
-- identifiers of records that had been merged into it; both go when the last service has reported.
create table directory.erasure (
    id uuid primary key,
    entity text not null check (entity in ('person', 'expert')),
    subject uuid not null,
    reason text not null check (reason in ('request', 'mistake', 'retention')),
    state text not null check (state in ('requested', 'refused', 'erasing', 'done')),
    emails text[] not null default '{}',
    aliases uuid[] not null default '{}',
    requested_by text not null,
    started_at timestamptz,
    completed_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint erasure_traces_go check ((emails = '{}' and aliases = '{}') or state = 'erasing'),
    constraint erasure_started check ((started_at is not null) = (state in ('erasing', 'done'))),
    constraint erasure_completed check ((completed_at is not null) = (state = 'done'))
);

create unique index erasure_once on directory.erasure (entity, subject) where state <> 'refused';
create index erasure_state_idx on directory.erasure (state, id desc);
create index erasure_subject_idx on directory.erasure (subject, id desc);

create table directory.erasure_report (
    erasure uuid not null references directory.erasure,
    service text not null check (service in ('directory', 'events', 'content', 'lobbying')),
    done_at timestamptz not null default now(),
    primary key (erasure, service)
);

-- That somebody represented an organization stays known when nobody may know who.
alter table directory.mandate alter column person drop not null;

-- What was answered before there was a ledger.
insert into directory.consent_entry (person, purpose, agreed, source, wording, at, written_by)
select person.id, answer.purpose, (answer.value ->> 'agreed')::boolean, 'carriedOver', wording.id,
    (answer.value ->> 'at')::timestamptz, 'migration'
from directory.person cross join lateral jsonb_each(person.consents) as answer (purpose, value)
    join directory.consent_wording as wording on wording.purpose = answer.purpose and wording.standard
order by 6, 1;

insert into directory.consent_entry (expert, purpose, agreed, source, wording, at, written_by)
select expert.id, answer.purpose, (answer.value ->> 'agreed')::boolean, 'carriedOver', wording.id,
    (answer.value ->> 'at')::timestamptz, 'migration'
from directory.expert cross join lateral jsonb_each(expert.consents) as answer (purpose, value)
    join directory.consent_wording as wording on wording.purpose = answer.purpose and wording.standard
order by 6, 1;

-- The one way to write the ledger: whoever sets `consents` of a person or an expert has written a line for each answer that
-- is new, in the same statement. How the answer came is said by the transaction, in the setting `directory.consent`:
-- {"source": "self", "by": "person/…", "wording": 12}; unsaid, it was the staff by other means. A merge and its undo say
-- {"source": "moved"}: their answers are in the ledger already, and its lines move with them.

-- The question for each purpose: the one that was said, else the standard one.
create function directory.consent_asked(said jsonb) returns table (purpose text, wording integer)
    language sql stable as $$
    select distinct on (w.purpose) w.purpose, w.id from directory.consent_wording as w
    where w.standard or w.id = (said ->> 'wording')::integer
    order by w.purpose, w.standard
$$;

create function directory.consent_said() returns jsonb
    language sql stable
    return coalesce(nullif(current_setting('directory.consent', true), ''), '{}')::jsonb;

create function directory.ledger_added() returns trigger
    language plpgsql as $$
declare
    said jsonb := directory.consent_said();
begin
    if said ->> 'source' = 'moved' then return null; end if;
    insert into directory.consent_entry (person, expert, purpose, agreed, source, wording, at, written_by)
    select case when tg_table_name = 'person' then fresh.id end, case when tg_table_name = 'expert' then fresh.id end,
        answer.purpose, (answer.value ->> 'agreed')::boolean, coalesce(said ->> 'source', 'operator'),
        asked.wording, (answer.value ->> 'at')::timestamptz,
        coalesce(said ->> 'by', current_user::text)
    from fresh cross join lateral jsonb_each(fresh.consents) as answer (purpose, value)
        join directory.consent_asked(said) as asked on asked.purpose = answer.purpose
    where fresh.consents <> '{}';
    return null;
end $$;

create function directory.ledger_changed() returns trigger
    language plpgsql as $$
declare
    said jsonb := directory.consent_said();
begin
    if said ->> 'source' = 'moved' then return null; end if;
    insert into directory.consent_entry (person, expert, purpose, agreed, source, wording, at, written_by)
    select case when tg_table_name = 'person' then fresh.id end, case when tg_table_name = 'expert' then fresh.id end,
        answer.purpose, (answer.value ->> 'agreed')::boolean, coalesce(said ->> 'source', 'operator'),
        asked.wording, (answer.value ->> 'at')::timestamptz,
        coalesce(said ->> 'by', current_user::text)
    from fresh join stale on stale.id = fresh.id
        cross join lateral jsonb_each(fresh.consents) as answer (purpose, value)
        join directory.consent_asked(said) as asked on asked.purpose = answer.purpose
    where fresh.consents is distinct from stale.consents
        and stale.consents -> answer.purpose is distinct from answer.value;
    return null;
end $$;

create trigger person_ledger_added after insert on directory.person
    referencing new table as fresh for each statement execute function directory.ledger_added();
create trigger person_ledger_changed after update on directory.person
    referencing old table as stale new table as fresh for each statement execute function directory.ledger_changed();
create trigger expert_ledger_added after insert on directory.expert
    referencing new table as fresh for each statement execute function directory.ledger_added();
create trigger expert_ledger_changed after update on directory.expert
    referencing old table as stale new table as fresh for each statement execute function directory.ledger_changed();

-- A line is added by the triggers above alone, never changed, and goes with its person only. A merge may move lines to the
-- record that stays.
create function directory.guard_ledger() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if pg_trigger_depth() > 1 then return new; end if;
    elsif tg_op = 'UPDATE' then
        if (new.id, new.number, new.purpose, new.agreed, new.source, new.wording, new.at, new.written_by)
            is not distinct from (old.id, old.number, old.purpose, old.agreed, old.source, old.wording, old.at, old.written_by)
        then return new; end if;
    elsif exists (
        select from directory.erasure
        where subject = coalesce(old.person, old.expert) and state in ('erasing', 'done'))
    then return old;
    end if;
    raise restrict_violation using
        message = 'the ledger of consents is written by the answers, and never changed', constraint = 'consent_entry_final',
        table = tg_table_name;
end $$;

create trigger consent_entry_final before insert or update or delete on directory.consent_entry
    for each row execute function directory.guard_ledger();

-- Takes words out of a text that is somebody else's. `***=` makes a pattern of what follows as it is.
create function directory.redacted(value text, words text[]) returns text
    language plpgsql immutable as $$
declare
    word text;
begin
    foreach word in array words loop
        if length(word) >= 3 then value := regexp_replace(value, '***=' || word, '[…]', 'gi'); end if;
    end loop;
    return value;
end $$;

-- Three years after the last contact, as the data protection authority recommends for prospects; the rest is ours.
insert into retention_rule (code, months) values ('inactivePeople', 36), ('leftExperts', 36), ('erasures', 60);
