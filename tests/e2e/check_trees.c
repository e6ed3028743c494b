/* SPDX-License-Identifier: ISC */
/*
 * Every tree of examples/trees runs as it stands and does what it is for.
 */
#include <sys/stat.h>

#include <dirent.h>
#include <glob.h>
#include <pwd.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "servers.h"
#include "tree.h"

#define JOBS 12
#define WORDS_MAX 24
/* A cluster of PostgreSQL is made at the first start. */
#define SITE_MS 90000

/* The file of an example; lasts to the end of the test. */
static const char *
example(const char *name)
{
	static char path[512];
	const char *source = getenv("srcdir");

	snprintf(path, sizeof(path), "%s/examples/trees/%s",
	    source != NULL ? source : ".", name);
	return path;
}

/* Starts it in the test's directory; the helpers of tree.h work then. */
static void
start_example(struct tree *tree, const char *name)
{
	struct support_command command = { .directory = support_directory() };

	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	unsetenv("GROUPER_SOCKET");
	unsetenv("GROUPER_HOST");
	command.argv = ARGV(support_grouper(), "supervise", example(name));
	support_start(&tree->host, &command);
}

START_TEST(every_example_can_be_run)
{
	static const char *const names[] = { "Procfile.example", "nested.yaml",
		"pool.yaml", "web.yaml" };

	tree_expect(0, ARGV("check", example(names[_i])));
}
END_TEST

static bool
all_done(void *arg)
{
	const char *directory = arg;
	struct dirent *entry;
	DIR *dir = opendir(directory);
	size_t count = 0;

	while (dir != NULL && (entry = readdir(dir)) != NULL)
		count += strstr(entry->d_name, ".out") != NULL;
	if (dir != NULL)
		closedir(dir);
	return count == JOBS;
}

static void
add_job(int number)
{
	char name[32], to[512];

	snprintf(name, sizeof(name), "new%d", number);
	support_file(name, 0644, "echo run >>ran\n");
	snprintf(to, sizeof(to), "%s/jobs/%d", support_directory(), number);
	ck_assert_int_eq(rename(support_path(name), to), 0);
}

START_TEST(the_pool_runs_each_job_once)
{
	struct tree tree;
	char done[512], *ran;
	int i;

	start_example(&tree, "pool.yaml");
	tree_await_ready("worker");
	ck_assert_int_ne(tree_pid("worker:4"), 0);
	for (i = 0; i < JOBS; i++)
		add_job(i);
	snprintf(done, sizeof(done), "%s", support_path("done"));
	ck_assert(support_until(all_done, done, SUPPORT_PATIENCE));
	tree_stop(&tree, 0);
	ran = support_slurp(support_path("ran"));
	ck_assert_uint_eq(strlen(ran), JOBS * strlen("run\n"));
	free(ran);
}
END_TEST

START_TEST(a_worker_of_the_pool_ends_after_its_job)
{
	struct tree tree;
	char *out;

	start_example(&tree, "pool.yaml");
	tree_await_ready("worker");
	support_file("new", 0644,
	    "touch begun; while [ ! -e go ]; do sleep 0.01; done; "
	    "echo finished\n");
	ck_assert_int_eq(rename(support_path("new"), support_path("jobs/1")),
	    0);
	support_await_file(support_path("begun"), NULL);
	tree_expect(0, ARGV("stop", "--no-wait", "worker"));
	tree_await_event("worker:1", "stopping", 1);
	support_file("go", 0644, "");
	tree_expect(0, ARGV("wait", "--empty", "worker"));
	out = support_slurp(support_path("done/1.out"));
	ck_assert_str_eq(out, "finished\n");
	free(out);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_fails_in_a_nested_tree_stays_there)
{
	struct tree tree;
	pid_t store, app, proxy, mail;

	start_example(&tree, "nested.yaml");
	tree_await_ready("");
	store = tree_pid("store");
	app = tree_pid("front/app");
	proxy = tree_pid("front/proxy");
	mail = tree_pid("jobs/mail");
	tree_expect(0, ARGV("signal", "KILL", "front/app"));
	tree_await_event("front/proxy", "started", 2);
	ck_assert_int_ne(tree_pid("front/app"), app);
	ck_assert_int_ne(tree_pid("front/proxy"), proxy);
	ck_assert_int_eq(tree_pid("jobs/mail"), mail);
	tree_expect(0, ARGV("signal", "KILL", "jobs/mail"));
	tree_await_event("jobs", "cooldown", 1);
	tree_await_event("jobs/thumbnails:2", "started", 2);
	ck_assert_int_eq(tree_pid("store"), store);
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(what_a_nested_job_needs_ends_with_it)
{
	struct tree tree;

	start_example(&tree, "nested.yaml");
	tree_await_event("report", "auto_shutdown", 1);
	tree_await_event("report", "removed", 1);
	tree_expect(1, ARGV("status", "report"));
	tree_expect(0, ARGV("wait", "--ready", "store"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(the_procfile_runs)
{
	struct support_command command = { .directory = support_directory() };
	struct support_run r;

	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	unsetenv("PORT");
	command.argv = ARGV(support_grouper(), "up", "-m", "web=2",
	    example("Procfile.example"));
	support_start(&r, &command);
	support_await_stdout(&r, "web.1 listens on port 5000");
	support_await_stdout(&r, "web.2 listens on port 5001");
	support_await_stdout(&r, "clock | ");
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 0);
	support_assert_no_survivors();
	support_finish(&r);
}
END_TEST

/*
 * The site: as an ordinary user, which PostgreSQL insists on.
 */

struct site {
	struct tree tree;
	struct server server; /* for its texts */
	uid_t uid;	      /* 0: our own */
	const char *env[12];
	size_t nenv;
};

static void
add_env(struct site *site, const char *text)
{
	ck_assert_uint_lt(site->nenv + 1,
	    sizeof(site->env) / sizeof(site->env[0]));
	site->env[site->nenv++] = text;
}

/* The site's user need not be able to read the source. */
static const char *
copy_example(void)
{
	char *text = support_slurp(example("web.yaml"));
	const char *path = support_file("web.yaml", 0644, text);

	free(text);
	return path;
}

/* The directory of PostgreSQL's programs, which Debian keeps out of PATH. */
static const char *
find_postgres(struct site *site)
{
	const char *initdb = NULL;
	glob_t found;

	if (glob("/usr/lib/postgresql/*/bin/initdb", 0, NULL, &found) == 0 &&
	    access(found.gl_pathv[found.gl_pathc - 1], X_OK) == 0)
		initdb = server_text(&site->server, "%s",
		    found.gl_pathv[found.gl_pathc - 1]);
	globfree(&found);
	if (initdb == NULL)
		initdb = server_find(&site->server, "initdb");
	if (initdb == NULL)
		return NULL;
	return server_text(&site->server, "%.*s",
	    (int)(strrchr(initdb, '/') - initdb), initdb);
}

static void
leave_out(struct site *site, const char *program, const char *setting)
{
	fprintf(stderr, "web.yaml: skipped: %s is not installed\n", program);
	add_env(site, setting);
}

/* What is not installed is left out; false if that is everything. */
static bool
find_programs(struct site *site)
{
	const char *postgres = find_postgres(site);
	const char *redis = server_find(&site->server, "redis-server");
	const char *nginx = server_find(&site->server, "nginx");

	if (postgres != NULL)
		add_env(site,
		    server_text(&site->server, "PG_BIN=%s", postgres));
	else
		leave_out(site, "postgres", "WITH_DB=false");
	if (redis == NULL)
		leave_out(site, "redis-server", "WITH_CACHE=false");
	if (nginx != NULL)
		add_env(site, server_text(&site->server, "NGINX=%s", nginx));
	else
		leave_out(site, "nginx", "WITH_FRONT=false");
	return postgres != NULL || redis != NULL || nginx != NULL;
}

static void
make_site(struct site *site)
{
	const struct passwd *pw = NULL;

	if (geteuid() == 0) {
		pw = getpwnam("postgres");
		if (pw == NULL)
			pw = getpwnam("nobody");
		ck_assert_ptr_nonnull(pw);
		site->uid = pw->pw_uid;
	}
	site->server.directory = server_text(&site->server, "%s",
	    support_path("site"));
	ck_assert_int_eq(mkdir(site->server.directory, 0755), 0);
	if (pw != NULL)
		ck_assert_int_eq(chown(site->server.directory, pw->pw_uid,
				     pw->pw_gid),
		    0);
	add_env(site,
	    server_text(&site->server, "GROUPER_RUNTIME_DIR=%s/run",
		site->server.directory));
	add_env(site, "GROUPER_SOCKET");
	add_env(site, "GROUPER_HOST");
	add_env(site, "NOTIFY_SOCKET");
}

/* Calls a verb as the site's user; *out, to be freed, unless NULL. */
static int
ask_site(const struct site *site, char **out, const char *const *argv)
{
	const char *words[WORDS_MAX] = { support_grouper() };
	struct support_command command = { .argv = words,
		.env = site->env,
		.uid = site->uid };
	struct support_run r;
	size_t i;
	int status;

	for (i = 0; argv[i] != NULL; i++) {
		ck_assert_uint_lt(i + 2, WORDS_MAX);
		words[i + 1] = argv[i];
	}
	support_start(&r, &command);
	status = support_wait_for(&r, SITE_MS);
	if (out != NULL)
		*out = strdup(r.stdout_text.data);
	support_finish(&r);
	return status;
}

static bool
is_alive(const struct site *site)
{
	struct support_process process;

	return support_process(site->tree.host.pid, &process) &&
	    support_alive(&process);
}

static bool
is_ready(void *arg)
{
	const struct site *site = arg;

	return !is_alive(site) ||
	    ask_site(site, NULL,
		ARGV("wait", "--ready", "--timeout", "60s", "")) == 0;
}

static pid_t
pid_of(const struct site *site, const char *key)
{
	json_t *status, *child;
	char *out;
	pid_t pid;

	ck_assert_int_eq(ask_site(site, &out, ARGV("status", "--json", key)),
	    0);
	status = json_loads(out, 0, NULL);
	child = json_array_get(json_object_get(status, "tree"), 0);
	pid = (pid_t)json_integer_value(json_object_get(child, "pid"));
	json_decref(status);
	free(out);
	return pid;
}

static bool
answers(struct site *site, const char *socket, const char *request,
    const char *answer)
{
	site->server.socket = server_text(&site->server, "unix:%s/%s",
	    site->server.directory, socket);
	return server_answers(&site->server, request, strlen(request), answer);
}

static bool
serves(void *arg)
{
	struct site *site = arg;

	if (pid_of(site, "front") != 0 &&
	    !answers(site, "http.sock", "GET / HTTP/1.0\r\n\r\n", "it works"))
		return false;
	return pid_of(site, "cache") == 0 ||
	    answers(site, "redis.sock", "PING\r\n", "+PONG");
}

struct loss {
	const struct site *site;
	pid_t cache;
	pid_t front; /* 0: it was left out */
};

static bool
is_back(void *arg)
{
	const struct loss *loss = arg;
	pid_t cache = pid_of(loss->site, "cache");
	pid_t front = pid_of(loss->site, "front");

	return cache != 0 && cache != loss->cache &&
	    (loss->front == 0 || (front != 0 && front != loss->front));
}

/* What came after the cache restarts with it, what came before does not. */
static void
kill_the_cache(struct site *site)
{
	struct loss loss = { site, pid_of(site, "cache"),
		pid_of(site, "front") };
	pid_t db = pid_of(site, "db");

	ck_assert_int_eq(ask_site(site, NULL, ARGV("signal", "KILL", "cache")),
	    0);
	ck_assert(support_until(is_back, &loss, SITE_MS));
	ck_assert_int_eq(pid_of(site, "db"), db);
	ck_assert_int_eq(ask_site(site, NULL, ARGV("wait", "--ready", "cache")),
	    0);
	if (loss.front != 0)
		ck_assert_int_eq(ask_site(site, NULL,
				     ARGV("wait", "--ready", "front")),
		    0);
}

START_TEST(the_site_serves_and_survives_the_loss_of_its_cache)
{
	struct site site = { .nenv = 0 };
	struct support_command command = { .argv = NULL };
	const char *why;

	if (!support_can_switch_user(&why) && geteuid() == 0)
		SUPPORT_SKIP("%s", why);
	make_site(&site);
	if (!find_programs(&site))
		SUPPORT_SKIP("neither postgres, redis-server nor nginx");
	command.argv = ARGV(support_grouper(), "supervise", copy_example());
	command.env = site.env;
	command.uid = site.uid;
	command.directory = site.server.directory;
	support_start(&site.tree.host, &command);
	ck_assert(support_until(is_ready, &site, SITE_MS));
	if (!is_alive(&site))
		tree_end(&site.tree, 0); /* says why */
	ck_assert(support_until(serves, &site, SITE_MS));
	if (pid_of(&site, "cache") != 0) {
		kill_the_cache(&site);
		ck_assert(support_until(serves, &site, SITE_MS));
	}
	ck_assert_int_eq(ask_site(&site, NULL, ARGV("reload")), 0);
	tree_stop(&site.tree, 0);
	ck_assert_int_eq(access(support_path("site/data/postmaster.pid"), F_OK),
	    -1);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("trees");
	TCase *tc;

	tc = support_case(suite, "check");
	tcase_add_loop_test(tc, every_example_can_be_run, 0, 4);
	tc = support_case(suite, "pool");
	tcase_add_test(tc, the_pool_runs_each_job_once);
	tcase_add_test(tc, a_worker_of_the_pool_ends_after_its_job);
	tc = support_case(suite, "nested");
	tcase_add_test(tc, what_fails_in_a_nested_tree_stays_there);
	tcase_add_test(tc, what_a_nested_job_needs_ends_with_it);
	tc = support_case(suite, "Procfile");
	tcase_add_test(tc, the_procfile_runs);
	tc = support_case(suite, "web");
	tcase_set_timeout(tc, 4.0 * SITE_MS / 1000 * support_scale());
	tcase_add_test(tc, the_site_serves_and_survives_the_loss_of_its_cache);
	return support_main(suite, NULL);
}
