-- Text: extensions, how names are folded, compared, sorted and searched, and how times are written.
-- Everything is in this schema and is written with its name, so that it means the same under every search path.

-- All of these are trusted: the owner of the database may create them.
create extension if not exists btree_gin with schema directory;
create extension if not exists btree_gist with schema directory;
create extension if not exists fuzzystrmatch with schema directory;
create extension if not exists pg_trgm with schema directory;
create extension if not exists unaccent with schema directory;

-- Folding -----------------------------------------------------------------------------------------

-- unaccent is declared stable, only because its dictionary can be changed. This one is never changed, so generated
-- columns may depend on it.
create function directory.folded(value text) returns text
    language sql immutable strict parallel safe
    return lower(directory.unaccent('directory.unaccent'::regdictionary, value));

create function directory.folded_all(value text[]) returns text[]
    language sql immutable strict parallel safe
    return array(select directory.folded(item) from unnest(value) with ordinality as t (item, place) order by place);

-- People write "St-Étienne" and "Saint-Étienne", "Ste Foy" and "Sainte-Foy". Both are one in text that is searched, on
-- both sides: in what is searched and in what is typed. Takes text that is folded already. Not a function call for each
-- row, as it is inlined into the statement that calls it.
create function directory.saints(folded text) returns text
    language sql immutable strict parallel safe
    return regexp_replace(folded, '\mst(e?s?)\M', 'saint\1', 'g');

-- The only function that folds text for a search.
create function directory.searched(value text) returns text
    language sql immutable strict parallel safe
    return directory.saints(directory.folded(value));

-- What lists are sorted by; short enough for an index and a cursor.
create function directory.sort_key(value text) returns text
    language sql immutable strict parallel safe
    return left(directory.folded(value), 120);

-- Lines -------------------------------------------------------------------------------------------

-- A text without invisible characters: controls, formats, tags, fillers, variation selectors, private use,
-- noncharacters, the blank Braille pattern, and the replacements for objects. Exactly the characters for which
-- `Unicode.Scalar.isInvisible` of the protocol is true. Blanks are kept.
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

-- What `Line` of the protocol makes of a text: no soft hyphens and the like, no spaces at the ends, and no two spaces
-- in a row; a no-break space is kept if it is the only one. Null if only spaces and invisible characters are left.
create function directory.line(value text) returns text
    language sql immutable strict parallel safe
    return (
        select case
            when directory.without_invisible(kept) ~ '[^\s\u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]' then kept end
        from (values (
            regexp_replace(regexp_replace(regexp_replace(regexp_replace(
                regexp_replace(value, '[\u00AD\u200B\u2060\uFEFF]', '', 'g'),
                '[ \u00A0\u1680\u2000-\u200A\u202F\u205F\u3000]{2,}|[\u1680\u2000-\u200A\u205F\u3000]', ' ', 'g'),
                '^[ \u00A0\u202F\u200C\u200D]+|[ \u00A0\u202F\u200C\u200D]+$', '', 'g'),
                '[\u200C\u200D]+([ \u00A0\u202F])', '\1', 'g'),
                '([ \u00A0\u202F])[\u200C\u200D]+', '\1', 'g'))) as folded (kept));

-- Keys: what two spellings of one name have in common ---------------------------------------------

-- "L'Atelier  Numérique" and "l atelier numerique" have one key. Punctuation of every width becomes a space; letters of
-- other scripts are kept. Invisible characters are removed first, so that a combining mark is joined with its letter.
-- Not strict, because a strict function would not be inlined; null has no key.
create function directory.name_key(value text) returns text
    language sql immutable parallel safe
    return left(trim(regexp_replace(
        directory.folded(case
            when octet_length(value) = length(value) then value
            else normalize(directory.without_invisible(value), nfkc) end),
        '[\s!-/:-@\[-`{-~\u00A0\u202F]+', ' ', 'g')), 120);

-- The name of a firm as its bank writes it: without the words for its legal form, which one of two spellings omits.
create function directory.payer_key(value text) returns text
    language sql immutable strict parallel safe
    return trim(regexp_replace(
        regexp_replace(
            directory.name_key(value),
            '\m(sa|sas|sasu|sarl|eurl|sci|scp|scop|scic|selarl|snc|gie|ei|eirl|asso|association|ste|societe|ets'
            '|etablissements?|m|mme|mlle|monsieur|madame)\M',
            ' ', 'g'),
        '\s+', ' ', 'g'));

-- Search ------------------------------------------------------------------------------------------

-- French stems of words without accents.
create text search configuration directory.french_folded (copy = pg_catalog.french);
alter text search configuration directory.french_folded
    alter mapping for hword, hword_part, word with directory.unaccent, french_stem;

-- The same for names, with French stop words included: a firm's whole name may be one ("Aura").
create text search dictionary directory.french_words (template = pg_catalog.snowball, language = french);
create text search configuration directory.expert_words (copy = directory.french_folded);
alter text search configuration directory.expert_words alter mapping replace french_stem with directory.french_words;

-- PostgreSQL's search parser fails at 32 negations that wait for a word (`STACKDEPTH` in tsquery.c), and folding turns
-- dashes of every width into negation signs: so they are counted after folding. The first sixteen are kept, more than
-- people write; the others become spaces.
create function directory.with_few_exclusions(words text) returns text
    language sql immutable strict parallel safe
    return substring(words from '^(?:[^-]*-){0,16}')
        || translate(regexp_replace(words, '^(?:[^-]*-){0,16}', ''), '-', ' ');

-- What was typed into a search, as a query. A negation without a word after it has no effect.
create function directory.search_query(typed text) returns tsquery
    language sql immutable strict parallel safe
    return websearch_to_tsquery('directory.french_folded'::regconfig, directory.with_few_exclusions(
        regexp_replace(directory.searched(typed), '-(?![^\s-])', ' ', 'g')));

-- Lists -------------------------------------------------------------------------------------------

-- A list without repetitions; the first occurrence counts.
create function directory.each_once(list text[]) returns text[]
    language sql immutable strict parallel safe
    return array(
        select value from unnest(list) with ordinality as each (value, place) group by value order by min(place));

-- Time --------------------------------------------------------------------------------------------

-- The present day in Paris, from which all days of the club are counted.
create function directory.today() returns date
    language sql stable parallel safe
    return (now() at time zone 'Europe/Paris')::date;

-- A time in the format of the API.
create function directory.rfc3339(at timestamptz) returns text
    language sql stable parallel safe
    return to_char(at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
