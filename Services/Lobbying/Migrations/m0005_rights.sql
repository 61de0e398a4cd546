-- Nothing that the feed still brings makes somebody known again who was erased.
alter table guest add column erased boolean not null default false;
