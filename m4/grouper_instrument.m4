# SPDX-License-Identifier: ISC
#
# Builds that watch themselves: sanitizers, coverage, fuzzers.  All of them
# add to INSTRUMENT_CFLAGS and INSTRUMENT_LDFLAGS.

AC_DEFUN([GROUPER_INSTRUMENT_REQUIRE], [
	grouper_save_CFLAGS=$CFLAGS
	CFLAGS="$CFLAGS $2"
	AC_MSG_CHECKING([whether $CC takes $2])
	AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])], [AC_MSG_RESULT([yes])], [
		AC_MSG_RESULT([no])
		AC_MSG_ERROR([$1 needs a compiler that takes $2])
	])
	CFLAGS=$grouper_save_CFLAGS
	INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS $2"
	INSTRUMENT_LDFLAGS="$INSTRUMENT_LDFLAGS $2"
])

# Counters live in files that all processes of a program map, and thus outlast
# every end of a process, SIGKILL included.  The files are in profile/ below the
# build tree, one for each program and library (%m), mapped (%c).
AC_DEFUN([GROUPER_INSTRUMENT_COVERAGE], [
	grouper_save_LDFLAGS=$INSTRUMENT_LDFLAGS
	profile="-fprofile-instr-generate=$(pwd)/profile/%m%c.profraw"
	GROUPER_INSTRUMENT_REQUIRE([--enable-coverage], [$profile \
	    -fcoverage-mapping -fprofile-update=atomic \
	    -mllvm -runtime-counter-relocation])
	INSTRUMENT_LDFLAGS="$grouper_save_LDFLAGS $profile"
])

# GROUPER_INSTRUMENT sets enable_sanitizers, enable_coverage, enable_fuzzers,
# instrumented (no, or what is on) and the flags.
AC_DEFUN([GROUPER_INSTRUMENT], [
	AC_ARG_ENABLE([sanitizers],
	    [AS_HELP_STRING([--enable-sanitizers],
		[build with AddressSanitizer and UBSan])],
	    [], [enable_sanitizers=no])
	AC_ARG_ENABLE([coverage],
	    [AS_HELP_STRING([--enable-coverage],
		[build for llvm-cov (needs CC=clang)])],
	    [], [enable_coverage=no])
	AC_ARG_ENABLE([fuzzers],
	    [AS_HELP_STRING([--enable-fuzzers],
		[build tests/fuzz for libFuzzer (needs CC=clang)])],
	    [], [enable_fuzzers=no])

	INSTRUMENT_CFLAGS= INSTRUMENT_LDFLAGS= LIB_FUZZING_ENGINE=
	instrumented=no
	AS_IF([test "x$enable_fuzzers" = xyes], [
		instrumented=fuzzers
		enable_sanitizers=yes
		LIB_FUZZING_ENGINE=-fsanitize=fuzzer
		GROUPER_INSTRUMENT_REQUIRE([--enable-fuzzers],
		    [-fsanitize=fuzzer-no-link])
	])
	AS_IF([test "x$enable_sanitizers" = xyes], [
		AS_IF([test $instrumented = no], [instrumented=sanitizers])
		GROUPER_INSTRUMENT_REQUIRE([--enable-sanitizers],
		    [-fsanitize=address,undefined])
		INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fno-omit-frame-pointer"
		INSTRUMENT_CFLAGS="$INSTRUMENT_CFLAGS -fno-sanitize-recover=all"
	])
	AS_IF([test "x$enable_coverage" = xyes], [
		instrumented=coverage
		GROUPER_INSTRUMENT_COVERAGE
	])
	AC_SUBST([INSTRUMENT_CFLAGS])
	AC_SUBST([INSTRUMENT_LDFLAGS])
	AC_SUBST([LIB_FUZZING_ENGINE])
	AM_CONDITIONAL([ENABLE_SANITIZERS], [test "x$enable_sanitizers" = xyes])
	AM_CONDITIONAL([ENABLE_COVERAGE], [test "x$enable_coverage" = xyes])
	AM_CONDITIONAL([ENABLE_FUZZERS], [test "x$enable_fuzzers" = xyes])
])
