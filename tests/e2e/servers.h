/* SPDX-License-Identifier: ISC */
/*
 * Servers that a test starts in a directory of its own, each as it is meant to
 * be started: in the foreground, and as a daemon.
 */

#ifndef TESTS_SERVERS_H
#define TESTS_SERVERS_H

#include <stdbool.h>
#include <stddef.h>

#include "support.h"

#define SERVER_WORDS 24
#define SERVER_TEXT 8192

struct server;

struct server_kind {
	const char *name;
	/* Files and command lines; false, with s->why, if it cannot run. */
	bool (*prepare)(struct server *);
	/* Is it there for its clients?  The pid file exists already. */
	bool (*ready)(const struct server *);
	/* Did it save what it must?  NULL: the pid file tells enough. */
	bool (*saved)(const struct server *);
};

struct server {
	const struct server_kind *kind;
	const char *why;
	const char *directory; /* the user's */
	const char *user;      /* for --uid, or NULL: as the test is run */
	const char *pid_file;
	const char *log_file;
	const char *socket; /* "unix:PATH", or a port of 127.0.0.1 */
	const char *program;
	const char *foreground[SERVER_WORDS]; /* end with NULL */
	const char *background[SERVER_WORDS];
	char text[SERVER_TEXT]; /* of all these */
	size_t length;
};

#define SERVERS 6
#define SERVER_POSTGRES 0
#define SERVER_NGINX 1
#define SERVER_REDIS 2
#define SERVER_SSHD 4

extern const struct server_kind server_kinds[SERVERS];

/*
 * Prepares a server, one of each kind, for this test; false, with s->why, if
 * it cannot run.
 */
bool server_prepare(struct server *, const struct server_kind *);

/*
 * Waits until it serves.  Fails the test, with the server's log, if the command
 * that starts it ends before.
 */
void server_await_ready(const struct server *, const struct support_run *);

/* Has it shut down in order, so that its next start has nothing to repair? */
bool server_ended_in_order(const struct server *);

/* Makes the cluster that PostgreSQL's tests share. */
void server_make_cluster(void);

/* The path of a program, also out of sbin; NULL if it is not installed. */
const char *server_find(struct server *, const char *name);

/* Makes a text that lives as long as the server. */
const char *server_text(struct server *, const char *fmt, ...)
    SUPPORT_PRINTF(2, 3);

/* Path of a file of this name in the server's directory. */
const char *server_path(struct server *, const char *name);

/* Is there an answer with this text to a request?  For ready(). */
bool server_answers(const struct server *, const char *request, size_t length,
    const char *answer);

/* Writes one of the server's files, for its user. */
void server_write(struct server *, const char *path, const char *text);

/* Describe the servers, see struct server_kind. */
bool postgres_prepare(struct server *);
bool postgres_ready(const struct server *);
bool postgres_saved(const struct server *);

/* Starts a client with a question that takes ten minutes to answer. */
void postgres_start_client(struct server *, struct support_run *);

#endif
