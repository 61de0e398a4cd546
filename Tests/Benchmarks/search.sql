-- :count experts with the names, places and topics of a country: a few common words, many rare ones, and départements
-- of very different sizes. The same rows every time. Triggers are disabled: what they check is valid here, and a search
-- does not read the ledger of consents.
set client_min_messages = warning;
set session_replication_role = replica;
set maintenance_work_mem = '512MB';
begin;
-- The job that runs every minute also locks this row before it reads experts.
select through from directory.expert_word_progress for update \g /dev/null
select setseed(0.42);
truncate directory.expert cascade;
truncate directory.expert_posting, directory.expert_word;

-- Indexes are created afterwards, which takes a fraction of the time.
create temporary table made_later as
select indexrelid::regclass::text as name, pg_get_indexdef(indexrelid) as statement from pg_index
where indrelid = 'directory.expert'::regclass
    and not exists (select from pg_constraint where conindid = indexrelid);
select 'drop index ' || name from made_later \gexec

create temporary table family as
select row_number() over () as number, initcap(a || b || c) as name
from unnest('{mar,ber,du,le,mo,ro,gar,la,per,cha,bou,fon,gi,ver,pel,ri,san,del,bar,tou}'::text[]) as a,
    unnest('{ti,na,pon,fè,re,be,ci,ra,ri,lan,che,tai,ra,gne,le,vi,che,for,di,ro}'::text[]) as b,
    unnest('{n,rd,t,vre,au,rt,a,d,er,gé,ne,llet,nd,tte,ier,ssier,x,lin,ux,ssou}'::text[]) as c;

create temporary table place as
select number, departement,
    (array['', 'Saint-', 'Ville', 'Mont-', 'Château-', 'Le ', 'La ', ''])[1 + number % 8] || family.name
        || (array['', '-sur-Loire', '-les-Bains', '', '-en-Forêt', '-le-Château', '', ''])[1 + (number / 8) % 8] as commune,
    case when departement in ('2A', '2B') then '20' else left(departement, 3) end as prefix
from family
join lateral (
    select (array(select code from directory.departement order by md5(code)))[1 + (power(random(), 1.7) * 100)::integer] as departement where family.number > 0
) as drawn on true;

insert into directory.expert (
    id, sub_kind, name, contact_name, email, telephone, postal_code, commune, departement, departements, topics, brands,
    website, consents, confirmed_at, enrolled_on, left_on, updated_at)
select md5(i::text)::uuid, (array['webAgency', 'reseller'])[1 + (random() > 0.485)::integer],
    (array[
        'Agence', 'Informatique', 'Studio', 'Atelier', 'Solutions', 'Services', 'Réseaux', 'Conseil', 'Bureautique',
        'Systèmes', 'Création', 'Espace', 'Groupe', 'Médias', 'Comptoir', 'Fabrique'])[1 + (power(random(), 2) * 15)::integer]
        || ' ' || family.name
        || (array['', ' Informatique', ' Numérique', '', ' & Fils', ' Développement', ' Communication', ' du Web'])[
            1 + (random() * 7)::integer],
    'Camille ' || family.name, 'a' || i || '@example.org', '0559000000',
    place.prefix || lpad((place.number % (case when length(place.prefix) = 2 then 900 else 90 end))::text,
        5 - length(place.prefix), '0'),
    place.commune, place.departement, array[place.departement],
    (array['webSite', 'onlineSales', 'network', 'cybersecurity', 'cloud', 'telecom', 'printing', 'pointOfSale'])[
        1 + (random() * 4)::integer:1 + (random() * 7)::integer],
    array[(array['Altéa', 'Boréal', 'Cyrius', 'Delta', 'Éolis', 'Fjord'])[1 + (power(random(), 2) * 5)::integer]],
    'https://www.example.org/' || i, '{"publicDirectory": {"agreed": true, "at": "2026-01-01T00:00:00Z"}}',
    -- Most were confirmed this year, some are stale; one in fifty has left.
    now() - power(random(), 3) * interval '20 months', current_date - 730, case when random() < 0.02 then current_date - (random() * 700)::integer end,
    -- Words changed within the last hour are indexed again each minute, and no club changes everything within one hour.
    now() - interval '2 hours' - random() * interval '2 years'
from generate_series(1, :count) as i
cross join lateral (select 1 + (power(random(), 2) * 7999)::integer as f, 1 + (power(random(), 1.5) * 7999)::integer as p where i > 0) as drawn
join family on family.number = drawn.f
join place on place.number = drawn.p;
select statement from made_later \gexec

insert into directory.expert_posting (term, sort_key, expert)
select term, sort_key, id from directory.expert
    cross join lateral directory.expert_terms(search, brand_keys, departements, departement) as term
order by term, sort_key, id;
insert into directory.expert_word (word, lexeme, published)
select word, lexeme, true
from (
    select distinct word from directory.expert cross join regexp_split_to_table(search_text, '[^[:alnum:]]+') as word
    where length(word) between 2 and 40
) as fresh
cross join lateral unnest(to_tsvector('directory.expert_words', word)) as parsed (lexeme)
on conflict do nothing;
update directory.expert_word_progress set through = (select max(updated_at) from directory.expert);
commit;
vacuum analyze directory.expert;
vacuum analyze directory.expert_posting;
vacuum analyze directory.expert_word;
