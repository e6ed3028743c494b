# SPDX-License-Identifier: ISC
#
# Compiler and linker flags that are used only where they work.

# GROUPER_TRY_FLAGS(VARIABLE, PROLOGUE-ACTION, FLAGS...) appends each flag that
# compiles and links to VARIABLE.  -Werror, because clang only warns of flags
# that it does not know.
AC_DEFUN([GROUPER_TRY_FLAG], [
	AS_VAR_PUSHDEF([cached_flag], [grouper_cv_flag_$2])
	AC_CACHE_CHECK([whether $CC takes $2], [cached_flag], [
		grouper_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $2"
		AC_LINK_IFELSE([AC_LANG_PROGRAM([], [])],
		    [AS_VAR_SET([cached_flag], [yes])],
		    [AS_VAR_SET([cached_flag], [no])])
		CFLAGS=$grouper_save_CFLAGS
	])
	AS_VAR_IF([cached_flag], [yes], [$1="$$1 $2"])
	AS_VAR_POPDEF([cached_flag])
])

AC_DEFUN([GROUPER_TRY_FLAGS], [
	m4_foreach_w([each_flag], [$2], [GROUPER_TRY_FLAG([$1], m4_defn([each_flag]))])
])

# GROUPER_WARNINGS sets WARN_CFLAGS.
AC_DEFUN([GROUPER_WARNINGS], [
	AC_ARG_ENABLE([werror],
	    [AS_HELP_STRING([--enable-werror], [make warnings errors])],
	    [], [enable_werror=no])
	WARN_CFLAGS=
	GROUPER_TRY_FLAGS([WARN_CFLAGS], [
		-Wall
		-Wextra
		-Wcast-qual
		-Wdeclaration-after-statement
		-Wduplicated-branches
		-Wduplicated-cond
		-Wfloat-conversion
		-Wformat=2
		-Wno-format-nonliteral
		-Wlogical-op
		-Wmissing-declarations
		-Wmissing-prototypes
		-Wnested-externs
		-Wold-style-definition
		-Wpointer-arith
		-Wredundant-decls
		-Wshadow
		-Wstrict-prototypes
		-Wundef
		-Wvla
		-Wwrite-strings
	])
	AS_IF([test "x$enable_werror" = xyes],
	    [WARN_CFLAGS="$WARN_CFLAGS -Werror"])
	AC_SUBST([WARN_CFLAGS])
])

# GROUPER_HARDENING sets HARDEN_CPPFLAGS, HARDEN_CFLAGS, HARDEN_LDFLAGS, and
# PIE_CFLAGS, PIE_LDFLAGS for programs.  FORTIFY does nothing without
# optimisation but warn, and hides from ASan what it should see.
AC_DEFUN([GROUPER_HARDENING], [
	AC_ARG_ENABLE([hardening],
	    [AS_HELP_STRING([--disable-hardening],
		[build without FORTIFY, stack protector, CET, RELRO, PIE])],
	    [], [enable_hardening=yes])
	HARDEN_CPPFLAGS= HARDEN_CFLAGS= HARDEN_LDFLAGS= fortify_text=off
	PIE_CFLAGS= PIE_LDFLAGS=
	AS_IF([test "x$enable_hardening" != xno], [
		AS_IF([test "x$enable_sanitizers" != xyes], [GROUPER_FORTIFY])
		GROUPER_TRY_FLAGS([HARDEN_CFLAGS], [
			-fstack-protector-strong
			-fstack-clash-protection
			-fcf-protection
		])
		GROUPER_TRY_FLAGS([HARDEN_LDFLAGS], [
			-Wl,-z,relro
			-Wl,-z,now
			-Wl,-z,noexecstack
		])
		GROUPER_TRY_FLAGS([PIE_CFLAGS], [-fPIE])
		GROUPER_TRY_FLAGS([PIE_LDFLAGS], [-pie])
	])
	GROUPER_TRY_FLAGS([HARDEN_LDFLAGS], [-Wl,--as-needed])
	AC_SUBST([HARDEN_CPPFLAGS])
	AC_SUBST([HARDEN_CFLAGS])
	AC_SUBST([HARDEN_LDFLAGS])
	AC_SUBST([PIE_CFLAGS])
	AC_SUBST([PIE_LDFLAGS])
])

# Level 3 where compiler and libc have it; what the distribution's compiler or
# the user defined stays.
AC_DEFUN([GROUPER_FORTIFY], [
	AC_CACHE_CHECK([which level of _FORTIFY_SOURCE to use],
	    [grouper_cv_fortify], [
		grouper_cv_fortify=none
		grouper_save_CPPFLAGS=$CPPFLAGS
		for level in 2 3; do
			CPPFLAGS="$grouper_save_CPPFLAGS -D_FORTIFY_SOURCE=$level"
			AC_COMPILE_IFELSE([AC_LANG_PROGRAM([
#include <features.h>
#ifndef __OPTIMIZE__
#error "not optimised"
#endif
#if !defined(__USE_FORTIFY_LEVEL) || __USE_FORTIFY_LEVEL < _FORTIFY_SOURCE
#error "no such level"
#endif
			    ], [])], [grouper_cv_fortify=$level])
		done
		CPPFLAGS=$grouper_save_CPPFLAGS
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([
#ifdef _FORTIFY_SOURCE
#error "defined already"
#endif
		    ], [])], [], [grouper_cv_fortify=preset])
	])
	fortify_text=$grouper_cv_fortify
	AS_CASE([$grouper_cv_fortify],
	    [2|3], [HARDEN_CPPFLAGS="-D_FORTIFY_SOURCE=$grouper_cv_fortify"])
])

# GROUPER_COUNTING sets COUNT_CFLAGS, with which each step of what is compiled
# calls __sanitizer_cov_trace_pc(), or to nothing.
AC_DEFUN([GROUPER_COUNTING], [
	COUNT_CFLAGS=-fsanitize-coverage=trace-pc
	AC_CACHE_CHECK([whether $CC takes $COUNT_CFLAGS],
	    [grouper_cv_flag_count], [
		grouper_save_CFLAGS=$CFLAGS
		CFLAGS="$CFLAGS -Werror $COUNT_CFLAGS"
		AC_COMPILE_IFELSE([AC_LANG_PROGRAM([], [])],
		    [grouper_cv_flag_count=yes], [grouper_cv_flag_count=no])
		CFLAGS=$grouper_save_CFLAGS
	])
	AS_IF([test $grouper_cv_flag_count = no], [COUNT_CFLAGS=])
	AC_SUBST([COUNT_CFLAGS])
])
