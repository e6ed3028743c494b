#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The entrypoint of examples/container, as process 1 of a pid namespace: it
# ends with the command, whatever that left, and passes a signal on.
#
# Run by make check, which sets srcdir and GROUPER.

set -eu
LC_ALL=C
export LC_ALL

: "${srcdir:=.}" "${GROUPER:=./grouper}"

entrypoint=$(sed -n 's/^ENTRYPOINT \[\(.*\)\]$/\1/p' \
    "$srcdir/examples/container/Containerfile" | tr -d '",')
PATH=$(dirname "$GROUPER"):$PATH
export PATH

map=
[ "$(id -u)" = 0 ] || map=-Ur
# shellcheck disable=SC2086 # a list of words, as all below
if ! unshare $map -pf --mount-proc true 2>/dev/null; then
	echo "skipped: no pid namespaces here"
	exit 77
fi

failed=0

# as_first TEXT STATUS SCRIPT: what the script prints, and how it ends.
as_first() {
	status=0
	# shellcheck disable=SC2086
	said=$(timeout 60 unshare $map -pf --mount-proc --kill-child \
	    $entrypoint sh -c "$3") || status=$?
	if [ "$said" = "$1" ] && [ "$status" -eq "$2" ]; then
		echo "ok: $1"
	else
		echo "FAIL: '$said', not '$1'; status $status, not $2"
		failed=1
	fi
}

# shellcheck disable=SC2016 # for that shell to expand
as_first "process 1 is grouper" 3 'sleep 300 & setsid sleep 300 &
    echo "process 1 is $(cat /proc/1/comm)"; exit 3'
as_first "asked to end" 5 'trap "echo asked to end; exit 5" TERM
    kill -TERM 1; while :; do sleep 1; done'

exit "$failed"
