-- Topics and tiers, which the club's staff maintains. The first rows are in m0024_reference_data.sql.

-- The API uses the code; people read the label; an import accepts both.
create table directory.topic (
    code text primary key check (code ~ '^[a-z][a-zA-Z0-9]{1,39}$'),
    label text not null unique,
    version integer not null default 1,
    sort_key text collate "C" not null generated always as (directory.sort_key(label)) stored
);

-- A foreign key for the elements of an array.
create function directory.check_topics() returns trigger
    language plpgsql as $$
begin
    if exists (select unnest(new.topics) except select code from directory.topic) then
        raise foreign_key_violation using message = 'unknown topic', constraint = 'topics_known', table = tg_table_name;
    end if;
    return new;
end $$;

-- A topic can be deleted only while it is unused. Topics are in arrays, which a foreign key cannot protect: so these
-- tables are locked against writes while a topic is deleted, which is once in a few years. What the undo of a merge
-- would restore counts as use.
create function directory.check_topic_unused() returns trigger
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

create trigger topic_unused before delete on directory.topic
    for each row execute function directory.check_topic_unused();

-- Lists of topics, départements and brands contain each value once, whatever writes them.
create function directory.keep_each_once() returns trigger
    language plpgsql as $$
begin
    new.topics := directory.each_once(new.topics);
    if tg_table_name <> 'organization' then new.departements := directory.each_once(new.departements); end if;
    if tg_table_name = 'expert' then new.brands := directory.each_once(new.brands); end if;
    return new;
end $$;

-- What a membership costs and includes.
create table directory.tier (
    code text primary key check (code ~ '^[a-z][a-zA-Z0-9]{1,39}$'),
    label text not null unique,
    -- Which organizations may have it; null: all. Enforced in m0014_membership.sql.
    kind text check (kind in ('institution', 'brand', 'provider')),
    -- For a calendar year, in cents. A tier that costs nothing is never called for.
    fee integer not null default 0 check (fee >= 0),
    -- What a change to this tier within a year costs beyond what was called already: the difference of the fees for the
    -- months that are left, or all of it.
    complement text not null default 'proRata' check (complement in ('proRata', 'whole')),
    monthly_seats integer not null default 0 check (monthly_seats >= 0),
    workshop_seats integer not null default 0 check (workshop_seats >= 0),
    insertions integer not null default 0 check (insertions >= 0),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    sort_key text collate "C" not null generated always as (directory.sort_key(label)) stored
);
