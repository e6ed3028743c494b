# SPDX-License-Identifier: ISC
#
# A command that wraps every test run must start fast, and loading a dynamic
# libc with a few libraries is about a quarter of what it costs to start one.

# GROUPER_STATIC_TOOL(MODULES) finds out whether the grouper command can be
# linked fully static with these pkg-config modules.  Sets STATIC_LDFLAGS and
# STATIC_LIBS, static_tool (static-pie, static or no) and static_why.
# static-pie is preferred: it starts as fast and keeps address randomisation.
AC_DEFUN([GROUPER_STATIC_TOOL], [
	AC_ARG_ENABLE([static-tool],
	    [AS_HELP_STRING([--disable-static-tool],
		[link the grouper command dynamically;
		 =static: not position-independent])],
	    [], [enable_static_tool=auto])
	STATIC_LDFLAGS= STATIC_LIBS= static_tool=no static_why=
	AS_IF([test "x$enable_static_tool" = xno],
	    [static_why="--disable-static-tool"],
	    [test "$instrumented" != no],
	    [static_why="--enable-$instrumented"],
	    [GROUPER_STATIC_PROBE([$1])])
	AS_CASE([$enable_static_tool,$static_tool], [auto,*|no,*], [],
	    [*,no], [AC_MSG_ERROR([--enable-static-tool: $static_why])])
	AS_IF([test $static_tool != no], [AC_DEFINE([STATIC_TOOL], [1],
	    [Define to 1 if the command is linked static, and so not watched.])])
	AC_SUBST([STATIC_LDFLAGS])
	AC_SUBST([STATIC_LIBS])
	AM_CONDITIONAL([STATIC_TOOL], [test $static_tool != no])
])

AC_DEFUN([GROUPER_STATIC_PROBE], [
	grouper_libs=`$PKG_CONFIG --static --libs "$1"`
	grouper_save_CFLAGS=$CFLAGS
	grouper_save_LIBS=$LIBS
	LIBS="$grouper_libs $LIBS"
	AC_CACHE_CHECK([how to link a static program], [grouper_cv_static], [
		grouper_cv_static=no
		AS_CASE([$enable_static_tool],
		    [static], [grouper_ways=static],
		    [grouper_ways="static static-pie"])
		for how in $grouper_ways; do
			CFLAGS="$grouper_save_CFLAGS $BSD_CFLAGS -fPIE -$how"
			AC_RUN_IFELSE([GROUPER_STATIC_PROGRAM],
			    [grouper_cv_static=$how], [],
			    [AC_LINK_IFELSE([GROUPER_STATIC_PROGRAM],
				[grouper_cv_static=$how])])
		done
	])
	static_tool=$grouper_cv_static
	AS_IF([test $static_tool = no],
	    [static_why="static libraries are missing"], [
		dnl tools/origin.c
		STATIC_LDFLAGS="-XCClinker -$static_tool -Wl,--wrap=_dl_get_origin"
		STATIC_LIBS=$grouper_libs
		CFLAGS="$grouper_save_CFLAGS $BSD_CFLAGS -fPIE -$static_tool"
		GROUPER_STATIC_NO_RESOLVER
		GROUPER_STATIC_ORDER
		GROUPER_STATIC_RELR
		GROUPER_STATIC_SEGMENTS
	])
	CFLAGS=$grouper_save_CFLAGS
	LIBS=$grouper_save_LIBS
])

# libevent_core.a refers to the resolver, for functions that grouper never
# calls.  Left out, glibc's is not linked, nor does the linker warn that it
# loads shared libraries.
AC_DEFUN([GROUPER_STATIC_NO_RESOLVER], [
	grouper_wrap=
	for function in getaddrinfo freeaddrinfo getprotobynumber \
	    getservbyname; do
		AS_VAR_APPEND([grouper_wrap], [" -Wl,--wrap=$function"])
		AS_VAR_APPEND([grouper_wrap],
		    [" -Wl,--defsym=__wrap_$function=abort"])
	done
	CFLAGS="$CFLAGS$grouper_wrap"
	AC_CACHE_CHECK([whether it can do without a resolver],
	    [grouper_cv_no_resolver],
	    [AC_LINK_IFELSE([GROUPER_STATIC_PROGRAM],
		[grouper_cv_no_resolver=yes], [grouper_cv_no_resolver=no])])
	AS_VAR_IF([grouper_cv_no_resolver], [yes],
	    [AS_VAR_APPEND([STATIC_LDFLAGS], ["$grouper_wrap"])])
])

# What runs in a short `grouper run` is brought together, see the script.
AC_DEFUN([GROUPER_STATIC_ORDER], [
	CFLAGS="$CFLAGS -Wl,-T,$srcdir/tools/order.ld"
	AC_CACHE_CHECK([whether the linker takes an order of the text],
	    [grouper_cv_order],
	    [AC_LINK_IFELSE([GROUPER_STATIC_PROGRAM],
		[grouper_cv_order=yes], [grouper_cv_order=no])])
	AS_VAR_IF([grouper_cv_order], [yes],
	    [AS_VAR_APPEND([STATIC_LDFLAGS],
		[' -Wl,-T,$(top_srcdir)/tools/order.ld'])])
])

# 64 kB less to read at each start, where libc unpacks them: run to see it.
AC_DEFUN([GROUPER_STATIC_RELR], [
	CFLAGS="$CFLAGS -Wl,-z,pack-relative-relocs"
	AC_CACHE_CHECK([whether relocations can be packed],
	    [grouper_cv_relr],
	    [AC_RUN_IFELSE([GROUPER_STATIC_PROGRAM],
		[grouper_cv_relr=yes], [grouper_cv_relr=no],
		[grouper_cv_relr=no])])
	AS_VAR_IF([grouper_cv_relr], [yes],
	    [AS_VAR_APPEND([STATIC_LDFLAGS],
		[" -Wl,-z,pack-relative-relocs"])])
])

# One mapping for text and what is only read, instead of three: each is made,
# copied at the fork and taken down, twice at each start.
AC_DEFUN([GROUPER_STATIC_SEGMENTS], [
	CFLAGS="$CFLAGS -Wl,-z,noseparate-code"
	AC_CACHE_CHECK([whether text and constants can share a mapping],
	    [grouper_cv_segments],
	    [AC_LINK_IFELSE([GROUPER_STATIC_PROGRAM],
		[grouper_cv_segments=yes], [grouper_cv_segments=no])])
	AS_VAR_IF([grouper_cv_segments], [yes],
	    [AS_VAR_APPEND([STATIC_LDFLAGS],
		[" -Wl,-z,noseparate-code"])])
])

AC_DEFUN([GROUPER_STATIC_PROGRAM], [AC_LANG_PROGRAM([
#include <stdlib.h>
#include <event2/event.h>
#include <jansson.h>
], [
	/* Never true: what counts is that all of it is there. */
	if (getenv("NEVER_SET") != NULL)
		return event_base_dispatch(event_base_new()) +
		    json_is_object(json_object()) +
		    (int)strtonum("1", 0, 1, NULL);
])])
