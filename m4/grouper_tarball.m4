# SPDX-License-Identifier: ISC
#
# make dist makes the same tarball of the same commit, whoever makes it where
# and when: names in order, no owner, one time for all files, the commit's.
# gzip writes no time for what it reads from a pipe.

AC_DEFUN([GROUPER_TARBALL], [
	AC_CACHE_CHECK([whether tar sorts names], [grouper_cv_tar_sort], [
		AS_IF([tar --sort=name --mtime=@0 -cf /dev/null /dev/null \
		    >/dev/null 2>&1],
		    [grouper_cv_tar_sort=yes], [grouper_cv_tar_sort=no])
	])
	dnl Without git, as from a tarball, the time that this one gave configure.
	AS_IF([test $grouper_cv_tar_sort = yes], [
		am__tar='tar --format=ustar --sort=name --owner=0 --group=0 \
	    --numeric-owner --mode=u+w,go=rX \
	    --mtime="@$${SOURCE_DATE_EPOCH:-`git -C $(srcdir) log -1 \
		--format=%ct 2>/dev/null || date -r $(srcdir)/configure +%s`}" \
	    -chf - "$$tardir"'
	])
])
