/* SPDX-License-Identifier: ISC */
/*
 * The runtime directory: which one it is, and which ones are refused.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/group/names.h"
#include "trial.h"

static char path[PATH_MAX];

static void
use(const char *directory)
{
	ck_assert_int_eq(setenv("GROUPER_RUNTIME_DIR", directory, 1), 0);
}

static void
refused(int error)
{
	ck_assert_int_eq(names_directory(path, sizeof(path)), -1);
	ck_assert_msg(errno == error, "refused by: %s", strerror(errno));
}

static mode_t
mode_of(const char *file)
{
	struct stat st;

	ck_assert_msg(lstat(file, &st) == 0, "%s: %s", file, strerror(errno));
	return st.st_mode & 07777;
}

START_TEST(the_environment_names_the_directory)
{
	char expected[PATH_MAX];

	setenv("XDG_RUNTIME_DIR", support_directory(), 1);
	use(support_path("own"));
	ck_assert_int_eq(names_directory(path, sizeof(path)), 0);
	ck_assert_str_eq(path, support_path("own"));
	use("");
	ck_assert_int_eq(names_directory(path, sizeof(path)), 0);
	snprintf(expected, sizeof(expected), "%s/grouper", support_directory());
	ck_assert_str_eq(path, expected);
}
END_TEST

/* What is not a directory of ours is as good as unset; NULL is. */
static const char *const sessions[] = { NULL, "", "relative", "/nonexistent",
	"/run/file", "/run/link", "/run/foreign" };
#define SESSIONS (int)(sizeof(sessions) / sizeof(sessions[0]))

struct asker {
	bool user; /* an ordinary one, not root */
	const char *session;
};

static void
default_directory(void *arg)
{
	const struct asker *asker = arg;
	char expected[64];
	bool user = asker->user;
	uid_t uid = support_user();

	ck_assert_int_eq(unshare(CLONE_NEWNS), 0);
	ck_assert_int_eq(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", "/run", "tmpfs", 0, NULL), 0);
	ck_assert_int_eq(mount("tmpfs", "/tmp", "tmpfs", 0, NULL), 0);
	unsetenv("GROUPER_RUNTIME_DIR");
	ck_assert_int_eq(close(creat("/run/file", 0600)), 0);
	ck_assert_int_eq(symlink("/tmp", "/run/link"), 0);
	ck_assert_int_eq(mkdir("/run/foreign", 0777), 0);
	ck_assert_int_eq(chown("/run/foreign", uid + 1, uid + 1), 0);
	if (asker->session == NULL)
		unsetenv("XDG_RUNTIME_DIR");
	else
		setenv("XDG_RUNTIME_DIR", asker->session, 1);
	strcpy(expected, "/run/grouper");
	if (user) {
		ck_assert_int_eq(setresuid(uid, uid, uid), 0);
		snprintf(expected, sizeof(expected), "/tmp/grouper-%u", uid);
	}
	ck_assert_int_eq(names_directory(path, sizeof(path)), 0);
	ck_assert_str_eq(path, expected);
	ck_assert_uint_eq(mode_of(path), user ? 0700 : 0711);
	/* The second time it is there. */
	ck_assert_int_eq(names_directory(path, sizeof(path)), 0);
}

START_TEST(without_it_there_is_a_default)
{
	const char *why;
	struct asker asker = { _i >= SESSIONS, sessions[_i % SESSIONS] };

	if (!support_can_mount(&why))
		SUPPORT_SKIP("%s", why);
	trial_join(trial_fork(default_directory, &asker));
}
END_TEST

START_TEST(its_mode_does_not_depend_on_the_umask)
{
	mode_t expected = geteuid() == 0 ? 0711 : 0700;

	umask(_i == 0 ? 0 : 0777);
	use(support_path("fresh"));
	ck_assert_int_eq(names_directory(path, sizeof(path)), 0);
	ck_assert_uint_eq(mode_of(path), expected);
}
END_TEST

START_TEST(a_directory_that_others_may_write_to_is_refused)
{
	static const mode_t modes[] = { 0777, 0770, 0702, 01777, 0720 };
	const char *directory = support_path("open");
	size_t i;

	ck_assert_int_eq(mkdir(directory, 0700), 0);
	use(directory);
	for (i = 0; i < sizeof(modes) / sizeof(modes[0]); i++) {
		ck_assert_int_eq(chmod(directory, modes[i]), 0);
		refused(EPERM);
	}
	ck_assert_int_eq(chmod(directory, 0755), 0);
	ck_assert_int_eq(names_directory(path, sizeof(path)), 0);
}
END_TEST

START_TEST(another_s_directory_is_refused)
{
	const char *directory = support_path("foreign");

	if (geteuid() != 0)
		SUPPORT_SKIP("only root can give a directory away");
	ck_assert_int_eq(mkdir(directory, 0700), 0);
	ck_assert_int_eq(chown(directory, support_user(), (gid_t)-1), 0);
	use(directory);
	refused(EPERM);
}
END_TEST

START_TEST(what_is_no_directory_is_refused)
{
	use(support_file("file", 0600, ""));
	refused(ENOTDIR);
	ck_assert_int_eq(mkdir(support_path("real"), 0700), 0);
	ck_assert_int_eq(symlink(support_path("real"), support_path("link")),
	    0);
	use(support_path("link"));
	refused(ENOTDIR);
	use(support_path("not/there"));
	refused(ENOENT);
}
END_TEST

START_TEST(a_path_that_does_not_fit_is_refused)
{
	char small[8];

	use("/12345678");
	ck_assert_int_eq(names_directory(small, sizeof(small)), -1);
	ck_assert_int_eq(errno, ENAMETOOLONG);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("directory");
	TCase *tc = support_case(s, "directory");

	tcase_add_test(tc, the_environment_names_the_directory);
	tcase_add_loop_test(tc, without_it_there_is_a_default, 0, 2 * SESSIONS);
	tcase_add_loop_test(tc, its_mode_does_not_depend_on_the_umask, 0, 2);
	tcase_add_test(tc, a_directory_that_others_may_write_to_is_refused);
	tcase_add_test(tc, another_s_directory_is_refused);
	tcase_add_test(tc, what_is_no_directory_is_refused);
	tcase_add_test(tc, a_path_that_does_not_fit_is_refused);
	return support_main(s, NULL);
}
