#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The manual pages: each verb of `grouper help' answers --help with status 0,
# has a page, and that page tells of the verb and of each of its options.  Each
# function of the library has one too, which declares it as the headers do, and
# whose programs compile.
#
# Run by make check, which sets srcdir, CC, LIBEVENT_CFLAGS and GROUPER.

set -eu
LC_ALL=C
export LC_ALL

: "${srcdir:=.}" "${CC:=cc}" "${LIBEVENT_CFLAGS:=}" "${GROUPER:=./grouper}"

failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $1"
	failed=1
}

# The page that the help names last, else that of the verb.
page_of() {
	page=$(tr '\n' ' ' <"$work/help" | grep -o 'grouper[a-z-]*([1-9])' |
	    tail -n 1 | sed 's/(\(.\))/.\1/')
	echo "${page:-grouper-$1.1}"
}

# The names under which make install has a page found.
names_of() {
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([^ ]*\).*/\1/p' "$1"
}

check_options() {
	sed -n 's/^ \{1,\}\(-., \)\{0,1\}--\([a-z-]\{1,\}\).*/\2/p' \
	    "$work/help" >"$work/options"
	while read -r option; do
		grep -Eq -- "Fl -$option( |\$)" "$2" ||
		    fail "$1 --$option is not in $(basename "$2")"
	done <"$work/options"
}

check_verb() {
	verb=$1
	status=0
	"$GROUPER" "$verb" --help >"$work/help" 2>"$work/err" || status=$?
	[ "$status" -eq 0 ] || fail "$verb --help ends with $status"
	[ ! -s "$work/err" ] || fail "$verb --help complains"
	status=0
	"$GROUPER" help "$verb" >"$work/same" 2>&1 || status=$?
	[ "$status" -eq 0 ] || fail "help $verb ends with $status"
	cmp -s "$work/help" "$work/same" ||
	    fail "help $verb differs from $verb --help"
	page=$srcdir/tools/$(page_of "$verb")
	if [ ! -f "$page" ]; then
		fail "$verb has no page $(basename "$page")"
		return
	fi
	grep -Eq "^\\.(Nm grouper|It Cm|It Cm .* ,) $verb( |\$)" "$page" ||
	    fail "$(basename "$page") does not tell of $verb"
	grep -Eq "^\\.It Cm (.* , )?$verb( |\$)" "$srcdir/tools/grouper.1" ||
	    fail "grouper.1 does not tell of $verb"
	[ "$verb" = help ] || names_of "$page" | grep -qx "grouper-$verb" ||
	    fail "$(basename "$page") is not found as grouper-$verb"
	check_options "$verb" "$page"
}

"$GROUPER" help | sed -n '/^Verbs:/,/^Options:/s/^  \([a-z]\{1,\}\) .*/\1/p' \
    >"$work/verbs"
[ -s "$work/verbs" ] || fail "grouper help lists no verbs"
while read -r verb; do
	check_verb "$verb"
done <"$work/verbs"
echo "$(wc -l <"$work/verbs") verbs"

# The functions that a page declares, a line for each: "TYPE NAME(ARGUMENTS);".
declarations_of() {
	awk '/^\.Sh / { inside = $2 == "SYNOPSIS" }
	    inside && /^\.In / { print "#include <" $2 ">" }
	    inside && /^\.Ft / { type = substr($0, 5) }
	    inside && /^\.Fn / {
		n = split($0, part, "\"")
		text = type " " $2 "("
		for (i = 2; i <= n; i += 2)
			text = text (i > 2 ? ", " : "") part[i]
		print text ");"
	    }' "$1"
}

# The programs that a page shows, into the files PREFIX1.c, PREFIX2.c ...
programs_of() {
	awk -v prefix="$2" '/^\.Sh / { inside = $2 == "EXAMPLES" }
	    /^\.Ed/ { file = "" }
	    file != "" {
		gsub(/\\e/, "\\")
		gsub(/\\&/, "")
		print >file
	    }
	    inside && /^\.Bd / { file = prefix (++n) ".c" }' "$1"
}

compiles() {
	# CC and the flags are lists.
	# shellcheck disable=SC2086
	$CC -std=gnu11 -Wall -Wextra -Werror -fsyntax-only \
	    -I"$srcdir/include" $LIBEVENT_CFLAGS "$1" >"$work/messages" 2>&1 ||
		{ fail "$2"; cat "$work/messages"; }
}

check_functions() {
	name=$(basename "$1")
	declarations_of "$1" >"$work/declared.c"
	compiles "$work/declared.c" "$name does not declare what the headers do"
	sed -n 's/^[^#].*[ *]\(grouper_[a-z_]*\)(.*/\1/p' "$work/declared.c" |
	    sort >"$work/declared"
	names_of "$1" | sort >"$work/named"
	diff "$work/named" "$work/declared" ||
	    fail "$name declares (>) other functions than it names (<)"
	cat "$work/named" >>"$work/documented"
	rm -f "$work"/program*.c
	programs_of "$1" "$work/program"
	for program in "$work"/program*.c; do
		compiles "$program" "a program in $name does not compile"
	done
}

: >"$work/documented"
for page in "$srcdir"/tools/*.3; do
	check_functions "$page"
done
sort "$work/documented" >"$work/functions"
sed -n '/^global:/,/^local:/s/^[[:space:]]*\([A-Za-z0-9_]*\);.*/\1/p' \
    "$srcdir/runtime/libgrouper.map" | sort >"$work/map"
[ -s "$work/map" ] || fail "the version map lists no functions"
diff "$work/map" "$work/functions" ||
    fail "the pages are of other functions (>) than the version map lists (<)"
echo "$(wc -l <"$work/map") functions"

for page in "$srcdir"/tools/*.[1-9]; do
	name=$(basename "$page")
	grep -q "tools/$name\\( \\|\$\\)" "$srcdir/tools/local.mk" ||
	    fail "$name is not installed"
	case $name in
	*.1) grep -q '^\.Sh EXIT STATUS$' "$page" ||
		fail "$name has no EXIT STATUS" ;;
	esac
	grep -q '^\.Sh EXAMPLES$' "$page" || fail "$name has no EXAMPLES"
	sed -n 's/^\.Xr \(grouper[a-z.-]*\) \([1-9]\).*/\1.\2/p' "$page" |
	    sort -u >"$work/links"
	while read -r link; do
		[ -f "$srcdir/tools/$link" ] || fail "$name refers to $link"
	done <"$work/links"
done

if command -v mandoc >/dev/null; then
	mandoc -Tlint -Wwarning "$srcdir"/tools/*.[1-9] ||
	    fail "mandoc is not content"
else
	echo "skipped: no mandoc"
fi

[ "$failed" -eq 0 ]
