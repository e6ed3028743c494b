#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: chroot.sh DIRECTORY
#
# The Debian packages in DIRECTORY in a Debian that has nothing else: they are
# installed with what they depend on, their tests are run, grouper is process 1
# there, and after the purge nothing of them is left.
#
# Run as root by make check-deb, which sets srcdir.

set -eu
LC_ALL=C
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export LC_ALL PATH

: "${srcdir:=.}"
packages=$(cd "$1" && pwd)
release=$(sed -n 's/^VERSION_CODENAME=//p' /etc/os-release)
# shellcheck disable=SC2016 # apt expands it
mirror=$(apt-get indextargets --format '$(REPO_URI)' \
    "Codename: $release" 'Component: main' 'Created-By: Packages' | head -n 1)

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

say() {
	echo "== $*"
}

fail() {
	echo "FAIL: $*"
	exit 1
}

# Mounts and processes of a command there end with it, and it sees nothing of
# the environment here.
inside() {
	# shellcheck disable=SC2016 # for that shell to expand
	unshare -mpf --kill-child sh -ec '
		root=$1
		shift
		mount -t proc proc "$root/proc"
		exec unshare -f chroot "$root" env -i PATH="$PATH" LC_ALL=C \
		    DEBIAN_FRONTEND=noninteractive "$@"' inside "$root" "$@"
}

say "debootstrap $release from $mirror"
debootstrap --variant=minbase "$release" "$root" "$mirror" >"$work/log" ||
    { tail "$work/log"; fail "debootstrap"; }

say "install"
mkdir "$root/packages" "$root/source"
cp "$packages"/*.deb "$root/packages"
(cd "$srcdir" && cp -r --parents examples debian/tests tests/packages \
    "$root/source")
cp /etc/resolv.conf "$root/etc"
inside sh -ec 'apt-get -q update
    apt-get -q -y install --no-install-recommends /packages/*.deb' \
    >"$work/log" 2>&1 || { tail "$work/log"; fail "install"; }

say "a group, without anything else"
said=$(inside grouper run -- sh -c 'sleep 100 & echo hi')
[ "$said" = hi ] || fail "a group says '$said'"

say "grouper as process 1"
said=$(unshare -mpf --kill-child --root="$root" --mount-proc \
    grouper run -- sh -c 'sleep 100 & cat /proc/1/comm')
[ "$said" = grouper ] || fail "process 1 is '$said'"

say "the packages' tests"
inside apt-get -q -y install --no-install-recommends gcc libc6-dev man-db \
    pkg-config >"$work/log" 2>&1 || { tail "$work/log"; fail "tools"; }
inside sh -ec 'cd /source; tests/packages/installed.sh; debian/tests/messages'
inside man grouper-run | grep -q 'GROUPER-RUN(1)' || fail "man grouper-run"
inside man grouper_member_open | grep -q 'member' ||
    fail "man grouper_member_open"

say "purge"
inside sh -ec 'rm -r /packages /source
    apt-get -q -y purge grouper libgrouper0 libgrouper-dev
    apt-get -q -y autoremove --purge' >"$work/log" 2>&1 ||
    { tail "$work/log"; fail "purge"; }
find "$root" -xdev -name '*grouper*' ! -path "$root/var/cache/man/*" \
    >"$work/left"
[ ! -s "$work/left" ] || { cat "$work/left"; fail "purge left that"; }

say "all is well"
