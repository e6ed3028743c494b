#!/bin/sh
# SPDX-License-Identifier: ISC
#
# order.sh GROUPER TRACE: whether what a short `grouper run` executes stands
# together, as tools/order.ld would have it.  What is outside is told by name:
# functions of libc, which differ from processor to processor, and of a
# program's start do no more than that; one of ours is an error.  The names are
# those of objects to add to the script.

set -eu
LC_ALL=C
export LC_ALL

grouper=$1
trace=$2

range=$(readelf -SW "$grouper" | sed -n 's/.* \.text\.run  *[A-Z]* //p')
if [ -z "$range" ]; then
	echo "$grouper is not linked static, or not in this order" >&2
	exit 77
fi
# ADDRESS OFFSET SIZE of that section
# shellcheck disable=SC2086 # words
set -- $range
to=$(printf '%x' $((0x$1 + 0x$3)))

"$trace" "$1" "$to" "$grouper" run -- /bin/true |
addr2line -f -s -e "$grouper" |
awk '
	NR % 2 == 1 { name = $0; next }
	{ sub(/:.*/, ""); count[$0 " " name]++ }
	$0 !~ /^([?][?]|crtstuff[.]c)?$/ { ours++ }
	END {
		for (i in count)
			print count[i], i | "sort -k 2"
		close("sort -k 2")
		if (ours > 0)
			print "not in order: the objects of these files"
		exit ours > 0
	}'
