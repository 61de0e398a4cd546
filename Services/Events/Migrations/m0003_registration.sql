-- Who has a seat, and who is on which waiting list.
create table registration (
    id uuid primary key,
    event uuid not null,
    session uuid not null,
    person uuid not null,
    organization uuid,
    state text not null check (state in ('confirmed', 'waitlisted', 'cancelled', 'attended', 'noShow')),
    choices uuid[] not null check (cardinality(choices) > 0),
    note text check (length(note) between 1 and 20000),
    -- The order of arrival. Numbers are drawn under the session's lock, so that they follow its waiting list.
    line_order bigint generated always as identity,
    -- The person was erased or retention has ended: seat, state and organization are kept for the counts, and `person`
    -- is a random identifier.
    forgotten boolean not null default false,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint registration_session_of_event foreign key (event, session) references session (event, id)
);
-- A person has one active registration for an event.
create unique index registration_once on registration (event, person) where state <> 'cancelled';
create index registration_in_line on registration (session, line_order) where state = 'waitlisted';
create index registration_by_event on registration (event, line_order);
create index registration_by_person on registration (person);
create index registration_by_organization on registration (organization);
-- Retention goes through events that ended long ago, one by one, looking for registrations that still name a person.
create index registration_remembered on registration (event) where not forgotten;

insert into retention_rule (code, months) values ('registrations', 36);

-- The counts of a session

create function takes_seat(state text) returns integer language sql immutable
    return (state in ('confirmed', 'attended', 'noShow'))::integer;

create function stands_in_line(state text) returns integer language sql immutable
    return (state = 'waitlisted')::integer;

-- Keeps the counts of the session; their check constraint refuses one seat too many.
create function count_seats() returns trigger language plpgsql as $$
begin
    if tg_op <> 'INSERT' then
        update session set confirmed = confirmed - takes_seat(old.state),
            waitlisted = waitlisted - stands_in_line(old.state)
        where id = old.session;
    end if;
    if tg_op <> 'DELETE' then
        update session set confirmed = confirmed + takes_seat(new.state),
            waitlisted = waitlisted + stands_in_line(new.state)
        where id = new.session;
    end if;
    return null;
end
$$;

create trigger registration_counts
    after insert or delete or update of state, session on registration
    for each row execute function count_seats();

-- Attendance is final. Once it is recorded, the times of the event and its sessions cannot change and the event cannot
-- be cancelled: either would change what was recorded.

create function is_attended(of_event uuid) returns boolean language sql stable
    return exists (select from registration where event = of_event and state in ('attended', 'noShow'));

create function refuse_attended() returns trigger language plpgsql as $$
begin
    if is_attended(case tg_table_name when 'event' then new.id else (to_jsonb(new) ->> 'event')::uuid end) then
        raise restrict_violation using
            message = 'who came is written down', constraint = 'event_attended', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger event_attended before update of starts_at, ends_at, state on event
    for each row when (
        new.starts_at <> old.starts_at or new.ends_at <> old.ends_at
            or (new.state = 'cancelled' and old.state <> 'cancelled'))
    execute function refuse_attended();
create trigger session_attended before update of starts_at, ends_at on session
    for each row when (new.starts_at <> old.starts_at or new.ends_at <> old.ends_at)
    execute function refuse_attended();
