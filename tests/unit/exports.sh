#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The library's outside: the shared library exports what the version map lists
# and the headers declare, no more and no less, and each installed header
# compiles alone, as C11 and as C++.
#
# Run by make check, which sets srcdir, builddir, CC, CXX and NM.

set -eu
LC_ALL=C
export LC_ALL

: "${srcdir:=.}" "${builddir:=.}" "${CC:=cc}" "${CXX:=c++}" "${NM:=nm}"

failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $1"
	failed=1
}

same() {
	if diff "$2" "$3" >"$work/diff"; then
		echo "ok: $1"
	else
		fail "$1 (< $(basename "$2"), > $(basename "$3"))"
		cat "$work/diff"
	fi
}

# The names in the map, in the library (a version follows the @) and in the
# headers, where a declaration may be several lines long.
sed -n '/^global:/,/^local:/s/^[[:space:]]*\([A-Za-z0-9_]*\);.*/\1/p' \
    "$srcdir/runtime/libgrouper.map" | sort >"$work/map"
library=$builddir/.libs/libgrouper.so
if [ -f "$library" ]; then
	$NM -D --defined-only "$library" |
	    awk '$2 != "A" { sub(/@.*/, "", $3); print $3 }' |
	    sort >"$work/library"
	same "the library exports what the map lists" \
	    "$work/map" "$work/library"
else
	echo "skipped: no shared library was built"
fi
cat "$srcdir"/include/grouper/*.h | tr '\n' ' ' |
    grep -o 'GROUPER_EXPORT [^;]*;' |
    sed -n 's/[[:space:]]*(.*//; s/.*[ *]\(grouper_[a-z0-9_]*\)$/\1/p' |
    sort >"$work/headers"
same "the map lists what the headers declare" "$work/headers" "$work/map"

# Headers see nothing but themselves and the system: no config.h, no libbsd.
compile() {
	language=$1
	header=$2
	shift 2
	printf '#include <%s>\nextern int anything;\n' "$header" \
	    >"$work/header.$language"
	if "$@" -Wall -Wextra -pedantic -Werror -I"$srcdir/include" \
	    -c -o "$work/header.o" "$work/header.$language" \
	    >"$work/messages" 2>&1; then
		echo "ok: <$header> alone as $language"
	else
		fail "<$header> alone as $language"
		cat "$work/messages"
	fi
}

for path in "$srcdir"/include/grouper.h "$srcdir"/include/grouper/*.h; do
	header=${path#"$srcdir"/include/}
	# CC and CXX may hold options.
	# shellcheck disable=SC2086
	compile c "$header" $CC -std=c11
	if [ "$CXX" = : ]; then
		echo "skipped: <$header> as C++: no C++ compiler"
	else
		# shellcheck disable=SC2086
		compile cc "$header" $CXX -std=c++11
	fi
done

if grep -n 'bsd/\|LIBBSD' "$srcdir"/include/grouper.h \
    "$srcdir"/include/grouper/*.h; then
	fail "an installed header names libbsd"
fi

exit "$failed"
