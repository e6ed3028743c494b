/* SPDX-License-Identifier: ISC */
/*
 * Which cgroup v2 a process is in, by texts of the kernel's.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/group/own_cgroup.h"
#include "support.h"

/* What is found of these texts: "MOUNT BELOW", or "" for nothing. */
static void
expect_own(const char *found, const char *cgroup, const char *mountinfo)
{
	FILE *file = fmemopen((char *)(uintptr_t)mountinfo, strlen(mountinfo),
	    "r");
	char *path = own_cgroup_path(cgroup), text[200] = "";
	struct own_cgroup own;

	ck_assert_ptr_nonnull(file);
	if (path != NULL && own_cgroup_find(&own, path, file) == 0) {
		snprintf(text, sizeof(text), "%s %s", own.mount, own.below);
		own_cgroup_fini(&own);
	} else {
		ck_assert_int_eq(errno, ENOENT);
	}
	ck_assert_str_eq(text, found);
	free(path);
	fclose(file);
}

#define MOUNTED(root, point) \
	"41 31 0:38 " root " " point " rw shared:9 - cgroup2 cgroup2 rw\n"

START_TEST(the_own_cgroup_is_found_below_its_mount)
{
	expect_own("/sys/fs/cgroup .", "0::/\n",
	    MOUNTED("/", "/sys/fs/cgroup"));
	expect_own("/c a/b", "5:cpu:/x\n1:name=systemd:/y\n0::/a/b\n",
	    "32 31 0:29 / /v1 rw - cgroup cgroup rw,cpu\n" MOUNTED("/", "/c"));
	expect_own("/c b", "0::/a/b\n", MOUNTED("/a", "/c"));
	expect_own("/c .", "0::/a/b\n", MOUNTED("/a/b", "/c"));
	expect_own("/a b\\ c", "0::/x y/c\n",
	    MOUNTED("/x\\040y", "/a\\040b\\134"));
	expect_own("/c a", "1:name=systemd:/y\n0::/a", MOUNTED("/", "/c"));
	expect_own("", "1:name=systemd:/y\n", MOUNTED("/", "/c"));
	expect_own("", "1:name=systemd:/y", MOUNTED("/", "/c"));
	expect_own("", "", MOUNTED("/", "/c"));
	expect_own("", "0::/a\n", "32 31 0:29 / /v1 rw - tmpfs none rw\n");
}
END_TEST

/* Whose name only begins with that of the mount's root. */
START_TEST(a_cgroup_beside_the_root_of_a_mount_is_not_below_it)
{
	expect_own("", "0::/docker/abcd\n", MOUNTED("/docker/abc", "/c"));
	expect_own("/d cd", "0::/ab/cd\n",
	    MOUNTED("/a", "/c") MOUNTED("/ab", "/d"));
}
END_TEST

START_TEST(a_cgroup_outside_of_the_namespace_is_no_directory_of_others)
{
	expect_own("", "0::/../other\n", MOUNTED("/", "/c"));
	expect_own("", "0::/..\n", MOUNTED("/", "/c"));
	expect_own("/c other", "0::/../other\n", MOUNTED("/..", "/c"));
	expect_own("/c a..b/..c", "0::/a..b/..c\n", MOUNTED("/", "/c"));
}
END_TEST

START_TEST(a_long_path_is_not_cut)
{
	static char cgroup[5000], found[5000];
	char path[4100], *own;

	memset(path, 'x', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	snprintf(cgroup, sizeof(cgroup), "1:name=systemd:/%.800s\n0::/%s\n",
	    path, path);
	snprintf(found, sizeof(found), "/%s", path);
	own = own_cgroup_path(cgroup);
	ck_assert_str_eq(own, found);
	free(own);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("own_cgroup");
	TCase *tc = support_case(s, "texts");

	tcase_add_test(tc, the_own_cgroup_is_found_below_its_mount);
	tcase_add_test(tc, a_cgroup_beside_the_root_of_a_mount_is_not_below_it);
	tcase_add_test(tc,
	    a_cgroup_outside_of_the_namespace_is_no_directory_of_others);
	tcase_add_test(tc, a_long_path_is_not_cut);
	return support_main(s, NULL);
}
