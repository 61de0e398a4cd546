-- For whom a payment was made where another made it, as a service that collects; the entry of whose parts a line is one, with the
-- amount of the whole; and which columns of a table were left aside.
alter table directory.bank_line
    add column ultimate_party text check (length(ultimate_party) between 1 and 200),
    add column batch integer check (batch > 0),
    add column batch_amount integer,
    add constraint bank_line_parts_check check ((batch is null) = (batch_amount is null)),
    drop constraint bank_line_forgotten_check,
    add constraint bank_line_forgotten_check check (
        forgotten_at is null
        or num_nonnulls(counterparty, ultimate_party, counterparty_iban, remittance, end_to_end) = 0);
create index bank_line_ultimate_party_idx on directory.bank_line (directory.folded(ultimate_party))
    where ultimate_party is not null;
create index bank_line_batch_idx on directory.bank_line (account, batch_amount, booked_on) where batch is not null;

alter table directory.bank_statement add column ignored text[] not null default '{}';

-- Which payment a bank takes back, by its amount: the latest.
create index payment_amount_idx on directory.payment (amount, paid_on desc, id desc);
