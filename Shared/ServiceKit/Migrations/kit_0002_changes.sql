-- What changed, without any state. Read in the order of (xid, id), and only what is older than every running transaction:
-- then nothing can appear in front of what was read.
create table change (
    xid xid8 not null default pg_current_xact_id(),
    id bigint generated always as identity,
    entity text not null,
    subject text not null,
    action text not null,
    version integer,
    at timestamptz not null default now(),
    primary key (xid, id)
);

-- How far the feeds of the peers have been applied here.
create table feed_cursor (
    peer text not null,
    name text not null,
    -- Null before the first batch.
    cursor text,
    applied_at timestamptz,
    primary key (peer, name)
);
