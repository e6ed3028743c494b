/* SPDX-License-Identifier: ISC */
/*
 * What a supervisor tree is to be: plain values, made by the tree file's
 * loader or by a program, read by the machine that decides and by the
 * runtime that acts.  Everything in a tree is owned by it: strings and lists
 * are allocated, spec_free() releases them all.
 */
#ifndef RUNTIME_SUPERVISE_SPEC_H
#define RUNTIME_SUPERVISE_SPEC_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <grouper/group.h>

#include "runtime/group/steps.h"

/* A child's id, and with its supervisors' ids its key: outer/inner. */
#define SPEC_ID_MAX 64
#define SPEC_DEPTH_MAX 32
/* Children in one tree, instances counted. */
#define SPEC_CHILDREN_MAX 100000
/* Between an id and the number of its instance, where there are several. */
#define SPEC_INSTANCE_MARK ":"

enum spec_strategy {
	SPEC_ONE_FOR_ONE,
	SPEC_ONE_FOR_ALL,
	SPEC_REST_FOR_ONE,
};

enum spec_restart {
	SPEC_PERMANENT,
	SPEC_TRANSIENT,
	SPEC_TEMPORARY,
};

enum spec_auto_shutdown {
	SPEC_NEVER,
	SPEC_ANY_SIGNIFICANT,
	SPEC_ALL_SIGNIFICANT,
};

/* When a child counts as started, so that the next one may start. */
enum spec_ready {
	SPEC_READY_STARTED, /* executed, and alive after min_uptime_ms */
	SPEC_READY_NOTIFY,  /* READY=1 of sd_notify(3) */
	SPEC_READY_FD,	    /* a newline on descriptor ready_fd */
	SPEC_READY_EXEC,    /* ready_argv ends with 0 */
	SPEC_READY_LOG,	    /* a line of output matches ready_regex */
};

enum spec_log {
	SPEC_LOG_DEFAULT, /* as the tree's front end chooses */
	SPEC_LOG_INHERIT,
	SPEC_LOG_PREFIX,
	SPEC_LOG_DISCARD,
	SPEC_LOG_SYSLOG,
	SPEC_LOG_FILE,
};

/* Why SPEC_READY_LOG and SPEC_LOG_INHERIT exclude each other. */
#define SPEC_READY_LOG_INHERIT \
	"with log: inherit nobody reads its lines: expected another log"

/* Endings that are normal: exit statuses 0-255 as a set of bits. */
struct spec_success {
	uint32_t bits[8];
};

/* A delay that doubles from min to max with each restart. */
struct spec_backoff {
	int64_t min_ms; /* 0: none, the first restart is at once */
	int64_t max_ms;
	int64_t reset_ms; /* a run so long starts again with min */
};

/* NAME=VALUE lists and argument vectors end with NULL; NULL is an empty one. */
struct spec_command {
	char **argv;
	bool worker; /* false: `type: supervisor`, may found groups */
	bool force;
	unsigned int instances;
	enum spec_ready ready;
	int ready_fd;
	char **ready_argv;
	int64_t ready_interval_ms;
	char *ready_regex;
	int64_t ready_timeout_ms; /* -1: none */
	int64_t min_uptime_ms;
	int64_t watchdog_ms; /* 0: none */
	enum grouper_stop_target stop_target;
	enum grouper_containment contain;
	char **start_pre;
	char **stop_pre;
	char **reload_command;
	char **env;	  /* set for it, in this order; NAME alone: unset */
	char **env_files; /* read before env, when it starts */
	char *directory;
	char *user; /* name or number; NULL: unchanged */
	char *group;
	int umask; /* -1: unchanged */
	int nice;
	struct grouper_limit *limits;
	size_t nlimits;
	char *input; /* a file for standard input; NULL: /dev/null */
	char **topics;
	bool messages;
	struct spec_reaction {
		char *event; /* its name or topic */
		int signum;
	} * on_event;
	size_t non_event;
	enum spec_log log;
	char *log_file;
	uint64_t log_max_size; /* bytes; 0: no rotation */
	unsigned int log_keep;
};

struct spec_supervisor;

struct spec_child {
	char *id;      /* a name of SPEC_ID_MAX bytes at most */
	bool numbered; /* and may end with ":N": only of one that is spawned */
	bool alone;    /* of a Procfile: instances would have the same port */
	bool autostart;
	enum spec_restart restart;
	bool significant;
	bool parallel;	   /* depends_on was given: it alone orders the start */
	char **depends_on; /* ids of siblings */
	struct spec_backoff backoff;
	struct steps shutdown; /* a supervisor's is without end unless given */
	struct spec_success success;
	struct spec_command *command;	    /* exactly one of these two */
	struct spec_supervisor *supervisor; /* is set */
};

struct spec_supervisor {
	enum spec_strategy strategy;
	unsigned int intensity; /* restarts */
	int64_t period_ms;	/* > 0 */
	enum spec_auto_shutdown auto_shutdown;
	int64_t cooldown_ms; /* on_limit: -1 to fail, else so long a pause */
	bool own_names;	     /* not those of the host */
	struct spec_child *children;
	size_t nchildren;
};

/* A set of names under one, and settings: of the whole tree. */
struct spec_pair {
	char *name;
	char *value;
};

struct spec_topics {
	char *name;
	char **topics;
};

struct spec_tree {
	char *name; /* NULL: the file's base name */
	bool named; /* by the file itself */
	struct spec_topics *topic_groups;
	size_t ntopic_groups;
	struct spec_pair *config;
	size_t nconfig;
	struct spec_supervisor root;
};

/* OTP's defaults: one_for_one, 1 restart in 5 s, never. */
void spec_supervisor_init(struct spec_supervisor *supervisor);

/* OTP's: autostart, permanent, 5 s of TERM; 0 alone is a success. */
void spec_child_init(struct spec_child *child);
void spec_command_init(struct spec_command *command);

void spec_success_add(struct spec_success *success, unsigned int status);
bool spec_success_has(const struct spec_success *success, unsigned int status);

/*
 * Checks what the types do not: names, duplicate ids, significance against
 * auto_shutdown and restart policy, edges of depends_on (unknown, to itself,
 * cycles; none from a child that has depends_on to a later one that has not),
 * limits of depth and number.
 *
 * Returns GROUPER_OK, or GROUPER_INVALID or GROUPER_BAD_COMBINATION with
 * *why a text to free() and *at the child that it is about; NULL: the tree.
 */
enum grouper_error spec_check(const struct spec_tree *tree, char **why,
    const struct spec_child **at);

/* The same for one child that is to be added below a checked supervisor. */
enum grouper_error spec_check_child(const struct spec_supervisor *parent,
    const struct spec_child *child, char **why);

/* Whether two are equal, so that a reload leaves the child alone. */
bool spec_command_equal(const struct spec_command *one,
    const struct spec_command *other);

/*
 * Whether they differ at most in what can change while the command runs:
 * instances, ready_timeout_ms, min_uptime_ms, log_max_size, log_keep, stop_pre,
 * reload_command.
 */
bool spec_command_same_run(const struct spec_command *one,
    const struct spec_command *other);

/* The first key of the file by which they do; NULL: there is none. */
const char *spec_command_change(const struct spec_command *one,
    const struct spec_command *other);

/* A deep copy; NULL with errno. */
struct spec_tree *spec_copy(const struct spec_tree *tree);
int spec_child_copy(struct spec_child *to, const struct spec_child *from);
void spec_free(struct spec_tree *tree); /* and the struct; NULL is fine */

/* Leaves a tree without settings. */
void spec_drop_config(struct spec_tree *tree);
void spec_supervisor_fini(struct spec_supervisor *supervisor);
void spec_child_fini(struct spec_child *child);

/* Names as the tree file has them: "one_for_all"; never NULL. */
const char *spec_strategy_name(enum spec_strategy strategy);
const char *spec_restart_name(enum spec_restart restart);
const char *spec_auto_shutdown_name(enum spec_auto_shutdown auto_shutdown);

#endif
