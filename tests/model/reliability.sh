#!/bin/sh
# SPDX-License-Identifier: ISC
#
# RELIABILITY.md names no test, mode, setting, file or target of make that does
# not exist.
#
# Run by make check, which sets srcdir.

# Backquotes are those of the page.
# shellcheck disable=SC2016

set -eu
LC_ALL=C
export LC_ALL

: "${srcdir:=.}"

page=$srcdir/RELIABILITY.md
failed=0
count=0

fail() {
	echo "FAIL: $1"
	failed=1
}

# What stands between backquotes, one a line.
quoted() {
	grep -o '`[^`]*`' "$page" | tr -d '`' | sort -u
}

for name in $(quoted | grep '^check_[a-z_]*/[a-z0-9_]*$'); do
	count=$((count + 1))
	cat "$srcdir"/tests/*/"${name%/*}.c" 2>/dev/null |
	    tr -d '\n\t ' | grep -q "START_TEST(${name#*/})" ||
	    fail "there is no test $name"
done
[ "$count" -gt 20 ] || fail "only $count tests were found"

for mode in $(quoted | sed -n 's/^hostile \([a-z-]*\)$/\1/p'); do
	grep -q "{ \"$mode\"," "$srcdir"/tests/adversary/hostile_*.c ||
	    fail "hostile has no mode $mode"
done

for file in $(quoted | grep '^tests/[a-z_/.]*$'); do
	[ -f "$srcdir/$file" ] || fail "there is no file $file"
done

for setting in $(tr '\n' ' ' <"$page" | grep -o 'setting *`[a-z-]*`' |
    sed 's/.*`\(.*\)`/\1/' | sort -u); do
	grep -q "^run .* $setting " "$srcdir/tests/model/model.sh" ||
	    fail "the model has no setting $setting"
done

# What automake brings is in no file of ours.
for target in $(quoted | sed -n 's/^make \([a-z-]*\).*/\1/p' | sort -u); do
	case $target in
	check | dist | install | installcheck) continue ;;
	esac
	cat "$srcdir/Makefile.am" "$srcdir"/*/local.mk "$srcdir"/*/*/local.mk |
	    grep -q "^$target:" || fail "make has no target $target"
done

echo "$count tests"
exit "$failed"
