#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Two test runs side by side use the same names, topics and settings, and
# never meet: each run is a host of its own.
#
# usage: two_runs.sh

set -eu

grouper=${GROUPER:-grouper}

case ${1-} in
inside)
	"$grouper" register database || exit 1
	"$grouper" config put port "$2"
	# shellcheck disable=SC2016 # for the reader to expand
	"$grouper" spawn --quiet --key reader --topic 'test:*' -- sh -c '
		read -r _ _ topic event _ _ <&8
		read -r payload <&8
		echo "run $0: $topic: $event $payload"' "$2"
	"$grouper" publish test:case passed "$2"
	"$grouper" wait reader
	[ "$("$grouper" whereis database)" -eq $$ ]
	[ "$("$grouper" config get port)" = "$2" ]
	;;
*)
	"$grouper" run -- sh "$0" inside 1 &
	"$grouper" run -- sh "$0" inside 2
	wait $!
	;;
esac
