-- Duplicates that were asked the same: an offer of a referral may be set aside by a merge.

-- As before. An offer counts on its referral no more when it is taken out: what the referral's version and time were goes
-- into the step.
create or replace function directory.absorb(target regclass, survivor uuid, merged uuid) returns jsonb
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
        step := jsonb_set(step, '{referral,became}', (select to_jsonb(version) from directory.referral where id = counting));
    end if;
    return step;
end $$;

-- The other way round; gives the rows that came back, each with its version. A referral on which an offer counts again and
-- that nobody has changed since has its version and time back, too.
create or replace function directory.release(step jsonb) returns jsonb
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
