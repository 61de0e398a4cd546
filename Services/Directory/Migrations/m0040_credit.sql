-- Money beyond what is owed: booked with the amount that came, the part beyond on the organization's credit, from which the next
-- call takes it, or which is paid back.

alter table directory.payment
    -- The part that was beyond what was owed then; below zero where it went back with the rest. Said by a trigger.
    add column credited integer not null default 0,
    drop constraint payment_means_check,
    -- `credit`: from the credit of the organization, or, below zero, onto it.
    add constraint payment_means_check check (
        means in ('transfer', 'cheque', 'card', 'directDebit', 'cash', 'other', 'credit')),
    add constraint payment_credited_check check (
        credited = 0 or (
            means is distinct from 'credit' and sign(credited) = sign(amount) and abs(credited::bigint) <= abs(amount::bigint)));

alter table directory.receipt
    drop constraint receipt_means_check,
    add constraint receipt_means_check check (
        means <@ array['transfer', 'cheque', 'card', 'directDebit', 'cash', 'other', 'credit']);

-- What stands on an organization's credit. Concurrent changes wait for each other here. Not a foreign
-- key: the row of an organization that is merged into another stays, with nothing on it, for the day on which that is undone.
create table directory.credit (
    organization uuid primary key,
    balance bigint not null default 0 constraint credit_balance_check check (balance >= 0)
);
create index credit_balance_idx on directory.credit (balance) where balance > 0;

-- What came onto a credit, and what went: the balance is their sum, which a trigger keeps.
create table directory.credit_entry (
    -- Of a payment, the same as its.
    id uuid primary key,
    -- The order of entries.
    number bigint generated always as identity,
    organization uuid not null references directory.organization,
    amount integer not null check (amount <> 0),
    kind text not null check (kind in ('overpayment', 'carriedOver', 'paidBack')),
    payment uuid constraint credit_entry_payment_key unique references directory.payment,
    day date not null check (day >= '1990-01-01'),
    means text check (means in ('transfer', 'cheque', 'card', 'directDebit', 'cash', 'other')),
    reference text check (length(reference) between 1 and 200),
    created_at timestamptz not null default now(),
    constraint credit_entry_source_check check ((kind = 'paidBack') = (payment is null))
);
create index credit_entry_organization_idx on directory.credit_entry (organization, number desc);
create index credit_entry_day_idx on directory.credit_entry (day desc, id desc);

-- In the order of the organizations, so that two that change several do not wait for each other.
create function directory.change_credit(organizations uuid[], amounts bigint[]) returns void
    language plpgsql as $$
declare
    change record;
begin
    for change in
        select organization, sum(amount) as amount from unnest(organizations, amounts) as changes (organization, amount)
        group by organization having sum(amount) <> 0 order by organization
    loop
        insert into directory.credit (organization) values (change.organization) on conflict do nothing;
        update directory.credit set balance = balance + change.amount where organization = change.organization;
    end loop;
end $$;

create function directory.count_credit() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        perform directory.change_credit(array_agg(organization), array_agg(amount::bigint)) from fresh having count(*) > 0;
        -- Money that was paid back and came back again: no more than was paid back.
        if exists (
            select from fresh where kind = 'paidBack' and amount > 0 and 0 < (
                select sum(amount) from directory.credit_entry as entry
                where entry.organization = fresh.organization and entry.kind = 'paidBack'))
        then
            raise check_violation using
                message = 'more would come back than was paid back', constraint = 'credit_entry_returned_check',
                table = tg_table_name;
        end if;
    else
        -- A merge, or its undo: together, as one entry alone may be more than the rest.
        perform directory.change_credit(array_agg(organization), array_agg(amount)) from (
            select organization, amount::bigint as amount from fresh
            union all select organization, -amount::bigint from stale) as changes having count(*) > 0;
    end if;
    return null;
end $$;

create trigger credit_entry_added after insert on directory.credit_entry
    referencing new table as fresh for each statement execute function directory.count_credit();
create trigger credit_entry_moved after update on directory.credit_entry
    referencing old table as stale new table as fresh for each statement execute function directory.count_credit();

-- Whose it is changes when organizations are merged; nothing else ever does.
create function directory.refuse_credit_change() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'UPDATE' and to_jsonb(new) - 'organization' = to_jsonb(old) - 'organization' then return new; end if;
    raise restrict_violation using
        message = 'credit entries are never changed', constraint = 'credit_entry_final', table = tg_table_name;
end $$;

create trigger credit_entry_final before update or delete on directory.credit_entry
    for each row execute function directory.refuse_credit_change();

-- Parts a payment: what is owed, or was paid, is the contribution's; what is beyond is the credit's. What goes back beyond what was
-- paid is taken from what payments of this contribution have brought to the credit, and no more than that.
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

create or replace function directory.book_payment() returns trigger
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
