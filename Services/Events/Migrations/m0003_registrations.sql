-- Who has a seat, and who stands in which line.
create table registration (
    id uuid primary key,
    event uuid not null,
    session uuid not null,
    person uuid not null,
    organization uuid,
    state text not null check (state in ('confirmed', 'waitlisted', 'cancelled', 'attended', 'noShow')),
    choices uuid[] not null check (cardinality(choices) > 0),
    note text check (length(note) between 1 and 20000),
    -- The order of coming. Numbers are drawn under the lock of the session, so that within one they follow its line.
    line_order bigint generated always as identity,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint registration_session_of_event foreign key (event, session) references session (event, id)
);
-- One active registration for a person and an event.
create unique index registration_once on registration (event, person) where state <> 'cancelled';
create index registration_in_line on registration (session, line_order) where state = 'waitlisted';
create index registration_by_event on registration (event, line_order);
create index registration_by_person on registration (person);

create function takes_seat(state text) returns integer language sql immutable
    return (state in ('confirmed', 'attended', 'noShow'))::integer;

create function stands_in_line(state text) returns integer language sql immutable
    return (state = 'waitlisted')::integer;

-- Keeps the counts of the session; the check on them refuses the seat after the last.
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
