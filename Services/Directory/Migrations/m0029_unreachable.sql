-- Addresses that mail comes back from: shown on the records that have one, so that they are repaired by telephone.

-- What the content service no longer writes to. Also addresses that no record has: one may be typed again.
create table directory.unreachable_address (
    -- The content service's suppression. All that is told of its end.
    suppression uuid primary key,
    -- In lower case.
    email text not null check (length(email) <= 254),
    since timestamptz not null
);

create index unreachable_address_email_idx on directory.unreachable_address (email, since);

-- {"email": "…", "since": "…"}: which of the addresses mail has come back from for longest; null if from none. Called
-- for every row that is written: usually one look-up in an index.
create function directory.unreachable(emails text[]) returns jsonb
    language plpgsql stable as $$
declare
    address text;
    start timestamptz;
    answer jsonb;
    earliest timestamptz := 'infinity';
begin
    foreach address in array emails loop
        select min(since) into start from directory.unreachable_address as known where known.email = lower(address);
        if start < earliest then
            earliest := start;
            answer := jsonb_build_object('email', address, 'since', directory.rfc3339(start));
        end if;
    end loop;
    return answer;
end $$;

-- In the record, as lists are read much more often than mail comes back. Of a person only the address for letters.
alter table directory.organization
    add column unreachable jsonb constraint organization_unreachable_check check (jsonb_typeof(unreachable) = 'object');
alter table directory.person
    add column unreachable jsonb constraint person_unreachable_check check (jsonb_typeof(unreachable) = 'object');

-- An expert's resource is stored as JSON, which contains it, too (m0009_expert.sql).
create function directory.expert_document(
    id uuid, sub_kind text, name text, siret text, contact_name text, email text, unreachable jsonb, telephone text,
    postal_code text, commune text, departement text, departements text[], topics text[], brands text[], website text,
    consents jsonb, enrolled_on date, left_on date, confirmed_at timestamptz, version integer, created_at timestamptz,
    updated_at timestamptz
) returns json language plpgsql immutable as $$
begin
    return (
        '{"id":"' || id || '","subKind":"' || sub_kind || '","name":' || to_json(name)
        || coalesce(',"siret":"' || siret || '"', '')
        || coalesce(',"contactName":' || to_json(contact_name), '')
        || coalesce(',"email":' || to_json(email), '')
        || coalesce(',"unreachable":' || unreachable::text, '')
        || coalesce(',"telephone":"' || telephone || '"', '')
        || coalesce(',"postalCode":"' || postal_code || '"', '') || ',"commune":' || to_json(commune)
        || ',"departement":"' || departement || '","departements":' || to_json(departements)
        || ',"topics":' || to_json(topics) || ',"brands":' || to_json(brands)
        || coalesce(',"website":' || to_json(website), '')
        || ',"consents":' || consents
        || ',"enrolledOn":"' || to_char(enrolled_on, 'YYYY-MM-DD')
        || coalesce('","leftOn":"' || to_char(left_on, 'YYYY-MM-DD'), '')
        || '","confirmedAt":"' || directory.rfc3339(confirmed_at)
        || '","version":' || version
        || ',"createdAt":"' || directory.rfc3339(created_at)
        || '","updatedAt":"' || directory.rfc3339(updated_at) || '"}'
    )::json;
end $$;

alter table directory.expert
    drop column document,
    add column unreachable jsonb constraint expert_unreachable_check check (jsonb_typeof(unreachable) = 'object'),
    add column document json not null generated always as (
        directory.expert_document(
            id, sub_kind, name, siret, contact_name, email, unreachable, telephone, postal_code, commune, departement,
            departements, topics, brands, website, consents, enrolled_on, left_on, confirmed_at, version, created_at,
            updated_at)) stored;

drop function directory.expert_document(
    uuid, text, text, text, text, text, text, text, text, text, text[], text[], text[], text, jsonb, date, date,
    timestamptz, integer, timestamptz, timestamptz);

-- The lists by name of the few that are unreachable.
create index organization_unreachable_idx on directory.organization (sort_key, id) where unreachable is not null;
create index person_unreachable_idx on directory.person (sort_key, id) where unreachable is not null;
create index expert_unreachable_idx on directory.expert (sort_key, id) where unreachable is not null;

-- An address that is written is looked up: a changed one begins anew. The writer counts the version on, except the undo
-- of a merge, which restores the former one: where something else is shown than then, the version must be a new one.
create function directory.keep_unreachable() returns trigger
    language plpgsql as $$
declare
    answer jsonb;
begin
    if tg_table_name = 'organization' then
        answer := directory.unreachable(array_prepend(new.email, directory.mailbox_emails(new.mailboxes)));
    else
        answer := directory.unreachable(array[new.email]);
    end if;
    if answer is distinct from new.unreachable and current_setting('directory.named_by', true) = 'undo' then
        new.version := greatest(new.version, new.version_floor) + 1;
    end if;
    new.unreachable := answer;
    return new;
end $$;

create trigger organization_unreachable before insert or update of email, mailboxes on directory.organization
    for each row execute function directory.keep_unreachable();
-- Named to run after `person_further`, which may change the address.
create trigger person_unreachable before insert or update of email, other_emails on directory.person
    for each row execute function directory.keep_unreachable();
create trigger expert_unreachable before insert or update of email on directory.expert
    for each row execute function directory.keep_unreachable();
