-- Records that are probably the same one: pairs with a score, and merges that remember everything they moved, so that
-- each can be undone.

create table directory.duplicate (
    id uuid primary key,
    kind text not null check (kind in ('organization', 'person', 'expert')),
    -- No foreign keys: a pair outlives a record that was merged, until the next scan.
    first uuid not null,
    second uuid not null,
    score integer not null check (score between 0 and 100),
    -- [{"rule": "sameEmail", "weight": 40}, …], the heaviest first.
    reasons jsonb not null check (jsonb_typeof(reasons) = 'array'),
    state text not null default 'open' check (state in ('open', 'dismissed', 'merged')),
    version integer not null default 1,
    created_at timestamptz not null default now(),
    updated_at timestamptz not null default now(),
    constraint duplicate_order_check check (first < second),
    constraint duplicate_once unique (kind, first, second)
);

create index duplicate_score_idx on directory.duplicate (score desc, id desc);
create index duplicate_kind_idx on directory.duplicate (kind, score desc, id desc);
create index duplicate_state_idx on directory.duplicate (state, score desc, id desc);
create index duplicate_kind_state_idx on directory.duplicate (kind, state, score desc, id desc);
create index duplicate_first_idx on directory.duplicate (first);
create index duplicate_second_idx on directory.duplicate (second);

create table directory.duplicate_scan (
    id uuid primary key,
    -- Whether it reads every record, or only those that have changed since the scan before.
    whole boolean not null,
    requested_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    -- Records read, new pairs found, open pairs that are no longer duplicates.
    examined integer not null default 0,
    found integer not null default 0,
    dropped integer not null default 0,
    constraint duplicate_scan_times_check check (finished_at is null or started_at is not null)
);

create index duplicate_scan_latest_idx on directory.duplicate_scan (requested_at desc, id desc);
create index duplicate_scan_finished_idx on directory.duplicate_scan (started_at desc) where finished_at is not null;

create table directory.merge (
    id uuid primary key,
    -- The order of the merges of one record: drawn under its lock.
    number bigint generated always as identity unique,
    kind text not null check (kind in ('organization', 'person', 'expert')),
    survivor uuid not null,
    merged uuid not null,
    -- The fields that the survivor took from the other record.
    fields text[] not null,
    -- The survivor's row before and after; null once it is undone, as they may be about people and have no use then.
    before jsonb,
    after jsonb,
    -- What was done, in order: [{"table", "survivor", "merged", "image", "moves"}, …]. The last step is the record
    -- itself; those before it are rows that would have been duplicates.
    steps jsonb,
    -- Every row that was changed or removed, and every row that the images refer to.
    touched uuid[] not null,
    mentioned uuid[] not null,
    merged_by text not null,
    merged_at timestamptz not null default now(),
    undone_by text,
    undone_at timestamptz,
    -- {"telephone": …}: what had been edited on the survivor between merge and undo, and was lost with the undo.
    edits jsonb,
    version integer not null default 1,
    constraint merge_apart_check check (survivor <> merged),
    constraint merge_undone_check check (
        case when undone_at is null
            then num_nulls(before, after, steps) = 0 and num_nonnulls(undone_by, edits) = 0
            else num_nonnulls(before, after, steps) = 0 and num_nulls(undone_by, edits) = 0 end)
);

-- A record is merged into one other.
create unique index merge_once on directory.merge (merged) where undone_at is null;
create index merge_survivor_idx on directory.merge (survivor);
create index merge_merged_idx on directory.merge (merged);
create index merge_kind_idx on directory.merge (kind, number desc);
create index merge_touched_idx on directory.merge using gin (touched) where undone_at is null;

-- The record that another one was merged into, itself and no further. An ambassador is merged with its person: a merge
-- of two people who are both ambassadors remembers which ambassador it removed.
create function directory.absorbed_by(kind text, record uuid) returns setof uuid
    language sql stable parallel safe
begin atomic
    select merge.survivor from directory.merge
    where merge.kind = absorbed_by.kind and merge.merged = record and undone_at is null
    union all
    select (step ->> 'survivor')::uuid
    from directory.merge cross join jsonb_array_elements(steps) as step
    where absorbed_by.kind = 'ambassador' and touched @> array[record] and undone_at is null
        and step ->> 'table' = 'ambassador' and (step ->> 'merged')::uuid = record;
end;

-- The record itself, or the one that it was merged into, directly or through others.
create function directory.heirs_of(record uuid) returns setof uuid
    language sql stable strict rows 1 as $$
    with recursive heir (id) as (
        select heirs_of.record
        union
        select merge.survivor from directory.merge join heir on merge.merged = heir.id where undone_at is null
    )
    select id from heir
$$;

-- Versions after an undo --------------------------------------------------------------------------

-- An undo restores a row byte for byte, with the version that it had. An ETag of a version from between the merge and
-- the undo must not match again: `version_floor` is the highest version that the row ever had, and the next change goes
-- beyond it.
create function directory.pass_floor() returns trigger
    language plpgsql as $$
begin
    new.version := new.version_floor + 1;
    return new;
end $$;

create trigger organization_floor before update on directory.organization for each row
    when (new.version > old.version and new.version <= new.version_floor) execute function directory.pass_floor();
create trigger person_floor before update on directory.person for each row
    when (new.version > old.version and new.version <= new.version_floor) execute function directory.pass_floor();
create trigger expert_floor before update on directory.expert for each row
    when (new.version > old.version and new.version <= new.version_floor) execute function directory.pass_floor();
create trigger ambassador_floor before update on directory.ambassador for each row
    when (new.version > old.version and new.version <= new.version_floor) execute function directory.pass_floor();
create trigger mandate_floor before update on directory.mandate for each row
    when (new.version > old.version and new.version <= new.version_floor) execute function directory.pass_floor();
create trigger membership_floor before update on directory.membership for each row
    when (new.version > old.version and new.version <= new.version_floor) execute function directory.pass_floor();
create trigger contribution_floor before update on directory.contribution for each row
    when (new.version > old.version and new.version <= new.version_floor) execute function directory.pass_floor();

-- Images of rows ----------------------------------------------------------------------------------

-- These functions read the catalogue for columns and foreign keys, so that a table or a column that a later migration
-- adds is moved, remembered and restored like the others.

create function directory.columns_of(target regclass, written boolean) returns text[]
    language sql stable
    return coalesce((
        select array_agg(attname::text order by attnum) from pg_attribute
        where attrelid = target and attnum > 0 and not attisdropped and (attgenerated = '') = written), '{}');

-- A row as it is, without what the database computes from the rest.
create function directory.row_image(target regclass, row_id uuid) returns jsonb
    language plpgsql stable as $$
declare
    image jsonb;
begin
    execute format('select to_jsonb(r) - $2 from %s r where id = $1', target)
        into image using row_id, directory.columns_of(target, false);
    return image;
end $$;

create function directory.insert_image(target regclass, image jsonb) returns void
    language plpgsql as $$
declare
    names text;
begin
    select string_agg(quote_ident(name), ', ') into names
    from unnest(directory.columns_of(target, true)) as name where image ? name;
    execute format('insert into %1$s (%2$s) select %2$s from jsonb_populate_record(null::%1$s, $1)', target, names)
        using image;
end $$;

-- Writes the columns of a row that the image contains.
create function directory.write_image(target regclass, image jsonb) returns void
    language plpgsql as $$
declare
    names text;
begin
    select string_agg(quote_ident(name), ', ') into names
    from unnest(directory.columns_of(target, true)) as name where image ? name and name <> 'id';
    execute format(
        'update %1$s r set (%2$s) = (select %2$s from jsonb_populate_record(null::%1$s, $1))
        where r.id = ($1 ->> ''id'')::uuid',
        target, names) using image;
end $$;

-- Restores the old image of a row, including its version; the floor keeps its highest version.
create function directory.restore_image(target regclass, image jsonb) returns void
    language plpgsql as $$
declare
    highest integer;
begin
    execute format('select greatest(version, version_floor) from %s where id = ($1 ->> ''id'')::uuid', target)
        into highest using image;
    perform directory.write_image(target, image || jsonb_build_object('version_floor', highest));
end $$;

-- References --------------------------------------------------------------------------------------

-- The tables that refer to a table: their columns with the columns that these refer to, and their primary keys. The
-- column that refers to the identifier is first.
create function directory.references_to(target regclass)
    returns table (source regclass, columns text[], targets text[], keys text[], versioned boolean)
    language sql stable as $$
    select conrelid::regclass,
        array(
            select a.attname::text from unnest(conkey, confkey) as k (source, target)
                join pg_attribute a on a.attrelid = conrelid and a.attnum = k.source
                join pg_attribute b on b.attrelid = confrelid and b.attnum = k.target
            order by b.attname <> 'id', a.attnum),
        array(
            select b.attname::text from unnest(conkey, confkey) as k (source, target)
                join pg_attribute a on a.attrelid = conrelid and a.attnum = k.source
                join pg_attribute b on b.attrelid = confrelid and b.attnum = k.target
            order by b.attname <> 'id', a.attnum),
        array(
            select a.attname::text
            from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
            where i.indrelid = conrelid and i.indisprimary order by a.attnum),
        exists (select from pg_attribute a where a.attrelid = conrelid and a.attname = 'version_floor')
    from pg_constraint where contype = 'f' and confrelid = target
    order by conrelid::regclass::text, conname
$$;

-- Makes everything that refers to one row refer to another, and returns what each row was before.
create function directory.move_references(target regclass, survivor uuid, merged uuid) returns jsonb
    language plpgsql as $$
declare
    reference record;
    kept text[];
    rows jsonb;
    moves jsonb := '[]';
begin
    for reference in select * from directory.references_to(target) loop
        kept := reference.columns;
        if reference.versioned then kept := kept || '{version,updated_at}'; end if;
        execute format('select from %s r where r.%I = $1 for update', reference.source, reference.columns[1])
            using merged;
        execute format(
            'with moved as (
                update %1$s r set (%2$s) = (select %3$s from %4$s s where s.id = $1) %5$s
                from (select o.ctid as place, to_jsonb(o) as image from %1$s o where o.%6$I = $2) as was
                where r.ctid = was.place
                returning was.image as was, to_jsonb(r) as now)
            select jsonb_agg(jsonb_build_object(
                ''key'', (select jsonb_object_agg(name, now -> name) from unnest($3) as name),
                ''was'', (select jsonb_object_agg(name, was -> name) from unnest($4) as name)) || %7$s)
            from moved',
            reference.source, (select string_agg(quote_ident(name), ', ') from unnest(reference.columns) as name),
            (select string_agg('s.' || quote_ident(name), ', ' order by place)
             from unnest(reference.targets) with ordinality as t (name, place)),
            target, case when reference.versioned then ', version = r.version + 1, updated_at = now()' else '' end,
            reference.columns[1],
            case when reference.versioned then 'jsonb_build_object(''became'', now -> ''version'')' else '''{}''' end)
            into rows using survivor, merged, reference.keys, kept;
        if rows is not null then
            moves := moves || jsonb_build_object(
                'table', (select relname from pg_class where oid = reference.source), 'columns', reference.columns,
                'keys', reference.keys, 'versioned', reference.versioned, 'rows', rows);
        end if;
    end loop;
    return moves;
end $$;

-- Makes the rows that still refer to the survivor refer back. A row that was not edited since also gets its former
-- version and time back. Returns the rows, each with its version.
create function directory.return_references(survivor uuid, moves jsonb) returns jsonb
    language plpgsql as $$
declare
    move jsonb;
    source regclass;
    names text;
    rows jsonb;
    returned jsonb := '[]';
begin
    for move in
        select value from jsonb_array_elements(moves) with ordinality as m (value, place) order by place desc
    loop
        source := format('directory.%I', move ->> 'table')::regclass;
        select string_agg(quote_ident(name), ', ') into names from jsonb_array_elements_text(move -> 'columns') as name;
        execute format(
            'with returned as (
                update %1$s r set (%2$s) = (select %2$s from jsonb_populate_record(null::%1$s, x.value -> ''was'')) %3$s
                from jsonb_array_elements($1) x, lateral jsonb_populate_record(null::%1$s, x.value -> ''key'') k
                where %4$s and r.%5$I = $2
                returning to_jsonb(r) as now)
            select jsonb_agg(jsonb_build_object(''entity'', $3, ''id'', now -> ''id'', ''version'', now -> ''version''))
            from returned',
            source, names,
            case when (move ->> 'versioned')::boolean then
                ', version = case when r.version = (x.value ->> ''became'')::integer
                    then (x.value -> ''was'' ->> ''version'')::integer else r.version + 1 end,
                updated_at = case when r.version = (x.value ->> ''became'')::integer
                    then (x.value -> ''was'' ->> ''updated_at'')::timestamptz else now() end,
                version_floor = greatest(r.version_floor, case when r.version = (x.value ->> ''became'')::integer
                    then r.version else 0 end)' else '' end,
            (select string_agg(format('r.%1$I = k.%1$I', name), ' and ')
             from jsonb_array_elements_text(move -> 'keys') as name),
            move -> 'columns' ->> 0)
            into rows using move -> 'rows', survivor, move ->> 'table';
        if (move ->> 'versioned')::boolean then returned := returned || coalesce(rows, '[]'); end if;
    end loop;
    return returned;
end $$;

-- Merging -----------------------------------------------------------------------------------------

-- Removes a row after everything that refers to it has been moved to another. The foreign keys prove that nothing was
-- forgotten. An offer of a referral no longer counts on its referral once it is removed: the step remembers the
-- referral's version and time.
create function directory.absorb(target regclass, survivor uuid, merged uuid) returns jsonb
    language plpgsql as $$
declare
    image jsonb := directory.row_image(target, merged);
    moves jsonb := directory.move_references(target, survivor, merged);
    counting uuid := case when target = 'directory.referral_offer'::regclass then (image ->> 'referral')::uuid end;
    step jsonb;
begin
    step := jsonb_build_object(
        'table', (select relname from pg_class where oid = target), 'survivor', survivor, 'merged', merged,
        'image', image, 'moves', moves);
    if counting is not null then
        step := step || jsonb_build_object('referral', (
            select jsonb_build_object('version', version, 'updated_at', updated_at)
            from directory.referral where id = counting));
    end if;
    execute format('delete from %s where id = $1', target) using merged;
    if counting is not null then
        step := jsonb_set(
            step, '{referral,became}', (select to_jsonb(version) from directory.referral where id = counting));
    end if;
    return step;
end $$;

-- Undoes that, and returns the restored rows, each with its version. A referral on which an offer counts again and that
-- was not changed since also gets its version and time back.
create function directory.release(step jsonb) returns jsonb
    language plpgsql as $$
declare
    counting uuid := (
        select id from directory.referral
        where step ->> 'table' = 'referral_offer' and id = (step -> 'image' ->> 'referral')::uuid
            and version = (step -> 'referral' ->> 'became')::integer);
begin
    perform directory.insert_image(format('directory.%I', step ->> 'table')::regclass, step -> 'image');
    update directory.referral
    set version = (step -> 'referral' ->> 'version')::integer,
        updated_at = (step -> 'referral' ->> 'updated_at')::timestamptz
    where id = counting;
    return directory.return_references((step ->> 'survivor')::uuid, step -> 'moves');
end $$;

-- For the erasure of a person or an expert: removes what merges remember of the record and of every record that was
-- merged into it, and returns the identifiers of those.
create function directory.forget_merges(record uuid) returns uuid[]
    language plpgsql as $$
declare
    everyone uuid[];
begin
    with recursive gone (id) as (
        select record
        union
        select m.merged from directory.merge m join gone on m.survivor = gone.id where m.undone_at is null)
    select array_agg(id) into everyone from gone;
    delete from directory.merge where survivor = any(everyone) or merged = any(everyone);
    delete from directory.duplicate where first = any(everyone) or second = any(everyone);
    return array_remove(everyone, record);
end $$;
