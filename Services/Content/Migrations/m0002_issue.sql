-- The Flash info: an issue, its items, and an edition for each audience.
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
    -- Whether the directory has listed all readers.
    resolved boolean not null default false,
    primary key (issue, audience)
);

-- An issue and the embargoes of its resources

-- A resource that an issue has published cannot be put under embargo.
create function check_resource_published() returns trigger language plpgsql as $$
begin
    if exists (
        select from issue_item join issue on issue.id = issue_item.issue
        where issue_item.resource = new.id and issue.state in ('sending', 'sent'))
    then
        raise check_violation using
            message = 'an issue has published it', constraint = 'resource_published', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger resource_published before update of embargo_until on resource
    for each row when (new.embargo_until > now() and new.embargo_until is distinct from old.embargo_until)
    execute function check_resource_published();

-- An issue cannot be sent with a resource that is under an embargo or has expired. The resources are locked, so that
-- none is put under an embargo while the issue changes state.
create function check_issue_open() returns trigger language plpgsql as $$
begin
    perform id from resource
    where id in (select resource from issue_item where issue = new.id) order by id for share;
    if exists (
        select from issue_item join resource on resource.id = issue_item.resource
        where issue_item.issue = new.id and (resource.embargo_until > now() or resource.expires_at <= now()))
    then
        raise check_violation using
            message = 'a resource may not be published', constraint = 'issue_open', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger issue_open before update of state on issue
    for each row when (new.state = 'sending' and old.state = 'draft') execute function check_issue_open();
