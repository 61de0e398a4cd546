-- What somebody types into a search, as PostgreSQL looks for it. Its reader of searches gives up at 32 signs of exclusion that wait for
-- a word (`STACKDEPTH` in tsquery.c), and folding makes such signs of dashes of every width: so they are counted after it.

-- With as many signs of exclusion as people write, the first of them; the others are blanks.
create function directory.with_few_exclusions(words text) returns text
    language sql immutable strict parallel safe
    return substring(words from '^(?:[^-]*-){0,16}')
        || translate(regexp_replace(words, '^(?:[^-]*-){0,16}', ''), '-', ' ');

-- A sign of exclusion that stands before no word excludes nothing.
create function directory.search_query(typed text) returns tsquery
    language sql immutable strict parallel safe
    return websearch_to_tsquery('directory.french_folded'::regconfig, directory.with_few_exclusions(
        regexp_replace(directory.searched(typed), '-(?![^\s-])', ' ', 'g')));
