-- Départements and régions, which are near which, and where a postal code is. The rows are in m0024_reference_data.sql.

-- The départements, the collectivities overseas, Monaco (980) and abroad (990).
create function directory.are_departements(codes text[]) returns boolean
    language sql immutable strict parallel safe
    return codes <@ '{01,02,03,04,05,06,07,08,09,10,11,12,13,14,15,16,17,18,19,21,22,23,24,25,26,27,28,29,2A,2B,30,31,
        32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,
        69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,971,972,973,974,975,976,977,978,
        980,986,987,988,990}'::text[];

create table directory.region (
    code text primary key check (code ~ '^[0-9]{2}$'),
    name text not null unique
);

create table directory.departement (
    code text primary key check (directory.are_departements(array[code])),
    name text not null unique,
    -- Null: a collectivity is in no région.
    region text references directory.region,
    -- Of its prefecture, in degrees.
    latitude double precision not null,
    longitude double precision not null
);

create index departement_region_idx on directory.departement (region);

-- The départements in the order of their distance from one of them: rank 0 is itself, 1 the nearest, by the great
-- circle between prefectures.
create table directory.departement_near (
    origin text not null references directory.departement,
    departement text not null references directory.departement,
    rank integer not null,
    primary key (origin, rank),
    unique (origin, departement)
);

-- The département of a postal code, as far as the code determines it: like `Departement(postalCode:)` of the protocol,
-- where the reasons are given. Null for the armed forces and for codes that are not in use.
create function directory.departement_of(postal_code text) returns text
    language sql immutable parallel safe
    return case
        when length(postal_code) > 5 then '990'
        when left(postal_code, 3) in ('200', '201', '203', '205', '207') then '2A'
        when left(postal_code, 2) = '20' then '2B'
        when postal_code = '97133' or left(postal_code, 4) = '9709' then '977'
        when postal_code = '97150' or left(postal_code, 4) in ('9705', '9706', '9707', '9708') then '978'
        when left(postal_code, 3) in ('977', '978') then '974'
        when left(postal_code, 3) in ('971', '972', '973', '974', '975', '976', '980', '986', '987', '988')
            then left(postal_code, 3)
        when left(postal_code, 2) not in ('00', '96', '97', '98', '99') then left(postal_code, 2)
    end;

-- Where a record is: the département that was given, unless the postal code rules it out; like
-- `Departement(said:postalCode:)` of the protocol.
create function directory.departement_at(postal_code text, said text) returns text
    language sql immutable parallel safe
    return case
        when said is null then directory.departement_of(postal_code)
        when length(said) = 2 and said not in ('2A', '2B')
            and length(directory.departement_of(postal_code)) = 2 and left(postal_code, 2) <> '20' then said
        else coalesce(directory.departement_of(postal_code), said) end;

-- What two spellings of one town have in common: without arrondissement and CEDEX; `St-Étienne` is `Saint Étienne`.
create function directory.town_key(commune text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(
        regexp_replace(directory.name_key(commune), '\s+(cedex\M.*|[0-9]+.*)$', ''), '\mst(e?s?)\M', 'saint\1', 'g');

-- Whether two places are different towns, as far as both are known; null if they may be one. Saint-Denis in one
-- département is not Saint-Denis in another; one town may have several postal codes.
create function directory.are_two_towns(commune text, postal_code text, other text, other_postal_code text)
    returns boolean
    language sql immutable parallel safe
    return case
        when commune is not null and other is not null
            then directory.town_key(commune) <> directory.town_key(other)
                or left(postal_code, 2 + (postal_code ~ '^9[78]')::integer)
                    <> left(other_postal_code, 2 + (other_postal_code ~ '^9[78]')::integer)
        else postal_code <> other_postal_code
    end;
