#!/bin/sh
# Does what the entry of PostgreSQL's image does: makes a database in an empty volume, and runs PostgreSQL as its own user.
set -eu

: "${PGDATA:=/var/lib/postgresql/data}" "${POSTGRES_USER:=postgres}" "${POSTGRES_DB:=$POSTGRES_USER}"
export PGDATA

if [ "$(id -u)" = 0 ]; then
    mkdir -p "$PGDATA" /var/run/postgresql
    chown 999:999 "$PGDATA" /var/run/postgresql
    chmod 0700 "$PGDATA"
    exec setpriv --reuid 999 --regid 999 --clear-groups "$0" "$@"
fi

if [ "${1:-}" = postgres ] && [ ! -s "$PGDATA/PG_VERSION" ]; then
    if [ -n "${POSTGRES_PASSWORD_FILE:-}" ]; then
        POSTGRES_PASSWORD=$(cat "$POSTGRES_PASSWORD_FILE")
    fi
    [ -n "${POSTGRES_PASSWORD:-}" ] || {
        echo "Error: Database is uninitialized and superuser password is not specified." >&2
        exit 1
    }
    # In memory: the superuser's password is in the data as a hash only.
    umask 077
    printf '%s\n' "$POSTGRES_PASSWORD" >/dev/shm/password
    # --no-sync: tests kill no machine.
    initdb -U "$POSTGRES_USER" --pwfile=/dev/shm/password --auth-local=trust --auth-host=scram-sha-256 \
        --encoding=UTF8 --locale=C.UTF-8 --no-sync
    rm /dev/shm/password
    printf "listen_addresses = '*'\njit = off\n" >>"$PGDATA/postgresql.conf"
    echo 'host all all all scram-sha-256' >>"$PGDATA/pg_hba.conf"
    [ "$POSTGRES_DB" = postgres ] || echo "CREATE DATABASE \"$POSTGRES_DB\"" | postgres --single -j postgres
fi
unset POSTGRES_PASSWORD
exec "$@"
