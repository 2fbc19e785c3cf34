#!/bin/sh
# PostgreSQL in a folder: version, prepare, run. It refuses to run as root, and so becomes the user that its package has.
set -eu
folder=$1
bin=$(ls -d /usr/lib/postgresql/*/bin | sort -V | tail -n 1)
as() {
    if [ "$(id -u)" = 0 ]; then
        set -- setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig KILL -- "$@"
    fi
    "$@"
}
case $2 in
version)
    "$bin/postgres" --version
    ;;
prepare)
    if [ "$(id -u)" = 0 ]; then
        chown -R postgres: "$folder"
    fi
    as "$bin/initdb" --no-sync --auth=trust --username=reqmtls -D "$folder/data"
    ;;
run)
    if [ "$(id -u)" = 0 ]; then
        exec setpriv --reuid=postgres --regid=postgres --clear-groups --pdeathsig KILL -- \
            "$bin/postgres" -D "$folder/data" -c config_file="$folder/postgresql.conf"
    fi
    exec "$bin/postgres" -D "$folder/data" -c config_file="$folder/postgresql.conf"
    ;;
esac
