-- The web agencies and resellers that firms are sent to.

-- An expert as the API writes it. The list of experts is the busiest statement of the club: reading one text a row
-- instead of more than twenty columns halves its cost here and in the service, and the database keeps the copy true.
-- Freshness is not part of it, as that changes overnight without a change of the row. "Immutable" is true although json
-- and to_char are declared stable: neither the types of the arguments nor these formats depend on a setting.
create function directory.expert_document(
    id uuid, sub_kind text, name text, siret text, contact_name text, email text, telephone text, postal_code text,
    commune text, departement text, departements text[], topics text[], brands text[], website text, consents jsonb,
    enrolled_on date, left_on date, confirmed_at timestamptz, version integer, created_at timestamptz,
    updated_at timestamptz
) returns json language sql immutable as $$
    select (
        '{"id":"' || id || '","subKind":"' || sub_kind || '","name":' || to_json(name)
        || coalesce(',"siret":"' || siret || '"', '')
        || coalesce(',"contactName":' || to_json(contact_name), '')
        || coalesce(',"email":' || to_json(email), '')
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
    )::json
$$;

-- Further triggers on it are where their subject is: what it is searched by (m0010_expert_search.sql), its addresses
-- (m0011_address.sql), its names (m0012_name.sql), its answers on consent (m0013_consent.sql), the version after
-- the undo of a merge (m0019_merge.sql).
create table directory.expert (
    id uuid primary key,
    sub_kind text not null check (sub_kind in ('webAgency', 'reseller')),
    name text not null check (length(name) between 1 and 200),
    siret text constraint expert_siret_key unique check (directory.is_siret(siret)),
    contact_name text check (length(contact_name) between 1 and 200),
    email text check (length(email) <= 254),
    telephone text check (telephone ~ '^\+?[0-9]{4,15}$'),
    -- Outside France after the code of the country: `BE-1050`. Every place in France has one; some countries have none.
    postal_code text check (postal_code ~ '^([0-9]{5}|[A-Z]{2}-[A-Z0-9][A-Z0-9 -]{0,8}[A-Z0-9])$'),
    commune text not null check (length(commune) between 1 and 200),
    departement text not null check (directory.are_departements(array[departement])),
    -- The départements that it serves.
    departements text[] not null default '{}' check (directory.are_departements(departements)),
    topics text[] not null default '{}' check (cardinality(topics) <= 40),
    brands text[] not null default '{}' check (cardinality(brands) <= 200),
    website text check (length(website) <= 2000),
    -- {"publicDirectory": {"agreed": true, "at": "…"}, …}: the latest answer for each purpose.
    consents jsonb not null default '{}' check (jsonb_typeof(consents) = 'object'),
    -- Not before `DayMeaning.floor` of the protocol.
    enrolled_on date not null default directory.today()
        constraint expert_enrolled_check check (enrolled_on >= '1990-01-01'),
    -- The day on which the expert left; the record is kept.
    left_on date,
    -- When the record was last confirmed to be right; enrolling confirms it. Freshness follows from this and from
    -- today.
    confirmed_at timestamptz not null default now(),
    version integer not null default 1,
    -- The highest version that it had before a merge was undone (m0019_merge.sql).
    version_floor integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sort_key text collate "C" not null generated always as (directory.sort_key(name)) stored,
    name_key text collate "C" not null generated always as (directory.name_key(name)) stored,
    brand_keys text[] not null generated always as (directory.folded_all(brands)) stored,
    search_text text not null generated always as (directory.folded(name || ' ' || commune)) stored,
    -- Words as people see them in a name: "web/print", "Skyminds.net" and "Créa3D" are not paths, hosts and numbers.
    search tsvector not null generated always as (
        to_tsvector(
            'directory.expert_words'::regconfig,
            regexp_replace(directory.searched(name || ' ' || commune), '[^[:alnum:]]+', ' ', 'g'))) stored,
    contact_text text not null generated always as (
        directory.contact_text(array[email], array[telephone])) stored,
    document json not null generated always as (
        directory.expert_document(
            id, sub_kind, name, siret, contact_name, email, telephone, postal_code, commune, departement, departements,
            topics, brands, website, consents, enrolled_on, left_on, confirmed_at, version, created_at,
            updated_at)) stored,
    constraint expert_place_check check (postal_code is not null or departement = '990'),
    constraint expert_left_check check (left_on >= enrolled_on)
);

-- The order matters: of two indexes that cost the same, the planner takes the one that was made last.
create index expert_updated_idx on directory.expert (updated_at, id);
create index expert_consents_idx on directory.expert using gin (consents jsonb_path_ops);
-- For words that are typed in part.
create index expert_search_text_idx on directory.expert using gin (search_text directory.gin_trgm_ops);
-- What the search for duplicates compares, and how an import finds an expert after the SIRET.
create index expert_email_idx on directory.expert (lower(email));
create index expert_name_key_idx on directory.expert (name_key, postal_code);
-- At a postal code.
create index expert_postal_idx on directory.expert (postal_code, sort_key, id);
-- More of what the search for duplicates compares.
create index expert_siren_idx on directory.expert (left(siret, 9));
create index expert_website_idx on directory.expert (directory.website_host(website));
create index expert_place_idx on directory.expert (postal_code, name_key);
-- Whom to ask for a confirmation next, and the filter on freshness.
create index expert_confirmed_idx on directory.expert (confirmed_at, id);
-- In the neighbourhood of a postal code.
create index expert_neighbourhood_idx on directory.expert (left(postal_code, 3), sort_key, id);
-- The list by name, under each filter that many rows may pass; narrowed to experts who are fresh, who left or who did
-- not without reading the table.
create index expert_name_idx on directory.expert (sort_key, id) include (confirmed_at, left_on);
create index expert_sub_kind_idx on directory.expert (sub_kind, sort_key, id) include (confirmed_at, left_on);
create index expert_departement_idx on directory.expert (departement, sort_key, id) include (confirmed_at, left_on);
create index expert_sub_kind_departement_idx on directory.expert (sub_kind, departement, sort_key, id)
    include (confirmed_at, left_on);
-- The public directory by name, and its size: about a condition on jsonb the planner knows nothing by itself.
create index expert_published_idx on directory.expert (sort_key, id) include (confirmed_at, left_on)
    where (consents @> '{"publicDirectory": {"agreed": true}}') is true and left_on is null;
create statistics directory.expert_published on ((consents @> '{"publicDirectory": {"agreed": true}}'))
    from directory.expert;
create index expert_left_idx on directory.expert (sort_key, id) include (confirmed_at, left_on)
    where left_on is not null;
create index expert_telephone_idx on directory.expert (telephone);
-- Words, topics, brands and places in one index: it finds experts that match several conditions without a list of all
-- that match one. `array[departement]` makes the départements of a région one scan, as `= any` would be a scan for
-- each.
create index expert_filter_idx on directory.expert
    using gin (search, topics, brand_keys, departements, departement, (array[departement]));
-- Searches by part of an address or a telephone number.
create index expert_contact_idx on directory.expert using gin (contact_text directory.gin_trgm_ops);
-- Whether a name is another record's, too.
create index expert_contact_name_idx on directory.expert (directory.sort_key(contact_name))
    where contact_name is not null;
-- A firm that is entered twice is recognized by its name without its legal form.
create index expert_payer_key_idx on directory.expert (directory.payer_key(name));

create trigger expert_telephone before insert or update of telephone on directory.expert
    for each row when (new.telephone !~ '^\+[1-9][0-9]{6,14}$') execute function directory.keep_telephone();
create trigger expert_topics before insert or update of topics on directory.expert
    for each row when (cardinality(new.topics) > 0) execute function directory.check_topics();
create trigger expert_each_once before insert or update of topics, departements, brands on directory.expert
    for each row
    when (cardinality(new.topics) > 1 or cardinality(new.departements) > 1 or cardinality(new.brands) > 1)
    execute function directory.keep_each_once();
