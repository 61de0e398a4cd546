-- What members owe for a year, and what they have paid. Amounts are in cents of a euro.

-- The last number of a year. A transaction that calls contributions locks its row, so that numbers have no gaps, and
-- two concurrent calls do not call the same members.
create table directory.contribution_counter (
    year integer primary key check (year between 2000 and 2999),
    last integer not null default 0 check (last >= 0)
);

create table directory.contribution (
    id uuid primary key,
    organization uuid not null references directory.organization,
    membership uuid not null references directory.membership,
    -- The first day of the membership when it was called: by this, and not by its present first day, two changes that
    -- look harmless one by one cannot move it to other years. Set by a trigger.
    membership_from date not null,
    year integer not null references directory.contribution_counter,
    number integer not null check (number > 0),
    -- The contribution that this one complements, after a change of tier within the year. It is numbered, owed, paid
    -- and receipted like every other; a year has one contribution that is not a complement, and any number of
    -- complements.
    complements uuid references directory.contribution,
    amount integer not null check (amount > 0),
    -- What a whole year of the tier cost when it was called. A complement is the difference to the highest fee of the
    -- year and not to the present fee of the former tier: a member that changes down and up again is not called twice.
    fee integer constraint contribution_fee_check check (fee >= amount),
    -- The sum of its payments without their credited parts, kept by a trigger.
    paid integer not null default 0,
    called_on date not null,
    due_on date not null,
    -- A cancelled contribution keeps its number and is no longer owed, and its member can be called again. Money paid
    -- for it has been returned before.
    cancelled_on date,
    cancellation_reason text check (length(cancellation_reason) between 1 and 200),
    version integer not null default 1,
    -- The highest version that it had before a merge was undone (m0019_merge.sql).
    version_floor integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint contribution_number_key unique (year, number),
    constraint contribution_complements_check check (complements <> id),
    constraint contribution_paid_check check (paid between 0 and amount),
    constraint contribution_due_check check (due_on >= called_on),
    constraint contribution_cancellation_check check ((cancelled_on is null) = (cancellation_reason is null)),
    constraint contribution_cancelled_check check (cancelled_on is null or paid = 0)
);

create index contribution_year_idx on directory.contribution (year desc, id desc);
create index contribution_organization_idx on directory.contribution (organization, year desc, id desc);
create index contribution_owed_idx on directory.contribution (due_on) where paid < amount;
create index contribution_membership_idx on directory.contribution (membership);
create index contribution_paid_idx on directory.contribution (year desc, id desc) where paid = amount;
create index contribution_unpaid_idx on directory.contribution (year desc, id desc) where paid = 0;
create index contribution_part_idx on directory.contribution (year desc, id desc) where paid > 0 and paid < amount;
create index contribution_cancelled_idx on directory.contribution (year desc, id desc) where cancelled_on is not null;
create index contribution_complements_idx on directory.contribution (complements) where complements is not null;
-- One for a year, apart from complements.
create unique index contribution_once on directory.contribution (organization, year)
    where cancelled_on is null and complements is null;
-- What is still owed, by its amount: which contribution a bank line pays.
create index contribution_rest_idx on directory.contribution ((amount - paid), due_on, id)
    where paid < amount and cancelled_on is null;

-- A call waits for a change of the membership, and is for days that it has. The error is that of an unknown membership:
-- then the members are looked up again, as after a merge.
create function directory.check_contribution_days() returns trigger
    language plpgsql as $$
declare
    held daterange;
begin
    select during into held from directory.membership where id = new.membership for share;
    if not held && daterange(make_date(new.year, 1, 1), make_date(new.year, 12, 31), '[]') then
        raise foreign_key_violation using
            message = 'the membership has no day of this year', constraint = 'contribution_membership_days',
            table = tg_table_name;
    end if;
    return new;
end $$;

create trigger contribution_membership_days before insert on directory.contribution
    for each row execute function directory.check_contribution_days();

create function directory.note_called_membership() returns trigger
    language plpgsql as $$
begin
    -- The foreign key refuses a membership that is gone meanwhile.
    new.membership_from := coalesce(
        (select from_day from directory.membership where id = new.membership), make_date(new.year, 1, 1));
    return new;
end $$;

create trigger contribution_membership_noted before insert on directory.contribution
    for each row execute function directory.note_called_membership();

-- Payments ----------------------------------------------------------------------------------------

-- A payment is never changed; money that goes back is a payment with a negative amount.
create table directory.payment (
    id uuid primary key,
    -- The order of bookings: they lock the row of their contribution.
    number bigint generated always as identity,
    contribution uuid not null references directory.contribution,
    amount integer not null check (amount <> 0),
    -- The part beyond what was owed then, which is credited; below zero if it went back with the rest. Set by a
    -- trigger.
    credited integer not null default 0,
    -- Not before `DayMeaning.floor` of the protocol.
    paid_on date not null constraint payment_paid_on_check check (paid_on >= '1990-01-01'),
    -- Null if it was not given. `credit`: from the credit of the organization, or, below zero, to it.
    means text check (means in ('transfer', 'cheque', 'card', 'directDebit', 'cash', 'other', 'credit')),
    reference text check (length(reference) between 1 and 200),
    bank_line uuid references directory.bank_booking,
    created_at timestamptz not null default now(),
    constraint payment_credited_check check (
        credited = 0 or (
            means is distinct from 'credit' and sign(credited) = sign(amount)
            and abs(credited::bigint) <= abs(amount::bigint)))
);

create index payment_contribution_idx on directory.payment (contribution, id);
-- The journal of payments, the latest first.
create index payment_paid_idx on directory.payment (paid_on desc, id desc);
create index payment_bank_line_idx on directory.payment (bank_line) where bank_line is not null;
-- Which payment a bank takes back, by its amount: the latest.
create index payment_amount_idx on directory.payment (amount, paid_on desc, id desc);

-- Splits a payment: what is owed, or was paid, is the contribution's; anything beyond is credited. What is returned
-- beyond what was paid is taken from what payments of this contribution have brought to the credit, and no more than
-- that.
create function directory.part_payment() returns trigger
    language plpgsql as $$
declare
    called integer;
    held integer;
begin
    select amount, paid into called, held from directory.contribution where id = new.contribution for update;
    new.credited := 0;
    if new.means = 'credit' then return new; end if;
    if new.amount > called - held then
        new.credited := new.amount - (called - held);
    elsif new.amount < -held then
        new.credited := new.amount + held;
        if new.credited + (
            select coalesce(sum(credited), 0) from directory.payment where contribution = new.contribution) < 0
        then
            raise check_violation using
                message = 'more would go back than was paid', constraint = 'contribution_paid_check',
                table = 'contribution';
        end if;
    end if;
    return new;
end $$;

create trigger payment_parted before insert on directory.payment
    for each row execute function directory.part_payment();

-- Adds it to what is paid, and its credited part to the credit (m0017_credit.sql).
create function directory.book_payment() returns trigger
    language plpgsql as $$
begin
    update directory.contribution
    set paid = paid + (new.amount - new.credited), version = version + 1, updated_at = now()
    where id = new.contribution;
    if new.means = 'credit' then
        insert into directory.credit_entry (id, organization, amount, kind, payment, day)
        select new.id, organization, -new.amount, 'carriedOver', new.id, new.paid_on
        from directory.contribution where id = new.contribution;
    elsif new.credited <> 0 then
        insert into directory.credit_entry (id, organization, amount, kind, payment, day, means, reference)
        select new.id, organization, new.credited, 'overpayment', new.id, new.paid_on, new.means, new.reference
        from directory.contribution where id = new.contribution;
    end if;
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
