-- What is written to members about their contributions: the call and the reminders, and the receipt once all is paid.

create table directory.contribution_reminder (
    id uuid primary key,
    contribution uuid not null references directory.contribution on delete cascade,
    -- The call itself; a week before the last day; fifteen and thirty days after it.
    step text not null check (step in ('called', 'upcoming', 'late', 'final')),
    asked_at timestamptz not null default now(),
    -- When content took the letter.
    mailed_at timestamptz,
    constraint contribution_reminder_once unique (contribution, step)
);

-- The last number given in a year; whoever issues holds its row until the end of the transaction, so that no number is
-- left out and none given twice.
create table directory.receipt_counter (
    year integer primary key check (year between 2000 and 2999),
    last integer not null check (last > 0)
);

-- Everything that stands on a receipt, as it was when it was issued.
create table directory.receipt (
    id uuid primary key,
    contribution uuid not null constraint receipt_once unique references directory.contribution,
    year integer not null references directory.receipt_counter,
    number integer not null check (number > 0),
    issued_on date not null,
    -- The day of the payment that completed it.
    paid_on date not null,
    amount integer not null check (amount > 0),
    organization_name text not null,
    siret text,
    postal_code text,
    commune text,
    contribution_year integer not null,
    contribution_number integer not null,
    created_at timestamptz not null default now(),
    constraint receipt_number_key unique (year, number)
);

create function directory.refuse_receipt_change() returns trigger
    language plpgsql as $$
begin
    raise restrict_violation using
        message = 'receipts are never changed', constraint = 'receipt_final', table = tg_table_name;
end $$;

create trigger receipt_final before update or delete on directory.receipt
    for each row execute function directory.refuse_receipt_change();
