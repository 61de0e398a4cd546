-- Whether a called membership was moved is seen from the days that it had when it was called, not from those that it had
-- a moment ago: two changes, each of which looks harmless, moved it to other years.
alter table directory.contribution add column membership_from date;

update directory.contribution set membership_from = membership.from_day
from directory.membership where membership.id = contribution.membership;

alter table directory.contribution alter column membership_from set not null;

create function directory.note_called_membership() returns trigger
    language plpgsql as $$
begin
    -- One that has gone meanwhile is told by the reference.
    new.membership_from := coalesce(
        (select from_day from directory.membership where id = new.membership), make_date(new.year, 1, 1));
    return new;
end $$;

create trigger contribution_membership_noted before insert on directory.contribution
    for each row execute function directory.note_called_membership();

-- What was called for stays covered: a membership does not give up the first days that it has in a year for which a contribution
-- stands. It may end earlier in it, as when a member resigns, and the contribution stays owed; but then it is not given a year before
-- that in which it began when it was called, which would be the called year moved. A cancelled contribution asks for no more than it
-- did: a day of its year.
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
                        and date_trunc('year', new.from_day) < date_trunc('year', membership_from))))
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
