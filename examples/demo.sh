#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What grouper is for: a test suite that passes and leaves processes behind,
# run plainly and then under grouper.  Survivors are looked for in /proc by a
# mark in their environment, so nothing here trusts grouper's own word.
#
# usage: demo.sh (by make demo), or GROUPER=/path/to/grouper demo.sh
# Ends with 0 if the first run left three processes and the second none.

set -eu

grouper=${GROUPER:-grouper}
mark=GROUPER_DEMO=$$
dir=$(mktemp -d)

# The living processes that were started with the mark.  This shell and what
# it runs itself do not have it; zombies have no environment.
survivors() {
	for entry in /proc/[0-9]*; do
		if tr '\0' '\n' <"$entry/environ" | grep -qx "$mark"; then
			echo "${entry#/proc/}"
		fi
	done 2>/dev/null
}

show() {
	for pid; do
		# After the name: state, parent, process group, session.
		sed 's/.*) . \([0-9]*\) [0-9]* \([0-9]*\).*/\1 \2/' \
		    "/proc/$pid/stat" | {
			read -r parent session
			printf '    pid %-7s parent %-7s session %-7s %s\n' \
			    "$pid" "$parent" "$session" \
			    "$(tr '\0' ' ' <"/proc/$pid/cmdline")"
		}
	done
}

end_survivors() {
	for pid in $(survivors); do
		kill -KILL "$pid" 2>/dev/null || :
	done
}
trap 'end_survivors; rm -rf "$dir"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

# The suite: three tests, each of which passes and leaves a process.
# One each: a reader may still meet the end of the writer before.
mkfifo "$dir/daemon.up" "$dir/worker.up"
cat >"$dir/Makefile" <<'END'
check:
	@sh ./server.sh && echo "    PASS: server"
	@sh ./daemon.sh && echo "    PASS: daemon"
	@sh ./worker.sh && echo "    PASS: worker"
END
cat >"$dir/server.sh" <<'END'
# A server in the background that nobody stops.
sleep 301 &
END
cat >"$dir/daemon.sh" <<'END'
# A daemon: it has a session of its own.
setsid sh -c 'echo up >daemon.up; exec sleep 302' &
read -r up <daemon.up
END
cat >"$dir/worker.sh" <<'END'
# A double fork: the parent between is gone at once.
(setsid sh -c '(sleep 303 &); echo up >worker.up' &)
read -r up <worker.up
END

# sh needs a moment to become the daemon's sleep.
settle() {
	for try in 1 2 3 4 5 6 7 8 9 10; do
		names=$(for pid in $(survivors); do
			cat "/proc/$pid/comm"
		done 2>/dev/null | tr '\n' ' ')
		[ "$names" = "sleep sleep sleep " ] && return
		sleep "0.0$try"
	done
}

echo "1. A test run as usual: make check"
echo
env "$mark" make -s -C "$dir" check
settle
# The list becomes $1, $2, ...
# shellcheck disable=SC2046
set -- $(survivors)
before=$#
echo
echo "It passed, and left $before processes behind:"
show "$@"
end_survivors
echo "They were ended now, one by one."

echo
echo "2. The same under grouper:" \
    "grouper run --leaks=warn --report -- make check"
echo
status=0
env "$mark" "$grouper" run --leaks=warn --report -- \
    make -s -C "$dir" check || status=$?
# shellcheck disable=SC2046
set -- $(survivors)
echo
echo "It ended with status $status, and left $# processes behind."
show "$@"

[ "$before" -eq 3 ] && [ "$status" -eq 0 ] && [ "$#" -eq 0 ]
