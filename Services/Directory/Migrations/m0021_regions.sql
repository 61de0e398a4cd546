-- Searches of a région together with words, topics and brands are one scan of the index, as `= any` would be one for each
-- département. What a région is made of is told by a function, of which the planner asks the value before it chooses.
create function directory.departements_of(region text) returns text[]
    language sql stable strict parallel safe
    return array(select code from directory.departement where departement.region = departements_of.region);
drop index directory.expert_filter_idx;
create index expert_filter_idx on directory.expert
    using gin (search, topics, brand_keys, departements, departement, (array[departement]));
