-- The collectivities overseas, Monaco and abroad, and where a postal code lies.

create or replace function directory.are_departements(codes text[]) returns boolean
    language sql immutable strict parallel safe
    return codes <@ '{01,02,03,04,05,06,07,08,09,10,11,12,13,14,15,16,17,18,19,21,22,23,24,25,26,27,28,29,2A,2B,30,31,
        32,33,34,35,36,37,38,39,40,41,42,43,44,45,46,47,48,49,50,51,52,53,54,55,56,57,58,59,60,61,62,63,64,65,66,67,68,
        69,70,71,72,73,74,75,76,77,78,79,80,81,82,83,84,85,86,87,88,89,90,91,92,93,94,95,971,972,973,974,975,976,977,978,
        980,986,987,988,990}'::text[];

-- Codes of other countries are written after the country's: `BE-1050`.
alter table directory.organization
    drop constraint organization_postal_code_check,
    add constraint organization_postal_code_check
        check (postal_code ~ '^([0-9]{5}|[A-Z]{2}-[A-Z0-9][A-Z0-9 -]{0,8}[A-Z0-9])$');
alter table directory.expert
    drop constraint expert_postal_code_check,
    add constraint expert_postal_code_check
        check (postal_code ~ '^([0-9]{5}|[A-Z]{2}-[A-Z0-9][A-Z0-9 -]{0,8}[A-Z0-9])$');
alter table directory.referral
    drop constraint referral_postal_code_check,
    add constraint referral_postal_code_check
        check (postal_code ~ '^([0-9]{5}|[A-Z]{2}-[A-Z0-9][A-Z0-9 -]{0,8}[A-Z0-9])$');

-- The départements that the code told before, for what is mended below.
alter function directory.departement_of(text) rename to departement_of_old;

-- The département in which a postal code lies, as far as the code tells: as `Departement(postalCode:)` of the protocol has it, with
-- the reasons. Null for the armed forces and for codes that nobody has.
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

-- Where a record lies: what was said, unless the postal code rules that out; as `Departement(said:postalCode:)` has it.
create function directory.departement_at(postal_code text, said text) returns text
    language sql immutable parallel safe
    return case
        when said is null then directory.departement_of(postal_code)
        when length(said) = 2 and said not in ('2A', '2B')
            and length(directory.departement_of(postal_code)) = 2 and left(postal_code, 2) <> '20' then said
        else coalesce(directory.departement_of(postal_code), said) end;

-- A collectivity is part of no région. Abroad is as far away as nothing else, and stands where Paris does to be measured from.
alter table directory.departement alter column region drop not null;

insert into directory.departement (code, name, region, latitude, longitude) values
    ('975', 'Saint-Pierre-et-Miquelon', null, 46.78, -56.18), ('977', 'Saint-Barthélemy', null, 17.90, -62.85),
    ('978', 'Saint-Martin', null, 18.07, -63.08), ('980', 'Monaco', null, 43.73, 7.42),
    ('986', 'Wallis-et-Futuna', null, -13.28, -176.18), ('987', 'Polynésie française', null, -17.54, -149.57),
    ('988', 'Nouvelle-Calédonie', null, -22.28, 166.46), ('990', 'Étranger', null, 48.86, 2.35);

delete from directory.departement_near;
insert into directory.departement_near (origin, departement, rank)
select origin.code, other.code,
    row_number() over (
        partition by origin.code
        order by other.code <> origin.code, other.code = '990', acos(least(1, greatest(-1,
            sind(origin.latitude) * sind(other.latitude)
            + cosd(origin.latitude) * cosd(other.latitude) * cosd(origin.longitude - other.longitude)))), other.code) - 1
from directory.departement as origin cross join directory.departement as other;

-- As before; who lies in no région stands in no list of one.
create or replace function directory.expert_terms(search tsvector, brand_keys text[], departements text[], departement text)
    returns setof text language sql stable as $$
    select 'word:' || lexeme from unnest(tsvector_to_array(search)) as lexeme
    union select 'brand:' || brand from unnest(brand_keys) as brand
    union select 'serves:' || code from unnest(departements) as code
    union select 'region:' || place.region from directory.departement as place
        where place.code = departement and place.region is not null
$$;

-- Whose département was derived before and is another one, or could not be told.
update directory.organization
set departement = directory.departement_of(postal_code), version = version + 1, updated_at = now()
where departement is null and postal_code ~ '^(970|975|977|978|98)' and directory.departement_of(postal_code) is not null
    or departement = directory.departement_of_old(postal_code) and departement <> directory.departement_of(postal_code);
update directory.expert
set departement = directory.departement_of(postal_code),
    departements = array_replace(departements, departement, directory.departement_of(postal_code)),
    version = version + 1, updated_at = now()
where departement = directory.departement_of_old(postal_code)
    and departement <> directory.departement_of(postal_code);
update directory.referral
set departement = directory.departement_of(postal_code), version = version + 1, updated_at = now()
where departement = directory.departement_of_old(postal_code)
    and departement <> directory.departement_of(postal_code);

drop function directory.departement_of_old(text);
