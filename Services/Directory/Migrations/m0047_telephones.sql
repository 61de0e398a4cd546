-- Behind a territory's code only its own numbers can be dialled; what was kept by an older plan stays as it is.

-- As `Telephone` of the protocol has it, with the reasons.
create or replace function directory.telephone(written text) returns text
    language plpgsql immutable strict parallel safe as $$
declare
    number text := regexp_replace(written, '[ .()/\u00A0\u202F\u2010-\u2013-]', '', 'g');
    whole boolean := true;
begin
    if octet_length(written) > 40 or number !~ '^\+?[0-9]+$' then return null; end if;
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

-- As before, but a number that was kept by an older plan is one still.
create or replace function directory.further_telephones(first text, others text[]) returns text[]
    language sql immutable parallel safe
    return array(
        select number
        from (
            select distinct on (number) number, place
            from unnest(others) with ordinality as given (said, place)
                cross join lateral (
                    select coalesce(
                        directory.telephone(said), case when said ~ '^\+[1-9][0-9]{6,14}$' then said end)) as read (number)
            where number <> coalesce(directory.telephone(first), first, '') order by number, place) as kept
        order by place);
