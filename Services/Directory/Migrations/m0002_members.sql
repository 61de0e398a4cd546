-- Organizations, people, who represents whom, and who is a member until when.

create table directory.organization (
    id uuid primary key,
    kind text not null check (kind in ('institution', 'brand', 'provider')),
    sub_kind text,
    name text not null check (length(name) between 1 and 200),
    siren text check (directory.is_siren(siren)),
    siret text constraint organization_siret_key unique check (directory.is_siret(siret)),
    parent uuid references directory.organization,
    postal_code text check (postal_code ~ '^[0-9]{5}$'),
    commune text check (length(commune) between 1 and 200),
    departement text check (departement is null or directory.are_departements(array[departement])),
    website text check (length(website) <= 2000),
    email text check (length(email) <= 254),
    telephone text check (telephone ~ '^\+?[0-9]{6,15}$'),
    topics text[] not null default '{}' check (cardinality(topics) <= 40),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sort_key text collate "C" not null generated always as (directory.sort_key(name)) stored,
    search_text text not null
        generated always as (directory.folded(name || ' ' || coalesce(commune, ''))) stored,
    search tsvector not null generated always as (
        to_tsvector('directory.french_folded'::regconfig, name || ' ' || coalesce(commune, ''))) stored,
    constraint organization_sub_kind_check check (
        case sub_kind
            when 'webAgency' then kind = 'provider'
            when 'reseller' then kind = 'provider'
            else sub_kind is null or (kind = 'institution' and sub_kind in (
                'accountingCentre', 'federation', 'regulatedProfession', 'digitalSpaceNetwork', 'regionalAgency',
                'chamber', 'government'))
        end),
    constraint organization_siren_of_siret_check check (siret is null or siren is null or starts_with(siret, siren)),
    constraint organization_parent_check check (parent <> id)
);

-- One keyset index for the list, and one for each of the filters that most of it may pass.
create index organization_name_idx on directory.organization (sort_key, id);
create index organization_kind_idx on directory.organization (kind, sort_key, id);
create index organization_sub_kind_idx on directory.organization (sub_kind, sort_key, id);
create index organization_departement_idx on directory.organization (departement, sort_key, id);
create index organization_parent_idx on directory.organization (parent, sort_key, id);
create index organization_updated_idx on directory.organization (updated_at, id);
create index organization_topics_idx on directory.organization using gin (topics);
create index organization_search_idx on directory.organization using gin (search);
create index organization_search_text_idx on directory.organization using gin (search_text directory.gin_trgm_ops);

create trigger organization_topics before insert or update of topics on directory.organization
    for each row when (cardinality(new.topics) > 0) execute function directory.check_topics();

-- A head of network is not among its own branches. One change of the tree at a time, or two could close a circle.
create function directory.check_parent() returns trigger
    language plpgsql as $$
begin
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

create trigger organization_parent before insert or update of parent on directory.organization
    for each row when (new.parent is not null) execute function directory.check_parent();

create table directory.person (
    id uuid primary key,
    given_name text not null check (length(given_name) between 1 and 200),
    family_name text not null check (length(family_name) between 1 and 200),
    email text check (length(email) <= 254),
    telephone text check (telephone ~ '^\+?[0-9]{6,15}$'),
    organization uuid references directory.organization,
    -- {"flashInfo": {"agreed": true, "at": "…"}, …}: the latest answer for each purpose.
    consents jsonb not null default '{}' check (jsonb_typeof(consents) = 'object'),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    full_name text not null generated always as (family_name || ' ' || given_name) stored,
    sort_key text collate "C" not null generated always as (directory.sort_key(family_name || ' ' || given_name)) stored,
    constraint person_full_name_key unique (id, full_name)
);

create unique index person_email_key on directory.person (lower(email));
create index person_name_idx on directory.person (sort_key, id);
create index person_organization_idx on directory.person (organization, sort_key, id);
create index person_updated_idx on directory.person (updated_at, id);
create index person_consents_idx on directory.person using gin (consents jsonb_path_ops);
create index person_search_idx on directory.person using gin (sort_key directory.gin_trgm_ops);

create table directory.mandate (
    id uuid primary key,
    person uuid not null references directory.person,
    organization uuid not null references directory.organization,
    kind text not null check (kind in ('titular', 'alternate')),
    from_day date not null,
    until_day date,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    during daterange not null generated always as (daterange(from_day, until_day, '[]')) stored,
    constraint mandate_titular_excl
        exclude using gist (organization with =, during with &&) where (kind = 'titular'),
    constraint mandate_person_excl
        exclude using gist (organization with =, person with =, kind with =, during with &&)
);

create index mandate_organization_idx on directory.mandate (organization, from_day desc, id desc);
create index mandate_person_idx on directory.mandate (person);
create index mandate_during_idx on directory.mandate using gist (organization, during);

create table directory.membership (
    id uuid primary key,
    organization uuid not null references directory.organization,
    tier text not null references directory.tier,
    from_day date not null,
    until_day date not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    during daterange not null generated always as (daterange(from_day, until_day, '[]')) stored,
    constraint membership_excl exclude using gist (organization with =, during with &&)
);

create index membership_from_idx on directory.membership (from_day desc, id desc);
create index membership_organization_idx on directory.membership (organization, from_day desc, id desc);
create index membership_tier_idx on directory.membership (tier, from_day desc, id desc);
create index membership_during_idx on directory.membership using gist (during);
