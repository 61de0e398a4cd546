-- Lines that are there already are put beside each other when a later file tells their sum. Who books one of them while that is done has
-- waited for it: its group is what it is then.
create or replace function directory.book_bank_line() returns trigger
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
