#!/bin/sh
# Does what the entry of Redis' image does: runs Redis as its own user.
set -eu

# A configuration or options alone are for redis-server.
case ${1:-} in
    *.conf | -*) set -- redis-server "$@" ;;
esac
if [ "$1" = redis-server ] && [ "$(id -u)" = 0 ]; then
    chown 999:999 .
    exec setpriv --reuid 999 --regid 999 --clear-groups "$0" "$@"
fi
exec "$@"
