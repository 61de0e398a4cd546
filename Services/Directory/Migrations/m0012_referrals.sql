-- Firms' needs that ambassadors bring to experts, and what became of them.

create table directory.referral (
    id uuid primary key,
    -- Null: the club's staff brought it.
    ambassador uuid constraint referral_ambassador_fkey references directory.ambassador on delete set null,
    topics text[] not null check (cardinality(topics) between 1 and 5),
    postal_code text not null check (postal_code ~ '^[0-9]{5}$'),
    departement text not null check (directory.are_departements(array[departement])),
    description text not null check (length(description) between 1 and 2000),
    firm_name text check (length(firm_name) between 1 and 200),
    firm_contact text check (length(firm_contact) between 1 and 200),
    firm_email text check (length(firm_email) <= 254),
    firm_telephone text check (firm_telephone ~ '^\+?[0-9]{6,15}$'),
    places integer not null default 1,
    -- Offers that are accepted or done, and offers without an answer: kept by a trigger, so that the checks below hold
    -- whoever answers at the same time.
    taken integer not null default 0,
    asked integer not null default 0,
    closed_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint referral_places_range_check check (places between 1 and 3),
    constraint referral_places_check check (taken between 0 and places),
    constraint referral_asked_check check (asked between 0 and 5)
);

create index referral_ambassador_idx on directory.referral (ambassador, id desc);
create index referral_departement_idx on directory.referral (departement, id desc);
create index referral_topics_idx on directory.referral using gin (topics);
-- What is forgotten a year after the last change.
create index referral_firm_idx on directory.referral (updated_at)
    where firm_name is not null or firm_contact is not null or firm_email is not null or firm_telephone is not null;

create trigger referral_topics before insert or update of topics on directory.referral
    for each row execute function directory.check_topics();

create table directory.referral_offer (
    id uuid primary key,
    referral uuid not null references directory.referral on delete cascade,
    expert uuid not null constraint referral_offer_expert_fkey references directory.expert on delete cascade,
    state text not null default 'sent'
        check (state in ('sent', 'accepted', 'declined', 'expired', 'withdrawn', 'done', 'abandoned')),
    answer_by date not null,
    answered_at timestamptz,
    satisfaction integer check (satisfaction between 1 and 5),
    amount text check (amount in ('under1000', 'under5000', 'under20000', 'from20000')),
    note text check (length(note) between 1 and 2000),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint referral_offer_once unique (referral, expert),
    -- How well it was done is said of what was done, and then always.
    constraint referral_offer_outcome_check check (
        (satisfaction is not null) = (state = 'done') and (amount is null or state = 'done'))
);

create index referral_offer_expert_idx on directory.referral_offer (expert, id desc);
create index referral_offer_answer_idx on directory.referral_offer (answer_by) where state = 'sent';

-- Whoever counts holds the referral's row until the end of the transaction.
create function directory.count_offers() returns trigger
    language plpgsql as $$
declare
    before text := case when tg_op <> 'INSERT' then old.state end;
    after text := case when tg_op <> 'DELETE' then new.state end;
    moved integer := (coalesce(after, '') in ('accepted', 'done'))::int - (coalesce(before, '') in ('accepted', 'done'))::int;
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
