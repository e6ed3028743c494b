#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The manual pages: each verb of `grouper help' answers --help with status 0,
# has a page, and that page tells of the verb and of each of its options.
#
# Run by make check, which sets srcdir and GROUPER.

set -eu
LC_ALL=C
export LC_ALL

: "${srcdir:=.}" "${GROUPER:=./grouper}"

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
