-- Those who work in the field enrol, leave and come back, and say once a year that their record is right.

alter table directory.ambassador
    add column enrolled_on date not null default (now() at time zone 'Europe/Paris')::date,
    -- The day on which they left; the record stays.
    add column left_on date,
    -- When the record was last said to be right; enrolling says so too. Freshness follows from it and from the day.
    add column confirmed_at timestamptz not null default now(),
    add constraint ambassador_left_check check (left_on >= enrolled_on);

alter table directory.expert
    drop column document,
    add column enrolled_on date not null default (now() at time zone 'Europe/Paris')::date,
    add column left_on date,
    add column confirmed_at timestamptz not null default now(),
    add constraint expert_left_check check (left_on >= enrolled_on);

update directory.ambassador
set enrolled_on = (created_at at time zone 'Europe/Paris')::date, confirmed_at = created_at;
update directory.expert
set enrolled_on = (created_at at time zone 'Europe/Paris')::date, confirmed_at = created_at;

drop function directory.expert_document(
    uuid, text, text, text, text, text, text, text, text, text, text[], text[], text[], text, jsonb, integer,
    timestamptz, timestamptz);

-- As before, with the days of the enrolment. Freshness is not in it: it changes overnight without a change.
create function directory.expert_document(
    id uuid, sub_kind text, name text, siret text, contact_name text, email text, telephone text, postal_code text,
    commune text, departement text, departements text[], topics text[], brands text[], website text, consents jsonb,
    enrolled_on date, left_on date, confirmed_at timestamptz, version integer, created_at timestamptz,
    updated_at timestamptz
) returns json language sql immutable as $$
    select (
        '{"id":"' || id || '","subKind":"' || sub_kind || '","name":' || to_json(name)
        || coalesce(',"siret":"' || siret || '"', '')
        || coalesce(',"contactName":' || to_json(contact_name), '')
        || coalesce(',"email":' || to_json(email), '')
        || coalesce(',"telephone":"' || telephone || '"', '')
        || ',"postalCode":"' || postal_code || '","commune":' || to_json(commune)
        || ',"departement":"' || departement || '","departements":' || to_json(departements)
        || ',"topics":' || to_json(topics) || ',"brands":' || to_json(brands)
        || coalesce(',"website":' || to_json(website), '')
        || ',"consents":' || consents
        || ',"enrolledOn":"' || to_char(enrolled_on, 'YYYY-MM-DD')
        || coalesce('","leftOn":"' || to_char(left_on, 'YYYY-MM-DD'), '')
        || '","confirmedAt":"' || to_char(confirmed_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","version":' || version
        || ',"createdAt":"' || to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
        || '","updatedAt":"' || to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') || '"}'
    )::json
$$;

alter table directory.expert add column document json not null generated always as (
    directory.expert_document(
        id, sub_kind, name, siret, contact_name, email, telephone, postal_code, commune, departement, departements, topics,
        brands, website, consents, enrolled_on, left_on, confirmed_at, version, created_at, updated_at)) stored;

-- Who is to be asked next, and the filters on freshness and on those who left.
create index ambassador_confirmed_idx on directory.ambassador (confirmed_at, id) where left_on is null;
create index expert_confirmed_idx on directory.expert (confirmed_at, id) where left_on is null;
create index ambassador_left_idx on directory.ambassador (sort_key, id) where left_on is not null;
create index expert_left_idx on directory.expert (sort_key, id) where left_on is not null;

-- Each time somebody is asked whether the record is still right. A round begins with a confirmation and ends with the
-- next; it has one first letter (step 0) and three reminders, none of which comes twice.
create table directory.confirmation_request (
    id uuid primary key,
    expert uuid references directory.expert on delete cascade,
    ambassador uuid references directory.ambassador on delete cascade,
    confirmed_at timestamptz not null,
    step integer not null check (step between 0 and 3),
    asked_at timestamptz not null default now(),
    -- When content took the letter.
    mailed_at timestamptz,
    constraint confirmation_request_subject_check check (num_nonnulls(expert, ambassador) = 1),
    constraint confirmation_request_expert_once unique (expert, confirmed_at, step),
    constraint confirmation_request_ambassador_once unique (ambassador, confirmed_at, step)
);

-- Each link to the own record that somebody asked for: not more than one in a while.
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
