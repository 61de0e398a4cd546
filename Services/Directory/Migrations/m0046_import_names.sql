-- What a row of an import that has one cell for names says of somebody who has two.

-- The family name that a cell without a given name says of somebody; null where it is somebody else. A cell of several words holds a whole
-- name, whatever its column is called:
-- 1. the family name says what it says, in another spelling perhaps;
-- 2. the given name, or both in either order, say nothing new;
-- 3. another single word is another family name: somebody has married;
-- 4. of several words the given name stands first or last, and the rest is another family name;
-- 5. any other several words are somebody else's, whom the family name alone does not make the same: two share a mailbox.
create function directory.family_name_said(said text, given text, family text) returns text
    language sql immutable parallel safe
    return case
        when directory.name_key(said) = directory.name_key(family) then said
        when directory.name_key(said) in (
            directory.name_key(given), directory.name_key(given || ' ' || family),
            directory.name_key(family || ' ' || given)) then family
        when said !~ '[ \u00A0\u202F]' then said
        else (
            select case
                when directory.name_key(array_to_string(words[:cut], ' ')) = directory.name_key(given)
                    then array_to_string(words[cut + 1:], ' ')
                else array_to_string(words[:cut], ' ') end
            from regexp_split_to_array(said, '[ \u00A0\u202F]') as words
                cross join generate_series(1, cardinality(words) - 1) as cut
                cross join cardinality(string_to_array(directory.name_key(given), ' ')) as longest
            -- As written a given name has not more words than its key, where hyphens are blanks.
            where (cut <= longest or cut >= cardinality(words) - longest)
                and directory.name_key(given) in (
                    directory.name_key(array_to_string(words[:cut], ' ')),
                    directory.name_key(array_to_string(words[cut + 1:], ' ')))
            order by cut limit 1)
    end;
