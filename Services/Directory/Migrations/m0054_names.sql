-- What two spellings of a name have in common, and how people are searched by their names.

-- A text without what nobody sees in it: controls, formats, tags, fillers, variants, private use, what is no character, the blank of Braille,
-- and what stands for an object that is not there. Exactly what the protocol's `Unicode.Scalar.isInvisible` tells; blanks stay.
create function directory.without_invisible(value text) returns text
    language sql immutable parallel safe
    return regexp_replace(
        value,
        '[\u0001-\u0008\u000E-\u001F\u007F-\u0084\u0086-\u009F\u00AD\u034F\u0600-\u0605\u061C\u06DD\u070F\u0890-\u0891'
        '\u08E2\u115F-\u1160\u17B4-\u17B5\u180B-\u180F\u200B-\u200F\u202A-\u202E\u2060-\u206F\u2800\u3164\uE000-\uF8FF'
        '\uFDD0-\uFDEF\uFE00-\uFE0F\uFEFF\uFFA0\uFFF0-\uFFFC\uFFFE-\uFFFF\U000110BD\U000110CD\U00013430-\U0001343F'
        '\U0001BCA0-\U0001BCA3\U0001D173-\U0001D17A\U0001FFFE-\U0001FFFF\U0002FFFE-\U0002FFFF\U0003FFFE-\U0003FFFF'
        '\U0004FFFE-\U0004FFFF\U0005FFFE-\U0005FFFF\U0006FFFE-\U0006FFFF\U0007FFFE-\U0007FFFF\U0008FFFE-\U0008FFFF'
        '\U0009FFFE-\U0009FFFF\U000AFFFE-\U000AFFFF\U000BFFFE-\U000BFFFF\U000CFFFE-\U000CFFFF\U000DFFFE-\U000E0FFF'
        '\U000EFFFE-\U0010FFFF]',
        '', 'g');

-- As before; one of which nothing is left but blanks was none.
create or replace function directory.line(value text) returns text
    language sql immutable strict parallel safe
    return (
        select case when directory.without_invisible(kept) ~ '[^\s\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]' then kept end
        from (values (
            regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                regexp_replace(value, '[\u00AD\u200B\u2060\uFEFF]', '', 'g'),
                '[ \u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]{2,}|[\u1680\u2000-\u200A\u205F\u3000]', ' ', 'g'),
                '^[ \u00A0\u202F\u200C\u200D]+|[ \u00A0\u202F\u200C\u200D]+$', '', 'g'),
                '[\u200C\u200D]+([ \u00A0\u202F])', '\1', 'g'),
                '([ \u00A0\u202F])[\u200C\u200D]+', '\1', 'g'))) as folded (kept));

-- As before, of organizations, experts and people alike; invisible signs are nothing, whichever they are. They go first, so that a mark
-- is one with its letter.
create or replace function directory.name_key(value text) returns text
    language sql immutable parallel safe
    return left(trim(regexp_replace(
        directory.folded(case
            when octet_length(value) = length(value) then value
            else normalize(directory.without_invisible(value), nfkc) end),
        '[\s!-/:-@\[-`{-~\u00A0\u202F]+', ' ', 'g')), 120);

-- "St-Étienne" is "Saint-Étienne" in the name of a person, too.
alter table directory.person
    add column search_text text not null
        generated always as (directory.searched(family_name || coalesce(' ' || given_name, ''))) stored;
alter table directory.ambassador
    add column search_text text not null generated always as (directory.searched(name)) stored;
drop index directory.person_search_idx, directory.ambassador_search_idx;
create index person_search_idx on directory.person using gin (search_text directory.gin_trgm_ops);
create index ambassador_search_idx on directory.ambassador using gin (search_text directory.gin_trgm_ops);

-- A name of the sign for an object alone was taken before.
update directory.organization
set name = '(sans nom)', version = version + 1, updated_at = now()
where name like U&'%\FFFC%' and directory.line(name) is null;
update directory.person
set given_name = directory.line(given_name), family_name = coalesce(directory.line(family_name), '(sans nom)'),
    honorific_prefix = directory.line(honorific_prefix), job_title = directory.line(job_title), version = version + 1,
    updated_at = now()
where concat(given_name, family_name, honorific_prefix, job_title) like U&'%\FFFC%'
    and (given_name, family_name, honorific_prefix, job_title) is distinct from (
        directory.line(given_name), directory.line(family_name), directory.line(honorific_prefix),
        directory.line(job_title));
update directory.expert
set name = coalesce(directory.line(name), '(sans nom)'), contact_name = directory.line(contact_name),
    commune = coalesce(directory.line(commune), '(sans nom)'), version = version + 1, updated_at = now()
where concat(name, contact_name, commune) like U&'%\FFFC%'
    and (name, contact_name, commune) is distinct from (
        directory.line(name), directory.line(contact_name), directory.line(commune));

-- Whatever rests on it, through other functions too, anew.
do $$
declare
    name regclass;
begin
    for name in
        with recursive resting (class, object) as (
            select 'pg_proc'::regclass::oid, 'directory.name_key(text)'::regprocedure::oid
            union
            select classid, objid from resting join pg_depend on refclassid = class and refobjid = object)
        select oid from resting join pg_class on class = 'pg_class'::regclass and oid = object and relkind = 'i'
    loop
        execute format('reindex index %s', name);
    end loop;
end $$;
update directory.expert set name = name where name_key <> directory.name_key(name);
