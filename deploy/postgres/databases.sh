#!/bin/sh
# Gives Mattermost and the bridge a role, a database and a password each. A password is only in PostgreSQL and in the
# volume of the program that needs it. It can be repeated: what works stays.
set -eu
umask 077

admin() {
  psql --no-psqlrc --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 --username postgres --dbname postgres "$@"
}

for name in mattermost bridge; do
  file="/run/databases/$name/pgpass"
  set_before=$(admin --set name="$name" <<'SQL'
select 1 from pg_authid where rolname = :'name' and rolpassword is not null
SQL
  )
  if [ "$set_before" ] && [ -e "$file" ]; then
    continue
  fi
  # Without the file whoever dies from here on begins again.
  rm -f "$file" "$file.new"
  password=$(head -c 32 /dev/urandom | base64 | tr -d '\n+/=')
  echo "*:*:$name:$name:$password" > "$file.new"
  # Both programs run as 2000, and read only a file of their own.
  chown 2000:2000 "$file.new"
  # The password comes through standard input: arguments can be read by other processes.
  admin --set name="$name" <<SQL
\set password '$password'
select format('create role %I login', :'name')
where not exists (select from pg_roles where rolname = :'name') \gexec
alter role :"name" login password :'password';
select format('create database %I owner %I', :'name', :'name')
where not exists (select from pg_database where datname = :'name') \gexec
SQL
  mv "$file.new" "$file"
done
