-- One mail to one address for one issue.
create table delivery (
    id uuid primary key,
    issue uuid not null,
    audience text not null,
    email text not null,
    name text,
    -- Whose address it was when the readers were listed: people change addresses, and erasure must find their deliveries.
    reader_entity text check (reader_entity in ('person', 'expert')),
    reader uuid,
    state text not null default 'pending' check (
        state in ('pending', 'sending', 'sent', 'failed', 'uncertain', 'suppressed', 'cancelled')),
    -- How many times it has been handed over.
    attempt integer not null default 0,
    reply text,
    -- When a sender may claim it: the scheduled time while it waits, the end of the lease while a sender holds it.
    due_at timestamptz not null default now(),
    -- Identifies the sender that holds it: a late sender finds another token here and changes nothing.
    lease_token uuid,
    updated_at timestamptz not null default now(),
    foreign key (issue, audience) references edition (issue, audience) on delete cascade,
    constraint delivery_reader_whole check ((reader_entity is null) = (reader is null)),
    constraint delivery_sending_is_leased check (state <> 'sending' or lease_token is not null)
);
-- No address gets an issue twice, however often the audience is resolved and whatever roles a person has.
create unique index delivery_once on delivery (issue, lower(email));
create index delivery_due on delivery (issue, audience, due_at, id) where state = 'pending';
create index delivery_leased on delivery (issue, audience, due_at) where state = 'sending';
create index delivery_by_address on delivery (issue, email);
create index delivery_by_state on delivery (issue, state, email);
create index delivery_by_reader on delivery (reader) where reader is not null;
create index delivery_by_any_address on delivery (lower(email));
create index delivery_by_age on delivery (updated_at);

insert into retention_rule (code, months) values ('deliveries', 24);

-- How many deliveries of an issue were deleted by erasure and retention, so that its counts stay the same. A delivery
-- that had not ended counts as cancelled: it will not be sent.
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
