-- What the ledger says of questions and times, and what an erasure looks for.

-- Whoever was written down from a file, or before there was a ledger, was asked by others and in words that nobody here knows.
alter table directory.consent_entry alter column wording drop not null;
alter table directory.consent_entry disable trigger consent_entry_final;
update directory.consent_entry set wording = null where source in ('import', 'carriedOver');
alter table directory.consent_entry enable trigger consent_entry_final;
alter table directory.consent_entry
    add constraint consent_entry_asked_check check (wording is not null or source in ('import', 'carriedOver'));
-- A question that is not the standard one goes with its last answer.
create index consent_entry_wording_idx on directory.consent_entry (wording);

create or replace function directory.consent_asked(said jsonb) returns table (purpose text, wording integer)
    language sql stable as $$
    select distinct on (w.purpose) w.purpose,
        case when w.id = (said ->> 'wording')::integer
            or coalesce(said ->> 'source', 'operator') not in ('import', 'carriedOver') then w.id end
    from directory.consent_wording as w
    where w.standard or w.id = (said ->> 'wording')::integer
    order by w.purpose, w.standard
$$;

-- As before; and a line may be added of an answer that was given before the one that counts: that changes nothing but the ledger.
create or replace function directory.guard_ledger() returns trigger
    language plpgsql as $$
begin
    if tg_op = 'INSERT' then
        if pg_trigger_depth() > 1 then return new; end if;
        if exists (
                select from directory.person
                where id = new.person and (consents -> new.purpose ->> 'at')::timestamptz >= new.at)
            or exists (
                select from directory.expert
                where id = new.expert and (consents -> new.purpose ->> 'at')::timestamptz >= new.at)
        then return new; end if;
    elsif tg_op = 'UPDATE' then
        if (new.id, new.number, new.purpose, new.agreed, new.source, new.wording, new.at, new.written_by)
            is not distinct from (old.id, old.number, old.purpose, old.agreed, old.source, old.wording, old.at, old.written_by)
        then return new; end if;
    elsif exists (
        select from directory.erasure
        where subject = coalesce(old.person, old.expert) and state in ('erasing', 'done'))
    then return old;
    end if;
    raise restrict_violation using
        message = 'the ledger of consents is written by the answers, and never changed', constraint = 'consent_entry_final',
        table = tg_table_name;
end $$;

-- Those who share an address or a telephone with who is erased, for the staff to look through: [{"kind": "expert", "id": …}, …].
alter table directory.erasure
    add column others jsonb not null default '[]' check (jsonb_typeof(others) = 'array'),
    drop constraint erasure_traces_go,
    add constraint erasure_traces_go check (
        (emails = '{}' and aliases = '{}' and others = '[]') or state = 'erasing');

-- A telephone number in whatever way people write it.
create function directory.telephone_pattern(number text) returns text
    language sql immutable strict parallel safe
    return case
            when number ~ '^(\+|00)33|^0[^0]' then '(?:(?:\+|00)33[\s\u00A0\u202F.-]*(?:\(0\))?|0)'
            when number ~ '^(\+|00)' then '(?:\+|00)'
            else '' end
        || regexp_replace(
            regexp_replace(number, '^((\+|00)33|\+|00|0)', ''), '([0-9])', '[\s\u00A0\u202F.-]*\1', 'g');

-- A name or an address with or without its accents and ligatures, however its words are joined.
create function directory.word_pattern(word text) returns text
    language sql immutable strict parallel safe
    return (
        select string_agg(
            case letter
                when 'a' then '[aàâäáãåÀÂÄÁÃÅ]' when 'c' then '[cçÇ]' when 'e' then '[eéèêëÉÈÊË]'
                when 'i' then '[iîïíìÎÏÍÌ]' when 'n' then '[nñÑ]' when 'o' then '[oôöóòõÔÖÓÒÕ]'
                when 'u' then '[uùûüúÙÛÜÚ]' when 'y' then '[yÿýŸÝ]'
                when 'æ' then '(?:[aàâäáãåÀÂÄÁÃÅ][eéèêëÉÈÊË]|[æÆ])'
                when 'œ' then '(?:[oôöóòõÔÖÓÒÕ][eéèêëÉÈÊË]|[œŒ])'
                when ' ' then '[\s\u00A0\u202F''’-]+'
                else case when letter ~ '[!-/:-@\[-`{-~]' then '\' || letter else letter end
            end, '' order by place)
        from regexp_split_to_table(
            replace(replace(
                regexp_replace(directory.folded(word), '[\s\u00A0\u202F''’-]+', ' ', 'g'), 'ae', 'æ'), 'oe', 'œ'),
            '') with ordinality as letters (letter, place));

-- Finds any of these words in a text that is somebody else's, and none that is only a part of another word; without regard to
-- capitals (`~*`). Null where there are no words. It takes the place of `redacted`, which a later release takes away.
create function directory.words_pattern(words text[]) returns text
    language sql immutable parallel safe
    return (
        select '(?<![[:alnum:]])(?:' || string_agg(
            case when word ~ '^\+?[0-9]{6,15}$' then directory.telephone_pattern(word)
                else directory.word_pattern(word) end, '|') || ')(?![[:alnum:]])'
        from unnest(words) as word where length(word) >= 3);

insert into retention_rule (code, months) values ('referrals', 12);
