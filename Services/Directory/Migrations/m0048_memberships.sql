-- What was called for stays covered: a membership does not give up the first days that it has in a year for which a contribution
-- stands. It may end earlier in it, as when a member resigns, and the contribution stays owed; but then it is not given an earlier year
-- instead, which would be the called year moved. A cancelled contribution asks for no more than it did: a day of its year.
create or replace function directory.check_called_membership() returns trigger
    language plpgsql as $$
begin
    if exists (
        select from directory.contribution
        where membership = new.id
            and not new.during && daterange(make_date(year, 1, 1), make_date(year, 12, 31), '[]'))
        or exists (
            select from directory.contribution
            where membership = new.id and cancelled_on is null
                and (
                    new.from_day > greatest(old.from_day, make_date(year, 1, 1))
                    or (
                        new.until_day < make_date(year, 12, 31) and new.from_day < make_date(year, 1, 1)
                        and date_trunc('year', new.from_day) < date_trunc('year', old.from_day))))
    then
        raise check_violation using
            message = 'a contribution was called for other days', constraint = 'membership_called_days',
            table = tg_table_name;
    end if;
    if new.tier <> old.tier and exists (
        select from directory.contribution where membership = new.id and cancelled_on is null)
    then
        raise check_violation using
            message = 'a contribution was called for another tier', constraint = 'membership_called_tier',
            table = tg_table_name;
    end if;
    return null;
end $$;
