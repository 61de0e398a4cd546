-- The Cercle's meetings: who is invited, and who came.
create table circle_meeting (
    id uuid primary key,
    day date not null constraint circle_meeting_day_once unique,
    place text not null check (length(place) between 1 and 200),
    theme text not null check (length(theme) between 1 and 200),
    description text check (length(description) between 1 and 20000),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);

-- An invitation is for an official or for a person in the directory, never for both.
create table invitation (
    id uuid primary key,
    meeting uuid not null references circle_meeting,
    official uuid references official,
    person uuid references person_copy,
    guest_of_honour boolean not null default false,
    state text not null default 'invited' check (state in ('invited', 'accepted', 'declined')),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint invitation_of_one check (num_nonnulls(official, person) = 1)
);
create unique index invitation_official_once on invitation (meeting, official) where official is not null;
create unique index invitation_person_once on invitation (meeting, person) where person is not null;
create index invitation_in_order on invitation (meeting, id);
create index invitation_by_person on invitation (person);

create table attendance (
    meeting uuid not null references circle_meeting,
    official uuid references official,
    person uuid references person_copy,
    recorded_at timestamptz not null default now(),
    constraint attendance_of_one check (num_nonnulls(official, person) = 1)
);
create unique index attendance_official_once on attendance (meeting, official) where official is not null;
create unique index attendance_person_once on attendance (meeting, person) where person is not null;
create index attendance_by_person on attendance (person);
