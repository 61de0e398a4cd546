-- Public officials and their mandates, each from one day to another.

create table official (
    id uuid primary key,
    name text not null check (length(name) between 1 and 200),
    kind text not null check (kind in ('deputy', 'senator', 'minister', 'adviser', 'agencyHead')),
    email text,
    -- In international form (`Telephone` of the protocol), as in the directory: +33123456789; short numbers have no
    -- plus.
    telephone text constraint official_telephone_check check (telephone ~ '^\+?[0-9]{4,15}$'),
    note text check (length(note) between 1 and 20000),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now()
);
create unique index official_email_once on official (lower(email));
create index official_by_name on official (name, id);
create index official_by_kind on official (kind, name, id);

-- A seat that one official holds at a time: a constituency of an institution. It has a number, so that the exclusion
-- constraint below needs no extension.
create table seat (
    id bigint primary key generated always as identity,
    institution text not null,
    departement text not null,
    constituency text not null,
    constraint seat_once unique (institution, departement, constituency)
);

create table official_mandate (
    id uuid primary key,
    official uuid not null references official,
    institution text not null check (length(institution) between 1 and 200),
    role text not null check (length(role) between 1 and 200),
    departement text,
    constituency text check (length(constituency) between 1 and 200),
    seat bigint references seat,
    from_day date not null,
    -- The last day; null while the mandate continues.
    until_day date,
    created_at timestamptz not null default now(),
    constraint official_mandate_ends_after_start check (until_day >= from_day),
    constraint official_mandate_of_constituency_has_seat check ((constituency is null) = (seat is null)),
    -- No seat has two holders on the same day.
    constraint official_mandate_seat_free exclude using gist (
        int8range(seat, seat, '[]') with &&, daterange(from_day, until_day, '[]') with &&) where (seat is not null)
);
create index official_mandate_in_order on official_mandate (official, from_day, id);
