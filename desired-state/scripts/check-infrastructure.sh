#!/bin/sh
# The old health check under its old name: mends watchme-network and its members.
# Exit status: that of watchme-apply drift (0 in sync, 2 differences found).
set -eu
[ $# -eq 0 ] || { echo "usage: ${0##*/} (takes no arguments)" >&2; exit 64; }
PATH=$PATH:/usr/local/bin
cd "$(dirname "$(readlink -f "$0")")/.."
exec watchme-apply drift --only network --fix
