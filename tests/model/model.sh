#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The model of a host and its leaders, checked by spin in every setting below:
# what is promised holds, what is not promised is broken as it is known to be,
# and each mutant, an error put into the model, is found.  At the end each row
# of the tables must have been gone through by a setting that holds.
#
# Run by make check and make check-model, which set srcdir and CC.

set -u
LC_ALL=C
export LC_ALL

: "${srcdir:=.}" "${CC:=cc}"

for program in spin "${CC##* }"; do
	command -v "$program" >/dev/null || {
		echo "skipped: no $program"
		exit 77
	}
done

model=$(cd "$srcdir/tests/model" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
failed=0
begun=$(date +%s)

# What an expected violation says: text of the assertion in group.pml.
twice='assertion violated (x==[234])'
unguarded='assertion violated .*gave_up'
latched='assertion violated *!(latched'
asked='assertion violated *!(asked_to'
for_ever='acceptance cycle'

# run EXPECTED NAME DEFINES...: EXPECTED is `holds' or what pan has to say.
run() {
	expected=$1
	name=$2
	shift 2
	dir=$work/$name
	mkdir "$dir"
	defines=
	for define; do
		defines="$defines -D$define"
	done
	case " $* " in
	*" PROGRESS "*) compile=-DNFAIR=3 options='-a -f' ;;
	*) compile=-DSAFETY options= ;;
	esac
	# What is found soon takes longer to compile than to run.
	optimize=-O0
	[ "$expected" = holds ] && optimize=-O1
	# The lists hold words without blanks.
	# shellcheck disable=SC2086
	(cd "$dir" && spin -a $defines "$model/group.pml" &&
	    $CC $optimize -w -DMEMLIM=1500 $compile -o pan pan.c &&
	    ./pan -E -m200000 $options) >"$dir/out" 2>&1
	states=$(sed -n 's/^ *\([0-9]*\) states, stored.*/\1/p' "$dir/out")
	if [ "$expected" = holds ]; then
		grep -q 'errors: 0$' "$dir/out" &&
		    ! grep -q 'error: max search depth' "$dir/out"
	else
		grep -q "^pan:1: $expected" "$dir/out"
	fi || {
		echo "FAIL: $name: expected: $expected"
		grep -v '^	' "$dir/out" | tail -n 20
		failed=1
		return
	}
	if [ "$expected" = holds ]; then
		unreached "$dir/out" >"$dir/unreached"
		printf '%-20s %8s states: holds\n' "$name" "$states"
	else
		rm -f "$dir/unreached"
		printf '%-20s %8s states: found: %s\n' "$name" "$states" \
		    "$(sed -n 's/^pan:1: \(.*\) (at depth.*/\1/p' "$dir/out")"
	fi
}

# The rows, by file and line, that a setting did not go through.  spin names
# the file that includes leader.def in its place.
unreached() {
	sed -n -e 's/.*\(host\.def:[0-9]*\),.*"state\[g\] = .*/\1/p' \
	    -e 's/.*group\.pml:\([0-9]*\),.*"at = LEADER_.*/leader.def:\1/p' \
	    "$1" | sort -u
}

# What is promised.
run holds nothing-killed HOLDS GIVES_UP
run holds leader-killed KILL_LEADER N=2 HOLDS GIVES_UP
run holds leader-killed-3 KILL_LEADER STARTS=1
run holds host-killed KILL_HOST N=2 HOLDS GIVES_UP
run holds host-killed-3 KILL_HOST
run holds next-host KILL_HOST N=2 NEXT
run holds quick KILL_LEADER N=2 HOLDS QUICK
# 11 million states: not every time.
[ -z "${MODEL_LONG-}" ] || run holds two-groups K=2 N=2 KILL_LEADER
run holds pidns-both PIDNS BOTH KILL_HOST KILL_LEADER STARTS=1
run holds cgroup-both-next LEAF UNGUARDED BOTH KILL_HOST KILL_LEADER N=2 NEXT
run holds progress PROGRESS STARTS=1
run holds progress-leader PROGRESS N=2 STARTS=1 KILL_LEADER
run holds progress-host PROGRESS N=2 STARTS=1 KILL_HOST
run holds progress-pidns PROGRESS PIDNS BOTH N=2 STARTS=1 KILL_HOST KILL_LEADER

# What is not: with host and leader killed, level reaper leaves the group to
# init, and the next host of the name starts beside it.  In a PID namespace
# the lock is let go of an instant before the kernel ends the namespace.
run "$unguarded" reaper-both BOTH KILL_HOST KILL_LEADER
run "$twice" reaper-both-next UNGUARDED BOTH KILL_HOST KILL_LEADER N=2 NEXT
run "$twice" pidns-both-next PIDNS BOTH KILL_HOST KILL_LEADER N=2 NEXT

# Errors that must be found.
run "$twice" early-empty MUTANT_EARLY_EMPTY N=2
run "$twice" no-host-sweep MUTANT_NO_HOST_SWEEP N=2 KILL_LEADER
run "$twice" reap-while-reading MUTANT_REAP_WHILE_READING KILL_LEADER
run "$latched" no-latch MUTANT_NO_LATCH N=2 KILL_LEADER
run "$asked" stop-unnoted MUTANT_STOP_UNNOTED N=2 KILL_LEADER
run "$for_ever" host-unwatched MUTANT_HOST_UNWATCHED PROGRESS N=2 STARTS=1 \
    KILL_HOST
run "$for_ever" no-freeze MUTANT_NO_FREEZE PROGRESS N=2 STARTS=1
run "$for_ever" reap-endlessly MUTANT_REAP_ENDLESSLY PROGRESS N=2 STARTS=1
run "$for_ever" dead-first MUTANT_DEAD_FIRST PROGRESS N=2 STARTS=1 KILL_LEADER

# Rows that no setting went through.  The leader's table is total and has
# steps for what cannot come to pass; the host's has not.
cat "$work"/*/unreached | sort | uniq -c >"$work/rows"
settings=$(find "$work" -name unreached | wc -l)
awk -v all="$settings" '$1 == all { print $2 }' "$work/rows" >"$work/never"
echo "rows never gone through: $(tr '\n' ' ' <"$work/never")"
if grep '^host' "$work/never"; then
	echo "FAIL: rows of host.def that the model has no use for"
	failed=1
fi
echo "$(($(date +%s) - begun)) s"
exit "$failed"
