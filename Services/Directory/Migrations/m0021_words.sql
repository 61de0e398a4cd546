-- Names are searched by the words that people see in them: "web/print", "Skyminds.net" and "Créa3D" are no paths, hosts and
-- numbers. Words that French says in every sentence are kept, for a firm may be called nothing else ("Aura").
create text search dictionary directory.french_words (template = pg_catalog.snowball, language = french);
create text search configuration directory.expert_words (copy = directory.french_folded);
alter text search configuration directory.expert_words alter mapping replace french_stem with directory.french_words;

drop index directory.expert_filter_idx;
alter table directory.expert drop column search;
alter table directory.expert add column search tsvector not null generated always as (
    to_tsvector(
        'directory.expert_words'::regconfig,
        regexp_replace(directory.folded(name || ' ' || commune), '[^[:alnum:]]+', ' ', 'g'))) stored;

-- Searches of a région together with words, topics and brands are one scan of the index, as `= any` would be one for each
-- département.
create index expert_filter_idx on directory.expert
    using gin (search, topics, brand_keys, departements, departement, (array[departement]));

-- Whether an expert who stands in the public directory has the word: whom only such are shown has no use for the others.
-- All words are read again.
alter table directory.expert_word add column published boolean not null default false;
update directory.expert_word_progress set through = '-infinity';
