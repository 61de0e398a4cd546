-- Which changes of a thing follow each other: compaction looks at those of one thing, and not through the feed.
create index change_thing_idx on change (entity, subject, xid, id);

-- How far compaction has come: one row. Every change is looked at twice in its life: when it has become old, whether a later one
-- follows; and when it is new, whether it follows an old one.
create table feed_compaction (
    singleton boolean primary key default true check (singleton),
    -- Up to here all changes are old, and those that had a later one are gone.
    old_xid xid8 not null default '0',
    old_id bigint not null default 0,
    -- Up to here old changes that these follow are gone.
    new_xid xid8 not null default '0',
    new_id bigint not null default 0
);
insert into feed_compaction default values;
