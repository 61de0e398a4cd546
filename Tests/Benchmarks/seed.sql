-- The 7,000 experts that the benchmark reads: the same identifiers and the same share of each list as in the peers'
-- table.
set client_min_messages = warning;
truncate directory.expert cascade;
insert into directory.expert (
    id, sub_kind, name, siret, contact_name, email, telephone, postal_code, commune, departement, departements, topics,
    brands, consents)
select md5(i::text)::uuid, (array['webAgency', 'reseller'])[1 + i % 2], 'Agence ' || i, null, 'Camille Martin',
    'a' || i || '@example.org', '0559000000', '64000', 'Ville ' || (i % 500), place, array[place],
    array['webSite', 'onlineSales'], array['Altéa'], '{"flashInfo": {"agreed": true, "at": "2026-01-01T00:00:00Z"}}'
from generate_series(1, 7000) i
cross join lateral (select (array['33', '40', '35', '29', '69', '64', '75', '13', '31', '59', '44', '67', '34'])[1 + i % 13]) as of (place);
vacuum analyze directory.expert;
