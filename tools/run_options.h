/* SPDX-License-Identifier: ISC */
/*
 * The options of `grouper run` as values.
 */
#ifndef TOOLS_RUN_OPTIONS_H
#define TOOLS_RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/resource.h>

#include <grouper/group.h>

#include "runtime/bus/bus.h"
#include "runtime/group/steps.h"
#include "runtime/util/log.h"
#include "tools/given.h"

/* What becomes of processes that outlived the command. */
enum run_leaks {
	RUN_LEAKS_KILL,
	RUN_LEAKS_WAIT,
	RUN_LEAKS_WARN,
	RUN_LEAKS_FAIL,
};

enum run_format {
	RUN_REPORT_NONE,
	RUN_REPORT_TEXT,
	RUN_REPORT_JSON,
};

/* Strings are those of argv; the lists are freed by run_options_fini(). */
struct run_options {
	char **argv; /* the command */
	char *shell_argv[4];
	const char *key;
	const char *name;     /* NULL: run-PID */
	const char *shutdown; /* NULL: the default */
	struct steps steps;   /* what shutdown says */
	enum grouper_containment contain;
	enum grouper_session session;
	enum grouper_stop_target stop_target;
	bool force;
	bool pty;
	bool no_new_privs;
	bool die_with_parent;
	bool tmpdir;
	int64_t timeout_ms; /* -1: none */
	enum run_leaks leaks;
	enum run_format report;
	const char *report_file; /* NULL: standard error */
	bool maps_status;
	unsigned char status_map[256];
	char **env; /* NAME=VALUE */
	size_t nenv;
	char **env_files;
	size_t nenv_files;
	const char *directory;
	const char *user;
	const char *group;
	int umask; /* -1: unchanged */
	int nice;
	struct grouper_limit limits[RLIM_NLIMITS];
	size_t nlimits;
	const char *input; /* NULL: inherited */
	char **topics;	   /* patterns, NULL at the end; NULL: none */
	size_t ntopics;
	bool messages;
	struct bus_reaction *reactions;
	size_t nreactions;
	struct given config;
	enum log_level level;
};

enum run_parsed {
	RUN_PARSED,
	RUN_PARSED_HELP, /* help or version was printed: exit with 0 */
	RUN_PARSED_BAD,	 /* told on standard error: exit with 125 */
};

/* Reads what stands behind "run".  To be released whatever is returned. */
enum run_parsed run_options_parse(struct run_options *options, int argc,
    char **argv);
void run_options_fini(struct run_options *options);

#endif
