-- What was called for stays what it was called for: a membership keeps a day of every year for which a contribution was called on
-- it, and its tier. A contribution of another year, or for another tier, would be the same as one that is taken away.
create function directory.check_called_membership() returns trigger
    language plpgsql as $$
begin
    if exists (
        select from directory.contribution
        where membership = new.id
            and not new.during && daterange(make_date(year, 1, 1), make_date(year, 12, 31), '[]'))
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

-- After, as the days are a generated column.
create trigger membership_called after update of from_day, until_day, tier on directory.membership
    for each row when (new.during <> old.during or new.tier <> old.tier)
    execute function directory.check_called_membership();

-- And whoever is called waits for those who change the membership, and is called for days that it has. As if the membership were
-- another: then the members are looked for anew, as after a merge.
create function directory.check_contribution_days() returns trigger
    language plpgsql as $$
declare
    held daterange;
begin
    select during into held from directory.membership where id = new.membership for share;
    if not held && daterange(make_date(new.year, 1, 1), make_date(new.year, 12, 31), '[]') then
        raise foreign_key_violation using
            message = 'the membership has no day of this year', constraint = 'contribution_membership_days',
            table = tg_table_name;
    end if;
    return new;
end $$;

create trigger contribution_membership_days before insert on directory.contribution
    for each row execute function directory.check_contribution_days();

-- What another tier within a year costs beside what was called already: the difference of the fees, by the months that are left, or
-- whole, as the tier says that is changed to.
alter table directory.tier
    add column complement text not null default 'proRata' check (complement in ('proRata', 'whole'));

-- A complementary contribution is numbered, owed, paid and receipted like every other; a year has one that is none, and any number
-- of these.
alter table directory.contribution
    add column complements uuid references directory.contribution,
    add constraint contribution_complements_check check (complements <> id);
create index contribution_complements_idx on directory.contribution (complements) where complements is not null;
drop index directory.contribution_once;
create unique index contribution_once on directory.contribution (organization, year)
    where cancelled_on is null and complements is null;
