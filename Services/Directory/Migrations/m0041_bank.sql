-- What banks say came and went, line by line; each is booked once.

create table directory.bank_statement (
    id uuid primary key,
    sha256 text not null check (sha256 ~ '^[0-9a-f]{64}$'),
    format text not null check (format in ('csv', 'camt053')),
    name text check (length(name) between 1 and 200),
    accounts text[] not null,
    lines integer not null check (lines = added + known + rejected),
    added integer not null check (added >= 0),
    known integer not null check (known >= 0),
    rejected integer not null check (rejected >= 0),
    -- [{"place": 3, "detail": "…"}, …], the first thousand.
    faults jsonb not null default '[]' check (jsonb_typeof(faults) = 'array'),
    created_at timestamptz not null default now(),
    constraint bank_statement_once unique (sha256, accounts)
);
create index bank_statement_latest_idx on directory.bank_statement (created_at desc, id desc);

create table directory.bank_line (
    id uuid primary key,
    statement uuid not null references directory.bank_statement,
    account text not null check (length(account) between 1 and 200),
    -- SHA-256 of what is the same wherever the line is told: the bank's own reference, day and amount; without one, the text and how
    -- many such lines stood before it. It stays when the texts are forgotten.
    key text not null check (key ~ '^[0-9a-f]{64}$'),
    reference text not null check (length(reference) between 1 and 200),
    booked_on date not null check (booked_on >= '1990-01-01'),
    value_on date,
    amount integer not null check (amount <> 0),
    counterparty text check (length(counterparty) between 1 and 200),
    counterparty_iban text check (counterparty_iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    remittance text check (length(remittance) between 1 and 1000),
    end_to_end text check (length(end_to_end) between 1 and 200),
    state text not null default 'open' check (state in ('open', 'booked', 'dismissed')),
    reason text check (length(reason) between 1 and 200),
    forgotten_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint bank_line_once unique (account, key),
    constraint bank_line_dismissed_check check ((state = 'dismissed') = (reason is not null)),
    constraint bank_line_forgotten_check check (
        forgotten_at is null or num_nonnulls(counterparty, counterparty_iban, remittance, end_to_end) = 0)
);
create index bank_line_latest_idx on directory.bank_line (booked_on desc, id desc);
create index bank_line_state_idx on directory.bank_line (state, booked_on desc, id desc);
create index bank_line_statement_idx on directory.bank_line (statement, booked_on desc, id desc);
create index bank_line_kept_idx on directory.bank_line (updated_at) where forgotten_at is null;
create index bank_line_counterparty_idx on directory.bank_line (directory.folded(counterparty))
    where counterparty is not null;

-- That a line is booked: once, under any concurrency.
create table directory.bank_booking (
    line uuid primary key references directory.bank_line,
    created_at timestamptz not null default now()
);

alter table directory.payment add column bank_line uuid references directory.bank_booking;
create index payment_bank_line_idx on directory.payment (bank_line) where bank_line is not null;
alter table directory.credit_entry
    add column bank_line uuid references directory.bank_booking,
    add constraint credit_entry_bank_line_check check (bank_line is null or kind = 'paidBack');
create index credit_entry_bank_line_idx on directory.credit_entry (bank_line) where bank_line is not null;

-- Only an open line is booked; who comes second waits for the first, and finds it booked.
create function directory.book_bank_line() returns trigger
    language plpgsql as $$
begin
    update directory.bank_line set state = 'booked', version = version + 1, updated_at = now()
    where id = new.line and state = 'open';
    if not found then
        raise check_violation using
            message = 'the line is not open', constraint = 'bank_line_open_check', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger bank_booking_line before insert on directory.bank_booking
    for each row execute function directory.book_bank_line();

-- By the end of the transaction the whole line is booked, and no more.
create function directory.check_bank_booking() returns trigger
    language plpgsql as $$
begin
    if (select amount from directory.bank_line where id = new.line) <> (
        (select coalesce(sum(amount), 0) from directory.payment where bank_line = new.line)
        + (select coalesce(sum(amount), 0) from directory.credit_entry where bank_line = new.line))
    then
        raise check_violation using
            message = 'what was booked is not what the line says', constraint = 'bank_booking_sum_check',
            table = tg_table_name;
    end if;
    return null;
end $$;

create constraint trigger bank_booking_sum after insert on directory.bank_booking
    deferrable initially deferred for each row execute function directory.check_bank_booking();

create function directory.refuse_booking_change() returns trigger
    language plpgsql as $$
begin
    raise restrict_violation using
        message = 'a booked line stays booked', constraint = 'bank_booking_final', table = tg_table_name;
end $$;

create trigger bank_booking_final before update or delete on directory.bank_booking
    for each row execute function directory.refuse_booking_change();

-- What a bank writes and what the directory has of one name: without signs, and without the words that say what kind of firm it is,
-- which one of both leaves away.
create function directory.payer_key(value text) returns text
    language sql immutable strict parallel safe
    return trim(regexp_replace(
        regexp_replace(
            directory.name_key(value),
            '\m(sa|sas|sasu|sarl|eurl|sci|scp|scop|scic|selarl|snc|gie|ei|eirl|asso|association|ste|societe|ets|etablissements?|m|mme|mlle|monsieur|madame)\M',
            ' ', 'g'),
        '\s+', ' ', 'g'));
-- Gives the names that are most alike first: of a common word, all names would have to be read to find them.
create index organization_payer_idx on directory.organization
    using gist (directory.payer_key(name) directory.gist_trgm_ops(siglen = 64));

-- What is still owed, by its amount.
create index contribution_rest_idx on directory.contribution ((amount - paid), due_on, id)
    where paid < amount and cancelled_on is null;

insert into directory.retention_rule (code, months) values ('bankLines', 24);
