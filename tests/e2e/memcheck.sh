#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The command under valgrind, with all that it forks: hosts, leaders, members
# up to their exec, and clients.  For make check-memcheck, which gives GROUPER,
# a dynamically linked one without sanitizers.  A scenario fails if its status
# is not the one that it must have, or if any process touched what it may not,
# used what it never set, or lost memory.  valgrind up to 3.20 knows no pidfds,
# so that what does without them is tried as well.

set -u

: "${GROUPER:=./grouper}"

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 130' INT TERM HUP
mkdir "$work/run" "$work/log"
unset GROUPER_SOCKET GROUPER_HOST
export GROUPER_RUNTIME_DIR="$work/run"

# Programs are started by this name: grouper under valgrind.
cat >"$work/grouper" <<END
#!/bin/sh
exec valgrind --quiet --trace-children=no --leak-check=full \\
    --errors-for-leak-kinds=definite --child-silent-after-fork=no \\
    --suppressions=$work/suppressions --log-file=$work/log/%p "$GROUPER" "\$@"
END
chmod +x "$work/grouper"
# waitid(2) takes NULL where nothing is to be told, which valgrind does not know.
cat >"$work/suppressions" <<END
{
	waitid
	Memcheck:Param
	waitid(infop)
	fun:waitid
}
END
PATH=$work:$PATH
failed=0

# scenario NAME STATUS COMMAND...
scenario() {
	name=$1
	wanted=$2
	shift 2
	timeout -k 10 300 "$@" >"$work/out" 2>&1
	status=$?
	# Lines with -- are of calls that valgrind does not know.
	text=$(cat "$work"/log/* 2>/dev/null | grep -v '^--')
	rm -f "$work"/log/*
	if [ "$status" = "$wanted" ] && [ -z "$text" ]; then
		echo "PASS: $name"
		return
	fi
	failed=$((failed + 1))
	echo "FAIL: $name: status $status, not $wanted"
	cat "$work/out"
	echo "$text"
}

# A host of a tree that is asked much, and then told to stop.
cat >"$work/tree.yaml" <<END
name: tree
intensity: 100
topic_groups: {team: [room:a, room:b]}
config: {version: 1}
children:
  - {id: db, ready: fd:3, shell: 'echo up; echo >&3; exec sleep 1000'}
  - {id: noted, ready: {exec: ["true"]}, command: [sleep, '1000']}
  - {id: w, instances: 2, command: [sleep, '1000'], restart: transient,
     log: {file: "$work/w.log", max_size: 10K}}
  - {id: hears, topics: ['room:*'], shell: 'exec cat <&8 >>$work/heard'}
  - {id: hup, topics: [room:a], on_event: {reload: HUP},
     command: [sleep, '1000']}
  - id: below
    supervisor:
      strategy: one_for_all
      children:
        - {id: a, command: [sleep, '1000']}
        - {id: b, command: [sleep, '1000'], start_pre: ["true"]}
END

# host SCRIPT: supervises the tree while the script asks.
cat >"$work/host" <<END
#!/bin/sh
grouper supervise "$work/tree.yaml" &
host=\$!
until grouper wait --ready --timeout 60s ''; do
	sleep 0.2
done
(set -eu; eval "\$1")
status=\$?
kill -TERM \$host
wait \$host || exit
exit \$status
END
chmod +x "$work/host"

scenario "a command that ends well" 0 grouper run -- true
scenario "a command's status" 3 grouper run -- sh -c 'exit 3'
scenario "a command that a signal ends" 143 grouper run -- sh -c 'kill $$'
scenario "no command" 127 grouper run -- "$work/none"
scenario "a time limit" 124 grouper run --timeout 2s -- sleep 1000
scenario "what a command leaves" 0 grouper run --shutdown 'TERM 100ms, KILL' \
    -- sh -c 'trap "" TERM; setsid sleep 1000 & exit 0'
scenario "a report" 0 grouper run --report=json --tmpdir -- sh -c 'echo x'
scenario "a terminal" 0 grouper run --pty -- sh -c 'test -t 0'
scenario "an unknown option" 125 grouper run --no-such -- true
# shellcheck disable=SC2016 # for the command to expand
scenario "groups spawned under run" 7 grouper run -- sh -c '
	grouper spawn --key a -- sh -c "exit 7"
	grouper spawn --key b --restart permanent --messages -- sleep 1000
	grouper status --json
	grouper wait --timeout 60s a'
# shellcheck disable=SC2016
scenario "messages under run" 0 grouper run --topic room -- sh -c '
	printf "S hall\n" >&9
	read -r letter pattern <&8 && test "$letter $pattern" = "R hall"
	grouper publish hall said hello
	read -r letter seq topic event from length <&8
	test "$letter $topic $length" = "E hall 5"'
scenario "a tree that is looked at" 0 "$work/host" '
	grouper status; grouper status --json; grouper ps; grouper hosts
	grouper logs --lines 5 db; grouper events --since 1 --no-follow --json
	grouper topics list; grouper presence room:a; grouper ident || true
	grouper plan '"$work"'/tree.yaml || true'
scenario "a tree that is changed" 0 "$work/host" '
	grouper restart db; grouper scale 3 w; grouper scale 1 w
	grouper stop below; grouper start below
	grouper signal KILL w:1; grouper wait --ready --timeout 60s w
	echo "  - {id: new, command: [sleep, 1000]}" >>'"$work"'/tree.yaml
	grouper reload; grouper stop new; grouper delete new
	grouper spawn --key s --supervisor below -- sleep 1000'
# shellcheck disable=SC2016
scenario "messages in a tree" 0 "$work/host" '
	grouper listen --count 2 "room:*" >'"$work"'/listened & listener=$!
	until grouper presence --json room:c | grep -q "[1-9]"; do sleep 0.1; done
	grouper topics create more; grouper topics add more room:b x
	grouper publish room:a said hello; grouper broadcast team said all
	grouper config put key 1; grouper config get key; grouper config list
	# By pidfds.
	grouper register name || true; grouper whereis name || true
	grouper publish room:a reload; grouper topics delete more
	wait $listener || true'
# shellcheck disable=SC2016
scenario "a leader that is killed" 120 grouper run -- \
    sh -c 'kill -KILL $PPID; sleep 1000'
scenario "a PID namespace" 4 grouper run --contain pidns -- sh -c 'exit 4'
scenario "files that are checked" 0 grouper check "$work/tree.yaml"
scenario "a file that is wrong" 1 grouper check "$0"
scenario "what a machine can" 0 grouper doctor

[ "$failed" -eq 0 ]
