#!/bin/sh
# Starts PostgreSQL; the first time it makes the cluster, the role `greenroom` and its database.
set -eu
umask 077

data=/var/lib/postgresql/data/15
fresh=/var/lib/postgresql/data/unfinished

if [ ! -d "$data" ]; then
    rm -rf "$fresh"
    initdb --pgdata="$fresh" --username=postgres --encoding=UTF8 --locale=C.UTF-8 --data-checksums \
        --auth-local=peer --auth-host=reject > /dev/null
    # The first line that fits decides, so these replace what initdb wrote: the administrator from inside the
    # container, the service with its password, nobody else.
    printf '%s\n' 'local all postgres peer' 'host greenroom greenroom all scram-sha-256' > "$fresh/pg_hba.conf"
    password=$(sed "s/'/''/g" /run/secrets/postgres_password)
    # Without a server, so that nobody can connect to a half-made one.
    postgres --single -j -D "$fresh" postgres > /dev/null <<END
CREATE ROLE greenroom LOGIN PASSWORD '$password';

CREATE DATABASE greenroom OWNER greenroom;

END
    # The name says that it is finished: a crash before this line leaves nothing that a start would take.
    mv "$fresh" "$data"
fi

exec postgres -D "$data" -c listen_addresses='*' -c unix_socket_directories=/tmp -c timezone=UTC
