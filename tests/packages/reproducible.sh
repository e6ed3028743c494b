#!/bin/sh
# SPDX-License-Identifier: ISC
#
# The tarball and the Debian packages of the last commit come out the same,
# byte for byte, from two builds that differ in directory, home, time of the
# sources, file mode mask, locale, time zone, and in how much is done at once.
#
# Run by make check-reproducible, which sets srcdir.

set -eu

: "${srcdir:=.}"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# The same commit for both, whatever comes meanwhile.
git clone -q "$(cd "$srcdir" && pwd)" "$work/source"
# What an outer make says is not for these.
unset MAKEFLAGS MAKELEVEL MFLAGS SOURCE_DATE_EPOCH

# build DIRECTORY UMASK LOCALE ZONE JOBS DATE
build() (
	umask "$2"
	mkdir -p "$work/$1/home"
	cd "$work/$1"
	export LC_ALL="$3" TZ="$4" HOME="$work/$1/home"
	git clone -q "$work/source" checkout
	find checkout -path checkout/.git -prune -o -type f \
	    -exec touch -d "$6" {} +
	cd checkout
	autoreconf -fi >"$work/log" 2>&1
	./configure --quiet >"$work/log" 2>&1
	make -s -j "$5" dist >"$work/log" 2>&1
	tar xf grouper-*.tar.gz -C ..
	mv grouper-*.tar.gz ..
	cd ../grouper-*/
	DEB_BUILD_OPTIONS="nocheck parallel=$5" \
	    dpkg-buildpackage -us -uc -b >"$work/log" 2>&1
	cd ..
	sha256sum grouper-*.tar.gz ./*.deb >sums
)

echo "== one build"
build one 022 C.UTF-8 UTC 2 2026-01-02T03:04:05 ||
    { tail "$work/log"; exit 1; }
echo "== another"
build some/other/place 077 C Asia/Kolkata 1 2001-02-03T04:05:06 ||
    { tail "$work/log"; exit 1; }

cat "$work/one/sums"
if diff "$work/one/sums" "$work/some/other/place/sums"; then
	echo "== the same"
	exit 0
fi
if command -v diffoscope >/dev/null; then
	for file in "$work"/one/*.tar.gz "$work"/one/*.deb; do
		diffoscope "$file" \
		    "$work/some/other/place/$(basename "$file")" || :
	done
else
	echo "diffoscope would show where they differ"
fi
exit 1
