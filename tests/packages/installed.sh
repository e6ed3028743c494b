#!/bin/sh
# SPDX-License-Identifier: ISC
#
# What make install, or a package, has brought: the command runs; programs are
# built against the library from what pkg-config says, shared and static; the
# archive has no names but the public ones; each name of a manual page is
# found; completions and the schema are there.
#
# Run by make installcheck and by packages' tests, which say in bindir,
# datadir, libdir and mandir where things are, and in srcdir where examples
# are.

set -eu
LC_ALL=C
export LC_ALL

: "${bindir:=/usr/bin}" "${datadir:=/usr/share}" "${mandir:=/usr/share/man}"
: "${srcdir:=.}" "${CC:=cc}" "${NM:=nm}" "${PKG_CONFIG:=pkg-config}"
: "${libdir:=$($PKG_CONFIG --variable=libdir libgrouper)}"
PKG_CONFIG_PATH=$libdir/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
LD_LIBRARY_PATH=$libdir${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}
export PKG_CONFIG_PATH LD_LIBRARY_PATH

failed=0
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
	echo "FAIL: $1"
	failed=1
}

# expect TEXT WHAT COMMAND...: the command prints TEXT and ends with 0.
expect() {
	text=$1
	what=$2
	shift 2
	if said=$("$@" 2>"$work/errors") && [ "$said" = "$text" ]; then
		echo "ok: $what"
	else
		fail "$what: '$said', not '$text'"
		cat "$work/errors"
	fi
}

there() {
	if [ -s "$1" ]; then
		echo "ok: $1"
	else
		fail "$1 is missing"
	fi
}

# program NAME WHAT FLAG...: an example is built with these flags; the one that
# needs nobody to talk to also runs.
program() {
	example=$1
	what=$2
	shift 2
	# CC may hold options.
	# shellcheck disable=SC2086
	if $CC -o "$work/program" "$srcdir/examples/$example.c" "$@" \
	    >"$work/errors" 2>&1; then
		echo "ok: $example is built, $what"
	else
		fail "$example is not built, $what"
		cat "$work/errors"
		return
	fi
	[ "$example" = start_stop ] || return 0
	"$work/program" >"$work/said" || fail "$example ends with $?"
	grep -q empty "$work/said" || fail "$example does not say what it should"
}

expect "$($PKG_CONFIG --modversion libgrouper)" "the command is the library's" \
    sh -c "'$bindir/grouper' --version | sed 's/.* //'"
expect hi "a group ends with its command" \
    "$bindir/grouper" run -- sh -c 'sleep 100 & echo hi'

# Lists of flags.
# shellcheck disable=SC2046
build_programs() {
	program messages/worker "shared" \
	    $($PKG_CONFIG --cflags --libs libgrouper)
	program start_stop "shared" \
	    $($PKG_CONFIG --cflags --libs libgrouper libevent_core)
	[ -f "$libdir/libgrouper.a" ] || return 0
	program start_stop "with the archive" $($PKG_CONFIG --cflags libgrouper) \
	    "$libdir/libgrouper.a" \
	    $($PKG_CONFIG --libs libevent_core libbsd jansson)
	expect "" "the archive has no names of its own" sh -c "
	    $NM -g --defined-only '$libdir/libgrouper.a' |
	    awk 'NF == 3 && \$3 !~ /^grouper_/ { print \$3 }'"
}
build_programs

# Pages may be compressed.
read_page() {
	case $1 in
	*.gz) gzip -dc "$1" ;;
	*) cat "$1" ;;
	esac
}

for page in "$mandir"/man[1357]/grouper*; do
	section=${page%/*}
	section=${section##*man}
	suffix=${page##*."$section"}
	read_page "$page" >"$work/page" || fail "$page is a link to nothing"
	sed -n '/^\.Sh NAME/,/^\.Nd/s/^\.Nm \([^ ]*\).*/\1/p' "$work/page" \
	    >"$work/names"
	while read -r name; do
		[ -s "${page%/*}/$name.$section$suffix" ] ||
		    fail "no page $name($section)"
	done <"$work/names"
done
for page in grouper.1 grouper-run.1 grouper-start.1 grouper.yaml.5 \
    grouper-protocol.7; do
	there "$(echo "$mandir/man${page##*.}/$page"*)"
done

there "$datadir/bash-completion/completions/grouper"
there "$datadir/fish/vendor_completions.d/grouper.fish"
there "$datadir/grouper/grouper.schema.json"

exit "$failed"
