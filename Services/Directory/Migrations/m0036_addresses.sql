-- Who had which address when: what is kept by address only, a letter without a reader, is of whoever had it then, and of nobody
-- where two had it. A row is written when an address is given up; who has one now has it since the one before it, or since there is
-- such a record.
create table directory.address_past (
    -- A person, an expert or an organization. No foreign key: it outlives a record that was merged into another, and goes with an
    -- erasure or by the rule of retention.
    record uuid not null,
    -- In lower case; null for a time without any.
    email text,
    since timestamptz not null,
    until timestamptz not null,
    constraint address_past_ends_after_start check (until >= since)
);

create index address_past_record_idx on directory.address_past (record, until);
create index address_past_email_idx on directory.address_past (email);
create index address_past_until_idx on directory.address_past (until);

create function directory.give_up_address() returns trigger
    language plpgsql as $$
declare
    start timestamptz := coalesce(
        (select max(until) from directory.address_past where record = old.id), old.created_at);
begin
    insert into directory.address_past (record, email, since, until)
    values (old.id, lower(old.email), start, greatest(start, now()));
    return null;
end $$;

create trigger person_address_changed after update of email on directory.person
    for each row when (lower(old.email) is distinct from lower(new.email)) execute function directory.give_up_address();
create trigger expert_address_changed after update of email on directory.expert
    for each row when (lower(old.email) is distinct from lower(new.email)) execute function directory.give_up_address();
create trigger organization_address_changed after update of email on directory.organization
    for each row when (lower(old.email) is distinct from lower(new.email)) execute function directory.give_up_address();
create trigger person_address_gone after delete on directory.person
    for each row execute function directory.give_up_address();
create trigger expert_address_gone after delete on directory.expert
    for each row execute function directory.give_up_address();
create trigger organization_address_gone after delete on directory.organization
    for each row execute function directory.give_up_address();

-- What merges remember of addresses that were given up before there was this table.
insert into directory.address_past (record, email, since, until)
select (step -> 'image' ->> 'id')::uuid, lower(step -> 'image' ->> 'email'),
    least((step -> 'image' ->> 'created_at')::timestamptz, merged_at), merged_at
from directory.merge cross join jsonb_array_elements(steps) as step
where undone_at is null and step ->> 'table' in ('person', 'expert', 'organization')
    and step -> 'image' ->> 'email' is not null;

insert into directory.address_past (record, email, since, until)
select survivor, lower(before ->> 'email'), least((before ->> 'created_at')::timestamptz, merged_at), merged_at
from directory.merge
where undone_at is null and before ->> 'email' is not null
    and lower(before ->> 'email') is distinct from lower(after ->> 'email');

-- Every address of every record, and when the record had it.
create view directory.address_holding as
select record, email, tstzrange(since, until) as during from directory.address_past where email is not null
union all
select id, lower(email),
    tstzrange(coalesce((select max(until) from directory.address_past where record = person.id), created_at), null)
from directory.person where email is not null
union all
select id, lower(email),
    tstzrange(coalesce((select max(until) from directory.address_past where record = expert.id), created_at), null)
from directory.expert where email is not null
union all
select id, lower(email),
    tstzrange(coalesce((select max(until) from directory.address_past where record = organization.id), created_at), null)
from directory.organization where email is not null;

-- The addresses of some records and when they were theirs: while they had them, and before and after as long as nobody else had had
-- them or took them; never while somebody else had them, too. An address that was always somebody else's, too, has one period, over
-- before it begins.
create function directory.addresses_of(records uuid[])
    returns table (email text, since timestamptz, until timestamptz)
    language sql stable as $$
    with own as materialized (
        select email, during from directory.address_holding where record = any(records) and not isempty(during)
    ), other as materialized (
        -- `offset 0`: found address by address, by the indexes, and not by a look at everybody.
        select holding.email, holding.during
        from (select distinct email from own) as mine cross join lateral (
            select email, during, record from directory.address_holding where address_holding.email = mine.email offset 0
        ) as holding
        where record <> all(records) and not isempty(during)
    ), claim as (
        select email, range_agg(tstzrange(
                case when exists (
                        select from other where other.email = own.email and lower(other.during) < lower(own.during))
                    then lower(own.during) end,
                case when not upper_inf(own.during) then (
                    select min(lower(other.during)) from other
                    where other.email = own.email and lower(other.during) >= upper(own.during)) end)) as during
        from own group by email
    )
    select claim.email, case when piece is null then now() else lower(piece) end,
        case when piece is null then now() else upper(piece) end
    from claim left join lateral unnest(
            claim.during - coalesce((select range_agg(during) from other where other.email = claim.email), '{}')
        ) as piece on true
$$;

-- The same for an erasure, until all services have done it: [{"email": …, "since": …, "until": …}, …].
alter table directory.erasure
    add column held jsonb not null default '[]' check (jsonb_typeof(held) = 'array'),
    drop constraint erasure_traces_go,
    add constraint erasure_traces_go check (
        (emails = '{}' and aliases = '{}' and others = '[]' and held = '[]') or state = 'erasing');

insert into retention_rule (code, months) values ('formerAddresses', 36);
