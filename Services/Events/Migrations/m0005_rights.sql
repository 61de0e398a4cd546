-- Nothing that the feed still brings makes somebody known again who was erased.
alter table member add column erased boolean not null default false;

-- A registration whose person is forgotten keeps its seat, its state and its organization; its `person` is a number of chance.
alter table registration add column forgotten boolean not null default false;

insert into retention_rule (code, months) values ('registrations', 36);
