/* SPDX-License-Identifier: ISC */
/*
 * What a member says to its service manager beyond that it is ready: which
 * process is the main one, that it reloads or stops, how often it will give a
 * sign of life.  The test says it in its place.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "grove.h"
#include "record.h"
#include "runtime/supervise/supervisor.h"

#define SOCKET "runtime/srv.1.notify"
/* Its second process says its pid; the first ends when it may. */
#define FORKS \
	"    shutdown: KILL\n" \
	"    shell: 'setsid sleep 1000 & echo $! >@/pid; " \
	"while [ ! -e @/go ]; do sleep 0.01; done; exit 3'\n"

static void
say_pid(const char *text, pid_t pid)
{
	char message[64];

	snprintf(message, sizeof(message), "%sMAINPID=%d", text, (int)pid);
	trial_notify(SOCKET, message);
}

/* The pid of the second process, when the first is known to run. */
static pid_t
start_forking(struct record *record, const char *ready)
{
	char keys[512];

	record_open(record);
	snprintf(keys, sizeof(keys), "    ready: %s\n    watchdog: 1h\n" FORKS,
	    ready);
	record_start(record, keys);
	record_await(record, "started");
	return record_await_number(record, "pid");
}

static bool
is_the_leader_s(void *arg)
{
	return record_leader_of(*(pid_t *)arg) == trial_leader();
}

/* It ends, and its end is that of the member. */
static void
end_by_term(struct record *record, pid_t pid)
{
	kill(pid, SIGTERM);
	record_await(record, "empty");
	ck_assert_int_eq(WTERMSIG(record->status), SIGTERM);
	record_close(record);
}

START_TEST(a_member_goes_on_in_the_process_it_names)
{
	struct record record;
	pid_t pid = start_forking(&record, "notify");

	say_pid("READY=1\n", pid);
	record_await(&record, "adopted");
	ck_assert_int_eq(incarnation_pid(record.run), pid);
	support_file("go", 0644, "");
	trial_until(&record.trial, is_the_leader_s, &pid);
	ck_assert_str_eq(record.told, "started,ready,adopted,");
	end_by_term(&record, pid);
}
END_TEST

/* The host hears of the end first, or of what was said before it. */
START_TEST(what_was_said_before_the_end_counts)
{
	struct record record;
	pid_t pid = start_forking(&record, "notify");
	pid_t first = incarnation_pid(record.run);

	say_pid("", pid);
	support_file("go", 0644, "");
	while (kill(first, 0) == 0) /* the host does nothing meanwhile */
		poll(NULL, 0, 1);
	record_await(&record, "adopted");
	ck_assert_int_eq(incarnation_pid(record.run), pid);
	end_by_term(&record, pid);
}
END_TEST

static bool
has_status(void *arg)
{
	return strstr(((struct record *)arg)->told, "status,") != NULL;
}

START_TEST(a_process_of_others_is_not_taken)
{
	struct record record;
	pid_t pid = start_forking(&record, _i == 0 ? "notify" : "started");

	/* Its own that is not asked for, or another's. */
	say_pid("", _i == 0 ? getpid() : pid);
	say_pid("STATUS=x\n", _i == 0 ? getpid() : pid);
	trial_until(&record.trial, has_status, &record);
	support_file("go", 0644, "");
	record_await(&record, "empty");
	ck_assert_ptr_null(strstr(record.told, "adopted"));
	ck_assert_int_eq(WEXITSTATUS(record.status), 3);
	record_close(&record);
}
END_TEST

START_TEST(it_tells_what_it_is_about)
{
	struct record record;

	start_forking(&record, "notify");
	trial_notify(SOCKET, "RELOADING=1\nMONOTONIC_USEC=1");
	trial_notify(SOCKET, "RELOADING=1");
	trial_notify(SOCKET, "READY=1");
	trial_notify(SOCKET, "RELOADING=1");
	trial_notify(SOCKET, "READY=1\nSTOPPING=1");
	trial_notify(SOCKET, "READY=1");
	record_await(&record, "stops");
	ck_assert_int_eq(incarnation_doing(record.run), INCARNATION_STOPS);
	support_file("go", 0644, "");
	record_await(&record, "empty");
	ck_assert_str_eq(record.told,
	    "started,reloads,ready,serves,reloads,stops,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(the_watchdog_begins_with_min_uptime)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    watchdog: 1ms\n    min_uptime: 1000s\n"
	    "    command: [sleep, '0.1']\n");
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,ended,empty,");
	record_start(&record,
	    "    watchdog: 1ms\n    min_uptime: 1ms\n"
	    "    command: [sleep, '1000']\n");
	record_await(&record, "watchdog");
	incarnation_stop(record.run, true);
	record_await(&record, "empty");
	record_close(&record);
}
END_TEST

START_TEST(a_word_before_min_uptime_does_not_hasten_the_watchdog)
{
	struct record record;

	record_open(&record);
	record_start(&record,
	    "    watchdog: 1ms\n    min_uptime: 1000s\n"
	    "    shell: 'until [ -e @/go ]; do sleep 0.1; done'\n");
	record_await(&record, "started");
	trial_notify(SOCKET, "WATCHDOG=1\nSTATUS=here");
	record_await(&record, "status");
	support_file("go", 0644, "");
	record_await(&record, "empty");
	ck_assert_str_eq(record.told, "started,status,ended,empty,");
	record_close(&record);
}
END_TEST

START_TEST(it_may_have_to_give_signs_of_life_more_often)
{
	struct record record;

	start_forking(&record, "notify");
	trial_notify(SOCKET, "READY=1\nWATCHDOG_USEC=1");
	record_await(&record, "watchdog");
	incarnation_stop(record.run, true);
	record_await(&record, "empty");
	record_close(&record);
}
END_TEST

/*
 * What users see of it
 */

static json_t *
ask(struct grove *grove, const char *request, const char *list)
{
	json_t *result = grove_ask(grove, request);
	json_t *items = json_incref(json_object_get(result, list));

	json_decref(result);
	ck_assert(json_is_array(items));
	return items;
}

/* A member of the only child; to be released. */
static json_t *
child_member(struct grove *grove, const char *name)
{
	json_t *tree = ask(grove, REQUEST("status", "{}"), "tree");
	json_t *children = json_object_get(json_array_get(tree, 0), "children");
	json_t *member =
	    json_incref(json_object_get(json_array_get(children, 0), name));

	json_decref(tree);
	return member;
}

static void
expect_doing(struct grove *grove, const char *says, const char *doing)
{
	json_t *member;

	trial_notify("runtime/srv.2.notify", says);
	grove_turn(grove, 5);
	member = child_member(grove, "doing");
	if (doing == NULL)
		ck_assert_ptr_null(member);
	else
		ck_assert_str_eq(json_string_value(member), doing);
	json_decref(member);
}

START_TEST(status_tells_what_it_is_about)
{
	struct grove grove;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: a, ready: notify, command: [sleep, '1000']}\n");
	grove_await_state(&grove, "a", MACHINE_WAITING);
	trial_notify("runtime/srv.2.notify", "READY=1");
	grove_await_state(&grove, "a", MACHINE_RUNNING);
	expect_doing(&grove, "RELOADING=1", "reloading");
	expect_doing(&grove, "READY=1", NULL);
	expect_doing(&grove, "STOPPING=1", "stopping");
	grove_close(&grove);
}
END_TEST

static json_t *
find_event(struct grove *grove, const char *type)
{
	json_t *items = ask(grove, REQUEST("events", "{\"since\":1}"), "items");
	json_t *event, *found = NULL;
	size_t i;

	json_array_foreach(items, i, event)
		if (strcmp(json_string_value(json_object_get(event, "type")),
			type) == 0)
			found = json_incref(event);
	json_decref(items);
	return found;
}

static bool
is_idle(void *arg)
{
	return grove_state(arg, "a") == MACHINE_IDLE;
}

START_TEST(its_end_tells_what_it_used)
{
	static const char *const types[] = { "exited", "stopped" };
	const json_t *usage;
	struct grove grove;
	json_t *event;
	size_t i;

	grove_open(&grove,
	    "children:\n"
	    "  - {id: a, ready: fd:3, shell: 'sleep 1000 & echo >&3; wait'}\n");
	grove_await_state(&grove, "a", MACHINE_RUNNING);
	grove_ask_only(&grove, REQUEST("stop", "{\"key\":\"a\"}"));
	trial_until(&grove.trial, is_idle, &grove);
	for (i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		event = find_event(&grove, types[i]);
		ck_assert_ptr_nonnull(event);
		usage = json_object_get(event, "usage");
		ck_assert_int_gt(json_integer_value(json_object_get(usage,
				     "peak_memory_bytes")),
		    0);
		ck_assert_int_ge(json_integer_value(json_object_get(usage,
				     "processes")),
		    i == 0 ? 1 : 2);
		ck_assert(json_is_real(json_object_get(usage, "user_seconds")));
		ck_assert(json_is_real(json_object_get(usage,
		    "system_seconds")));
		ck_assert(json_is_real(json_object_get(usage, "wall_seconds")));
		json_decref(event);
	}
	grove_close(&grove);
}
END_TEST

/* Nobody is left who measured it. */
START_TEST(a_leader_s_death_leaves_no_usage)
{
	struct grove grove;
	json_t *event;

	grove_open(&grove,
	    "children:\n  - {id: a, command: [sleep, '1000']}\n");
	grove_await_state(&grove, "a", MACHINE_RUNNING);
	trial_kill_leader();
	trial_until(&grove.trial, grove_is_over, &grove);
	event = find_event(&grove, "ended");
	ck_assert_ptr_nonnull(event);
	ck_assert_ptr_null(json_object_get(event, "usage"));
	json_decref(event);
	grove_free(&grove);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("service");
	TCase *tc = support_case(suite, "main process");

	tcase_add_test(tc, a_member_goes_on_in_the_process_it_names);
	tcase_add_test(tc, what_was_said_before_the_end_counts);
	tcase_add_loop_test(tc, a_process_of_others_is_not_taken, 0, 2);
	tc = support_case(suite, "state");
	tcase_add_test(tc, it_tells_what_it_is_about);
	tcase_add_test(tc, the_watchdog_begins_with_min_uptime);
	tcase_add_test(tc,
	    a_word_before_min_uptime_does_not_hasten_the_watchdog);
	tcase_add_test(tc, it_may_have_to_give_signs_of_life_more_often);
	tcase_add_test(tc, status_tells_what_it_is_about);
	tc = support_case(suite, "usage");
	tcase_add_test(tc, its_end_tells_what_it_used);
	tcase_add_test(tc, a_leader_s_death_leaves_no_usage);
	return support_main(suite, NULL);
}
