#!/bin/sh
# SPDX-License-Identifier: ISC
#
# Each function of libc that the runtime calls can be made to fail, as
# faults.ld says, or is listed below with why it need not be.
#
# Run by make check in the build directory; sets srcdir.

set -eu
LC_ALL=C
export LC_ALL

: "${srcdir:=.}"

if ! command -v nm >/dev/null; then
	echo 'nm is not installed'
	exit 77
fi

# Memory, strings, numbers, time and sorting: no error but of their arguments.
harmless='_GLOBAL_OFFSET_TABLE_ abort alphasort bsearch clock_gettime
	ctype_b_loc ctype_toupper_loc environ errno_location getenv
	libc_current_sigrtmax libc_current_sigrtmin localtime_r memchr memcmp
	memcpy memmove memset qsort setjmp longjmp stack_chk_fail strcasecmp
	strchr strchrnul strcmp strcpy strcspn strerror strlcat strlcpy strlen
	strncasecmp strncmp strnlen strpbrk strrchr strsep strspn strstr strtol
	strtoll strtoul strvisx time tls_get_addr unsetenv'
# What looks at or sets nothing but the process itself.
own='_exit getegid geteuid getgid getpgid getpgrp getpid getppid getrlimit
	getrusage getsid getuid malloc_trim munmap sbrk sched_yield
	sigaction sigaddset sigemptyset sigfillset sigismember signal
	sigpending sigprocmask sysconf sysinfo umask'
# What is asked whether something is so, and what waits until it is.
asked='access getxattr isatty listxattr sigtimedwait sigwaitinfo'
# Streams in memory and in buffers: their memory and files are wrapped.
streams='closedir dirfd fclose ferror fprintf fputc fputs free fwrite getdelim
	open_memstream putc readdir regcomp regerror regexec regfree snprintf
	sscanf vsnprintf'

objects=$(find runtime -name '*.o')
[ -n "$objects" ] || {
	echo 'FAIL: there is nothing built below runtime'
	exit 1
}

# The names of one kind, without what a compiler's options make of them.
symbols() {
	# shellcheck disable=SC2086 # a list
	nm -P "$@" $objects | sed -n 's/^\([A-Za-z_][^ ]*\) [^ ].*/\1/p' |
	    sed 's/^__isoc[0-9]*_//; s/^__//; s/^_setjmp$/setjmp/
		s/_chk$//' | sort -u
}

temporary=$(mktemp -d)
trap 'rm -rf "$temporary"' EXIT
symbols --defined-only >"$temporary/ours"
{
	sed 's/^--wrap=//; s/^__//; s/_chk$//' "$srcdir/tests/faults/faults.ld"
	for name in $harmless $own $asked $streams; do
		echo "$name" | sed 's/_chk$//'
	done
} | sort -u >"$temporary/known"

# Those of libevent, jansson and libfyaml, whose allocations are wrapped, and
# those that sanitizers and counters of coverage bring.
symbols --undefined-only | comm -23 - "$temporary/ours" |
    comm -23 - "$temporary/known" |
    grep -Ev '^(event|evutil|libevent|evthread|json|jsonp|fy)_' |
    grep -Ev '^(asan|ubsan|lsan|sanitizer|gcov|llvm)_' >"$temporary/new" || :
if [ -s "$temporary/new" ]; then
	echo 'FAIL: neither wrapped by tests/faults nor listed in symbols.sh:'
	cat "$temporary/new"
	exit 1
fi
