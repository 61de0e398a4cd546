-- A 0 that is dialled at home only is no part of a number behind its country's code, wherever that country is: `+44 (0)20…` was kept
-- as +44020…, which nobody can dial.

-- As `Telephone` of the protocol has it, with the reasons.
create or replace function directory.telephone(written text) returns text
    language plpgsql immutable strict parallel safe as $$
declare
    number text;
    -- Before `(0)`, which is dialled at home only behind a country code, but for the countries whose numbers begin with it.
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
    -- Where a 0 is dialled at home only, as it is in the plan of +33.
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

-- What was kept so.
update directory.organization set telephone = directory.telephone(telephone)
where telephone ~ '^\+(31|32|40|41|43|44|46|49|61|212|213|353)0' and directory.telephone(telephone) is not null;
update directory.person
set telephone = coalesce(directory.telephone(telephone), telephone), other_telephones = array(
    select coalesce(directory.telephone(number), number) from unnest(other_telephones) with ordinality as kept (number, place)
    order by place)
where array_to_string(array_prepend(telephone, other_telephones), ' ') ~ '\+(31|32|40|41|43|44|46|49|61|212|213|353)0';
update directory.expert set telephone = directory.telephone(telephone)
where telephone ~ '^\+(31|32|40|41|43|44|46|49|61|212|213|353)0' and directory.telephone(telephone) is not null;
