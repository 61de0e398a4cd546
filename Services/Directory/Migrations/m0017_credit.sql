-- Money beyond what is owed: the next call takes it from the organization's credit, or it is paid back.

-- The balance of each organization. Concurrent changes wait for each other here. Not a foreign key: the row of an
-- organization that is merged into another is kept, with a balance of zero, for the undo.
create table directory.credit (
    organization uuid primary key,
    balance bigint not null default 0 constraint credit_balance_check check (balance >= 0)
);

create index credit_balance_idx on directory.credit (balance) where balance > 0;

-- What was credited, and what was taken from it: the balance is their sum, kept by a trigger.
create table directory.credit_entry (
    -- The payment's, if it belongs to one.
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
    bank_line uuid references directory.bank_booking,
    created_at timestamptz not null default now(),
    constraint credit_entry_source_check check ((kind = 'paidBack') = (payment is null)),
    constraint credit_entry_bank_line_check check (bank_line is null or kind = 'paidBack')
);

create index credit_entry_organization_idx on directory.credit_entry (organization, number desc);
create index credit_entry_day_idx on directory.credit_entry (day desc, id desc);
create index credit_entry_bank_line_idx on directory.credit_entry (bank_line) where bank_line is not null;

-- In the order of the organizations, so that two transactions that change several do not block each other.
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
        perform directory.change_credit(array_agg(organization), array_agg(amount::bigint))
        from fresh having count(*) > 0;
        -- Money that was paid back and came back again: not more than was paid back.
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
        -- A merge or its undo: all entries together, as a single one may exceed the balance.
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

-- Only the organization of an entry changes, when it is merged into another.
create function directory.refuse_credit_change() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'UPDATE' and to_jsonb(new) - 'organization' = to_jsonb(old) - 'organization' then return new; end if;
    raise restrict_violation using
        message = 'credit entries are never changed', constraint = 'credit_entry_final', table = tg_table_name;
end $$;

create trigger credit_entry_final before update or delete on directory.credit_entry
    for each row execute function directory.refuse_credit_change();
