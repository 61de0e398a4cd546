-- Whose address it was. An address alone does not tell: people change theirs.
alter table delivery
    add column reader_entity text check (reader_entity in ('person', 'expert')),
    add column reader uuid,
    add constraint delivery_reader_whole check ((reader_entity is null) = (reader is null));
create index delivery_by_reader on delivery (reader) where reader is not null;
create index delivery_by_any_address on delivery (lower(email));
create index delivery_by_age on delivery (updated_at);

alter table letter
    add column reader_entity text check (reader_entity in ('person', 'expert')),
    add column reader uuid,
    add constraint letter_reader_whole check ((reader_entity is null) = (reader is null));
create index letter_by_reader on letter (reader) where reader is not null;
create index letter_by_age on letter (updated_at);

-- Who was erased: what is still on its way to them is not taken.
create table erased_reader (
    id uuid primary key,
    created_at timestamptz not null default now()
);

-- Addresses of people who were erased, as nobody can read them: they are never mailed again. The key stays in this table and
-- not in a file, for a key that is changed would let the mails go out again without a word.
create table erased_address (
    hash bytea primary key,
    created_at timestamptz not null default now()
);

create table erased_address_key (
    singleton boolean primary key default true check (singleton),
    key bytea not null
);
insert into erased_address_key (key)
values (sha256(convert_to(gen_random_uuid()::text || gen_random_uuid()::text || gen_random_uuid()::text, 'UTF8')));

-- Two rounds under the key, as HMAC has (RFC 2104).
create function address_hash(email text) returns bytea language sql stable
    return (select sha256(key || sha256(key || convert_to(lower(address_hash.email), 'UTF8'))) from erased_address_key);

-- How many deliveries of an issue there were that are forgotten, so that its counts stay what they were. One that had not
-- ended will not be made.
create table delivery_past (
    issue uuid not null,
    audience text not null,
    state text not null,
    count integer not null check (count > 0),
    primary key (issue, audience, state)
);

create function count_past_deliveries() returns trigger language plpgsql as $$
begin
    insert into delivery_past (issue, audience, state, count)
    select issue, audience, case when state in ('pending', 'sending') then 'cancelled' else state end as ended, count(*)
    from gone group by issue, audience, ended
    on conflict (issue, audience, state) do update set count = delivery_past.count + excluded.count;
    return null;
end $$;

create trigger delivery_past after delete on delivery
    referencing old table as gone for each statement execute function count_past_deliveries();

insert into retention_rule (code, months) values ('deliveries', 24), ('letters', 24);
