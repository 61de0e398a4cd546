-- Which organization is a member, with which tier, and until when.

create table directory.membership (
    id uuid primary key,
    organization uuid not null references directory.organization,
    tier text not null references directory.tier,
    from_day date not null,
    -- The last day.
    until_day date not null,
    version integer not null default 1,
    -- The highest version that it had before a merge was undone (m0019_merge.sql).
    version_floor integer not null default 0,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    during daterange not null generated always as (daterange(from_day, until_day, '[]')) stored,
    constraint membership_excl exclude using gist (organization with =, during with &&)
);

create index membership_from_idx on directory.membership (from_day desc, id desc);
create index membership_organization_idx on directory.membership (organization, from_day desc, id desc);
create index membership_tier_idx on directory.membership (tier, from_day desc, id desc);
create index membership_during_idx on directory.membership using gist (during);

-- A tier is for one kind of organization, or for all ----------------------------------------------

-- Where an organization gets a tier: both rows are locked, so that neither kind changes meanwhile.
create function directory.check_tier() returns trigger
    language plpgsql as $$
declare
    tier_kind text;
    organization_kind text;
begin
    select kind into tier_kind from directory.tier where code = new.tier for share;
    select kind into organization_kind from directory.organization where id = new.organization for share;
    if tier_kind <> organization_kind then
        raise check_violation using
            message = 'tier of another kind', constraint = 'membership_tier_kind', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger membership_tier before insert or update of tier, organization on directory.membership
    for each row execute function directory.check_tier();

-- Where an organization becomes another kind: its tiers are locked, so that none is narrowed meanwhile.
create function directory.check_organization_kind() returns trigger
    language plpgsql as $$
begin
    perform code from directory.tier
    where code in (select tier from directory.membership where organization = new.id) order by code for share;
    if exists (
        select from directory.membership join directory.tier on tier.code = membership.tier
        where membership.organization = new.id and tier.kind <> new.kind)
    then
        raise check_violation using
            message = 'tier of another kind', constraint = 'organization_tier_kind', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger organization_kind before update of kind on directory.organization
    for each row when (new.kind <> old.kind) execute function directory.check_organization_kind();

-- Where a tier is narrowed.
create function directory.check_tier_kind() returns trigger
    language plpgsql as $$
begin
    if exists (
        select from directory.membership join directory.organization on organization.id = membership.organization
        where membership.tier = new.code and organization.kind <> new.kind)
    then
        raise check_violation using
            message = 'tier held by another kind', constraint = 'tier_kind_held', table = tg_table_name;
    end if;
    return new;
end $$;

create trigger tier_kind before update of kind on directory.tier
    for each row when (new.kind is distinct from old.kind) execute function directory.check_tier_kind();

-- What was called for remains covered -------------------------------------------------------------

-- A membership keeps its first days in a year for which a contribution was called. It may end earlier in that year, as
-- when a member resigns, and the contribution remains owed; but then it may not begin in an earlier year than it did at
-- the call, which would move the called year. For a cancelled contribution it keeps any day of the year. Its tier
-- remains that of the contributions that are not cancelled: a contribution for another tier would be another
-- contribution.
create function directory.check_called_membership() returns trigger
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

-- After the update, as `during` is a generated column.
create trigger membership_called after update of from_day, until_day, tier on directory.membership
    for each row when (new.during <> old.during or new.tier <> old.tier)
    execute function directory.check_called_membership();
