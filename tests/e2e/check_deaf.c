/* SPDX-License-Identifier: ISC */
/*
 * A host that takes no connection, as one that was suspended while as many
 * clients as may came to wait for it.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "tree.h"

struct deaf {
	int listener;
	int waiting;
};

static void
deaf_open(struct deaf *deaf)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	char name[32];

	/* Where what the test starts looks for hosts. */
	snprintf(name, sizeof(name), "run-%u", (unsigned int)geteuid());
	ck_assert(mkdir(support_path(name), 0700) == 0 || errno == EEXIST);
	strlcat(name, "/deaf.sock", sizeof(name));
	strlcpy(address.sun_path, support_path(name), sizeof(address.sun_path));
	deaf->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	deaf->waiting = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(deaf->listener, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
	ck_assert_int_eq(listen(deaf->listener, 0), 0);
	ck_assert_int_eq(connect(deaf->waiting, (struct sockaddr *)&address,
			     sizeof(address)),
	    0);
}

static void
deaf_close(const struct deaf *deaf)
{
	close(deaf->waiting);
	close(deaf->listener);
}

START_TEST(a_host_that_takes_nobody_is_listed)
{
	struct deaf deaf;
	char *out;

	deaf_open(&deaf);
	ck_assert_int_eq(tree_ask(&out, ARGV("hosts")), 0);
	ck_assert_ptr_nonnull(strstr(out, "\ndeaf  -  "));
	free(out);
	ck_assert_int_eq(tree_ask(&out, ARGV("hosts", "--json")), 0);
	ck_assert_ptr_nonnull(strstr(out, "\"pid\":null"));
	free(out);
	deaf_close(&deaf);
}
END_TEST

START_TEST(a_host_that_takes_nobody_holds_up_no_other)
{
	struct tree tree;
	struct deaf deaf;

	tree_start(&tree, "name: t\nchildren: []\n");
	tree_await_ready("");
	deaf_open(&deaf);
	tree_prints("", ARGV("config", "list", "--host", "t"));
	tree_refuses(2, "choose one by --host: deaf, t",
	    ARGV("config", "list"));
	deaf_close(&deaf);
	tree_stop(&tree, 0);
}
END_TEST

/* The only one, and so the one that is meant. */
START_TEST(a_host_that_takes_nobody_is_told)
{
	struct deaf deaf;

	deaf_open(&deaf);
	tree_refuses(1, "the host 'deaf' does not answer", ARGV("status"));
	deaf_close(&deaf);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("deaf");
	TCase *tc;

	tc = support_case(suite, "deaf");
	tcase_add_test(tc, a_host_that_takes_nobody_is_listed);
	tcase_add_test(tc, a_host_that_takes_nobody_holds_up_no_other);
	tcase_add_test(tc, a_host_that_takes_nobody_is_told);
	return support_main(suite, NULL);
}
