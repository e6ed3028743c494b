#!/bin/sh
# SPDX-License-Identifier: ISC
#
# A worker that subscribes by itself and a script that then publishes, or
# broadcasts to a topic group, never miss each other: the worker writes its S to
# the pipe and then says that it is ready, so whoever was told that it is
# publishes after the S.  No wait but for these.
#
# Run by make check, which sets GROUPER; MEETINGS is how often (30).

set -eu

: "${GROUPER:=./grouper}" "${MEETINGS:=30}"

if [ "${1-}" = inside ]; then
	"$GROUPER" topics create team
	n=0
	while [ "$n" -lt "$MEETINGS" ]; do
		n=$((n + 1))
		# shellcheck disable=SC2016 # for the worker to expand
		"$GROUPER" spawn -q --key "w-$n" --ready fd:3 --messages -- sh -c '
			printf "S room:%s\n" "$0" >&9
			echo >&3
			while read -r letter _ topic event _ _ <&8; do
				[ "$letter" = E ] || continue
				read -r payload <&8
				[ "$topic $event $payload" = "room:$0 go $0" ]
				exit
			done
			exit 9' "$n"
		"$GROUPER" wait --ready "w-$n"
		if [ $((n % 2)) -eq 0 ]; then
			"$GROUPER" publish "room:$n" go "$n"
		else
			"$GROUPER" topics add team "room:$n"
			"$GROUPER" broadcast --require team go "$n"
			"$GROUPER" topics remove team "room:$n"
		fi
		"$GROUPER" wait --timeout 30s "w-$n" || {
			echo "FAIL: meeting $n: status $?"
			exit 1
		}
	done
	exit 0
fi

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset GROUPER_SOCKET
export GROUPER MEETINGS GROUPER_RUNTIME_DIR="$work"
"$GROUPER" run -- sh "$0" inside
echo "PASS: met $MEETINGS times"
