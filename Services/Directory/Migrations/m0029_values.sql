-- Telephones as the whole world dials them, names without what nobody sees, and one folding by which names are compared.

-- What `Telephone` of the protocol makes of what people write; null where nobody can dial it. A number of ten digits is one of
-- ARCEP's plan, whose first digits say whether it belongs to +33 or to a territory with a code of its own.
create function directory.telephone(written text) returns text
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
            when number ~ '^335080' then null
            when number ~ '^33508' then substr(number, 3)
            when number ~ '^33(590|690|691|7090)' then '590' || substr(number, 3)
            when number ~ '^33(594|694|7093[0-4])' then '594' || substr(number, 3)
            when number ~ '^33(596|696|697|7091)' then '596' || substr(number, 3)
            when number ~ '^33(262|263|269|639|692|693|7092|7093[5-9])' then '262' || substr(number, 3)
            else number end;
    end if;
    if number ~ '^508' then
        return case when number ~ '^508[1-9]([0-9]{5}|[0-9]{8})$' then '+' || number end;
    end if;
    -- The country codes that the ITU has assigned (E.164, list of 2025).
    return case when whole and length(number) between 7 and 15 and number ~ (
            '^(1[2-9][0-9]{9}$|7|20|27|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]|21[12368]|22|23|24|25[0-8]|26|29[01789]'
            || '|35|37[0-8]|38[0-35-79]|42[013]|50|59|67[02-9]|68[0-35-9]|69[0-2]|8(00|08|50|52|53|55|56|70|78|80|81|82|83|86|88)'
            || '|96[0-8]|97[0-79]|99[2-68])')
        then '+' || number end;
end $$;

-- As people write it: `05 59 00 00 00`, `+262 692 00 00 00`, `+44 2071838750`, `39 49`. Reads what is kept.
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

-- What two spellings of one number have in common: what is kept has one already.
create or replace function directory.telephone_key(value text) returns text
    language sql immutable strict parallel safe
    return coalesce(directory.telephone(value), value);

-- As before, of territories too: `0692 …` and `+262 692 …` are one.
create or replace function directory.telephone_pattern(number text) returns text
    language sql immutable strict parallel safe
    return (
        select case
                when kept ~ '^\+(33|262|590|594|596)'
                    then '(?:(?:\+|00)' || substring(kept from '^\+(33|262|590|594|596)') || '[\s\u00A0\u202F.-]*(?:\(0\))?|0)'
                when kept ~ '^\+508' then '(?:(?:\+|00)508|0508)'
                when kept ~ '^(\+|00)' then '(?:\+|00)'
                else '' end
            || regexp_replace(
                regexp_replace(kept, '^(\+(33|262|590|594|596|508)|\+|00)', ''), '([0-9])', '[\s\u00A0\u202F.-]*\1', 'g')
        from (values (directory.telephone_key(number))) as known (kept));

drop index directory.organization_telephone_idx, directory.person_telephone_idx, directory.expert_telephone_idx;

alter table directory.organization
    drop constraint organization_telephone_check,
    add constraint organization_telephone_check check (telephone ~ '^\+?[0-9]{4,15}$') not valid;
alter table directory.person
    drop constraint person_telephone_check,
    add constraint person_telephone_check check (telephone ~ '^\+?[0-9]{4,15}$') not valid;
alter table directory.expert
    drop constraint expert_telephone_check,
    add constraint expert_telephone_check check (telephone ~ '^\+?[0-9]{4,15}$') not valid;
alter table directory.referral
    drop constraint referral_firm_telephone_check,
    add constraint referral_firm_telephone_check check (firm_telephone ~ '^\+?[0-9]{4,15}$') not valid;

-- Whoever writes one, what undoes a merge included: what nobody can dial is none.
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

create trigger organization_telephone before insert or update of telephone on directory.organization
    for each row when (new.telephone !~ '^\+[1-9][0-9]{6,14}$') execute function directory.keep_telephone();
create trigger person_telephone before insert or update of telephone on directory.person
    for each row when (new.telephone !~ '^\+[1-9][0-9]{6,14}$') execute function directory.keep_telephone();
create trigger expert_telephone before insert or update of telephone on directory.expert
    for each row when (new.telephone !~ '^\+[1-9][0-9]{6,14}$') execute function directory.keep_telephone();
create trigger referral_firm_telephone before insert or update of firm_telephone on directory.referral
    for each row when (new.firm_telephone !~ '^\+[1-9][0-9]{6,14}$') execute function directory.keep_firm_telephone();

-- A spreadsheet takes the 0 of a number away; tables that came before this did not always give it back.
create function directory.telephone_of_old(kept text) returns text
    language sql immutable strict parallel safe
    return directory.telephone(case when kept ~ '^[1-9][0-9]{8}$' then '0' || kept else kept end);

-- What `Line` of the protocol makes of a text: no invisible signs, no blanks at the ends, single ones between; one that does not
-- break stays where it is alone. A name of which nothing is left was none.
create function directory.line(value text) returns text
    language sql immutable strict parallel safe
    return (
        select case when kept ~ '[^\s\u00A0\u1680\u180E\u2000-\u200F\u202A-\u202F\u205F-\u206F\u3000\u034F\u115F\u1160\u2800\u3164\uFFA0\uE000-\uF8FF\uFE00-\uFE0F\U000E0000-\U0010FFFF]'
            then kept end
        from (values (
            regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                regexp_replace(value, '[\u00AD\u200B\u2060\uFEFF]', '', 'g'),
                '[ \u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]{2,}|[\u1680\u2000-\u200A\u205F\u3000]', ' ', 'g'),
                '^[ \u00A0\u202F\u200C\u200D]+|[ \u00A0\u202F\u200C\u200D]+$', '', 'g'),
                '[\u200C\u200D]+([ \u00A0\u202F])', '\1', 'g'),
                '([ \u00A0\u202F])[\u200C\u200D]+', '\1', 'g'))) as folded (kept));

create function directory.lines(list text[]) returns text[]
    language sql immutable strict parallel safe
    return array(
        select coalesce(directory.line(value), value)
        from unnest(list) with ordinality as each_line (value, place) order by place);

update directory.organization as record
set name = coalesce(directory.line(name), '(sans nom)'), street = directory.line(street),
    commune = directory.line(commune), telephone = directory.telephone_of_old(telephone), version = version + 1,
    updated_at = now()
where (name, street, commune, telephone) is distinct from (
    coalesce(directory.line(name), '(sans nom)'), directory.line(street), directory.line(commune),
    directory.telephone_of_old(telephone));
update directory.person
set given_name = coalesce(directory.line(given_name), '(sans nom)'),
    family_name = coalesce(directory.line(family_name), '(sans nom)'),
    telephone = directory.telephone_of_old(telephone), version = version + 1, updated_at = now()
where (given_name, family_name, telephone) is distinct from (
    coalesce(directory.line(given_name), '(sans nom)'), coalesce(directory.line(family_name), '(sans nom)'),
    directory.telephone_of_old(telephone));
update directory.expert
set name = coalesce(directory.line(name), '(sans nom)'), contact_name = directory.line(contact_name),
    commune = coalesce(directory.line(commune), '(sans nom)'), brands = directory.lines(brands),
    telephone = directory.telephone_of_old(telephone), version = version + 1, updated_at = now()
where (name, contact_name, commune, brands, telephone) is distinct from (
    coalesce(directory.line(name), '(sans nom)'), directory.line(contact_name),
    coalesce(directory.line(commune), '(sans nom)'), directory.lines(brands), directory.telephone_of_old(telephone));
update directory.referral
set firm_name = directory.line(firm_name), firm_contact = directory.line(firm_contact),
    firm_telephone = directory.telephone_of_old(firm_telephone), version = version + 1, updated_at = now()
where (firm_name, firm_contact, firm_telephone) is distinct from (
    directory.line(firm_name), directory.line(firm_contact), directory.telephone_of_old(firm_telephone));
update directory.topic set label = coalesce(directory.line(label), label), version = version + 1
where label <> coalesce(directory.line(label), label);

-- What merges remember is compared with what the records are now, to tell what was edited since.
create function directory.image_of_old(image jsonb) returns jsonb
    language sql immutable strict parallel safe
    return image || jsonb_strip_nulls(jsonb_build_object(
        'telephone', directory.telephone_of_old(image ->> 'telephone'), 'name', directory.line(image ->> 'name'),
        'given_name', directory.line(image ->> 'given_name'), 'family_name', directory.line(image ->> 'family_name'),
        'commune', directory.line(image ->> 'commune'), 'street', directory.line(image ->> 'street'),
        'contact_name', directory.line(image ->> 'contact_name')));

update directory.merge
set before = directory.image_of_old(before), after = directory.image_of_old(after),
    steps = (
        select jsonb_agg(jsonb_set(step, '{image}', directory.image_of_old(step -> 'image')) order by place)
        from jsonb_array_elements(steps) with ordinality as each_step (step, place))
where undone_at is null
    and (before, after) is distinct from (directory.image_of_old(before), directory.image_of_old(after));

drop function directory.image_of_old(jsonb);
drop function directory.telephone_of_old(text);

alter table directory.organization validate constraint organization_telephone_check;
alter table directory.person validate constraint person_telephone_check;
alter table directory.expert validate constraint expert_telephone_check;
alter table directory.referral validate constraint referral_firm_telephone_check;

create index organization_telephone_idx on directory.organization (telephone);
create index person_telephone_idx on directory.person (telephone);
create index expert_telephone_idx on directory.expert (telephone);

-- What two spellings of one name have in common, of organizations and of people: as before, and hyphens and quotation marks of every
-- width are blanks, invisible signs are nothing, and marks that stand apart from their letters are one with them. Not strict, as it
-- would not be inlined then; null has no key.
create or replace function directory.name_key(value text) returns text
    language sql immutable parallel safe
    return left(trim(regexp_replace(
        directory.folded(case
            when octet_length(value) = length(value) then value
            else regexp_replace(
                normalize(value, nfkc), '[\u00AD\u034F\u180E\u200B-\u200F\u2060-\u2064\uFE00-\uFE0F\uFEFF]', '', 'g')
            end),
        '[\s!-/:-@\[-`{-~\u00A0\u202F]+', ' ', 'g')), 120);

-- Its indexes and the column that rests on it, anew.
reindex index directory.organization_name_key_idx;
reindex index directory.organization_place_idx;
reindex index directory.organization_import_idx;
reindex index directory.person_name_key_idx;
update directory.expert set name = name where name_key <> directory.name_key(name);

drop index directory.person_swapped_idx;
create index person_swapped_idx on directory.person (directory.name_key(given_name || ' ' || family_name));
