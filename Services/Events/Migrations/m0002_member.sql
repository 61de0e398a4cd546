-- What the events service keeps about the directory's people: a copy, fed by the directory's change feed.
create table member (
    id uuid primary key,
    name text,
    email text,
    organization uuid,
    -- The version of the person in the directory; an older one never replaces a newer one.
    version integer not null,
    -- Deleted from the directory: the row remains, without any data about the person, so that a late response cannot
    -- restore them.
    gone boolean not null default false,
    -- Erased: no later change from the feed fills the row again.
    erased boolean not null default false,
    constraint member_known_or_gone check (
        case when gone then num_nonnulls(name, email, organization) = 0 else name is not null end)
);
create index member_by_organization on member (organization);
