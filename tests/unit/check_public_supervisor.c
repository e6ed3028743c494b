/* SPDX-License-Identifier: ISC */
/*
 * Supervisor trees in a program: grouper/supervisor.h.
 */
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "trial.h"

#define EVENTS_MAX 512

struct seen {
	enum grouper_child_event_type type;
	char key[64];
	pid_t pid;
	int status;
	char text[128];
};

/* A tree under trial, and what it told. */
struct stage {
	struct trial trial;
	struct grouper_supervisor *supervisor;
	struct seen seen[EVENTS_MAX];
	size_t count;
	struct {
		const char *key;
		enum grouper_child_event_type type;
		size_t count;
	} wanted;
};

static char sh[] = "sh", c[] = "-c", sleeps[] = "exec sleep 1000",
	    fails[] = "exit 3", succeeds[] = "exit 0",
	    tells[] = "echo >&5; exec sleep 1000";
static char *const sleeper[] = { sh, c, sleeps, NULL };
static char *const failure[] = { sh, c, fails, NULL };
static char *const success[] = { sh, c, succeeds, NULL };
static char *const teller[] = { sh, c, tells, NULL };

static const struct grouper_child blank = GROUPER_CHILD_INIT;
static const struct grouper_supervisor_options plain =
    GROUPER_SUPERVISOR_OPTIONS_INIT;

static struct grouper_child
child_of(const char *id, char *const *argv)
{
	struct grouper_child child = blank;

	child.id = id;
	child.argv = argv;
	return child;
}

static void
record(struct grouper_supervisor *supervisor,
    const struct grouper_child_event *event, void *arg)
{
	struct stage *stage = arg;
	struct seen *seen = &stage->seen[stage->count];

	ck_assert_ptr_eq(supervisor, stage->supervisor);
	ck_assert_ptr_nonnull(event->text);
	ck_assert_uint_lt(stage->count, EVENTS_MAX);
	seen->type = event->type;
	snprintf(seen->key, sizeof(seen->key), "%s", event->key);
	seen->pid = event->pid;
	seen->status = event->status;
	snprintf(seen->text, sizeof(seen->text), "%s", event->text);
	stage->count++;
}

static void
stage_open(struct stage *stage,
    const struct grouper_supervisor_options *options)
{
	memset(stage, 0, sizeof(*stage));
	trial_open(&stage->trial, "staged");
	ck_assert_int_eq(grouper_supervisor_new(stage->trial.host, options,
			     record, stage, &stage->supervisor),
	    GROUPER_OK);
}

/* The n-th event of this type for a key; NULL: it has not come. */
static const struct seen *
find(const struct stage *stage, const char *key,
    enum grouper_child_event_type type, size_t n)
{
	size_t i;

	for (i = 0; i < stage->count; i++)
		if (stage->seen[i].type == type &&
		    strcmp(stage->seen[i].key, key) == 0 && --n == 0)
			return &stage->seen[i];
	return NULL;
}

static bool
has_come(void *arg)
{
	const struct stage *stage = arg;

	return find(stage, stage->wanted.key, stage->wanted.type,
		   stage->wanted.count) != NULL;
}

static const struct seen *
await(struct stage *stage, const char *key, enum grouper_child_event_type type,
    size_t count)
{
	stage->wanted.key = key;
	stage->wanted.type = type;
	stage->wanted.count = count;
	trial_until(&stage->trial, has_come, stage);
	return find(stage, key, type, count);
}

/* Awaits the end of the tree with this status, and frees all. */
static void
stage_end(struct stage *stage, int status)
{
	ck_assert_int_eq(await(stage, "", GROUPER_TREE_OVER, 1)->status,
	    status);
	ck_assert_int_eq(stage->seen[stage->count - 1].type, GROUPER_TREE_OVER);
	ck_assert_int_eq(grouper_supervisor_free(stage->supervisor),
	    GROUPER_OK);
	trial_close(&stage->trial);
}

static void
stage_close(struct stage *stage)
{
	ck_assert_int_eq(grouper_supervisor_stop(stage->supervisor, 0),
	    GROUPER_OK);
	stage_end(stage, 0);
}

/* Opens and starts a tree of these children. */
static void
stage_start(struct stage *stage, const struct grouper_child *children,
    size_t count)
{
	struct grouper_supervisor_options options = plain;

	options.children = children;
	options.nchildren = count;
	stage_open(stage, &options);
	ck_assert_int_eq(grouper_supervisor_start(stage->supervisor),
	    GROUPER_OK);
}

static void
start_pair(struct stage *stage)
{
	struct grouper_child pair[2] = { child_of("a", sleeper),
		child_of("b", sleeper) };

	stage_start(stage, pair, 2);
	await(stage, "b", GROUPER_CHILD_READY, 1);
}

START_TEST(children_start_in_order_and_stop_in_reverse)
{
	struct stage stage;

	start_pair(&stage);
	ck_assert(find(&stage, "a", GROUPER_CHILD_READY, 1) <
	    find(&stage, "b", GROUPER_CHILD_STARTED, 1));
	ck_assert_int_gt(find(&stage, "a", GROUPER_CHILD_STARTED, 1)->pid, 0);
	grouper_supervisor_stop(stage.supervisor, 0);
	await(&stage, "", GROUPER_TREE_OVER, 1);
	ck_assert(find(&stage, "b", GROUPER_CHILD_EMPTY, 1) <
	    find(&stage, "a", GROUPER_CHILD_STOPPING, 1));
	stage_close(&stage);
}
END_TEST

START_TEST(no_event_comes_before_the_loop_runs)
{
	struct grouper_child child = child_of("a", sleeper);
	struct stage stage;

	stage_start(&stage, &child, 1);
	ck_assert_uint_eq(stage.count, 0);
	await(&stage, "a", GROUPER_CHILD_READY, 1);
	stage_close(&stage);
}
END_TEST

START_TEST(a_child_that_ends_is_started_again)
{
	struct stage stage;
	const struct seen *exited;

	start_pair(&stage);
	ck_assert_int_eq(grouper_signal(stage.trial.host, "a", SIGKILL),
	    GROUPER_OK);
	await(&stage, "a", GROUPER_CHILD_STARTED, 2);
	exited = find(&stage, "a", GROUPER_CHILD_EXITED, 1);
	ck_assert(WIFSIGNALED(exited->status));
	ck_assert_ptr_nonnull(find(&stage, "a", GROUPER_CHILD_RESTART, 1));
	ck_assert_ptr_null(find(&stage, "b", GROUPER_CHILD_STARTED, 2));
	stage_close(&stage);
}
END_TEST

START_TEST(too_many_restarts_end_the_tree)
{
	struct grouper_child child = child_of("a", failure);
	struct stage stage;

	stage_start(&stage, &child, 1);
	stage_end(&stage, 1);
}
END_TEST

START_TEST(a_first_start_that_fails_ends_the_tree)
{
	static char path[] = "/nonexistent/program";
	static char *const argv[] = { path, NULL };
	struct grouper_child pair[2] = { child_of("a", sleeper),
		child_of("b", argv) };
	struct stage stage;

	stage_start(&stage, pair, 2);
	ck_assert_ptr_nonnull(strstr(await(&stage, "b",
					 GROUPER_CHILD_START_FAILED, 1)
					 ->text,
	    path));
	stage_end(&stage, 1);
}
END_TEST

START_TEST(a_significant_child_ends_the_tree_with_its_status)
{
	struct grouper_supervisor_options options = plain;
	struct grouper_child child = child_of("a", failure);
	struct stage stage;

	child.flags = GROUPER_CHILD_SIGNIFICANT;
	child.restart = GROUPER_TEMPORARY;
	options.auto_shutdown = GROUPER_ANY_SIGNIFICANT;
	options.children = &child;
	options.nchildren = 1;
	stage_open(&stage, &options);
	grouper_supervisor_start(stage.supervisor);
	stage_end(&stage, 3);
}
END_TEST

START_TEST(a_dead_leader_ends_the_tree_with_120)
{
	struct grouper_child child = child_of("a", sleeper);
	struct stage stage;

	stage_start(&stage, &child, 1);
	await(&stage, "a", GROUPER_CHILD_READY, 1);
	trial_kill_leader();
	stage_end(&stage, 120);
}
END_TEST

START_TEST(supervisors_nest)
{
	struct grouper_supervisor_options inner = plain;
	struct grouper_child child = child_of("x", sleeper);
	struct grouper_child outer = blank;
	struct stage stage;

	inner.children = &child;
	inner.nchildren = 1;
	outer.id = "in";
	outer.supervisor = &inner;
	stage_start(&stage, &outer, 1);
	await(&stage, "in", GROUPER_CHILD_READY, 1);
	ck_assert_ptr_nonnull(find(&stage, "in/x", GROUPER_CHILD_STARTED, 1));
	stage_close(&stage);
}
END_TEST

START_TEST(readiness_lets_the_next_one_start)
{
	struct grouper_child children[3] = { child_of("a", teller),
		child_of("b", sleeper), child_of("c", sleeper) };
	struct stage stage;

	children[0].ready = GROUPER_READY_FD;
	children[0].ready_fd = 5;
	children[1].ready = GROUPER_READY_EXEC;
	children[1].ready_argv = success;
	stage_start(&stage, children, 3);
	await(&stage, "c", GROUPER_CHILD_READY, 1);
	ck_assert(find(&stage, "a", GROUPER_CHILD_READY, 1) <
	    find(&stage, "b", GROUPER_CHILD_STARTED, 1));
	ck_assert(find(&stage, "b", GROUPER_CHILD_READY, 1) <
	    find(&stage, "c", GROUPER_CHILD_STARTED, 1));
	stage_close(&stage);
}
END_TEST

START_TEST(the_environment_is_changed)
{
	static char set[] = "STAGED=1", unset[] = "UNSTAGED",
		    text[] = "[ \"$STAGED,${UNSTAGED-none}\" = 1,none ]";
	static char *const env[] = { set, unset, NULL };
	static char *const argv[] = { sh, c, text, NULL };
	struct grouper_child child = child_of("a", argv);
	struct stage stage;

	setenv("UNSTAGED", "1", 1);
	child.env = env;
	child.restart = GROUPER_TEMPORARY;
	stage_start(&stage, &child, 1);
	ck_assert_int_eq(await(&stage, "a", GROUPER_CHILD_EXITED, 1)->status,
	    0);
	stage_close(&stage);
}
END_TEST

/* Requests */

START_TEST(children_are_stopped_started_and_deleted)
{
	struct stage stage;

	start_pair(&stage);
	ck_assert_int_eq(grouper_child_start(stage.supervisor, "a"),
	    GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(grouper_child_delete(stage.supervisor, "a"),
	    GROUPER_RUNNING);
	ck_assert_int_eq(grouper_child_restart(stage.supervisor, "a"),
	    GROUPER_OK);
	await(&stage, "a", GROUPER_CHILD_READY, 2);
	ck_assert_int_eq(grouper_child_stop(stage.supervisor, "a"), GROUPER_OK);
	await(&stage, "a", GROUPER_CHILD_EMPTY, 2);
	ck_assert_int_eq(grouper_child_start(stage.supervisor, "a"),
	    GROUPER_OK);
	await(&stage, "a", GROUPER_CHILD_READY, 3);
	grouper_child_stop(stage.supervisor, "a");
	await(&stage, "a", GROUPER_CHILD_EMPTY, 3);
	ck_assert_int_eq(grouper_child_delete(stage.supervisor, "a"),
	    GROUPER_OK);
	await(&stage, "a", GROUPER_CHILD_REMOVED, 1);
	stage_close(&stage);
}
END_TEST

START_TEST(unknown_keys_are_not_found)
{
	struct stage stage;

	start_pair(&stage);
	ck_assert_int_eq(grouper_child_start(stage.supervisor, "x"),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_child_stop(stage.supervisor, "x"),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_child_restart(stage.supervisor, NULL),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_child_delete(stage.supervisor, "x"),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_child_scale(stage.supervisor, "x", 1),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_child_scale(stage.supervisor, NULL, 1),
	    GROUPER_NOT_FOUND);
	stage_close(&stage);
}
END_TEST

START_TEST(a_command_is_scaled)
{
	struct grouper_child child = child_of("w", sleeper);
	struct stage stage;

	child.instances = 2;
	stage_start(&stage, &child, 1);
	await(&stage, "w:2", GROUPER_CHILD_READY, 1);
	ck_assert_int_eq(grouper_child_scale(stage.supervisor, "w", 3),
	    GROUPER_OK);
	await(&stage, "w:3", GROUPER_CHILD_READY, 1);
	ck_assert_int_eq(grouper_child_scale(stage.supervisor, "w", 1),
	    GROUPER_OK);
	await(&stage, "w:3", GROUPER_CHILD_REMOVED, 1);
	await(&stage, "w:2", GROUPER_CHILD_REMOVED, 1);
	ck_assert_int_eq(grouper_child_scale(stage.supervisor, "w", UINT_MAX),
	    GROUPER_INVALID);
	stage_close(&stage);
}
END_TEST

START_TEST(children_are_added)
{
	struct grouper_child child = child_of("new", sleeper);
	struct stage stage;

	start_pair(&stage);
	child.restart = GROUPER_TEMPORARY;
	ck_assert_int_eq(grouper_child_add(stage.supervisor, NULL, &child),
	    GROUPER_OK);
	await(&stage, "new", GROUPER_CHILD_READY, 1);
	ck_assert_int_eq(grouper_child_add(stage.supervisor, "", &child),
	    GROUPER_ALREADY_STARTED);
	ck_assert_int_eq(grouper_child_add(stage.supervisor, "x", &child),
	    GROUPER_NOT_FOUND);
	ck_assert_int_eq(grouper_child_add(stage.supervisor, "a", &child),
	    GROUPER_BAD_COMBINATION);
	ck_assert_int_eq(grouper_child_add(stage.supervisor, NULL, NULL),
	    GROUPER_INVALID);
	child.id = "a/b";
	ck_assert_int_eq(grouper_child_add(stage.supervisor, NULL, &child),
	    GROUPER_INVALID);
	grouper_child_stop(stage.supervisor, "new");
	await(&stage, "new", GROUPER_CHILD_REMOVED, 1);
	stage_close(&stage);
}
END_TEST

START_TEST(a_manual_child_waits_to_be_started)
{
	struct grouper_child pair[2] = { child_of("a", sleeper),
		child_of("b", sleeper) };
	struct stage stage;

	pair[0].flags = GROUPER_CHILD_MANUAL;
	stage_start(&stage, pair, 2);
	await(&stage, "b", GROUPER_CHILD_READY, 1);
	ck_assert_ptr_null(find(&stage, "a", GROUPER_CHILD_STARTED, 1));
	ck_assert_int_eq(grouper_child_start(stage.supervisor, "a"),
	    GROUPER_OK);
	await(&stage, "a", GROUPER_CHILD_READY, 1);
	stage_close(&stage);
}
END_TEST

/* The life of a supervisor */

START_TEST(it_is_started_once)
{
	struct stage stage;

	start_pair(&stage);
	ck_assert_int_eq(grouper_supervisor_start(stage.supervisor),
	    GROUPER_ALREADY_STARTED);
	stage_close(&stage);
}
END_TEST

START_TEST(it_can_be_freed_when_nothing_runs)
{
	struct stage stage;

	stage_open(&stage, &plain);
	ck_assert_int_eq(grouper_supervisor_free(stage.supervisor), GROUPER_OK);
	trial_close(&stage.trial);
	start_pair(&stage);
	ck_assert_int_eq(grouper_supervisor_free(stage.supervisor),
	    GROUPER_RUNNING);
	stage_close(&stage);
	ck_assert_int_eq(grouper_supervisor_free(NULL), GROUPER_OK);
}
END_TEST

START_TEST(before_the_start_and_after_the_end_there_is_no_group)
{
	struct grouper_child child = child_of("a", sleeper);
	struct stage stage;

	stage_open(&stage, &plain);
	ck_assert_int_eq(grouper_supervisor_stop(stage.supervisor, 0),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_child_start(stage.supervisor, "a"),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_child_add(stage.supervisor, "", &child),
	    GROUPER_NO_GROUP);
	grouper_supervisor_start(stage.supervisor);
	await(&stage, "", GROUPER_CHILD_READY, 1);
	grouper_supervisor_stop(stage.supervisor, 0);
	await(&stage, "", GROUPER_TREE_OVER, 1);
	ck_assert_int_eq(grouper_child_stop(stage.supervisor, "a"),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_child_scale(stage.supervisor, "a", 2),
	    GROUPER_NO_GROUP);
	stage_close(&stage);
}
END_TEST

START_TEST(a_kill_does_not_wait)
{
	static char text[] = "trap '' TERM; echo >&5; "
			     "while :; do sleep 1000; done";
	static char *const argv[] = { sh, c, text, NULL };
	struct grouper_child child = child_of("a", argv);
	struct stage stage;

	child.shutdown = "infinity";
	child.ready = GROUPER_READY_FD;
	child.ready_fd = 5;
	stage_start(&stage, &child, 1);
	await(&stage, "a", GROUPER_CHILD_READY, 1);
	grouper_supervisor_stop(stage.supervisor, 0);
	await(&stage, "a", GROUPER_CHILD_STOPPING, 1);
	ck_assert_int_eq(grouper_supervisor_stop(stage.supervisor, 1),
	    GROUPER_OK);
	stage_end(&stage, 0);
}
END_TEST

START_TEST(without_a_supervisor_there_is_no_group)
{
	struct grouper_supervisor *supervisor = NULL;
	struct grouper_child child = child_of("a", sleeper);

	ck_assert_int_eq(grouper_supervisor_new(NULL, &plain, NULL, NULL,
			     &supervisor),
	    GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_supervisor_start(NULL), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_supervisor_stop(NULL, 0), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_child_start(NULL, "a"), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_child_scale(NULL, "a", 1), GROUPER_NO_GROUP);
	ck_assert_int_eq(grouper_child_add(NULL, "", &child), GROUPER_NO_GROUP);
}
END_TEST

static void
add_life(Suite *suite)
{
	TCase *tc;

	tc = support_case(suite, "tree");
	tcase_add_test(tc, children_start_in_order_and_stop_in_reverse);
	tcase_add_test(tc, no_event_comes_before_the_loop_runs);
	tcase_add_test(tc, a_child_that_ends_is_started_again);
	tcase_add_test(tc, too_many_restarts_end_the_tree);
	tcase_add_test(tc, a_first_start_that_fails_ends_the_tree);
	tcase_add_test(tc, a_significant_child_ends_the_tree_with_its_status);
	tcase_add_test(tc, a_dead_leader_ends_the_tree_with_120);
	tcase_add_test(tc, supervisors_nest);
	tcase_add_test(tc, readiness_lets_the_next_one_start);
	tcase_add_test(tc, the_environment_is_changed);
}

int
main(void)
{
	Suite *suite = suite_create("public_supervisor");
	TCase *tc;

	add_life(suite);
	tc = support_case(suite, "requests");
	tcase_add_test(tc, children_are_stopped_started_and_deleted);
	tcase_add_test(tc, unknown_keys_are_not_found);
	tcase_add_test(tc, a_command_is_scaled);
	tcase_add_test(tc, children_are_added);
	tcase_add_test(tc, a_manual_child_waits_to_be_started);
	tc = support_case(suite, "life");
	tcase_add_test(tc, it_is_started_once);
	tcase_add_test(tc, it_can_be_freed_when_nothing_runs);
	tcase_add_test(tc,
	    before_the_start_and_after_the_end_there_is_no_group);
	tcase_add_test(tc, a_kill_does_not_wait);
	tcase_add_test(tc, without_a_supervisor_there_is_no_group);
	return support_main(suite, NULL);
}
