-- What the club invites people to, and the sessions that people take seats in.

create table event (
    id uuid primary key,
    title text not null check (length(title) between 1 and 200),
    kind text not null check (
        kind in ('partnersClub', 'ambassadorForum', 'channelExpert', 'regionalMeeting', 'circle', 'other')),
    state text not null default 'draft' check (state in ('draft', 'published', 'closed', 'cancelled', 'held')),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    venue text not null check (length(venue) between 1 and 200),
    theme text check (length(theme) between 1 and 200),
    description text check (length(description) between 1 and 20000),
    registration_opens_at timestamptz,
    registration_closes_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint event_ends_after_start check (ends_at > starts_at),
    constraint event_registration_opens_before_close check (registration_closes_at > registration_opens_at)
);
create index event_latest on event (starts_at desc, id desc);
create index event_by_kind on event (kind, starts_at desc, id desc);

create table session (
    id uuid primary key,
    event uuid not null references event,
    title text not null check (length(title) between 1 and 200),
    kind text not null check (kind in ('plenary', 'workshop')),
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    capacity integer not null,
    -- Counted by the trigger registration_counts on every change of a registration.
    confirmed integer not null default 0,
    waitlisted integer not null default 0,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint session_ends_after_start check (ends_at > starts_at),
    constraint session_capacity_in_range check (capacity between 1 and 10000),
    constraint session_seats_counted check (confirmed >= 0 and waitlisted >= 0),
    -- Backs up the lock: whatever the code does, the database refuses one seat too many.
    constraint session_never_oversold check (confirmed <= capacity),
    -- The target of a registration's foreign key, so that it cannot name a session of another event.
    constraint session_of_event unique (event, id)
);
create index session_in_order on session (event, starts_at, id);
