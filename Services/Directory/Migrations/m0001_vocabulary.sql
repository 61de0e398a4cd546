-- What the other tables stand on: extensions, folding of text, the checks of numbers and codes, and two vocabularies.
-- Everything lives in this schema and names it, so that it means the same whatever the search path.

-- All three are trusted: the owner of the database may create them.
create extension if not exists btree_gist with schema directory;
create extension if not exists pg_trgm with schema directory;
create extension if not exists unaccent with schema directory;

-- unaccent is only stable because its dictionary can be changed. This one is not: generated columns may rest on it.
create function directory.folded(value text) returns text
    language sql immutable strict parallel safe
    return lower(directory.unaccent('directory.unaccent'::regdictionary, value));

create function directory.folded_all(value text[]) returns text[]
    language sql immutable strict parallel safe
    return array(select directory.folded(item) from unnest(value) with ordinality as t (item, place) order by place);

-- What two spellings of one name have in common: "L'Atelier  Numérique" and "l atelier numerique". Signs and blanks go,
-- letters of other scripts stay.
create function directory.name_key(value text) returns text
    language sql immutable strict parallel safe
    return left(trim(regexp_replace(directory.folded(value), '[\s!-/:-@\[-`{-~\u00A0\u202F]+', ' ', 'g')), 120);

-- By what a list is ordered; short enough for an index and a cursor.
create function directory.sort_key(value text) returns text
    language sql immutable strict parallel safe
    return left(directory.folded(value), 120);

-- The answers on consent after new ones came in: a new answer gets the time, a repeated one keeps its own.
create function directory.with_consents(answers jsonb, choices jsonb) returns jsonb
    language sql stable parallel safe
    return answers || coalesce((
        select jsonb_object_agg(purpose, jsonb_build_object('agreed', agreed, 'at',
            to_char(now() at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')))
        from jsonb_each(choices) as choice (purpose, agreed)
        where jsonb_typeof(agreed) = 'boolean' and answers -> purpose -> 'agreed' is distinct from agreed), '{}');

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

create function directory.are_departements(codes text[]) returns boolean
    language sql immutable strict parallel safe
    return codes <@ '{01,02,03,04,05,06,07,08,09,10,11,12,13,14,15,16,17,18,19,21,22,23,24,25,26,27,28,29,2A,2B,30,31,
        32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,
        69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,971,972,973,974,976}'::text[];

-- French stems of words without accents.
create text search configuration directory.french_folded (copy = pg_catalog.french);
alter text search configuration directory.french_folded
    alter mapping for hword, hword_part, word with directory.unaccent, french_stem;

-- The code of a topic is what the API says; the label is what people read, and an import takes either.
create table directory.topic (
    code text primary key check (code ~ '^[a-z][a-zA-Z0-9]{1,39}$'),
    label text not null,
    unique (label)
);

insert into directory.topic (code, label) values
    ('accounting', 'Comptabilité'),
    ('artificialIntelligence', 'Intelligence artificielle'),
    ('backup', 'Sauvegarde'),
    ('businessCreation', 'Création d''entreprise'),
    ('cloud', 'Informatique en nuage'),
    ('collaboration', 'Travail collaboratif'),
    ('customerRelations', 'Relation client'),
    ('cybersecurity', 'Cybersécurité'),
    ('dataProtection', 'Protection des données'),
    ('digitalMarketing', 'Marketing numérique'),
    ('electronicInvoicing', 'Facturation électronique'),
    ('financing', 'Financement'),
    ('hardware', 'Matériel informatique'),
    ('hosting', 'Hébergement'),
    ('maintenance', 'Maintenance'),
    ('management', 'Gestion'),
    ('managementSoftware', 'Logiciels de gestion'),
    ('mobility', 'Mobilité'),
    ('network', 'Réseaux'),
    ('officeSoftware', 'Bureautique'),
    ('onlineSales', 'Vente en ligne'),
    ('payment', 'Paiement'),
    ('pointOfSale', 'Caisse'),
    ('printing', 'Impression'),
    ('searchEngines', 'Référencement'),
    ('socialMedia', 'Réseaux sociaux'),
    ('telecom', 'Téléphonie'),
    ('training', 'Formation'),
    ('webSite', 'Sites web');

-- A foreign key for the elements of an array.
create function directory.check_topics() returns trigger
    language plpgsql as $$
begin
    if exists (select unnest(new.topics) except select code from directory.topic) then
        raise foreign_key_violation using message = 'unknown topic', constraint = 'topics_known', table = tg_table_name;
    end if;
    return new;
end $$;

create table directory.tier (
    code text primary key check (code ~ '^[a-z][a-zA-Z0-9]{1,39}$'),
    label text not null unique
);

insert into directory.tier (code, label) values ('standard', 'Standard'), ('premium', 'Premium');
