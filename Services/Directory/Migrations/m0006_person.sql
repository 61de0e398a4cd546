-- People.

-- The name in the order in which it is spoken. A person with one name has a family name only.
create function directory.person_name(given text, family text) returns text
    language sql immutable parallel safe
    return coalesce(given || ' ', '') || family;

-- Further triggers on it are where their subject is: its addresses (m0011_address.sql), its names (m0012_name.sql),
-- its answers on consent (m0013_consent.sql), the version after the undo of a merge (m0019_merge.sql).
create table directory.person (
    id uuid primary key,
    honorific_prefix text check (length(honorific_prefix) between 1 and 200),
    given_name text check (length(given_name) between 1 and 200),
    family_name text not null check (length(family_name) between 1 and 200),
    -- The address for letters.
    email text check (length(email) <= 254),
    -- Besides `email` and `telephone`, in the order in which they were given.
    other_emails text[] not null default '{}' check (cardinality(other_emails) <= 10),
    telephone text check (telephone ~ '^\+?[0-9]{4,15}$'),
    other_telephones text[] not null default '{}' check (cardinality(other_telephones) <= 10),
    organization uuid references directory.organization,
    job_title text check (length(job_title) between 1 and 200),
    -- {"flashInfo": {"agreed": true, "at": "…"}, …}: the latest answer for each purpose.
    consents jsonb not null default '{}' check (jsonb_typeof(consents) = 'object'),
    version integer not null default 1,
    -- The highest version that it had before a merge was undone (m0019_merge.sql).
    version_floor integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    full_name text not null generated always as (family_name || coalesce(' ' || given_name, '')) stored,
    sort_key text collate "C" not null
        generated always as (directory.sort_key(family_name || coalesce(' ' || given_name, ''))) stored,
    search_text text not null
        generated always as (directory.searched(family_name || coalesce(' ' || given_name, ''))) stored,
    contact_text text not null generated always as (
        directory.contact_text(array_prepend(email, other_emails), array_prepend(telephone, other_telephones))) stored,
    constraint person_full_name_key unique (id, full_name)
);

-- The order matters: of two indexes that cost the same, the planner takes the one that was made last.
create unique index person_email_key on directory.person (lower(email));
create index person_updated_idx on directory.person (updated_at, id);
create index person_consents_idx on directory.person using gin (consents jsonb_path_ops);
-- What the search for duplicates compares.
create index person_telephone_idx on directory.person (telephone);
-- The list by name, of all and of an organization.
create index person_name_idx on directory.person (sort_key, id);
create index person_organization_idx on directory.person (organization, sort_key, id);
-- By the whole name, for duplicates and for imports: the family name first, and as it is spoken.
create index person_name_key_idx on directory.person (directory.name_key(full_name));
create index person_swapped_idx
    on directory.person (directory.name_key(directory.person_name(given_name, family_name)));
-- Few people have any.
create index person_other_telephones_idx on directory.person using gin (other_telephones)
    where other_telephones <> '{}';
-- Searches by part of an address or a telephone number, and by part of a name.
create index person_contact_idx on directory.person using gin (contact_text directory.gin_trgm_ops);
create index person_search_idx on directory.person using gin (search_text directory.gin_trgm_ops);

create trigger person_telephone before insert or update of telephone on directory.person
    for each row when (new.telephone !~ '^\+[1-9][0-9]{6,14}$') execute function directory.keep_telephone();

-- On every write, including the undo of a merge: further addresses and telephones differ from each other and from the
-- first, and there are none without a first.
create function directory.keep_further() returns trigger
    language plpgsql as $$
begin
    new.email := coalesce(new.email, new.other_emails[1]);
    new.telephone := coalesce(new.telephone, new.other_telephones[1]);
    new.other_emails := directory.further_emails(new.email, new.other_emails);
    new.other_telephones := directory.further_telephones(new.telephone, new.other_telephones);
    return new;
end $$;

create trigger person_further before insert or update of email, telephone, other_emails, other_telephones
    on directory.person for each row
    when (cardinality(new.other_emails) > 0 or cardinality(new.other_telephones) > 0)
    execute function directory.keep_further();
