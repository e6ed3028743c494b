/* SPDX-License-Identifier: ISC */
/*
 * The member's side: what it asks its host over the control socket.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <grouper/member.h>

#include "served.h"

static struct grouper_member *
open_member(void)
{
	struct grouper_member *member;

	ck_assert_int_eq(grouper_member_open(&member), GROUPER_OK);
	return member;
}

static void
use_pipes(void *arg)
{
	struct grouper_member *member = open_member();
	struct grouper_message message;
	int fd = grouper_member_fd(member);

	(void)arg;
	ck_assert_int_eq(fcntl(fd, F_GETFD), FD_CLOEXEC);
	ck_assert_int_eq(grouper_member_publish(member, "a", "b", "x", 1),
	    GROUPER_OK);
	/* The host sees its end by now. */
	ck_assert_int_eq(grouper_member_next(member, 0, &message),
	    GROUPER_TIMED_OUT);
	grouper_member_close(member);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
}

START_TEST(pipes_come_over_the_socket)
{
	struct served served;
	char frame[32];

	served_open(&served);
	served_run(&served, use_pipes, NULL);
	ck_assert_int_eq(read(served.up, frame, sizeof(frame)), 10);
	ck_assert_mem_eq(frame, "P a b 1\nx\n", 10);
	/* Closed by the member: nobody has them. */
	ck_assert_int_eq(read(served.up, frame, sizeof(frame)), 0);
	served_close(&served);
}
END_TEST

static void
open_twice(void *arg)
{
	struct grouper_member *member = NULL;

	(void)arg;
	ck_assert_int_eq(grouper_member_open(&member), GROUPER_ALREADY_EXISTS);
	ck_assert_ptr_null(member);
}

START_TEST(a_group_has_its_pipes_once)
{
	struct served served;

	served_open(&served);
	served.nfds = 0;
	served_run(&served, open_twice, NULL);
	served_close(&served);
}
END_TEST

static void
open_half(void *arg)
{
	struct grouper_member *member = NULL;
	int before = dup(STDIN_FILENO), after;

	(void)arg;
	close(before);
	ck_assert_int_eq(grouper_member_open(&member), GROUPER_SYSTEM);
	ck_assert_int_eq(errno, EPROTO);
	after = dup(STDIN_FILENO);
	ck_assert_int_eq(after, before);
}

START_TEST(half_a_pair_of_pipes_is_refused)
{
	struct served served;

	served_open(&served);
	served.nfds = 1;
	served_run(&served, open_half, NULL);
	served_close(&served);
}
END_TEST

static void
ask_what_is_wanted(void *arg)
{
	struct grouper_member *member = open_member();

	(void)arg;
	errno = 0;
	ck_assert_int_eq(grouper_member_wanted(member, "a"), 1);
	ck_assert_int_eq(grouper_member_wanted(member, "a:"), 1);
	ck_assert_int_eq(grouper_member_wanted(member, NULL), 1);
	ck_assert_int_eq(errno, 0);
	grouper_member_close(member);
	ck_assert_int_eq(grouper_member_wanted(NULL, "a"), 1);
}

START_TEST(a_host_that_does_not_tell_may_want_all)
{
	struct served served;

	served_open(&served);
	served_run(&served, ask_what_is_wanted, NULL);
	served_close(&served);
}
END_TEST

START_TEST(without_a_host_there_is_no_member)
{
	struct grouper_member *member = NULL;

	unsetenv("GROUPER_SOCKET");
	ck_assert_int_eq(grouper_member_open(&member), GROUPER_NO_GROUP);
	setenv("GROUPER_SOCKET", "", 1);
	ck_assert_int_eq(grouper_member_open(&member), GROUPER_NO_GROUP);
	setenv("GROUPER_SOCKET", support_path("none"), 1);
	ck_assert_int_eq(grouper_member_open(&member), GROUPER_NO_GROUP);
	ck_assert_ptr_null(member);
}
END_TEST

/* It would wait for its own loop. */
START_TEST(a_host_is_no_member_of_its_own)
{
	struct grouper_member *member = NULL;
	struct served served;

	served_open(&served);
	ck_assert_int_eq(grouper_member_open(&member), GROUPER_NO_GROUP);
	served_close(&served);
}
END_TEST

static void
use_names(void *arg)
{
	struct grouper_member *member = open_member();
	pid_t host = *(pid_t *)arg, pid = -1;
	int yes = -1;

	ck_assert_int_eq(grouper_member_whereis(member, "db", &pid),
	    GROUPER_OK);
	ck_assert_int_eq(pid, 0);
	ck_assert_int_eq(grouper_member_register(member, "db", 0, &yes),
	    GROUPER_OK);
	ck_assert_int_eq(yes, 1);
	ck_assert_int_eq(grouper_member_register(member, "db", host, &yes),
	    GROUPER_OK);
	ck_assert_int_eq(yes, 0);
	ck_assert_int_eq(grouper_member_register(member, "host", host, &yes),
	    GROUPER_OK);
	ck_assert_int_eq(grouper_member_whereis(member, "db", &pid),
	    GROUPER_OK);
	ck_assert_int_eq(pid, getpid());
	ck_assert_int_eq(grouper_member_send(member, "db", "e", "\0\377", 2),
	    GROUPER_OK);
	ck_assert_int_eq(grouper_member_unregister(member, "db"), GROUPER_OK);
	ck_assert_int_eq(grouper_member_unregister(member, "db"), GROUPER_OK);
	ck_assert_int_eq(grouper_member_send(member, "db", "e", "x", 1),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_member_whereis(member, "host", &pid),
	    GROUPER_OK);
	ck_assert_int_eq(pid, host);
	grouper_member_close(member);
}

START_TEST(names_are_given_found_and_sent_to)
{
	struct served served;
	pid_t host = getpid();
	char *sent;

	served_open(&served);
	served_run(&served, use_names, &host);
	sent = json_dumps(served.params, JSON_COMPACT | JSON_SORT_KEYS);
	ck_assert_str_eq(sent,
	    "{\"event\":\"e\",\"name\":\"db\","
	    "\"payload\":\"x\"}");
	free(sent);
	served_close(&served);
}
END_TEST

static void
expect_json(char *json, const char *expected)
{
	ck_assert_str_eq(json, expected);
	free(json);
}

static void
use_settings(void *arg)
{
	struct grouper_member *member = open_member();
	char *json = NULL, *old = NULL;

	(void)arg;
	ck_assert_int_eq(grouper_member_config_get(member, "a", &json),
	    GROUPER_NOT_FOUND);
	ck_assert_ptr_null(json);
	ck_assert_int_eq(grouper_member_config_put(member, "a", "{\"b\": 1.5}",
			     &old),
	    GROUPER_OK);
	ck_assert_ptr_null(old);
	ck_assert_int_eq(grouper_member_config_get(member, "a", &json),
	    GROUPER_OK);
	expect_json(json, "{\"b\":1.5}");
	ck_assert_int_eq(grouper_member_config_put(member, "a", "null", &old),
	    GROUPER_OK);
	expect_json(old, "{\"b\":1.5}");
	ck_assert_int_eq(grouper_member_config_put(member, "c", "\"x\"", NULL),
	    GROUPER_OK);
	ck_assert_int_eq(grouper_member_config_list(member, &json), GROUPER_OK);
	expect_json(json, "{\"a\":null,\"c\":\"x\"}");
	ck_assert_int_eq(grouper_member_config_delete(member, "a", &old),
	    GROUPER_OK);
	expect_json(old, "null");
	ck_assert_int_eq(grouper_member_config_delete(member, "a", &old),
	    GROUPER_OK);
	ck_assert_ptr_null(old);
	ck_assert_int_eq(grouper_member_config_delete(member, "c", NULL),
	    GROUPER_OK);
	grouper_member_close(member);
}

START_TEST(settings_are_json)
{
	struct served served;

	served_open(&served);
	served_run(&served, use_settings, NULL);
	served_close(&served);
}
END_TEST

static void
ask_wrongly(void *arg)
{
	static const char *const names[] = { NULL, "", "a b", "\n", "\377" };
	struct grouper_member *member = open_member();
	char *json;
	pid_t pid;
	size_t i;
	int yes;

	(void)arg;
	for (i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		ck_assert_int_eq(grouper_member_register(member, names[i], 0,
				     &yes),
		    GROUPER_INVALID);
		ck_assert_int_eq(grouper_member_whereis(member, names[i], &pid),
		    GROUPER_INVALID);
		ck_assert_int_eq(grouper_member_unregister(member, names[i]),
		    GROUPER_INVALID);
		ck_assert_int_eq(grouper_member_send(member, "a", names[i],
				     NULL, 0),
		    GROUPER_INVALID);
		ck_assert_int_eq(grouper_member_config_put(member, names[i],
				     "1", NULL),
		    GROUPER_INVALID);
	}
	ck_assert_int_eq(grouper_member_register(member, "a", -1, &yes),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_register(member, "a", 0, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_config_put(member, "a", "x", NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_config_put(member, "a", "", NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_config_list(member, NULL),
	    GROUPER_INVALID);
	ck_assert_int_eq(grouper_member_config_list(NULL, &json),
	    GROUPER_INVALID);
	grouper_member_close(member);
}

START_TEST(what_cannot_be_asked_is_refused)
{
	struct served served;

	served_open(&served);
	served_run(&served, ask_wrongly, NULL);
	ck_assert_ptr_null(served.params);
	served_close(&served);
}
END_TEST

static void
outlive_host(void *arg)
{
	struct grouper_member *member = open_member();
	struct served *served = arg;
	pid_t pid;

	/* Its end is not this process's. */
	(void)served;
	ck_assert_int_eq(grouper_member_whereis(member, "a", &pid), GROUPER_OK);
	ck_assert_int_eq(setenv("GROUPER_SOCKET", "/changed", 1), 0);
	ck_assert_int_eq(unlink(support_path("runtime/srv.sock")), 0);
	ck_assert_int_eq(grouper_member_whereis(member, "a", &pid),
	    GROUPER_NO_GROUP);
	grouper_member_close(member);
}

START_TEST(a_host_that_has_gone_is_told)
{
	struct served served;

	served_open(&served);
	served_run(&served, outlive_host, &served);
	served_close(&served);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("member_control");
	TCase *tc;

	tc = support_case(s, "pipes");
	tcase_add_test(tc, pipes_come_over_the_socket);
	tcase_add_test(tc, a_group_has_its_pipes_once);
	tcase_add_test(tc, half_a_pair_of_pipes_is_refused);
	tcase_add_test(tc, a_host_that_does_not_tell_may_want_all);
	tcase_add_test(tc, without_a_host_there_is_no_member);
	tcase_add_test(tc, a_host_is_no_member_of_its_own);
	tc = support_case(s, "requests");
	tcase_add_test(tc, names_are_given_found_and_sent_to);
	tcase_add_test(tc, settings_are_json);
	tcase_add_test(tc, what_cannot_be_asked_is_refused);
	tcase_add_test(tc, a_host_that_has_gone_is_told);
	return support_main(s, NULL);
}
