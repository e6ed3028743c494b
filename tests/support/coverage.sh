#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: coverage.sh SOURCE PROFILES OBJECT...
#
# Prints how many of the lines of each file of SOURCE/runtime and SOURCE/tools
# ran, by the counters that are in the directory PROFILES, with totals.  Lines
# that never ran go to ./uncovered.txt, ranges of them to a file's line.
#
# The counters are of regions: what is between two branches counts as run once
# it was entered, also if a signal ended the process in its midst.  Not counted
# are processes that could not map the counters: those that become another user
# before they are executed for the first time, or whose limits or namespaces
# hide the file.

set -eu
source=$(cd "$1" && pwd -P)
profiles=$2
object=$3
shift 3

# The objects to look at: the first as it is, the others as options.
others=
for other; do
	others="$others -object=$other"
done

llvm-profdata merge -sparse -o coverage.profdata "$profiles"/*.profraw
# The names of objects are words without blanks.
# shellcheck disable=SC2086
llvm-cov export --format=lcov -instr-profile=coverage.profdata \
    "$object" $others >coverage.lcov
rm coverage.profdata

awk -v source="$source/" '
# Without dir/.. in it: the build tree is often below the sources.
function plain(path) {
	while (sub(/\/[^\/.][^\/]*\/\.\.\//, "/", path))
		;
	return path
}
function range(from, to) {
	return from == to ? from : from "-" to
}
function finish(	i, from, text) {
	# A blank or a comment has no count, and does not end a range.
	for (i = 1; i <= nlines; i++) {
		if (count[i] > 0)
			continue
		from = i
		while (i < nlines && count[i + 1] == 0)
			i++
		text = text " " range(line[from], line[i])
	}
	if (text != "")
		print name ":" text >"uncovered.txt"
}
/^SF:/ {
	name = plain(substr($0, 4))
	wanted = index(name, source) == 1
	name = substr(name, length(source) + 1)
	wanted = wanted && name ~ /^(runtime|tools)\/.*\.c$/
	nlines = ran = 0
}
/^DA:/ && wanted {
	split(substr($0, 4), field, ",")
	line[++nlines] = field[1]
	count[nlines] = field[2]
	ran += field[2] > 0
}
/^end_of_record/ && wanted && nlines > 0 {
	printf "%6.1f%% of %5d  %s\n", 100 * ran / nlines, nlines, name
	split(name, part, "/")
	all[part[1]] += nlines
	hit[part[1]] += ran
	finish()
}
END {
	for (top in all)
		printf "%6.1f%% of %5d  %s/ in all\n",
		    100 * hit[top] / all[top], all[top], top
}' coverage.lcov
echo "coverage.sh: what did not run is in uncovered.txt" >&2
