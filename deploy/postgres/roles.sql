-- Roles and database of the club. Run by a superuser on a new cluster; safe to run again.
-- psql variables: migrator_password, and one <service>_password each.
-- The migration role owns the database and so may create schemas and trusted extensions; a running service can only
-- log in, and gets from its own migrations what it may do in its own schema.
select format('create role %I login', name)
from unnest(array['migrator', 'directory', 'events', 'content', 'lobbying']) as name
where not exists (select from pg_roles where rolname = name) \gexec

alter role migrator password :'migrator_password';
alter role directory password :'directory_password';
alter role events password :'events_password';
alter role content password :'content_password';
alter role lobbying password :'lobbying_password';

select 'create database club owner migrator encoding ''UTF8'' template template0'
where not exists (select from pg_database where datname = 'club') \gexec

revoke all on database club from public;
grant connect on database club to directory, events, content, lobbying;
\connect club
revoke all on schema public from public;
