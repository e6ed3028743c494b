/* SPDX-License-Identifier: ISC */
/*
 * PostgreSQL for the tests: it refuses to run as root, takes a second to be
 * set up, so that all tests start the same cluster in turn, and leaves a record
 * of how it ended.
 */
#include "servers.h"

#include <sys/stat.h>

#include <glob.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char cluster[512]; /* "" if none could be made */

/* Of the ordinary user that it has to be; NULL: the test's own. */
static const char *
ordinary_user(void)
{
	if (geteuid() != 0)
		return NULL;
	return getpwnam("postgres") != NULL ? "postgres" : "nobody";
}

/* Where the server's programs are, which Debian keeps out of PATH. */
static const char *
find_programs(struct server *s)
{
	static const char *const patterns[] = { "/usr/lib/postgresql/*/bin",
		"/usr/pgsql-*/bin", "/usr/libexec/postgresql*" };
	const char *path = NULL;
	char file[512];
	glob_t found;

	for (size_t i = 0; i < 3; i++) {
		if (glob(patterns[i], 0, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++) {
			snprintf(file, sizeof(file), "%s/initdb",
			    found.gl_pathv[k]);
			if (access(file, X_OK) == 0)
				path = server_text(s, "%s", found.gl_pathv[k]);
		}
		globfree(&found);
	}
	if (path != NULL)
		return path;
	if ((path = server_find(s, "initdb")) != NULL)
		return server_text(s, "%.*s", (int)(strrchr(path, '/') - path),
		    path);
	s->why = "postgres is not installed";
	return NULL;
}

void
server_make_cluster(void)
{
	struct server s = { .kind = &server_kinds[SERVER_POSTGRES] };
	const char *bin, *user = ordinary_user();
	const struct passwd *pw;
	const char *argv[] = { support_grouper(), "run", "--uid", user, "--",
		NULL, "-N", "-A", "trust", "-U", "postgres", "--locale=C",
		"--wal-segsize=1", "-D", cluster, NULL };
	struct support_command c = { .argv = argv };
	struct support_run r;

	cluster[0] = '\0';
	pw = user != NULL ? getpwnam(user) : getpwuid(geteuid());
	if (pw == NULL || (bin = find_programs(&s)) == NULL)
		return;
	argv[5] = server_text(&s, "%s/initdb", bin);
	if (user == NULL)
		c.argv = argv + 5;
	snprintf(cluster, sizeof(cluster), "%s", support_path("cluster"));
	if (mkdir(cluster, 0700) == -1 ||
	    (user != NULL && chown(cluster, pw->pw_uid, pw->pw_gid) == -1))
		ck_abort_msg("%s cannot be made", cluster);
	if (support_call(&r, &c) != 0)
		cluster[0] = '\0';
	support_finish(&r);
}

bool
postgres_prepare(struct server *s)
{
	const char *bin, *settings;

	if ((bin = find_programs(s)) == NULL)
		return false;
	if (cluster[0] == '\0') {
		s->why = "initdb does not work here";
		return false;
	}
	s->user = ordinary_user();
	settings = server_text(s, "%s/postgresql.conf", cluster);
	server_write(s, settings,
	    server_text(s,
		"listen_addresses = ''\nunix_socket_directories = '%s'\n"
		"fsync = off\nshared_buffers = 8MB\nmax_connections = 10\n",
		s->directory));
	s->pid_file = server_text(s, "%s/postmaster.pid", cluster);
	/* Of one that a test killed. */
	unlink(s->pid_file);
	s->program = server_text(s, "%s/postgres", bin);
	s->foreground[0] = s->program;
	s->foreground[1] = "-D";
	s->foreground[2] = cluster;
	s->background[0] = server_text(s, "%s/pg_ctl", bin);
	s->background[1] = "-D";
	s->background[2] = cluster;
	s->background[3] = "-l";
	s->background[4] = s->log_file;
	s->background[5] = "start";
	return true;
}

bool
postgres_ready(const struct server *s)
{
	char *text = support_slurp(s->pid_file);
	bool ready = strstr(text, "ready") != NULL;

	free(text);
	return ready;
}

/* The control file says whether the next start has to recover. */
bool
postgres_saved(const struct server *s)
{
	struct support_run r;
	char program[512];
	bool shut_down;

	snprintf(program, sizeof(program), "%.*s/pg_controldata",
	    (int)(strrchr(s->program, '/') - s->program), s->program);
	ck_assert_int_eq(support_execute(&r, "env", "LC_ALL=C", program,
			     cluster, NULL),
	    0);
	shut_down = strstr(r.stdout_text.data, " shut down\n") != NULL;
	support_finish(&r);
	return shut_down;
}

void
postgres_start_client(struct server *s, struct support_run *r)
{
	const char *argv[] = { NULL, "-h", s->directory, "-U", "postgres",
		"-XAtq", "-c", "\\echo ready", "-c", "select pg_sleep(600)",
		NULL };
	struct support_command c = { .argv = argv };

	if ((argv[0] = server_find(s, "psql")) == NULL)
		ck_abort_msg("%s", s->why);
	support_start(r, &c);
	support_await_stdout(r, "ready");
}
