-- Searches of one département together with words, topics and brands find what answers to all of them in one index.
create extension if not exists btree_gin with schema directory;
drop index directory.expert_filter_idx;
create index expert_filter_idx on directory.expert using gin (search, topics, brand_keys, departements, departement);
