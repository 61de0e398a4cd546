-- What is written to members about their contributions: the call and its reminders, the receipt once all is paid, and
-- both as files.

create table directory.contribution_reminder (
    id uuid primary key,
    contribution uuid not null references directory.contribution on delete cascade,
    -- The call itself; a week before the last day; fifteen and thirty days after it.
    step text not null check (step in ('called', 'upcoming', 'late', 'final')),
    asked_at timestamptz not null default now(),
    -- When content accepted the letter.
    mailed_at timestamptz,
    constraint contribution_reminder_once unique (contribution, step)
);

create index contribution_reminder_asked_idx on directory.contribution_reminder (contribution desc, step desc)
    where mailed_at is null;
create index contribution_reminder_sent_idx on directory.contribution_reminder (contribution desc, step desc)
    where mailed_at is not null;

-- Receipts ----------------------------------------------------------------------------------------

-- The last number of a year. A transaction that issues a receipt locks its row, so that no number is omitted or given
-- twice.
create table directory.receipt_counter (
    year integer primary key check (year between 2000 and 2999),
    last integer not null check (last > 0)
);

-- Everything that is written on a receipt, as it was when it was issued. It attests that all was paid. After money went
-- back and was paid again there is another receipt, which replaces the former one.
create table directory.receipt (
    id uuid primary key,
    contribution uuid not null references directory.contribution,
    year integer not null references directory.receipt_counter,
    number integer not null check (number > 0),
    replaces uuid constraint receipt_replaces_key unique,
    -- The number of the last payment that it counts.
    last_payment bigint not null,
    issued_on date not null,
    -- The day of the payment that completed it.
    paid_on date not null,
    amount integer not null check (amount > 0),
    means text[] not null default '{}'
        check (means <@ array['transfer', 'cheque', 'card', 'directDebit', 'cash', 'other', 'credit']),
    organization_name text not null,
    siren text,
    siret text,
    street text,
    postal_code text,
    commune text,
    contribution_year integer not null,
    contribution_number integer not null,
    created_at timestamptz not null default now(),
    constraint receipt_number_key unique (year, number),
    constraint receipt_contribution_key unique (contribution, id),
    constraint receipt_replaces_fkey
        foreign key (contribution, replaces) references directory.receipt (contribution, id)
);

-- The first receipt of a contribution; every other replaces one.
create unique index receipt_once on directory.receipt (contribution) where replaces is null;

create function directory.refuse_receipt_change() returns trigger
    language plpgsql as $$
begin
    raise restrict_violation using
        message = 'receipts are never changed', constraint = 'receipt_final', table = tg_table_name;
end $$;

create trigger receipt_final before update or delete on directory.receipt
    for each row execute function directory.refuse_receipt_change();

-- Files -------------------------------------------------------------------------------------------

-- Calls and receipts as they were first delivered. The call of a cancelled contribution is a different document from
-- the original call, which a reader may have already.
create table directory.contribution_document (
    contribution uuid not null references directory.contribution,
    kind text not null check (kind in ('call', 'cancelledCall', 'receipt')),
    receipt uuid references directory.receipt,
    -- What it says about the time since the receipt: what became of the money.
    notice text,
    pdf bytea not null,
    created_at timestamptz not null default now(),
    constraint contribution_document_receipt_check check ((kind = 'receipt') = (receipt is not null)),
    constraint contribution_document_key unique nulls not distinct (contribution, kind, receipt, notice)
);

create function directory.refuse_document_change() returns trigger
    language plpgsql as $$
begin
    raise restrict_violation using
        message = 'documents are never changed', constraint = 'contribution_document_final', table = tg_table_name;
end $$;

create trigger contribution_document_final before update or delete on directory.contribution_document
    for each row execute function directory.refuse_document_change();
