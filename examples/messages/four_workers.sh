#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Four workers wait for a broadcast that starts them, and the script ends with
# the first failure among them; what is left of the others is stopped then.
#
# usage: four_workers.sh [WHICH]
# The worker of that number fails with that status; without it, or with 0,
# none does and the script ends with 0.

set -eu

grouper=${GROUPER:-grouper}

# A worker reads its pipe: a line "E SEQ TOPIC EVENT FROM LENGTH", then the
# payload, which is one line here.  See "PIPES" in grouper-protocol(7).
work() {
	while read -r letter _ topic event _ _ <&8; do
		[ "$letter" = E ] || continue
		read -r payload <&8
		[ "$event" = start ] || continue
		echo "worker $1: $topic: $event $payload"
		[ "$1" -ne "$2" ] || exit "$1"
		[ "$2" -eq 0 ] || sleep 300
		exit 0
	done
	exit 1 # the host has gone
}

case ${1-} in
worker)
	work "$2" "$3"
	;;
inside)
	which=$2
	;;
*)
	# A host of its own, which ends with this script's status.
	exec "$grouper" run -- sh "$0" inside "${1:-0}"
	;;
esac

"$grouper" topics create team
for n in 1 2 3 4; do
	"$grouper" topics add team "room:$n"
	# What --topic subscribes to holds before the command runs, so that
	# nobody misses the broadcast.
	"$grouper" spawn --quiet --key "worker-$n" --topic "room:$n" -- \
	    sh "$0" worker "$n" "$which"
done
"$grouper" broadcast --require team start '{"size": 10}'
exec "$grouper" wait worker-1 worker-2 worker-3 worker-4
