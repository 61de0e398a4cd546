-- Records that are held to be one: pairs with a score, and merges that remember everything they moved.

-- What two spellings of one number, one site, one mailbox have in common.
create function directory.telephone_key(value text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(value, '^(\+|00)33', '0');

create function directory.website_host(value text) returns text
    language sql immutable strict parallel safe
    return nullif(regexp_replace(lower(value), '^[a-z][a-z0-9+.-]*://(www[0-9]?\.)?([^/:?#]*).*$', '\2'), '');

-- Without the tag that many mail servers allow after a plus.
create function directory.mailbox_key(value text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(lower(value), '\+[^@]*@', '@');

create index organization_email_idx on directory.organization (lower(email));
create index organization_telephone_idx on directory.organization (directory.telephone_key(telephone));
create index organization_website_idx on directory.organization (directory.website_host(website));
create index organization_siren_idx on directory.organization (siren);
create index organization_name_key_idx on directory.organization (directory.name_key(name), postal_code);
create index organization_place_idx
    on directory.organization (postal_code, (directory.name_key(name) collate "C"));

create index person_mailbox_idx on directory.person (directory.mailbox_key(email));
create index person_telephone_idx on directory.person (directory.telephone_key(telephone));
create index person_swapped_idx on directory.person ((directory.sort_key(given_name || ' ' || family_name) collate "C"));

create index expert_siren_idx on directory.expert (left(siret, 9));
create index expert_telephone_idx on directory.expert (directory.telephone_key(telephone));
create index expert_website_idx on directory.expert (directory.website_host(website));
create index expert_place_idx on directory.expert (postal_code, name_key);

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
    -- Whether it looks at every record, or at those that have changed since the scan before.
    whole boolean not null,
    requested_at timestamptz not null default now(),
    started_at timestamptz,
    finished_at timestamptz,
    -- Records looked at, pairs found that were not known, open pairs that are none any more.
    examined integer not null default 0,
    found integer not null default 0,
    dropped integer not null default 0,
    constraint duplicate_scan_times_check check (finished_at is null or started_at is not null)
);

create index duplicate_scan_latest_idx on directory.duplicate_scan (requested_at desc, id desc);
create index duplicate_scan_finished_idx on directory.duplicate_scan (started_at desc) where finished_at is not null;

create table directory.merge (
    id uuid primary key,
    -- The order of merges of one record: drawn under its lock.
    number bigint generated always as identity unique,
    kind text not null check (kind in ('organization', 'person', 'expert')),
    survivor uuid not null,
    merged uuid not null,
    -- The fields that the survivor took from the other.
    fields text[] not null,
    -- The survivor's row before and after; null once undone: nobody needs them then, and they may be about people.
    before jsonb,
    after jsonb,
    -- What was done, in order: [{"table", "survivor", "merged", "image", "moves"}, …]. The last one is the record itself,
    -- those before it are rows that would have said the same thing twice.
    steps jsonb,
    -- Every row that was changed or taken out, and every row that the images name.
    touched uuid[] not null,
    mentioned uuid[] not null,
    merged_by text not null,
    merged_at timestamptz not null default now(),
    undone_by text,
    undone_at timestamptz,
    -- {"telephone": …}: what had been edited on the survivor between merge and undo, and went with the undo.
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

-- An undo gives a row the version back that it had, byte for byte. Whoever still holds the ETag of a version from in between
-- must not be able to change it with that: the floor is the highest version that the row ever had, and the next change goes
-- beyond it.
alter table directory.organization add column version_floor integer not null default 0;
alter table directory.person add column version_floor integer not null default 0;
alter table directory.expert add column version_floor integer not null default 0;
alter table directory.ambassador add column version_floor integer not null default 0;
alter table directory.mandate add column version_floor integer not null default 0;
alter table directory.membership add column version_floor integer not null default 0;
alter table directory.contribution add column version_floor integer not null default 0;

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

-- What follows reads the catalogue for columns and foreign keys, so that a table or a column that a later migration adds is
-- moved, remembered and restored like those that are here today.

create function directory.columns_of(target regclass, written boolean) returns text[]
    language sql stable
    return coalesce((
        select array_agg(attname::text order by attnum) from pg_attribute
        where attrelid = target and attnum > 0 and not attisdropped and (attgenerated = '') = written), '{}');

-- The tables that refer to a table: their columns with what each stands for, and their primary keys. The column that stands for
-- the identifier comes first.
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
            select a.attname::text from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any(i.indkey)
            where i.indrelid = conrelid and i.indisprimary order by a.attnum),
        exists (select from pg_attribute a where a.attrelid = conrelid and a.attname = 'version_floor')
    from pg_constraint where contype = 'f' and confrelid = target
    order by conrelid::regclass::text, conname
$$;

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

-- Writes those columns of a row that the image has.
create function directory.write_image(target regclass, image jsonb) returns void
    language plpgsql as $$
declare
    names text;
begin
    select string_agg(quote_ident(name), ', ') into names
    from unnest(directory.columns_of(target, true)) as name where image ? name and name <> 'id';
    execute format(
        'update %1$s r set (%2$s) = (select %2$s from jsonb_populate_record(null::%1$s, $1)) where r.id = ($1 ->> ''id'')::uuid',
        target, names) using image;
end $$;

-- Gives a row its old image back, its version included; the floor keeps what its versions have been since.
create function directory.restore_image(target regclass, image jsonb) returns void
    language plpgsql as $$
declare
    highest integer;
begin
    execute format('select greatest(version, version_floor) from %s where id = ($1 ->> ''id'')::uuid', target)
        into highest using image;
    perform directory.write_image(target, image || jsonb_build_object('version_floor', highest));
end $$;

-- Makes everything that refers to one row refer to another, and tells what each row was before.
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
        execute format('select from %s r where r.%I = $1 for update', reference.source, reference.columns[1]) using merged;
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

-- Makes those rows refer back that still refer to the survivor. Of a row that nobody has edited since, version and time too
-- are what they were.
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

-- Takes a row out, after everything that refers to it has been moved to another. The foreign keys are the proof that nothing
-- was forgotten.
create function directory.absorb(target regclass, survivor uuid, merged uuid) returns jsonb
    language plpgsql as $$
declare
    image jsonb := directory.row_image(target, merged);
    moves jsonb := directory.move_references(target, survivor, merged);
begin
    execute format('delete from %s where id = $1', target) using merged;
    return jsonb_build_object(
        'table', (select relname from pg_class where oid = target), 'survivor', survivor, 'merged', merged,
        'image', image, 'moves', moves);
end $$;

-- The other way round; gives the rows that came back, each with its version.
create function directory.release(step jsonb) returns jsonb
    language plpgsql as $$
begin
    perform directory.insert_image(format('directory.%I', step ->> 'table')::regclass, step -> 'image');
    return directory.return_references((step ->> 'survivor')::uuid, step -> 'moves');
end $$;

-- For the erasure of a person or an expert: takes away what merges remember of the record and of every record that went into
-- it, and gives the identifiers of those.
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
