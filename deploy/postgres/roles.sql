-- The club's roles and database. Run by a superuser on a new cluster; safe to run again.
-- psql variables: migrator_password, and one <service>_password each.
-- The migration role owns the database and so may create schemas and trusted extensions; the role of a running service
-- can only log in, and its own migrations grant its rights in its own schema.
select format('create role %I login', name)
from unnest(array['migrator', 'directory', 'events', 'content', 'lobbying']) as name
where not exists (select from pg_roles where rolname = name) \gexec

alter role migrator password :'migrator_password';
alter role directory password :'directory_password';
alter role events password :'events_password';
alter role content password :'content_password';
alter role lobbying password :'lobbying_password';

-- The server's log must not contain rows, keys and statements: they are about people, and no erasure reaches the log. For
-- an error it gets only the message; the services log the rest themselves, without values.
select format('alter role %I set %I = %L', name, setting, value)
from unnest(array['migrator', 'directory', 'events', 'content', 'lobbying']) as name
    cross join (values
        ('log_error_verbosity', 'terse'), ('log_min_error_statement', 'panic'), ('log_statement', 'none'),
        ('log_min_duration_statement', '-1'), ('log_parameter_max_length_on_error', '0')) as quiet (setting, value) \gexec

select 'create database club owner migrator encoding ''UTF8'' template template0'
where not exists (select from pg_database where datname = 'club') \gexec

revoke all on database club from public;
grant connect on database club to directory, events, content, lobbying;
\connect club
revoke all on schema public from public;
