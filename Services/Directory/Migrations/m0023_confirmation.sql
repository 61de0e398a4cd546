-- How experts and ambassadors reach their own record: the yearly question whether it is right, and the links they ask
-- for.

-- Each time one is asked to confirm a record. A round begins with a confirmation and ends with the next; it has one
-- first letter (step 0) and three reminders, each of them once.
create table directory.confirmation_request (
    id uuid primary key,
    expert uuid references directory.expert on delete cascade,
    ambassador uuid references directory.ambassador on delete cascade,
    -- The confirmation that began the round.
    confirmed_at timestamptz not null,
    step integer not null check (step between 0 and 3),
    asked_at timestamptz not null default now(),
    -- When content accepted the letter.
    mailed_at timestamptz,
    constraint confirmation_request_subject_check check (num_nonnulls(expert, ambassador) = 1),
    constraint confirmation_request_expert_once unique (expert, confirmed_at, step),
    constraint confirmation_request_ambassador_once unique (ambassador, confirmed_at, step)
);

-- Each link to a record that its expert or ambassador asked for: limits how many are sent in a time.
create table directory.self_service_link (
    id uuid primary key,
    expert uuid references directory.expert on delete cascade,
    ambassador uuid references directory.ambassador on delete cascade,
    asked_at timestamptz not null default now(),
    constraint self_service_link_subject_check check (num_nonnulls(expert, ambassador) = 1)
);

create index self_service_link_expert_idx on directory.self_service_link (expert, asked_at);
create index self_service_link_ambassador_idx on directory.self_service_link (ambassador, asked_at);
create index self_service_link_asked_idx on directory.self_service_link (asked_at);
