-- The needs of firms that ambassadors bring to experts, and what became of them.

create table directory.referral (
    id uuid primary key,
    -- Null: the club's staff brought it, or the ambassador is gone.
    ambassador uuid constraint referral_ambassador_fkey references directory.ambassador on delete set null,
    topics text[] not null check (cardinality(topics) between 1 and 5),
    -- Outside France after the code of the country: `BE-1050`. Every place in France has one; some countries have none.
    postal_code text check (postal_code ~ '^([0-9]{5}|[A-Z]{2}-[A-Z0-9][A-Z0-9 -]{0,8}[A-Z0-9])$'),
    departement text not null check (directory.are_departements(array[departement])),
    description text not null check (length(description) between 1 and 2000),
    firm_name text check (length(firm_name) between 1 and 200),
    firm_contact text check (length(firm_contact) between 1 and 200),
    firm_email text check (length(firm_email) <= 254),
    firm_telephone text check (firm_telephone ~ '^\+?[0-9]{4,15}$'),
    -- How many experts the firm wants.
    places integer not null default 1,
    -- Offers that are accepted or done, and offers without an answer: kept by a trigger, so that the checks below hold
    -- however many experts answer at once.
    taken integer not null default 0,
    asked integer not null default 0,
    closed_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint referral_place_check check (postal_code is not null or departement = '990'),
    constraint referral_places_range_check check (places between 1 and 3),
    constraint referral_places_check check (taken between 0 and places),
    constraint referral_asked_check check (asked between 0 and 5)
);

create index referral_ambassador_idx on directory.referral (ambassador, id desc);
create index referral_departement_idx on directory.referral (departement, id desc);
create index referral_topics_idx on directory.referral using gin (topics);
-- What retention forgets next.
create index referral_firm_idx on directory.referral (updated_at)
    where firm_name is not null or firm_contact is not null or firm_email is not null or firm_telephone is not null;
create index referral_closed_idx on directory.referral (id desc) where closed_at is not null;
create index referral_placed_idx on directory.referral (id desc) where closed_at is null and taken = places;
create index referral_open_idx on directory.referral (id desc) where closed_at is null and taken < places;
-- Whether a number is another record's, too.
create index referral_firm_telephone_idx on directory.referral (firm_telephone) where firm_telephone is not null;

create trigger referral_topics before insert or update of topics on directory.referral
    for each row execute function directory.check_topics();
create trigger referral_firm_telephone before insert or update of firm_telephone on directory.referral
    for each row when (new.firm_telephone !~ '^\+[1-9][0-9]{6,14}$') execute function directory.keep_firm_telephone();

create table directory.referral_offer (
    id uuid primary key,
    referral uuid not null references directory.referral on delete cascade,
    expert uuid not null constraint referral_offer_expert_fkey references directory.expert on delete cascade,
    state text not null default 'sent'
        check (state in ('sent', 'accepted', 'declined', 'expired', 'withdrawn', 'done', 'abandoned')),
    answer_by date not null,
    answered_at timestamptz,
    -- When the ambassador was asked what became of the need: once, a month after the expert accepted.
    outcome_asked_at timestamptz,
    satisfaction integer check (satisfaction between 1 and 5),
    amount text check (amount in ('under1000', 'under5000', 'under20000', 'from20000')),
    note text check (length(note) between 1 and 2000),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    -- Satisfaction is given if the work was done, and only then.
    constraint referral_offer_outcome_check check (
        (satisfaction is not null) = (state = 'done') and (amount is null or state = 'done'))
);

create index referral_offer_expert_idx on directory.referral_offer (expert, id desc);
create index referral_offer_answer_idx on directory.referral_offer (answer_by) where state = 'sent';
create index referral_offer_state_idx on directory.referral_offer (state, id desc);
-- An expert whose offer ended without an answer may get another for the same need.
create unique index referral_offer_once on directory.referral_offer (referral, expert)
    where state not in ('withdrawn', 'expired');
create index referral_offer_referral_idx on directory.referral_offer (referral, id desc);
create index referral_offer_outcome_idx on directory.referral_offer (answered_at)
    where state = 'accepted' and outcome_asked_at is null;

-- Counting locks the referral's row until the end of the transaction.
create function directory.count_offers() returns trigger
    language plpgsql as $$
declare
    before text := case when tg_op <> 'INSERT' then old.state end;
    after text := case when tg_op <> 'DELETE' then new.state end;
    moved integer := (coalesce(after, '') in ('accepted', 'done'))::int
        - (coalesce(before, '') in ('accepted', 'done'))::int;
    waiting integer := (coalesce(after, '') = 'sent')::int - (coalesce(before, '') = 'sent')::int;
begin
    if moved <> 0 or waiting <> 0 then
        update directory.referral
        set taken = taken + moved, asked = asked + waiting, version = version + 1, updated_at = now()
        where id = case when tg_op = 'DELETE' then old.referral else new.referral end;
    end if;
    return null;
end $$;

create trigger referral_offer_counted after insert or update of state or delete on directory.referral_offer
    for each row execute function directory.count_offers();
