-- The change feed: which record changed, without its state. It is read in the order of (xid, id), and only up to the oldest
-- running transaction: no row can appear before one that was read.
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

-- Compaction looks at the changes of one record in their order, without reading the whole feed.
create index change_thing_idx on change (entity, subject, xid, id);

-- How far compaction has come: one row. Each change is looked at twice: when it is new, whether it follows an old one, and when
-- it has become old, whether a later one follows it.
create table feed_compaction (
    singleton boolean primary key default true check (singleton),
    -- Up to this position all changes are old, and those that had a later one are gone.
    old_xid xid8 not null default '0',
    old_id bigint not null default 0,
    -- Up to this position, old changes that newer ones follow are gone.
    new_xid xid8 not null default '0',
    new_id bigint not null default 0
);
insert into feed_compaction default values;

-- How far the feeds of the peers have been applied in this service.
create table feed_cursor (
    peer text not null,
    name text not null,
    -- Null before the first batch.
    cursor text,
    applied_at timestamptz,
    primary key (peer, name)
);
