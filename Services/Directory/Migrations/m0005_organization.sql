-- Institutions, brands and providers.

-- ISO/IEC 7812, as INSEE checks SIREN and SIRET; digits only, counted from the right.
create function directory.luhn(digits text) returns boolean
    language sql immutable strict parallel safe
    return digits ~ '^[0-9]+$' and (
        select sum(case when place % 2 = 1 then digit when digit > 4 then digit * 2 - 9 else digit * 2 end) % 10 = 0
        from (select place, substr(reverse(digits), place, 1)::int as digit
              from generate_series(1, length(digits)) as place) as digit);

create function directory.is_siren(value text) returns boolean
    language sql immutable strict parallel safe
    return length(value) = 9 and directory.luhn(value);

-- The establishments of La Poste are checked by the plain sum of their digits.
create function directory.is_siret(value text) returns boolean
    language sql immutable strict parallel safe
    return length(value) = 14 and value ~ '^[0-9]+$' and (
        directory.luhn(value)
        or (value like '356000000%'
            and (select sum(digit::int) % 5 = 0 from regexp_split_to_table(value, '') as digit)));

-- Further triggers on it are where their subject is: its addresses (m0011_address.sql), the kind of its tier
-- (m0014_membership.sql), the version after the undo of a merge (m0019_merge.sql).
create table directory.organization (
    id uuid primary key,
    kind text not null check (kind in ('institution', 'brand', 'provider')),
    sub_kind text,
    name text not null check (length(name) between 1 and 200),
    siren text check (directory.is_siren(siren)),
    siret text constraint organization_siret_key unique check (directory.is_siret(siret)),
    -- The head of its network.
    parent uuid references directory.organization,
    -- The agency with a brand's press material.
    agency uuid references directory.organization,
    street text check (length(street) between 1 and 200),
    -- Outside France after the code of the country: `BE-1050`.
    postal_code text check (postal_code ~ '^([0-9]{5}|[A-Z]{2}-[A-Z0-9][A-Z0-9 -]{0,8}[A-Z0-9])$'),
    commune text check (length(commune) between 1 and 200),
    departement text check (departement is null or directory.are_departements(array[departement])),
    -- [{"use": "billing", "street": "…", "postalCode": "64000", "commune": "Pau"}, …]
    addresses jsonb not null default '[]' constraint organization_addresses_check
        check (jsonb_typeof(addresses) = 'array' and jsonb_array_length(addresses) <= 20),
    website text check (length(website) <= 2000),
    email text check (length(email) <= 254),
    -- [{"role": "accounting", "email": "…"}, …]
    mailboxes jsonb not null default '[]'
        constraint organization_mailboxes_check check (directory.are_mailboxes(mailboxes)),
    telephone text check (telephone ~ '^\+?[0-9]{4,15}$'),
    topics text[] not null default '{}' check (cardinality(topics) <= 40),
    -- A member is shown in the public directory unless it declines.
    public_directory boolean not null default true,
    version integer not null default 1,
    -- The highest version that it had before a merge was undone (m0019_merge.sql).
    version_floor integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sort_key text collate "C" not null generated always as (directory.sort_key(name)) stored,
    search_text text not null generated always as (directory.searched(name || ' ' || coalesce(commune, ''))) stored,
    search tsvector not null generated always as (
        to_tsvector(
            'directory.french_folded'::regconfig, directory.searched(name || ' ' || coalesce(commune, '')))) stored,
    contact_text text not null generated always as (
        directory.contact_text(array_prepend(email, directory.mailbox_emails(mailboxes)), array[telephone])) stored,
    constraint organization_sub_kind_check check (
        case sub_kind
            when 'webAgency' then kind = 'provider'
            when 'reseller' then kind = 'provider'
            else sub_kind is null or (kind = 'institution' and sub_kind in (
                'accountingCentre', 'federation', 'regulatedProfession', 'digitalSpaceNetwork', 'regionalAgency',
                'chamber', 'government'))
        end),
    constraint organization_siren_of_siret_check check (siret is null or siren is null or starts_with(siret, siren)),
    constraint organization_parent_check check (parent <> id),
    constraint organization_agency_check check (agency is null or (kind = 'brand' and agency <> id))
);

-- The order matters: of two indexes that cost the same, the planner takes the one that was made last.
-- One keyset index for the list, and one for each filter that many rows may pass.
create index organization_name_idx on directory.organization (sort_key, id);
create index organization_kind_idx on directory.organization (kind, sort_key, id);
create index organization_sub_kind_idx on directory.organization (sub_kind, sort_key, id);
create index organization_departement_idx on directory.organization (departement, sort_key, id);
create index organization_parent_idx on directory.organization (parent, sort_key, id);
create index organization_updated_idx on directory.organization (updated_at, id);
create index organization_topics_idx on directory.organization using gin (topics);
create index organization_agency_idx on directory.organization (agency, sort_key, id);
-- How an import finds an organization, after the SIRET and the e-mail address.
create index organization_import_idx on directory.organization (
    directory.name_key(name), (coalesce(postal_code, '')));
-- What the search for duplicates compares.
create index organization_email_idx on directory.organization (lower(email));
create index organization_website_idx on directory.organization (directory.website_host(website));
create index organization_siren_idx on directory.organization (siren);
create index organization_name_key_idx on directory.organization (directory.name_key(name), postal_code);
create index organization_place_idx
    on directory.organization (postal_code, (directory.name_key(name) collate "C"));
create index organization_telephone_idx on directory.organization (telephone);
-- Without a postal code, an import tells organizations apart by their towns.
create index organization_town_idx on directory.organization (directory.name_key(name), directory.town_key(commune))
    where postal_code is null;
-- Searches by words, by part of a word, and by part of an address or a telephone number.
create index organization_search_idx on directory.organization using gin (search);
create index organization_search_text_idx on directory.organization using gin (search_text directory.gin_trgm_ops);
-- Gives the names that are most similar to a payer's first. Finding them by a common word would read every name.
create index organization_payer_idx on directory.organization
    using gist (directory.payer_key(name) directory.gist_trgm_ops(siglen = 64));
create index organization_contact_idx on directory.organization using gin (contact_text directory.gin_trgm_ops);
-- Few are hidden: their names are looked up when a file brings new ones.
create index organization_hidden_idx on directory.organization (directory.name_key(name)) where not public_directory;
-- A firm that is entered twice is recognized by its name without its legal form.
create index organization_payer_key_idx on directory.organization (directory.payer_key(name));

create trigger organization_telephone before insert or update of telephone on directory.organization
    for each row when (new.telephone !~ '^\+[1-9][0-9]{6,14}$') execute function directory.keep_telephone();
create trigger organization_topics before insert or update of topics on directory.organization
    for each row when (cardinality(new.topics) > 0) execute function directory.check_topics();
create trigger organization_each_once before insert or update of topics on directory.organization
    for each row when (cardinality(new.topics) > 1) execute function directory.keep_each_once();

-- A head of network is not among its own branches. Only one change of the tree at a time, or two could close a cycle.
-- Other changes do not wait: neither those that keep the head of network, nor new organizations, which have branches
-- only if one statement inserts both.
create function directory.check_parent() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' and not exists (select from directory.organization where parent = new.id) then
        return new;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('directory.organization.parent', 0));
    if exists (
        with recursive heads (id) as (
            select new.parent
            union
            select o.parent from directory.organization o join heads on o.id = heads.id where o.parent is not null)
        select from heads where heads.id = new.id)
    then
        raise check_violation using
            message = 'circle of organizations', constraint = 'organization_circle_check', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger organization_parent before update of parent on directory.organization
    for each row when (new.parent is not null and new.parent is distinct from old.parent)
    execute function directory.check_parent();
create trigger organization_parent_of_new before insert on directory.organization
    for each row when (new.parent is not null) execute function directory.check_parent();
