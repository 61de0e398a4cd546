-- As a loop: each call of a query in a check constraint is planned and started anew, which took a seventh of the time of
-- an import of experts.
create or replace function directory.luhn(digits text) returns boolean
    language plpgsql immutable strict parallel safe as $$
declare
    total integer := 0;
    digit integer;
begin
    if digits !~ '^[0-9]+$' then
        return false;
    end if;
    for place in 1..length(digits) loop
        digit := ascii(substr(digits, place, 1)) - 48;
        if (length(digits) - place) % 2 = 1 then
            digit := digit * 2 - case when digit > 4 then 9 else 0 end;
        end if;
        total := total + digit;
    end loop;
    return total % 10 = 0;
end $$;
