#!/usr/bin/env bash
# Runs once, when the PostgreSQL container creates its cluster: creates the roles with the passwords from the secrets.
set -euo pipefail
{
  for name in migrator directory events content lobbying; do
    printf "\\\\set %s_password '%s'\n" "$name" "$(< "/run/secrets/$name.password")"
  done
  cat /docker-entrypoint-initdb.d/roles/roles.sql
} | psql --no-psqlrc --no-password -q -v ON_ERROR_STOP=1 --username="$POSTGRES_USER" --dbname="$POSTGRES_DB"
