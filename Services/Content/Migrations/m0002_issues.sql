-- The Flash info: an issue, its items, an edition for each audience.
create table issue (
    id uuid primary key,
    number integer not null constraint issue_number_once unique,
    title text not null check (length(title) between 1 and 200),
    introduction text,
    state text not null default 'draft' check (state in ('draft', 'sending', 'sent', 'cancelled')),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sent_at timestamptz,
    constraint issue_sent_has_time check ((state = 'sent') = (sent_at is not null))
);
create index issue_by_state on issue (state, number desc);

create table issue_item (
    id uuid primary key,
    issue uuid not null references issue on delete cascade,
    position integer not null,
    kind text not null check (kind in ('corporate', 'product', 'technical', 'marketing', 'commercial')),
    title text not null check (length(title) between 1 and 200),
    text text not null,
    link text,
    resource uuid references resource,
    audiences text[] not null check (
        cardinality(audiences) > 0 and audiences <@ array['ambassadors', 'experts']),
    constraint issue_item_position_once unique (issue, position)
);

create table edition (
    issue uuid not null references issue on delete cascade,
    audience text not null check (audience in ('ambassadors', 'experts')),
    resolved boolean not null default false,
    primary key (issue, audience)
);
