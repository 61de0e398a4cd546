-- Where external systems want to be told of changes.
create table webhook (
    id uuid primary key,
    -- Each has a place of its own in the sender, which bounds their number.
    place smallint not null constraint webhook_place_key unique check (place between 1 and 32),
    url text not null check (length(url) between 1 and 2000),
    -- What it subscribes to: 'person.changed', 'person.*', '*.erased'. Empty: everything.
    events text[] not null default '{}' check (cardinality(events) <= 50),
    payload text not null check (payload in ('thin', 'state')),
    description text,
    state text not null default 'active' check (state in ('active', 'disabled')),
    disabled_reason text check (disabled_reason in ('operator', 'gone', 'failing')),
    -- It receives the changes of this transaction and of later ones.
    starts xid8 not null default pg_snapshot_xmin(pg_current_snapshot()),
    -- Since when every attempt has failed.
    failing_since timestamptz,
    -- The receiver asked for a pause until then (Retry-After).
    resume_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    check ((state = 'disabled') = (disabled_reason is not null))
);

-- The secrets that its messages are signed with, sealed by a key that the database does not have.
create table webhook_secret (
    id bigint generated always as identity primary key,
    webhook uuid not null references webhook on delete cascade,
    sealed bytea not null,
    created_at timestamptz not null default now(),
    -- Null for the current secret. A replaced one signs as well until then, so that receivers can change over.
    valid_until timestamptz
);

create unique index webhook_secret_present on webhook_secret (webhook) where valid_until is null;
create index webhook_secret_webhook on webhook_secret (webhook);

-- One change for one webhook; no value of the record is kept.
create table webhook_delivery (
    id uuid primary key default gen_random_uuid(),
    number bigint generated always as identity,
    -- No foreign key: a webhook is deleted at once, and what remains of its log in pieces.
    webhook uuid not null,
    -- The position in the feed; null for a test message.
    change_xid xid8,
    change_id bigint,
    entity text not null,
    subject text not null,
    action text not null,
    -- The version of the record after the change.
    revision integer,
    happened_at timestamptz not null default now(),
    state text not null default 'pending' check (state in ('pending', 'sending', 'delivered', 'exhausted')),
    -- Attempts in all, and since the delivery was last requested: a replay gives it all attempts again.
    total_attempts integer not null default 0 check (total_attempts >= 0),
    attempt integer not null default 0 check (attempt between 0 and total_attempts),
    -- When a worker is to take it: a pending delivery at its time, one that is being sent when its lease ends.
    due_at timestamptz not null default now(),
    lease_token uuid,
    created_at timestamptz not null default now(),
    finished_at timestamptz,
    constraint webhook_delivery_once unique (webhook, change_xid, change_id),
    check ((change_xid is null) = (change_id is null)),
    check ((state = 'sending') = (lease_token is not null)),
    check ((state in ('delivered', 'exhausted')) = (finished_at is not null))
);

create index webhook_delivery_due on webhook_delivery (webhook, due_at, number) where state in ('pending', 'sending');
create unique index webhook_delivery_log on webhook_delivery (webhook, number);
create index webhook_delivery_state on webhook_delivery (webhook, state, number);
create index webhook_delivery_created_at on webhook_delivery (created_at);

-- Each attempt to send a message: its outcome, and nothing of what the receiver said. Without milliseconds it is under way, or
-- was cut off before its outcome could be recorded.
create table webhook_attempt (
    delivery uuid not null references webhook_delivery on delete cascade,
    number integer not null,
    started_at timestamptz not null default clock_timestamp(),
    milliseconds integer,
    status integer check (status between 100 and 999),
    response_bytes integer,
    failure text,
    primary key (delivery, number)
);
