-- What members owe for a year, what they have paid, and what their tier entitles them to.

alter table directory.tier
    -- Whom it is for; null: whoever becomes a member.
    add column kind text check (kind in ('institution', 'brand', 'provider')),
    -- For a calendar year, in cents; nothing is called for a tier that costs nothing.
    add column fee integer not null default 0 check (fee >= 0),
    add column monthly_seats integer not null default 0 check (monthly_seats >= 0),
    add column workshop_seats integer not null default 0 check (workshop_seats >= 0),
    add column insertions integer not null default 0 check (insertions >= 0),
    add column version integer not null default 1;

update directory.tier set fee = 120000, monthly_seats = 1, workshop_seats = 2, insertions = 2 where code = 'standard';
update directory.tier set fee = 300000, monthly_seats = 2, workshop_seats = 8, insertions = 6 where code = 'premium';

-- The last number given in a year. Whoever calls contributions holds its row until the end of the transaction: then
-- numbers have no gap, and two calls at once do not see the same members.
create table directory.contribution_counter (
    year integer primary key check (year between 2000 and 2999),
    last integer not null default 0 check (last >= 0)
);

create table directory.contribution (
    id uuid primary key,
    organization uuid not null references directory.organization,
    membership uuid not null references directory.membership,
    year integer not null references directory.contribution_counter,
    number integer not null check (number > 0),
    -- In cents of a euro, as is every amount here.
    amount integer not null check (amount > 0),
    -- The sum of its payments, kept by a trigger.
    paid integer not null default 0,
    called_on date not null,
    due_on date not null,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint contribution_once unique (organization, year),
    constraint contribution_number_key unique (year, number),
    constraint contribution_paid_check check (paid between 0 and amount),
    constraint contribution_due_check check (due_on >= called_on)
);

create index contribution_year_idx on directory.contribution (year desc, id desc);
create index contribution_organization_idx on directory.contribution (organization, year desc, id desc);
create index contribution_owed_idx on directory.contribution (due_on) where paid < amount;
create index contribution_membership_idx on directory.contribution (membership);

-- A payment stays as it was booked; money that goes back is one with a negative amount.
create table directory.payment (
    id uuid primary key,
    contribution uuid not null references directory.contribution,
    amount integer not null check (amount <> 0),
    paid_on date not null,
    reference text check (length(reference) between 1 and 200),
    created_at timestamptz not null default now()
);

create index payment_contribution_idx on directory.payment (contribution, id);

create function directory.book_payment() returns trigger
    language plpgsql as $$
begin
    update directory.contribution
    set paid = paid + new.amount, version = version + 1, updated_at = now()
    where id = new.contribution;
    return new;
end $$;

create trigger payment_booked after insert on directory.payment
    for each row execute function directory.book_payment();

create function directory.refuse_change() returns trigger
    language plpgsql as $$
begin
    raise restrict_violation using
        message = 'payments are never changed', constraint = 'payment_final', table = tg_table_name;
end $$;

create trigger payment_final before update or delete on directory.payment
    for each row execute function directory.refuse_change();
