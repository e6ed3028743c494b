/* SPDX-License-Identifier: ISC */
/*
 * The directory of `grouper run --tmpdir`: private, and removed with whatever
 * a command did to it.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

START_TEST(tmpdir_is_private_and_removed)
{
	struct support_run r;

	support_run_script(&r, ARGV("--tmpdir"),
	    "test -d \"$TMPDIR\" && stat -c %a \"$TMPDIR\" && "
	    "mkdir -p \"$TMPDIR/a/b\" && ln -s / \"$TMPDIR/a/root\" && "
	    "echo x >\"$TMPDIR/a/b/c\" && chmod 000 \"$TMPDIR/a/b\" && "
	    "chmod 500 \"$TMPDIR/a\" && chmod 0 \"$TMPDIR\" && "
	    "echo \"$TMPDIR\"");
	ck_assert_str_eq(r.stderr_text.data, "");
	ck_assert_int_eq(strncmp(r.stdout_text.data, "700\n/", 5), 0);
	r.stdout_text.data[strlen(r.stdout_text.data) - 1] = '\0';
	ck_assert_int_ne(access(r.stdout_text.data + 4, F_OK), 0);
	support_finish(&r);
}
END_TEST

START_TEST(tmpdir_is_absolute)
{
	struct support_command c = { .directory = support_directory(),
		.argv = ARGV("env", "TMPDIR=.", support_grouper(), "run",
		    "--tmpdir", "--cwd", "/", "--shell",
		    "touch \"$TMPDIR/x\" && echo \"$TMPDIR\"") };
	const char *path = support_path("grouper-");
	struct support_run r;

	ck_assert_msg(support_call(&r, &c) == 0, "%s", r.stderr_text.data);
	ck_assert_str_eq(r.stderr_text.data, "");
	ck_assert_msg(strncmp(r.stdout_text.data, path, strlen(path)) == 0,
	    "%s", r.stdout_text.data);
	r.stdout_text.data[strlen(r.stdout_text.data) - 1] = '\0';
	ck_assert_int_ne(access(r.stdout_text.data, F_OK), 0);
	support_finish(&r);
}
END_TEST

START_TEST(tmpdir_of_a_user_is_removed)
{
	const char *argv[] = { support_grouper(), "run", "--tmpdir", "--", "sh",
		"-c",
		"mkdir -p \"$TMPDIR/a/b\" && echo x >\"$TMPDIR/a/b/c\" && "
		"chmod 000 \"$TMPDIR/a/b\" && chmod 500 \"$TMPDIR/a\" && "
		"chmod 0 \"$TMPDIR\" && echo \"$TMPDIR\"",
		NULL };
	const char *const env[] = { "TMPDIR=/tmp", NULL };
	struct support_command c = { .argv = argv, .env = env };
	struct support_run r;
	const char *why;

	if (!support_can_switch_user(&why))
		SUPPORT_SKIP("%s", why);
	c.uid = support_user();
	ck_assert_int_eq(support_call(&r, &c), 0);
	ck_assert_str_eq(r.stderr_text.data, "");
	r.stdout_text.data[strlen(r.stdout_text.data) - 1] = '\0';
	ck_assert_int_ne(access(r.stdout_text.data, F_OK), 0);
	support_finish(&r);
}
END_TEST

START_TEST(deep_tmpdir_is_removed)
{
	struct support_run r;

	support_run_script(&r, ARGV("--tmpdir"),
	    "cd \"$TMPDIR\"; i=0; while [ $i -lt 300 ]; do "
	    "mkdir a b; echo x >b/f; cd -P a; i=$((i+1)); done; "
	    "echo \"$TMPDIR\"");
	ck_assert_str_eq(r.stderr_text.data, "");
	r.stdout_text.data[strlen(r.stdout_text.data) - 1] = '\0';
	ck_assert_int_ne(access(r.stdout_text.data, F_OK), 0);
	support_finish(&r);
}
END_TEST

START_TEST(what_is_mounted_in_tmpdir_stays)
{
	const char *kept = support_path("kept"), *base = support_path("base");
	const char *const env[] = { NULL };
	struct support_command c = { .env = env };
	struct support_run r;
	char script[2048], *content;

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can mount");
	ck_assert_int_eq(mkdir(kept, 0755), 0);
	ck_assert_int_eq(mkdir(base, 0755), 0);
	support_file("kept/file", 0644, "kept");
	/* In a mount namespace of its own, so that nothing stays mounted. */
	snprintf(script, sizeof(script),
	    "export TMPDIR=%s; %s run --tmpdir sh -c 'mkdir $TMPDIR/m && "
	    "echo x >$TMPDIR/x && mount --bind %s $TMPDIR/m'; "
	    "ls %s/*; umount %s/*/m",
	    base, support_grouper(), kept, base, base);
	c.argv = ARGV("unshare", "-m", "sh", "-c", script);
	support_call(&r, &c);
	if (strstr(r.stderr_text.data, "unshare:") != NULL) {
		support_finish(&r);
		SUPPORT_SKIP("no mount namespaces here");
	}
	ck_assert_str_eq(r.stdout_text.data, "m\n");
	ck_assert_ptr_nonnull(strstr(r.stderr_text.data, "cannot remove"));
	content = support_slurp(support_path("kept/file"));
	ck_assert_str_eq(content, "kept");
	free(content);
	support_finish(&r);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tmpdir");
	TCase *tc;

	tc = support_case(suite, "tmpdir");
	tcase_add_test(tc, tmpdir_is_private_and_removed);
	tcase_add_test(tc, tmpdir_is_absolute);
	tcase_add_test(tc, tmpdir_of_a_user_is_removed);
	tcase_add_test(tc, deep_tmpdir_is_removed);
	tcase_add_test(tc, what_is_mounted_in_tmpdir_stays);
	return support_main(suite, NULL);
}
