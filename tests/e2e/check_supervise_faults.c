/* SPDX-License-Identifier: ISC */
/*
 * Hosts, leaders and members killed at any moment: nothing is left alive, the
 * name can be had again, and a host does not grow.
 *
 * FAULT_ROUNDS=n repeats what is random n times, 20 without.
 */
#include <dirent.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "tree.h"

#define LEADERS_MAX 64

/* Something of everything; each is slow enough to be met while it happens. */
#define ALL \
	"name: h\n" \
	"intensity: 1000\n" \
	"children:\n" \
	"  - {id: a, start_pre: [sleep, '0.02'], stop_pre: [sleep, '0.02'], " \
	"command: [sleep, '1000']}\n" \
	"  - {id: b, ready: fd:4, shell: \"trap 'sleep 0.05; exit' TERM; " \
	"sleep 0.02; echo >&4; exec 4>&-; while :; do sleep 1000 & wait; " \
	"done\"}\n" \
	"  - id: in\n" \
	"    supervisor:\n" \
	"      children:\n" \
	"        - {id: n, ready: notify, watchdog: 10s, " \
	"shell: 'setsid sleep 1000 & sleep 0.01; " \
	"systemd-notify --ready; wait'}\n" \
	"        - {id: w, instances: 3, shell: 'sleep 1000 & sleep 1000'}\n" \
	"  - {id: z, ready: {exec: ['true'], interval: 1ms}, " \
	"command: [sleep, '1000']}\n"

static int
rounds(void)
{
	const char *value = getenv("FAULT_ROUNDS");

	return value != NULL ? atoi(value) : 20;
}

static unsigned int
any_below(unsigned int limit)
{
	unsigned int number;

	ck_assert_int_eq(getrandom(&number, sizeof(number), 0), sizeof(number));
	return number % limit;
}

/* The moment is what varies: nothing is waited for here. */
static void
wait_some(unsigned int most_ms)
{
	poll(NULL, 0, (int)any_below(most_ms * (unsigned)support_scale()));
}

static bool
can_notify(void)
{
	return access("/usr/bin/systemd-notify", X_OK) == 0;
}

static size_t
count_sockets(void)
{
	struct dirent *entry;
	char name[32];
	size_t n = 0;
	DIR *dir;

	snprintf(name, sizeof(name), "run-%u", (unsigned int)geteuid());
	dir = opendir(support_path(name));
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL)
		n += strstr(entry->d_name, ".notify") != NULL;
	closedir(dir);
	return n;
}

/* While it starts, runs, or stops. */
static void
kill_host(struct tree *tree, int round)
{
	if (round % 3 == 0) {
		wait_some(150);
	} else {
		tree_await_ready("z");
		if (round % 3 == 2)
			support_signal(&tree->host, SIGTERM);
		wait_some(100);
	}
	support_signal(&tree->host, SIGKILL);
	support_wait(&tree->host);
	support_finish(&tree->host);
}

START_TEST(a_host_that_is_killed_at_any_moment_leaves_nothing)
{
	struct tree tree;
	int i;

	if (!can_notify())
		SUPPORT_SKIP("no systemd-notify");
	for (i = 0; i < rounds(); i++) {
		tree_start(&tree, ALL);
		kill_host(&tree, i);
		/* Every other time the next one has to wait by itself. */
		if (i % 2 == 0)
			support_await_no_survivors(10000 * support_scale());
	}
	tree_start(&tree, ALL);
	tree_await_ready("z");
	ck_assert_uint_eq(count_sockets(), 1);
	tree_stop(&tree, 0);
	ck_assert_uint_eq(count_sockets(), 0);
}
END_TEST

START_TEST(a_leader_s_death_ends_the_tree_with_120)
{
	pid_t leaders[LEADERS_MAX];
	struct tree tree;
	size_t count;
	int i;

	if (!can_notify())
		SUPPORT_SKIP("no systemd-notify");
	for (i = 0; i < rounds() / 2; i++) {
		/* All leaders are children of the root. */
		tree_start(&tree,
		    "name: h\nintensity: 1000\nchildren:\n"
		    "  - {id: w, instances: 5, "
		    "shell: 'setsid sleep 1000 & sleep 1000'}\n"
		    "  - {id: z, command: [sleep, '1000']}\n");
		tree_await_ready("z");
		count = support_children(tree.host.pid, leaders, LEADERS_MAX);
		ck_assert_uint_eq(count, 6);
		ck_assert_int_eq(kill(leaders[any_below(6)], SIGKILL), 0);
		tree_end(&tree, 120);
	}
}
END_TEST

static bool
has_ended(void *arg)
{
	struct tree *tree = arg;
	struct pollfd pollfd = { tree->host.pidfd, POLLIN, 0 };

	return poll(&pollfd, 1, 0) == 1;
}

/*
 * It may have been one that was about to end, or that asked for readiness, or
 * one of the inner supervisor, which starts again or has failed to start.
 */
START_TEST(a_leader_that_is_killed_while_a_tree_starts_leaves_nothing)
{
	pid_t leaders[LEADERS_MAX];
	struct tree tree;
	size_t count;
	int i, status;

	if (!can_notify())
		SUPPORT_SKIP("no systemd-notify");
	for (i = 0; i < rounds(); i++) {
		tree_start(&tree, ALL);
		wait_some(150);
		count = support_children(tree.host.pid, leaders, LEADERS_MAX);
		if (count > 0)
			kill(leaders[any_below((unsigned int)count)], SIGKILL);
		if (!support_until(has_ended, &tree, 200))
			support_signal(&tree.host, SIGTERM);
		status = support_wait(&tree.host);
		ck_assert_msg(status == 120 || status <= 1 ||
			status == 128 + SIGTERM,
		    "status %d: %s", status, tree.host.stderr_text.data);
		support_finish(&tree.host);
		support_await_no_survivors(10000 * support_scale());
	}
}
END_TEST

static size_t
count_descriptors(pid_t pid)
{
	char path[64];
	size_t n = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while (readdir(dir) != NULL)
		n++;
	closedir(dir);
	return n;
}

struct growth {
	pid_t host;
	size_t before;
};

static bool
has_not_grown(void *arg)
{
	const struct growth *growth = arg;

	/* Before, the client that awaited the start may still have been one. */
	return count_descriptors(growth->host) <= growth->before;
}

struct successor {
	const char *key;
	pid_t pid;
};

static bool
has_successor(void *arg)
{
	struct successor *successor = arg;
	json_t *child = tree_child(successor->key);
	pid_t pid = (pid_t)json_integer_value(json_object_get(child, "pid"));
	bool runs = strcmp(json_string_value(json_object_get(child, "state")),
			"running") == 0;

	json_decref(child);
	if (!runs || pid == successor->pid || pid == 0)
		return false;
	successor->pid = pid;
	return true;
}

START_TEST(a_child_that_is_killed_a_hundred_times_costs_no_descriptors)
{
	struct successor successor = { "a", 0 };
	struct growth growth;
	struct tree tree;
	int i;

	tree_start(&tree,
	    "name: h\nintensity: 1000\nchildren:\n"
	    "  - {id: a, start_pre: ['true'], ready: fd:5, watchdog: 100s, "
	    "shell: 'echo up; echo >&5; sleep 1000 & wait'}\n");
	tree_await_ready("a");
	growth = (struct growth) { tree.host.pid,
		count_descriptors(tree.host.pid) };
	ck_assert(has_successor(&successor));
	for (i = 0; i < 100; i++) {
		ck_assert_int_eq(kill(successor.pid, SIGKILL), 0);
		ck_assert(support_until(has_successor, &successor, 20000));
	}
	/* Of clients that have just left, too. */
	ck_assert(support_until(has_not_grown, &growth, 10000));
	ck_assert_uint_eq(count_sockets(), 1);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_tree_that_is_stopped_while_it_starts_ends_in_order)
{
	struct tree tree;
	int i, status;

	if (!can_notify())
		SUPPORT_SKIP("no systemd-notify");
	for (i = 0; i < rounds(); i++) {
		tree_start(&tree, ALL);
		wait_some(150);
		support_signal(&tree.host, SIGTERM);
		status = support_wait(&tree.host);
		/* It may not have come to read its signals yet. */
		ck_assert_msg(status == 0 || status == 128 + SIGTERM,
		    "status %d: %s", status, tree.host.stderr_text.data);
		support_finish(&tree.host);
		support_await_no_survivors(10000 * support_scale());
		ck_assert_uint_eq(count_sockets(), 0);
	}
}
END_TEST

START_TEST(reloads_at_any_moment_lead_to_the_last_file)
{
	struct tree tree;
	int i;

	if (!can_notify())
		SUPPORT_SKIP("no systemd-notify");
	tree_start(&tree, ALL);
	/* Its name is there when it reads signals. */
	tree_await_event("a", "started", 1);
	for (i = 0; i < 2 * rounds(); i++) {
		tree_write(i % 2 == 0 ?
			"name: h\nchildren:\n"
			"  - {id: a, command: [sleep, '2000']}\n"
			"  - {id: q, command: [sleep, '1000']}\n" :
			ALL);
		support_signal(&tree.host, SIGHUP);
		wait_some(30);
	}
	tree_expect(0, ARGV("reload"));
	tree_await_ready("z");
	tree_await_ready("in/w");
	tree_expect(0, ARGV("wait", "--empty", "--timeout", "20s", "q"));
	tree_stop(&tree, 0);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("supervise_faults");
	TCase *tc;

	tc = support_case(suite, "killed");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc, a_host_that_is_killed_at_any_moment_leaves_nothing);
	tcase_add_test(tc, a_leader_s_death_ends_the_tree_with_120);
	tcase_add_test(tc,
	    a_leader_that_is_killed_while_a_tree_starts_leaves_nothing);
	tcase_add_test(tc,
	    a_child_that_is_killed_a_hundred_times_costs_no_descriptors);
	tc = support_case(suite, "told");
	tcase_set_timeout(tc, 300);
	tcase_add_test(tc,
	    a_tree_that_is_stopped_while_it_starts_ends_in_order);
	tcase_add_test(tc, reloads_at_any_moment_lead_to_the_last_file);
	return support_main(suite, NULL);
}
