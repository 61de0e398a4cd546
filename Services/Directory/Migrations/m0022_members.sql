-- What was entered by mistake can be taken back; kinds and tiers agree, whichever of them changes; letters are listed.

-- A contribution that is cancelled keeps its number and is owed no more, and its member can be called anew. Money that was paid
-- on it has been given back before.
alter table directory.contribution
    add column cancelled_on date,
    add column cancellation_reason text check (length(cancellation_reason) between 1 and 200),
    add constraint contribution_cancellation_check check ((cancelled_on is null) = (cancellation_reason is null)),
    add constraint contribution_cancelled_check check (cancelled_on is null or paid = 0),
    drop constraint contribution_once;
create unique index contribution_once on directory.contribution (organization, year) where cancelled_on is null;
create index contribution_cancelled_idx on directory.contribution (year desc, id desc) where cancelled_on is not null;

create index contribution_reminder_asked_idx on directory.contribution_reminder (contribution desc, step desc)
    where mailed_at is null;
create index contribution_reminder_sent_idx on directory.contribution_reminder (contribution desc, step desc)
    where mailed_at is not null;

-- A tier is for one kind of organization, or for every kind. Whoever gives it to an organization holds both rows: neither
-- kind changes meanwhile.
create or replace function directory.check_tier() returns trigger
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

-- The same where an organization becomes another kind. Its tiers are held, so that none is narrowed meanwhile.
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

-- And where a tier is narrowed.
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

-- Changes of the tree wait for each other, and nothing else does: not what leaves the head of network as it was, nor a new
-- organization, below which there is nobody but by the same statement.
create or replace function directory.check_parent() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' and not exists (select from directory.organization where parent = new.id) then
        return new;
    end if;
    perform pg_advisory_xact_lock(hashtextextended('directory.organization.parent', 0));
    if exists (
        with recursive heads (id) as (
            select new.parent
            union
            select o.parent from directory.organization o join heads on o.id = heads.id where o.parent is not null)
        select from heads where heads.id = new.id)
    then
        raise check_violation using
            message = 'circle of organizations', constraint = 'organization_circle_check', table = tg_table_name;
    end if;
    return new;
end $$;

drop trigger organization_parent on directory.organization;
create trigger organization_parent before update of parent on directory.organization
    for each row when (new.parent is not null and new.parent is distinct from old.parent)
    execute function directory.check_parent();
create trigger organization_parent_of_new before insert on directory.organization
    for each row when (new.parent is not null) execute function directory.check_parent();

-- Referrals have topics, too, and so has what an undo of a merge would bring back.
create or replace function directory.check_topic_unused() returns trigger
    language plpgsql as $$
begin
    lock table directory.organization, directory.ambassador, directory.expert, directory.referral, directory.merge
        in share row exclusive mode;
    if exists (select from directory.organization where topics @> array[old.code])
        or exists (select from directory.ambassador where topics @> array[old.code])
        or exists (select from directory.expert where topics @> array[old.code])
        or exists (select from directory.referral where topics @> array[old.code])
        or exists (
            select from directory.merge
            where undone_at is null and (
                before -> 'topics' ? old.code
                or jsonb_path_exists(
                    steps, '$[*].image.topics[*] ? (@ == $code)', jsonb_build_object('code', old.code))))
    then
        raise foreign_key_violation using message = 'topic in use', constraint = 'topic_unused', table = tg_table_name;
    end if;
    return old;
end $$;
