-- Searches over a million experts.

-- Words, topics, brands and places served in one index: what answers to several of them is found without a list of all that
-- answer to one. In place of an index for each.
create index expert_filter_idx on directory.expert using gin (search, topics, brand_keys, departements);
drop index directory.expert_search_idx, directory.expert_topics_idx, directory.expert_brands_idx,
    directory.expert_departements_idx;

-- Those of the public directory by name, and how many they are: of a condition on jsonb the planner knows nothing.
create index expert_published_idx on directory.expert (sort_key, id)
    where (consents @> '{"publicDirectory": {"agreed": true}}') is true and left_on is null;
create statistics directory.expert_published on ((consents @> '{"publicDirectory": {"agreed": true}}'))
    from directory.expert;
