-- Experts who left, by their place: few of a few. Otherwise all who left and all who are there would be intersected.
create index expert_left_place_idx on directory.expert using gin ((array[departement])) where left_on is not null;
