-- The lines of bank statements, each booked once.

create table directory.bank_statement (
    id uuid primary key,
    -- Of the file.
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
    -- Columns of a table that were not read.
    ignored text[] not null default '{}',
    created_at timestamptz not null default now(),
    constraint bank_statement_once unique (sha256, accounts)
);

create index bank_statement_latest_idx on directory.bank_statement (created_at desc, id desc);

create table directory.bank_line (
    id uuid primary key,
    statement uuid not null references directory.bank_statement,
    account text not null check (length(account) between 1 and 200),
    -- SHA-256 of what is the same in every file with this line: the bank's reference, day and amount; without a
    -- reference the text, and how many such lines were before it. It is kept when the texts are forgotten.
    key text not null check (key ~ '^[0-9a-f]{64}$'),
    reference text not null check (length(reference) between 1 and 200),
    booked_on date not null check (booked_on >= '1990-01-01'),
    value_on date,
    -- In cents; below zero if it went out.
    amount integer not null check (amount <> 0),
    counterparty text check (length(counterparty) between 1 and 200),
    counterparty_iban text check (counterparty_iban ~ '^[A-Z]{2}[0-9]{2}[A-Z0-9]{11,30}$'),
    -- For whom a payment was made if another party made it, such as a collecting service.
    ultimate_party text check (length(ultimate_party) between 1 and 200),
    remittance text check (length(remittance) between 1 and 1000),
    end_to_end text check (length(end_to_end) between 1 and 200),
    -- The entry of the statement of which this line is a part, and the amount of the whole entry.
    batch integer check (batch > 0),
    batch_amount integer,
    -- The first of the lines that may be the same money, in two files in different forms: as a table and as camt.053,
    -- or from a bank that has changed its texts. They have account, day and amount in common, and come from different
    -- files.
    alike uuid references directory.bank_line,
    state text not null default 'open' check (state in ('open', 'booked', 'dismissed')),
    -- Why it was dismissed.
    reason text check (length(reason) between 1 and 200),
    forgotten_at timestamptz,
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint bank_line_once unique (account, key),
    constraint bank_line_parts_check check ((batch is null) = (batch_amount is null)),
    constraint bank_line_dismissed_check check ((state = 'dismissed') = (reason is not null)),
    constraint bank_line_forgotten_check check (
        forgotten_at is null
        or num_nonnulls(counterparty, ultimate_party, counterparty_iban, remittance, end_to_end) = 0)
);

create index bank_line_latest_idx on directory.bank_line (booked_on desc, id desc);
create index bank_line_state_idx on directory.bank_line (state, booked_on desc, id desc);
create index bank_line_statement_idx on directory.bank_line (statement, booked_on desc, id desc);
create index bank_line_kept_idx on directory.bank_line (updated_at) where forgotten_at is null;
create index bank_line_counterparty_idx on directory.bank_line (directory.folded(counterparty))
    where counterparty is not null;
create index bank_line_alike_idx on directory.bank_line (alike) where alike is not null;
create index bank_line_amount_idx on directory.bank_line (account, amount, booked_on);
create index bank_line_ultimate_party_idx on directory.bank_line (directory.folded(ultimate_party))
    where ultimate_party is not null;
create index bank_line_batch_idx on directory.bank_line (account, batch_amount, booked_on) where batch is not null;

-- That a line is booked: once, under any concurrency. Payments and entries of credit refer to it.
create table directory.bank_booking (
    line uuid primary key references directory.bank_line,
    -- A person has decided that it is other money than a similar line, which is booked.
    another boolean not null default false,
    created_at timestamptz not null default now()
);

-- Only an open line is booked; the second of two transactions waits for the first, and finds it booked. The same is
-- true of lines that may be the same money: the second is booked only as `another`. A later file may group lines
-- meanwhile: the group is read again until it is the one that is locked.
create function directory.book_bank_line() returns trigger
    language plpgsql as $$
declare
    leader uuid;
    now_leader uuid;
    told_by uuid;
begin
    select coalesce(alike, id), statement into leader, told_by from directory.bank_line where id = new.line;
    loop
        perform from directory.bank_line where id = leader or alike = leader order by id for no key update;
        select coalesce(alike, id) into now_leader from directory.bank_line where id = new.line;
        exit when now_leader is not distinct from leader;
        leader := now_leader;
    end loop;
    update directory.bank_line set state = 'booked', version = version + 1, updated_at = now()
    where id = new.line and state = 'open';
    if not found then
        raise check_violation using
            message = 'the line is not open', constraint = 'bank_line_open_check', table = tg_table_name;
    end if;
    if not new.another and exists (
        select from directory.bank_line
        where (id = leader or alike = leader) and statement <> told_by and state = 'booked')
    then
        raise check_violation using
            message = 'a line that may be the same is booked', constraint = 'bank_line_alike_check',
            table = tg_table_name;
    end if;
    return new;
end $$;

create trigger bank_booking_line before insert on directory.bank_booking
    for each row execute function directory.book_bank_line();

-- At the end of the transaction the whole line is booked, and no more.
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
