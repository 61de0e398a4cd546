-- The table that the servers of other stacks read (PEERS).
drop table if exists member;
create table member (
    id uuid primary key default gen_random_uuid(), kind text not null, name text not null, region text not null,
    email text not null, city text, tags text[] default '{}', updated_at timestamptz default now());
insert into member (id, kind, name, region, email, city)
select md5(i::text)::uuid, (array['web_agency', 'reseller'])[1 + i % 2], 'Agence ' || i, 'FR-' || (i % 13),
    'a' || i || '@example.org', 'Ville ' || (i % 500)
from generate_series(1, 7000) i;
create index on member (kind, region, name);
vacuum analyze member;
