-- Those who work in the field: ambassadors and experts.

create table directory.ambassador (
    id uuid primary key,
    person uuid not null constraint ambassador_person_key unique,
    -- The person's name, followed by the foreign key, so that the list by name is one table and one index.
    name text not null,
    organization uuid references directory.organization,
    topics text[] not null default '{}' check (cardinality(topics) <= 40),
    departements text[] not null default '{}' check (directory.are_departements(departements)),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sort_key text collate "C" not null generated always as (directory.sort_key(name)) stored,
    constraint ambassador_person_fkey
        foreign key (person, name) references directory.person (id, full_name) on update cascade
);

create index ambassador_name_idx on directory.ambassador (sort_key, id);
create index ambassador_organization_idx on directory.ambassador (organization, sort_key, id);
create index ambassador_updated_idx on directory.ambassador (updated_at, id);
create index ambassador_departements_idx on directory.ambassador using gin (departements);
create index ambassador_topics_idx on directory.ambassador using gin (topics);
create index ambassador_search_idx on directory.ambassador using gin (sort_key directory.gin_trgm_ops);

create trigger ambassador_topics before insert or update of topics on directory.ambassador
    for each row when (cardinality(new.topics) > 0) execute function directory.check_topics();

create table directory.expert (
    id uuid primary key,
    sub_kind text not null check (sub_kind in ('webAgency', 'reseller')),
    name text not null check (length(name) between 1 and 200),
    siret text constraint expert_siret_key unique check (directory.is_siret(siret)),
    contact_name text check (length(contact_name) between 1 and 200),
    email text check (length(email) <= 254),
    telephone text check (telephone ~ '^\+?[0-9]{6,15}$'),
    postal_code text not null check (postal_code ~ '^[0-9]{5}$'),
    commune text not null check (length(commune) between 1 and 200),
    departement text not null check (directory.are_departements(array[departement])),
    departements text[] not null default '{}' check (directory.are_departements(departements)),
    topics text[] not null default '{}' check (cardinality(topics) <= 40),
    brands text[] not null default '{}' check (cardinality(brands) <= 200),
    website text check (length(website) <= 2000),
    consents jsonb not null default '{}' check (jsonb_typeof(consents) = 'object'),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sort_key text collate "C" not null generated always as (directory.sort_key(name)) stored,
    name_key text collate "C" not null generated always as (directory.name_key(name)) stored,
    brand_keys text[] not null generated always as (directory.folded_all(brands)) stored,
    search_text text not null generated always as (directory.folded(name || ' ' || commune)) stored,
    search tsvector not null
        generated always as (to_tsvector('directory.french_folded'::regconfig, name || ' ' || commune)) stored
);

-- The list by name, under each filter that a good part of it may pass.
create index expert_name_idx on directory.expert (sort_key, id);
create index expert_sub_kind_idx on directory.expert (sub_kind, sort_key, id);
create index expert_departement_idx on directory.expert (departement, sort_key, id);
create index expert_sub_kind_departement_idx on directory.expert (sub_kind, departement, sort_key, id);
create index expert_updated_idx on directory.expert (updated_at, id);
create index expert_departements_idx on directory.expert using gin (departements);
create index expert_topics_idx on directory.expert using gin (topics);
create index expert_brands_idx on directory.expert using gin (brand_keys);
create index expert_consents_idx on directory.expert using gin (consents jsonb_path_ops);
create index expert_search_idx on directory.expert using gin (search);
create index expert_search_text_idx on directory.expert using gin (search_text directory.gin_trgm_ops);
-- How an import finds an expert again, after the SIRET.
create index expert_email_idx on directory.expert (lower(email));
create index expert_name_key_idx on directory.expert (name_key, postal_code);

create trigger expert_topics before insert or update of topics on directory.expert
    for each row when (cardinality(new.topics) > 0) execute function directory.check_topics();
