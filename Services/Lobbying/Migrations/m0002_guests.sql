-- What the lobbying service knows of the directory's people: a copy, fed by the directory's change feed.
create table guest (
    id uuid primary key,
    name text,
    -- The directory's version of the person; an older one never replaces a newer one.
    version integer not null,
    -- Gone from the directory: kept, without a word about the person, so that a late answer cannot bring them back.
    gone boolean not null default false,
    constraint guest_known_or_gone check (gone = (name is null))
);
