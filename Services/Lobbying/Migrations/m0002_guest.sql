-- What the lobbying service keeps about the directory's people: a copy, fed by the directory's change feed.
create table guest (
    id uuid primary key,
    name text,
    -- The version of the person in the directory; an older one never replaces a newer one.
    version integer not null,
    -- Deleted from the directory: the row remains, without any data about the person, so that a late response cannot
    -- restore them.
    gone boolean not null default false,
    -- Erased: no later change from the feed fills the row again.
    erased boolean not null default false,
    constraint guest_known_or_gone check (gone = (name is null))
);
