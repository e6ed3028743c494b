/* SPDX-License-Identifier: ISC */
/*
 * PostgreSQL, Redis and nginx as `grouper supervise` runs them, each relying on
 * those before it: what a kill restarts and what it leaves alone.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "servers.h"
#include "tree.h"

#define OLD_MAX 64
/* A cluster of PostgreSQL is made before. */
#define TIMEOUT 180
/* Long enough for a stop in order on a busy machine. */
#define STEPS "[TERM 60s, KILL]"

struct site {
	struct tree tree;
	struct server db;
	struct server cache;
	struct server front;
};

/* Its words as YAML takes them. */
static void
write_words(FILE *file, const char *const *words)
{
	json_t *list = json_array();
	char *text;

	for (; *words != NULL; words++)
		json_array_append_new(list, json_string(*words));
	text = json_dumps(list, 0);
	fputs(text, file);
	free(text);
	json_decref(list);
}

static void
write_child(FILE *file, const char *id, const struct server *server,
    const char *const *start, const char *const *ready, const char *steps)
{
	fprintf(file, "  - id: %s\n    shutdown: %s\n    command: ", id, steps);
	write_words(file, start);
	fputs("\n    ready: {interval: 20ms, exec: ", file);
	write_words(file, ready);
	fprintf(file, "}\n    cwd: %s\n", server->directory);
	if (server->user != NULL)
		fprintf(file, "    uid: %s\n", server->user);
}

/*
 * The start of PostgreSQL: first it tells which of the processes in the file
 * "old" are still there.
 */
static void
write_db(FILE *file, struct server *db)
{
	const char *words[SERVER_WORDS + 4] = { "sh", "-c",
		"for p in $(cat old 2>/dev/null); do "
		"kill -0 $p 2>/dev/null && echo $p >>alive; done; "
		"echo started >>alive; exec \"$@\"",
		"start" };
	const char *ready[] = { NULL, "-q", "-h", db->directory, NULL };
	size_t i;

	for (i = 0; db->foreground[i] != NULL; i++)
		words[i + 4] = db->foreground[i];
	ready[0] = server_text(db, "%.*s/pg_isready",
	    (int)(strrchr(db->program, '/') - db->program), db->program);
	write_child(file, "db", db, words, ready, "[INT 60s, KILL]");
}

static void
write_other(FILE *file, const char *id, const struct server *server)
{
	const char *const ready[] = { "test", "-S", server->socket + 5, NULL };

	/* A killed server leaves its socket, in whose way nothing stands. */
	write_child(file, id, server, server->foreground, ready, STEPS);
	fprintf(file, "    start_pre: [rm, -f, %s]\n", server->socket + 5);
}

/* False, and the test is skipped, if one of them is not there. */
static bool
start_site(struct site *site)
{
	struct support_command command = { .directory = support_directory() };
	size_t length;
	FILE *file;
	char *text;

	if (!server_prepare(&site->db, &server_kinds[SERVER_POSTGRES]) ||
	    !server_prepare(&site->cache, &server_kinds[SERVER_REDIS]) ||
	    !server_prepare(&site->front, &server_kinds[SERVER_NGINX])) {
		support_skip("%s",
		    site->db.why != NULL	? site->db.why :
			site->cache.why != NULL ? site->cache.why :
						  site->front.why);
		return false;
	}
	file = open_memstream(&text, &length);
	ck_assert_ptr_nonnull(file);
	fputs("strategy: rest_for_one\nintensity: 3\nperiod: 1h\nchildren:\n",
	    file);
	write_db(file, &site->db);
	write_other(file, "cache", &site->cache);
	write_other(file, "front", &site->front);
	fclose(file);
	support_file("tree.yaml", 0644, text);
	free(text);
	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	unsetenv("GROUPER_SOCKET");
	unsetenv("GROUPER_HOST");
	command.argv = ARGV(support_grouper(), "supervise", "-v", "tree.yaml");
	support_start(&site->tree.host, &command);
	tree_await_ready("front");
	return true;
}

/* Each is there: nginx listens only some time after it made its socket. */
static void
assert_serves(const struct site *site)
{
	server_await_ready(&site->db, &site->tree.host);
	server_await_ready(&site->cache, &site->tree.host);
	server_await_ready(&site->front, &site->tree.host);
}

static void
kill_main(const char *key)
{
	pid_t pid = tree_pid(key);

	ck_assert_int_gt(pid, 1);
	ck_assert_int_eq(kill(pid, SIGKILL), 0);
}

/* These texts came on standard error, in this order. */
static void
assert_order(const struct site *site, const char *const *texts)
{
	const char *at = site->tree.host.stderr_text.data;

	for (; *texts != NULL; texts++) {
		at = strstr(at, *texts);
		ck_assert_msg(at != NULL, "no '%s' in its place: %s", *texts,
		    site->tree.host.stderr_text.data);
	}
}

START_TEST(a_killed_cache_restarts_with_what_follows_it_alone)
{
	struct site site = { .tree.host.pid = 0 };
	pid_t db, cache, front;

	if (!start_site(&site))
		return;
	assert_serves(&site);
	db = tree_pid("db");
	cache = tree_pid("cache");
	front = tree_pid("front");
	kill_main("cache");
	tree_await_event("front", "ready", 2);
	ck_assert_int_eq(tree_pid("db"), db);
	ck_assert_int_ne(tree_pid("cache"), cache);
	ck_assert_int_ne(tree_pid("front"), front);
	assert_serves(&site);
	tree_stop(&site.tree, 0);
	ck_assert(server_ended_in_order(&site.db));
}
END_TEST

START_TEST(a_killed_worker_restarts_alone)
{
	struct site site = { .tree.host.pid = 0 };
	pid_t db, cache, front;

	if (!start_site(&site))
		return;
	db = tree_pid("db");
	cache = tree_pid("cache");
	front = tree_pid("front");
	kill_main("front");
	tree_await_event("front", "ready", 2);
	ck_assert_int_eq(tree_pid("db"), db);
	ck_assert_int_eq(tree_pid("cache"), cache);
	ck_assert_int_ne(tree_pid("front"), front);
	assert_serves(&site);
	tree_stop(&site.tree, 0);
}
END_TEST

/* The processes below one and itself, for the next start to look for. */
static size_t
write_old(struct server *db, pid_t pid)
{
	struct support_process list[OLD_MAX];
	char text[OLD_MAX * 12];
	size_t n, i, length;

	n = support_descendants(pid, list, OLD_MAX);
	ck_assert_uint_le(n, OLD_MAX);
	length = (size_t)snprintf(text, sizeof(text), "%d\n", (int)pid);
	for (i = 0; i < n; i++)
		length += (size_t)snprintf(text + length, sizeof(text) - length,
		    "%d\n", (int)list[i].pid);
	server_write(db, server_path(db, "old"), text);
	return n;
}

static void
assert_none_met_an_old_one(struct server *db)
{
	char *text = support_slurp(server_path(db, "alive"));

	ck_assert_str_eq(text, "started\nstarted\n");
	free(text);
}

START_TEST(a_killed_postmaster_is_not_restarted_over_its_backends)
{
	struct support_run client;
	struct site site = { .tree.host.pid = 0 };
	char *log;

	if (!start_site(&site))
		return;
	postgres_start_client(&site.db, &client);
	/* Background processes, and the one with the client. */
	ck_assert_uint_gt(write_old(&site.db, tree_pid("db")), 3);
	kill_main("db");
	tree_await_event("front", "ready", 2);
	assert_none_met_an_old_one(&site.db);
	ck_assert_int_ne(support_wait(&client), 0);
	support_finish(&client);
	/* It recovered, and serves. */
	postgres_start_client(&site.db, &client);
	support_finish(&client);
	assert_serves(&site);
	tree_stop(&site.tree, 0);
	ck_assert(server_ended_in_order(&site.db));
	log = support_slurp(site.db.log_file);
	ck_assert_msg(strstr(log, "pre-existing shared memory") == NULL, "%s",
	    log);
	free(log);
}
END_TEST

START_TEST(the_fourth_kill_within_the_period_ends_all_and_says_why)
{
	static const char limit[] = "intensity exceeded by cache: restart 4 "
				    "within 3600s, 3 allowed: ended by SIGKILL";
	struct support_command follow = { .argv = ARGV(support_grouper(),
					      "events", "--json") };
	struct support_run events;
	struct site site = { .tree.host.pid = 0 };
	size_t i;

	if (!start_site(&site))
		return;
	support_start(&events, &follow);
	for (i = 1; i <= 4; i++) {
		tree_await_event("front", "ready", i);
		kill_main("cache");
	}
	ck_assert_int_eq(support_wait(&site.tree.host), 1);
	support_wait(&events);
	support_assert_no_survivors();
	ck_assert_msg(strstr(events.stdout_text.data, limit) != NULL, "%s",
	    events.stdout_text.data);
	ck_assert_ptr_nonnull(strstr(events.stdout_text.data,
	    "\"type\":\"limit\""));
	support_finish(&events);
	support_finish(&site.tree.host);
	ck_assert(server_ended_in_order(&site.db));
	ck_assert_int_eq(access(site.front.pid_file, F_OK), -1);
}
END_TEST

START_TEST(the_cause_of_the_end_is_told_on_standard_error)
{
	struct site site = { .tree.host.pid = 0 };
	size_t i;

	if (!start_site(&site))
		return;
	for (i = 1; i <= 4; i++) {
		tree_await_event("front", "ready", i);
		kill_main("front");
	}
	support_await_stderr(&site.tree.host,
	    "the tree: intensity exceeded by front: restart 4 within 3600s, "
	    "3 allowed: ended by SIGKILL");
	tree_end(&site.tree, 1);
	ck_assert(server_ended_in_order(&site.db));
}
END_TEST

START_TEST(term_stops_all_in_reverse_and_in_order)
{
	static const char *const order[] = { "front: stopping", "front: exited",
		"cache: stopping", "cache: exited", "db: stopping",
		"db: exited", NULL };
	struct site site = { .tree.host.pid = 0 };

	if (!start_site(&site))
		return;
	assert_serves(&site);
	support_signal(&site.tree.host, SIGTERM);
	ck_assert_int_eq(support_wait(&site.tree.host), 0);
	assert_order(&site, order);
	support_assert_no_survivors();
	support_finish(&site.tree.host);
	ck_assert(server_ended_in_order(&site.db));
	ck_assert(server_ended_in_order(&site.cache));
	ck_assert(server_ended_in_order(&site.front));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("daemons");
	TCase *tc;

	tc = support_case(suite, "site");
	tcase_set_timeout(tc, (double)TIMEOUT * support_scale());
	tcase_add_unchecked_fixture(tc, server_make_cluster, NULL);
	tcase_add_test(tc, a_killed_cache_restarts_with_what_follows_it_alone);
	tcase_add_test(tc, a_killed_worker_restarts_alone);
	tcase_add_test(tc,
	    a_killed_postmaster_is_not_restarted_over_its_backends);
	tcase_add_test(tc,
	    the_fourth_kill_within_the_period_ends_all_and_says_why);
	tcase_add_test(tc, the_cause_of_the_end_is_told_on_standard_error);
	tcase_add_test(tc, term_stops_all_in_reverse_and_in_order);
	return support_main(suite, NULL);
}
