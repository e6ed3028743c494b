/* SPDX-License-Identifier: ISC */
/*
 * Members of groups and the program that hosts them: each by its own part of
 * the library, with the kernel's pipes and sockets between.
 */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "trial.h"

/* The member tells by its status where it failed. */
#define MUST(condition) \
	do { \
		if (!(condition)) \
			return __LINE__ % 255 + 1; \
	} while (0)
#define OK(call) MUST((call) == GROUPER_OK)

/* What the program heard; every "ready" is answered by an "answer". */
struct heard {
	struct trial trial;
	struct grouper_subscription *subscription;
	char text[512]; /* "event/from/payload;" of each */
};

static void
on_message(struct grouper_host *host, const struct grouper_message *message,
    void *arg)
{
	struct heard *heard = arg;
	size_t length = strlen(heard->text);

	snprintf(heard->text + length, sizeof(heard->text) - length,
	    "%s/%s/%s;", message->event,
	    message->from == NULL ? "-" : message->from,
	    (const char *)message->payload);
	if (strcmp(message->event, "ready") == 0)
		ck_assert_int_eq(grouper_publish(host, "job", "answer", "yes",
				     3, NULL),
		    GROUPER_OK);
}

static void
open_host(struct heard *heard)
{
	static const char *const patterns[] = { "result" };

	memset(heard, 0, sizeof(*heard));
	trial_open(&heard->trial, "srv");
	ck_assert_int_eq(setenv("GROUPER_SOCKET",
			     support_path("runtime/srv.sock"), 1),
	    0);
	ck_assert_int_eq(grouper_subscribe(heard->trial.host, patterns, 1,
			     on_message, heard, &heard->subscription),
	    GROUPER_OK);
}

static void
close_host(struct heard *heard)
{
	grouper_unsubscribe(heard->subscription);
	trial_close(&heard->trial);
}

/* Runs a function as a group, whose result must be 0. */
static void
run(struct heard *heard, const char *key, grouper_exec_fn *fn)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	const struct trial_event *event;

	options.session = GROUPER_SESSION_NEW;
	options.key = key;
	trial_exec(&heard->trial, &options, fn, heard);
	event = trial_await(&heard->trial, GROUPER_EVENT_EMPTY);
	ck_assert_msg(event->status == 0, "%s: wait status %#x", key,
	    event->status);
}

static int
talk(void *arg, int out)
{
	struct grouper_message message;
	struct grouper_member *member;

	(void)arg;
	(void)out;
	OK(grouper_member_open(&member));
	OK(grouper_member_subscribe(member, "job", -1));
	OK(grouper_member_publish(member, "result", "ready", "x", 1));
	OK(grouper_member_next(member, -1, &message));
	MUST(strcmp(message.event, "answer") == 0);
	MUST(strcmp(message.payload, "yes") == 0);
	MUST(message.from == NULL);
	/* One's own come back, unless they are for others. */
	OK(grouper_member_publish_others(member, "job", "mine", "1", 1));
	OK(grouper_member_publish(member, "job", "mine", "2", 1));
	OK(grouper_member_next(member, -1, &message));
	MUST(strcmp(message.payload, "2") == 0);
	MUST(strcmp(message.from, "pool/w:1") == 0);
	OK(grouper_member_unsubscribe(member, "job", -1));
	OK(grouper_member_publish(member, "job", "mine", "3", 1));
	OK(grouper_member_publish(member, "result", "done", "", 0));
	MUST(grouper_member_next(member, 0, &message) == GROUPER_TIMED_OUT);
	grouper_member_close(member);
	return 0;
}

static bool
is_done(void *arg)
{
	struct heard *heard = arg;

	return strstr(heard->text, "done") != NULL;
}

START_TEST(a_group_and_its_host_talk)
{
	struct heard heard;

	open_host(&heard);
	run(&heard, "pool/w:1", talk);
	trial_until(&heard.trial, is_done, &heard);
	ck_assert_str_eq(heard.text, "ready/pool/w:1/x;done/pool/w:1/;");
	close_host(&heard);
}
END_TEST

/* Of some topics those that are wanted, as "01...". */
static const char *
wanted(struct grouper_member *member)
{
	static const char *const topics[] = { "job", "job:1", "jobs",
		"result" };
	static char text[5];
	size_t i;

	for (i = 0; i < 4; i++)
		text[i] = grouper_member_wanted(member, topics[i]) ? '1' : '0';
	return text;
}

static int
ask_what_is_wanted(void *arg, int out)
{
	struct grouper_member *member;

	(void)arg;
	(void)out;
	OK(grouper_member_open(&member));
	MUST(strcmp(wanted(member), "0001") == 0); /* by the host's program */
	OK(grouper_member_subscribe(member, "job", -1));
	MUST(strcmp(wanted(member), "1001") == 0);
	OK(grouper_member_subscribe(member, "job:*", -1));
	OK(grouper_member_unsubscribe(member, "job", -1));
	MUST(strcmp(wanted(member), "0101") == 0);
	OK(grouper_member_subscribe(member, "job*", -1));
	MUST(strcmp(wanted(member), "1111") == 0);
	OK(grouper_member_unsubscribe(member, "job*", -1));
	OK(grouper_member_unsubscribe(member, "job:*", -1));
	MUST(strcmp(wanted(member), "0001") == 0);
	grouper_member_close(member);
	return 0;
}

/* With a host that has nothing else to do. */
static void
run_alone(grouper_exec_fn *fn)
{
	struct heard heard;

	open_host(&heard);
	run(&heard, "k", fn);
	close_host(&heard);
}

START_TEST(a_member_knows_what_nobody_wants)
{
	run_alone(ask_what_is_wanted);
}
END_TEST

static int
open_again(void *arg, int out)
{
	struct grouper_member *first, *second = NULL;
	struct grouper_message message;

	(void)arg;
	(void)out;
	OK(grouper_member_open(&first));
	MUST(grouper_member_open(&second) == GROUPER_ALREADY_EXISTS);
	grouper_member_close(first);
	OK(grouper_member_open(&second));
	OK(grouper_member_subscribe(second, "job", -1));
	OK(grouper_member_publish(second, "job", "e", "x", 1));
	OK(grouper_member_next(second, -1, &message));
	grouper_member_close(second);
	return 0;
}

START_TEST(pipes_are_opened_once_at_a_time)
{
	run_alone(open_again);
}
END_TEST

static int
use_names(void *arg, int out)
{
	struct grouper_message message;
	struct grouper_member *member;
	char *json;
	pid_t pid;
	int yes;

	(void)arg;
	(void)out;
	OK(grouper_member_open(&member));
	OK(grouper_member_register(member, "me", 0, &yes));
	MUST(yes);
	OK(grouper_member_whereis(member, "me", &pid));
	MUST(pid == getpid());
	OK(grouper_member_send(member, "me", "hello", "\0\1", 2));
	OK(grouper_member_next(member, -1, &message));
	MUST(message.length == 2 && memcmp(message.payload, "\0\1", 2) == 0);
	MUST(strcmp(message.event, "hello") == 0);
	OK(grouper_member_register(member, "host", getppid(), &yes));
	MUST(!yes);
	OK(grouper_member_config_get(member, "limit", &json));
	MUST(strcmp(json, "[1]") == 0);
	free(json);
	OK(grouper_member_config_put(member, "limit", "2", NULL));
	grouper_member_close(member);
	return 0;
}

START_TEST(names_and_settings_are_shared)
{
	struct grouper_host *host;
	struct heard heard;
	char *json;
	pid_t pid;
	int yes;

	open_host(&heard);
	host = heard.trial.host;
	ck_assert_int_eq(grouper_register(host, "host", 0, &yes), GROUPER_OK);
	ck_assert_int_eq(grouper_config_put(host, "limit", "[1]", NULL),
	    GROUPER_OK);
	run(&heard, "k", use_names);
	ck_assert_int_eq(grouper_config_get(host, "limit", &json), GROUPER_OK);
	ck_assert_str_eq(json, "2");
	free(json);
	/* Its name went with it. */
	ck_assert_int_eq(grouper_whereis(host, "me", &pid), GROUPER_OK);
	ck_assert_int_eq(pid, 0);
	close_host(&heard);
}
END_TEST

static void
open_outside(void *arg)
{
	struct grouper_member *member;

	(void)arg;
	ck_assert_int_eq(grouper_member_open(&member), GROUPER_NO_GROUP);
}

static bool
has_gone(void *arg)
{
	struct support_process p;

	return !support_process(*(pid_t *)arg, &p) || !support_alive(&p);
}

START_TEST(who_is_in_no_group_is_no_member)
{
	struct heard heard;
	pid_t pid;

	open_host(&heard);
	pid = trial_fork(open_outside, NULL);
	trial_until(&heard.trial, has_gone, &pid);
	trial_join(pid);
	close_host(&heard);
}
END_TEST

#define FLOOD 200

static int
flood(void *arg, int out)
{
	static char payload[GROUPER_PAYLOAD_MAX];
	struct grouper_member *member;
	int i;

	(void)arg;
	(void)out;
	OK(grouper_member_open(&member));
	for (i = 0; i < FLOOD; i++)
		OK(grouper_member_publish(member, "flood", "e", payload,
		    i % 2 == 0 ? 10 : GROUPER_PAYLOAD_MAX));
	OK(grouper_member_publish(member, "result", "done", "", 0));
	grouper_member_close(member);
	return 0;
}

START_TEST(large_and_small_frames_come_up_whole)
{
	struct heard heard;

	open_host(&heard);
	run(&heard, "k", flood);
	trial_until(&heard.trial, is_done, &heard);
	ck_assert_str_eq(heard.text, "done/k/;");
	close_host(&heard);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("member_host");
	TCase *tc;

	tc = support_case(s, "groups");
	tcase_add_test(tc, a_group_and_its_host_talk);
	tcase_add_test(tc, a_member_knows_what_nobody_wants);
	tcase_add_test(tc, pipes_are_opened_once_at_a_time);
	tcase_add_test(tc, names_and_settings_are_shared);
	tcase_add_test(tc, who_is_in_no_group_is_no_member);
	tcase_add_test(tc, large_and_small_frames_come_up_whole);
	return support_main(s, NULL);
}
