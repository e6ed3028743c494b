# SPDX-License-Identifier: ISC
#
# What grouper needs of the kernel's and libc's headers.  Headers only: which
# calls the running kernel answers is found out at run time.

# GROUPER_HOST_SYSTEM stops on a system that has no subreapers.  The variants
# of runtime/os are chosen by OS_LINUX.
AC_DEFUN([GROUPER_HOST_SYSTEM], [
	AC_REQUIRE([AC_CANONICAL_HOST])
	AS_CASE([$host_os],
	    [linux*], [host_system=linux],
	    [AC_MSG_ERROR([grouper runs on Linux 5.11 and later only.
This is $host_os.  Missing here: child subreapers (PR_SET_CHILD_SUBREAPER),
pidfds, signalfd, close_range with CLOSE_RANGE_UNSHARE, and listing a process's
children in /proc.  A port is a set of runtime/os/*_<system>.c files.])])
	AM_CONDITIONAL([OS_LINUX], [test $host_system = linux])
])

# GROUPER_LINUX_HEADERS stops when the headers are older than Linux 5.11, and
# defines HAVE_DECL_* for what came later.
AC_DEFUN([GROUPER_LINUX_HEADERS], [
	AC_CHECK_HEADERS([linux/close_range.h linux/openat2.h linux/pidfd.h \
	    sys/pidfd.h])
	AC_CHECK_FUNCS([close_range pidfd_getfd pidfd_open pidfd_send_signal])

	grouper_missing=
	AC_CHECK_DECLS([PR_SET_CHILD_SUBREAPER],
	    [], [AS_VAR_APPEND([grouper_missing],
		[" PR_SET_CHILD_SUBREAPER"])], [[#include <sys/prctl.h>]])
	AC_CHECK_DECLS([SYS_clone3, SYS_close_range, SYS_openat2,
	    SYS_pidfd_open, SYS_pidfd_send_signal],
	    [], [AS_VAR_APPEND([grouper_missing],
		[" the system calls of Linux 5.11"])],
	    [[#include <sys/syscall.h>]])
	AC_CHECK_DECLS([CLOSE_RANGE_UNSHARE], [],
	    [AS_VAR_APPEND([grouper_missing], [" CLOSE_RANGE_UNSHARE"])],
	    [[#include <linux/close_range.h>]])
	AC_CHECK_DECLS([CLONE_INTO_CGROUP, CLONE_PIDFD], [],
	    [AS_VAR_APPEND([grouper_missing], [" CLONE_INTO_CGROUP"])],
	    [[#include <linux/sched.h>]])
	AC_CHECK_MEMBER([struct clone_args.cgroup], [],
	    [AS_VAR_APPEND([grouper_missing], [" clone_args.cgroup"])],
	    [[#include <linux/sched.h>]])
	AS_IF([test -n "$grouper_missing"],
	    [AC_MSG_ERROR([the kernel headers are older than Linux 5.11:
missing$grouper_missing])])

	AC_CHECK_DECLS([PIDFD_GET_INFO], [], [], [[
#ifdef HAVE_LINUX_PIDFD_H
#include <linux/ioctl.h>
#include <linux/pidfd.h>
#endif
	]])
	AC_CHECK_DECLS([P_PIDFD], [], [], [[#include <sys/wait.h>]])
	AC_CHECK_DECLS([PR_SET_VMA], [], [], [[#include <sys/prctl.h>]])
])
