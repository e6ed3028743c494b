/* SPDX-License-Identifier: ISC */
/*
 * The values that options of `grouper run` take.  Each function stores one
 * and returns NULL, or returns what it expected: a static text that goes on
 * after "expected".
 */
#ifndef TOOLS_RUN_VALUES_H
#define TOOLS_RUN_VALUES_H

#include "tools/run_options.h"

typedef const char *run_value_fn(struct run_options *options, char *value);

run_value_fn run_value_config;
run_value_fn run_value_config_file;
run_value_fn run_value_contain;
run_value_fn run_value_cwd;
run_value_fn run_value_die_with_parent;
run_value_fn run_value_env;
run_value_fn run_value_env_file;
run_value_fn run_value_force;
run_value_fn run_value_gid;
run_value_fn run_value_id; /* a key of spawn */
run_value_fn run_value_key;
run_value_fn run_value_leaks;
run_value_fn run_value_limits;
run_value_fn run_value_map_status;
run_value_fn run_value_messages;
run_value_fn run_value_name;
run_value_fn run_value_nice;
run_value_fn run_value_no_new_privs;
run_value_fn run_value_on_event;
run_value_fn run_value_pty;
run_value_fn run_value_quiet;
run_value_fn run_value_report;
run_value_fn run_value_report_file;
run_value_fn run_value_session;
run_value_fn run_value_shell;
run_value_fn run_value_shutdown;
run_value_fn run_value_stdin;
run_value_fn run_value_stop_target;
run_value_fn run_value_timeout;
run_value_fn run_value_tmpdir;
run_value_fn run_value_topic;
run_value_fn run_value_uid;
run_value_fn run_value_umask;
run_value_fn run_value_verbose;

#endif
