-- The planner multiplies the present size of a table by the rows a page that were counted last. If they were counted
-- while a transaction was filling an empty table, or after one had been rolled back (a dry run of an import), none was
-- counted: then the planner takes the table for empty, however it grows, and reads it as a whole for every row that an
-- import looks up. Imports call this, within their transactions, in which alone the new rows count. A table in which less
-- than one row a page was counted is counted again, unless it is so large that this takes longer than it saves. Only
-- tables that imports fill and look up: until the end of the transaction nobody else can count or vacuum them.
create function directory.renew_estimates() returns void
    language plpgsql security definer set search_path = pg_catalog, pg_temp as $$
declare
    name regclass;
begin
    for name in
        select oid from pg_class
        where oid = any('{directory.expert, directory.person, directory.organization, directory.ambassador,
                directory.address_held, directory.address_past, directory.name_given, directory.consent_entry,
                directory.expert_posting}'::regclass[])
            and relpages between 1 and 10000 and reltuples < relpages
    loop
        execute format('analyze (skip_locked) %s', name);
    end loop;
end $$;
