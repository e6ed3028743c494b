#!/bin/sh
# SPDX-License-Identifier: ISC
#
# usage: ./autogen.sh                            make configure: autoreconf -fi
#        ./autogen.sh TARGET [CONFIGURE OPTION...]
#
# With a TARGET (demo, check, lint, bench, ...) it installs the packages that
# are missing for it, says what it runs for that, configures in $BUILD
# (default: build) and makes TARGET there.  Options configure anew.
# With SERVERS set the servers that the tests try are installed too (apt).

set -eu
cd "$(dirname "$0")"
build=${BUILD:-build}

say() {
	echo "autogen.sh: $*" >&2
}

fail() {
	say "$*"
	exit 1
}

# The packages, one list for each package manager.  supervisor, whose package
# starts a daemon, is measured by bench only where it is installed already.
# `static' is what a static grouper command needs apart from `build': where a
# distribution lacks one of these, the command is linked dynamically.
packages() {
	case $1:$2 in
	apt:build)
		echo autoconf automake gcc libbsd-dev libc6-dev libevent-dev \
		    libfyaml-dev libjansson-dev libmd-dev libtool \
		    libxxhash-dev make pkg-config
		;;
	apt:test)
		echo bash check fish g++ less procps python3-jsonschema spin \
		    zsh
		;;
	apt:servers)
		echo apache2 bats dbus nginx-light openssh-server postgresql \
		    python3-pytest redis-server
		;;
	apt:lint) echo clang-format clang-tidy cppcheck mandoc shellcheck ;;
	apt:chroot) echo debootstrap ;;
	apt:deb) echo debhelper dpkg-dev lintian ;;
	apt:bench) echo catatonit dumb-init python3 runit s6 tini ;;
	apt:coverage) echo clang libclang-rt-dev llvm ;;
	apt:fuzz) echo clang libclang-rt-dev ;;
	apt:plots) echo gnuplot-nox python3 ;;
	apt:valgrind) echo valgrind ;;

	dnf:build)
		echo autoconf automake gcc glibc-devel jansson-devel \
		    libbsd-devel libevent-devel libfyaml-devel libtool make \
		    pkgconf-pkg-config xxhash-devel
		;;
	dnf:test)
		echo bash check-devel diffutils fish gcc-c++ less libasan \
		    libubsan procps-ng python3-jsonschema util-linux zsh
		;;
	dnf:lint) echo clang-tools-extra cppcheck mandoc ShellCheck ;;
	dnf:bench) echo catatonit python3 tini ;;
	dnf:plots) echo gnuplot-minimal python3 ;;
	dnf:coverage) echo clang compiler-rt llvm ;;
	dnf:fuzz) echo clang compiler-rt ;;
	dnf:valgrind) echo valgrind ;;

	apk:build)
		echo autoconf automake gcc jansson-dev libbsd-dev libevent-dev \
		    libfyaml-dev libmd-dev libtool linux-headers make \
		    musl-dev pkgconf xxhash-dev
		;;
	apk:static) echo jansson-static libbsd-static libevent-static ;;
	apk:test)
		echo bash check-dev coreutils diffutils fish g++ less \
		    procps-ng py3-jsonschema util-linux zsh
		;;
	apk:lint) echo clang-extra-tools cppcheck mandoc shellcheck ;;
	apk:bench) echo catatonit dumb-init python3 runit s6 tini ;;
	apk:plots) echo gnuplot python3 ;;
	apk:coverage) echo clang compiler-rt llvm ;;
	apk:fuzz) echo clang compiler-rt ;;
	apk:valgrind) echo valgrind ;;
	esac
}

# Which groups a target needs.
groups() {
	case $1 in
	all | demo | install*) echo build ;;
	bench) echo build bench ;;
	check-deb) echo build test deb chroot ;;
	bench-plots) echo build plots ;;
	check-memcheck | check-valgrind) echo build test valgrind ;;
	deb | check-reproducible) echo build test deb ;;
	coverage) echo build test coverage ;;
	fuzz) echo build fuzz ;;
	lint*) echo build test lint ;;
	*) echo build test ${SERVERS:+servers} ;;
	esac
}

manager() {
	for name in apt-get dnf apk; do
		if command -v "$name" >/dev/null 2>&1; then
			echo "${name%-get}"
			return
		fi
	done
}

installed() {
	case $1 in
	apt)
		dpkg-query -W -f '${db:Status-Abbrev}' "$2" 2>/dev/null |
		    grep -q '^.i'
		;;
	dnf) rpm -q --whatprovides "$2" >/dev/null 2>&1 ;;
	apk) apk info -e "$2" >/dev/null 2>&1 ;;
	esac
}

missing() {
	pm=$1
	shift
	for group; do
		for package in $(packages "$pm" "$group"); do
			installed "$pm" "$package" || echo "$package"
		done
	done | sort -u
}

# Says what it runs, and shows what that printed only if it failed.
run() {
	say "$*"
	output=$("$@" </dev/null 2>&1) || {
		printf '%s\n' "$output" >&2
		return 1
	}
}

as_root() {
	if [ "$(id -u)" = 0 ]; then
		run "$@"
	elif command -v sudo >/dev/null 2>&1; then
		run sudo "$@"
	else
		fail "not root, and no sudo; please run as root: $*"
	fi
}

# A server that its package starts would stay, and hold its port: no service
# is started, see invoke-rc.d(8), unless this machine has a policy of its own.
policy=/usr/sbin/policy-rc.d
denied=no

deny_services() {
	if [ -z "${SERVERS:-}" ] || [ -e "$policy" ]; then
		return
	fi
	denied=yes
	trap allow_services EXIT
	trap 'exit 130' INT TERM HUP
	as_root sh -c "printf '#!/bin/sh\nexit 101\n' >$policy; chmod 755 $policy"
}

allow_services() {
	[ "$denied" = no ] || as_root rm -f "$policy"
	denied=no
}

install_packages() {
	pm=$1
	shift
	case $pm in
	apt)
		as_root apt-get -q update || return 1
		deny_services
		as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y \
		    install --no-install-recommends "$@" || return 1
		allow_services
		;;
	dnf) as_root dnf -q -y install "$@" ;;
	apk) as_root apk add -q "$@" ;;
	esac
}

# The lists hold words without blanks.
# shellcheck disable=SC2046,SC2086,SC2116
prepare() {
	installed_some=no
	wanted=$(groups "$1")
	pm=$(manager)
	if [ -z "$pm" ]; then
		say "no apt-get, dnf or apk here: what is missing is up to you"
		return
	fi
	lacking=$(missing "$pm" $wanted)
	[ -n "$lacking" ] || return 0
	install_packages "$pm" $lacking ||
	    fail "these packages could not be installed: $(echo $lacking)"
	installed_some=yes
	extra=$(missing "$pm" static)
	[ -z "$extra" ] || install_packages "$pm" $extra ||
	    say "without them the grouper command is linked dynamically"
}

if [ $# -eq 0 ]; then
	exec autoreconf -fi
fi

case $1 in
-h | --help)
	sed -n '4,10s/^# \{0,1\}//p' "$0"
	exit 0
	;;
-*) fail "the target comes first: ./autogen.sh TARGET [CONFIGURE OPTION...]" ;;
esac
target=$1
shift

prepare "$target"
[ -x configure ] || run autoreconf -fi
mkdir -p "$build"
if [ $# -gt 0 ] || [ ! -f "$build/Makefile" ]; then
	source=$(pwd)
	say "configure in $build${1:+: }$*"
	(cd "$build" && "$source/configure" --quiet "$@")
elif [ "$installed_some" = yes ]; then
	# What the last configure did not find may be there now.
	say "configure in $build again"
	(cd "$build" && ./config.status --recheck && ./config.status) >/dev/null
fi
jobs=$(nproc 2>/dev/null || echo 1)
case $target in
bench | demo)
	# Nothing else should run meanwhile, nor mix into the output.
	say "make"
	make -s -C "$build" -j "$jobs" all
	exec make -s -C "$build" "$target"
	;;
lint*) exec make -s -k -C "$build" "$target" ;;
*) exec make -C "$build" -j "$jobs" "$target" ;;
esac
