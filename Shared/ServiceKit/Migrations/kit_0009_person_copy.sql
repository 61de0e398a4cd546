-- What a service keeps about the directory's people: a copy, fed by the directory's change feed. A service that may keep
-- more than the name adds a column for it, which is null in the rows of people who are gone.
create table person_copy (
    id uuid primary key,
    name text,
    -- The version of the person in the directory. It does not show which of two states is later: an undone merge brings an
    -- old version back.
    version integer not null,
    -- Not in the directory any more: the row remains, without any data about the person, so that a late response cannot
    -- restore them.
    gone boolean not null default false,
    -- Erased: no later change from the feed fills the row again.
    erased boolean not null default false,
    constraint person_copy_named_or_gone check (gone = (name is null)),
    constraint person_copy_erased_is_gone check (gone or not erased)
);
