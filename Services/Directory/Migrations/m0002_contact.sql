-- Telephones, e-mail addresses and websites: how they are kept, compared and found in a text.

-- Telephones --------------------------------------------------------------------------------------

-- What `Telephone` of the protocol makes of what people write; the reasons are given there. Null if it cannot be
-- dialled. A number of ten digits belongs to ARCEP's plan: its first digits say whether it belongs to +33 or to a
-- territory with a country code of its own, and after such a code only the territory's own numbers can be dialled.
create function directory.telephone(written text) returns text
    language plpgsql immutable strict parallel safe as $$
declare
    number text;
    -- What is before a `(0)`. After a country code that 0 is dialled only at home, except in the countries whose
    -- numbers begin with it: `+44 (0)20…` is +4420….
    code text := regexp_replace(
        regexp_replace(written, '\( *0 *\).*$', ''), '[ .()/\u00A0\u202F\u2010-\u2013-]', '', 'g');
    whole boolean := true;
begin
    if octet_length(written) > 40 then return null; end if;
    if code ~ '^(\+|00)[0-9]{1,3}$' and code !~ '^(\+|00)(39|378|225|242)$' then
        written := regexp_replace(written, '\( *0 *\)', '');
    end if;
    number := regexp_replace(written, '[ .()/\u00A0\u202F\u2010-\u2013-]', '', 'g');
    if number !~ '^\+?[0-9]+$' then return null; end if;
    if number ~ '^\+' then number := substr(number, 2);
    elsif number ~ '^00' then number := substr(number, 3);
    elsif number ~ '^0[1-9][0-9]{8}$' then number := '33' || substr(number, 2);
    elsif number ~ '^(3[0-9]{3}|10[0-9]{2}|118[0-9]{3})$' then return number;
    else whole := false;
    end if;
    if number ~ '^(33|262|590|594|596)' then
        number := regexp_replace(number, '^(33|262|590|594|596)0', '\1');
        if number !~ '^(33|262|590|594|596)[1-9][0-9]{8}$' then return null; end if;
        return '+' || case
            when number ~ '^33508[01]' then null
            when number ~ '^33508' then substr(number, 3)
            when number ~ '^33(590|690|691|7090)' then '590' || substr(number, 3)
            when number ~ '^33(594|694|7093[0-4])' then '594' || substr(number, 3)
            when number ~ '^33(596|696|697|7091)' then '596' || substr(number, 3)
            when number ~ '^33(262|263|269|639|692|693|7092|7093[5-9])' then '262' || substr(number, 3)
            when number ~ '^33' then number
            when number ~ '^590(590|5987|690|691|7090|[89])' then number
            when number ~ '^594(594|5988|694|7093[0-4]|[89])' then number
            when number ~ '^596(596|5989|696|697|7091|[89])' then number
            when number ~ '^262(262|263|2688|2689|269|639|692|693|7092|7093[5-9]|[89])' then number end;
    end if;
    -- Where a 0 is dialled only at home, as in the plan of +33.
    if whole then number := regexp_replace(number, '^(31|32|40|41|43|44|46|49|61|212|213|353)0', '\1'); end if;
    if number ~ '^508' then
        return case when number ~ '^508([2-9][0-9]{5}|(508|708|[89][0-9]{2})[0-9]{6})$' then '+' || number end;
    end if;
    if number ~ '^68[179]' and number !~ ('^(681([4789][0-9]{5}|8[0-9]{8})|687(050|[2-9][0-9]{2})[0-9]{3}'
            || '|689(4[0-9]{5}([0-9]{2})?|8[0-9]{7,8}))$')
        then return null;
    end if;
    -- The country codes that the ITU has assigned (E.164, list of 2025).
    return case when whole and length(number) between 7 and 15 and number ~ (
            '^(1[2-9][0-9]{9}$|7|20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[12368]|22|23|24|25[0-8]|26|29[01789]'
            || '|35|37[0-8]|38[0-35-79]|42[013]|50|59|67[02-9]|68[0-35-9]|69[0-2]|8(00|08|50|52|53|55|56|70|78|80|81|82|83|86|88)'
            || '|96[0-8]|97[0-79]|99[2-68])')
        then '+' || number end;
end $$;

-- As people write it: `05 59 00 00 00`, `+262 692 00 00 00`, `+44 2071838750`, `39 49`. Takes a number as it is kept.
create function directory.telephone_written(number text) returns text
    language sql immutable strict parallel safe
    return case
        when number ~ '^\+33[0-9]{9}$' then regexp_replace(number, '^\+33(.)(..)(..)(..)(..)$', '0\1 \2 \3 \4 \5')
        when number ~ '^\+(262|590|594|596)[0-9]{9}$'
            then regexp_replace(number, '^(\+...)(...)(..)(..)(..)$', '\1 \2 \3 \4 \5')
        when number ~ '^\+508[0-9]{6}$' then regexp_replace(number, '^(\+508)(..)(..)(..)$', '\1 \2 \3 \4')
        when number ~ '^\+508[0-9]{9}$' then regexp_replace(number, '^(\+508)(...)(..)(..)(..)$', '\1 \2 \3 \4 \5')
        when number ~ '^\+[17]' then regexp_replace(number, '^(\+.)', '\1 ')
        when number ~ '^\+(20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58])'
            then regexp_replace(number, '^(\+..)', '\1 ')
        when number ~ '^\+' then regexp_replace(number, '^(\+...)', '\1 ')
        when number ~ '^[0-9]{4}$' then regexp_replace(number, '^(..)(..)$', '\1 \2')
        when number ~ '^[0-9]{6}$' then regexp_replace(number, '^(...)(...)$', '\1 \2')
        else number end;

-- What two spellings of one number have in common.
create function directory.telephone_key(value text) returns text
    language sql immutable strict parallel safe
    return coalesce(directory.telephone(value), value);

-- On every write, including the undo of a merge: a number that cannot be dialled is not kept.
create function directory.keep_telephone() returns trigger
    language plpgsql as $$
begin
    new.telephone := directory.telephone(new.telephone);
    return new;
end $$;

create function directory.keep_firm_telephone() returns trigger
    language plpgsql as $$
begin
    new.firm_telephone := directory.telephone(new.firm_telephone);
    return new;
end $$;

-- Further telephones as they are kept: each once, in their order, without the first. A number that was kept under an
-- older numbering plan remains valid.
create function directory.further_telephones(first text, others text[]) returns text[]
    language sql immutable parallel safe
    return array(
        select number
        from (
            select distinct on (number) number, place
            from unnest(others) with ordinality as given (said, place)
                cross join lateral (
                    select coalesce(
                        directory.telephone(said), case when said ~ '^\+[1-9][0-9]{6,14}$' then said end)
                ) as read (number)
            where number <> coalesce(directory.telephone(first), first, '') order by number, place) as kept
        order by place);

-- E-mail addresses and websites -------------------------------------------------------------------

-- What two spellings of one mailbox have in common: many mail servers ignore a tag after a plus.
create function directory.mailbox_key(value text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(lower(value), '\+[^@]*@', '@');

create function directory.website_host(value text) returns text
    language sql immutable strict parallel safe
    return nullif(regexp_replace(lower(value), '^[a-z][a-z0-9+.-]*://(www[0-9]?\.)?([^/:?#]*).*$', '\2'), '');

-- Further addresses as they are kept: each once, in their order, without the first.
create function directory.further_emails(first text, others text[]) returns text[]
    language sql immutable parallel safe
    return array(
        select address
        from (
            select distinct on (lower(address)) address, place
            from unnest(others) with ordinality as given (address, place)
            where lower(address) <> coalesce(lower(first), '') order by lower(address), place) as kept
        order by place);

-- Every address of a record, in lower case.
create function directory.all_emails(email text, others text[]) returns text[]
    language sql immutable parallel safe
    return array(
        select distinct lower(address) from unnest(array_prepend(email, others)) as address where address is not null);

-- The mailboxes of an organization by what they are for: [{"role": "accounting", "email": "…"}, …], each role once.
create function directory.are_mailboxes(mailboxes jsonb) returns boolean
    language sql immutable strict parallel safe
    return case when jsonb_typeof(mailboxes) = 'array' then (
        select coalesce(bool_and(
                role in ('general', 'accounting', 'communication', 'events', 'press', 'technical', 'training')
                and length(email) <= 254), true)
            and count(*) = count(distinct role)
        from jsonb_to_recordset(mailboxes) as mailbox (role text, email text)) else false end;

create function directory.mailbox_emails(mailboxes jsonb) returns text[]
    language sql immutable strict parallel safe
    return array(select mailbox ->> 'email' from jsonb_array_elements(mailboxes) as mailbox);

-- Everything by part of which a record can be found: addresses in lower case, telephones as dialled from abroad and at
-- home, one per line.
create function directory.contact_text(emails text[], telephones text[]) returns text
    language sql immutable parallel safe
    return (
        select coalesce(string_agg(line, E'\n'), '')
        from (
            select lower(email) as line from unnest(emails) as email
            union all
            select number from unnest(telephones) as number
            union all
            select regexp_replace(number, '^\+(33|262|590|594|596)', '0') from unnest(telephones) as number
            where number ~ '^\+(33|262|590|594|596)') as lines
        where line is not null);

-- Finding them in a text --------------------------------------------------------------------------

-- A telephone number in all the ways in which people write it. `0692 …` and `+262 692 …` are one number.
create function directory.telephone_pattern(number text) returns text
    language sql immutable strict parallel safe
    return (
        select case
                when kept ~ '^\+(33|262|590|594|596)'
                    then '(?:(?:\+|00)' || substring(kept from '^\+(33|262|590|594|596)')
                        || '[\s\u00A0\u202F.-]*(?:\(0\))?|0)'
                when kept ~ '^\+508' then '(?:(?:\+|00)508|0508)'
                when kept ~ '^(\+|00)' then '(?:\+|00)'
                else '' end
            || regexp_replace(
                regexp_replace(kept, '^(\+(33|262|590|594|596|508)|\+|00)', ''), '([0-9])',
                '[\s\u00A0\u202F.-]*\1', 'g')
        from (values (directory.telephone_key(number))) as known (kept));

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

-- Finds any of these words in a text, but not as part of another word; use it with `~*`. Null without words.
create function directory.words_pattern(words text[]) returns text
    language sql immutable parallel safe
    return (
        select '(?<![[:alnum:]])(?:' || string_agg(
            case when word ~ '^\+?[0-9]{6,15}$' then directory.telephone_pattern(word)
                else directory.word_pattern(word) end, '|') || ')(?![[:alnum:]])'
        from unnest(words) as word where length(word) >= 3);
