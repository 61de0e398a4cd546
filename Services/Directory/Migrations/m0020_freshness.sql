-- Searches by freshness find those who left, too, unless they are told not to.
drop index directory.ambassador_confirmed_idx, directory.expert_confirmed_idx;
create index ambassador_confirmed_idx on directory.ambassador (confirmed_at, id);
create index expert_confirmed_idx on directory.expert (confirmed_at, id);
