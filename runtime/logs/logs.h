/* SPDX-License-Identifier: ISC */
/*
 * The sinks of one host, each made when first asked for and shared by all
 * who name the same one.
 */
#ifndef RUNTIME_LOGS_LOGS_H
#define RUNTIME_LOGS_LOGS_H

#include <stdint.h>

struct logs;
struct loop;
struct sink;

enum logs_kind {
	LOGS_DISCARD,
	LOGS_PREFIX,
	LOGS_SYSLOG,
	LOGS_FILE,
};

struct logs_target {
	enum logs_kind kind;
	const char *path; /* of the file; copied */
	uint64_t max_size;
	unsigned int keep;
};

/*
 * fd: where prefixed lines go, the caller's, open until logs_free().
 * syslog_path: NULL for the system's.  Returns NULL with errno.
 */
struct logs *logs_new(struct loop *loop, int fd, const char *syslog_path);

/* Sinks that are still used by children live on until those let go. */
void logs_free(struct logs *logs);

/*
 * The sink for a target, to be joined before the next call: files that
 * nobody has joined are let go then.  Whoever joined it may outlive logs.  Of
 * several who name the same path, the last says size and number.  NULL with
 * errno.
 */
struct sink *logs_sink(struct logs *logs, const struct logs_target *target);

/* For the verb and the signal that reopen logs. */
void logs_reopen(struct logs *logs);

/* The host ends: what waits is sent, for ms at most altogether. */
void logs_finish(struct logs *logs, int64_t ms);

#endif
