-- Lines that may be the same money, told by two files in other words: as a table and as camt.053, or by a bank that has changed its
-- texts. Each is beside the first of them: of one account, day and amount, of another file, which the later file did not tell itself.
alter table directory.bank_line add column alike uuid references directory.bank_line;
create index bank_line_alike_idx on directory.bank_line (alike) where alike is not null;
create index bank_line_amount_idx on directory.bank_line (account, amount, booked_on);

-- A person's word that it is other money than what such lines were booked as.
alter table directory.bank_booking add column another boolean not null default false;

-- Only an open line is booked; who comes second waits for the first, and finds it booked. So does who books one of several that may be
-- the same money: the second needs the word.
create or replace function directory.book_bank_line() returns trigger
    language plpgsql as $$
declare
    leader uuid;
    told_by uuid;
begin
    select coalesce(alike, id), statement into leader, told_by from directory.bank_line where id = new.line;
    perform from directory.bank_line where id = leader or alike = leader order by id for no key update;
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
