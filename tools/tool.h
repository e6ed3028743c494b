/* SPDX-License-Identifier: ISC */
/*
 * What the verbs of the command share: how they are called and how they
 * speak to the user.
 */
#ifndef TOOLS_TOOL_H
#define TOOLS_TOOL_H

#include <stdbool.h>

enum tool_status {
	TOOL_OK = 0,
	TOOL_NO = 1,	/* no, or failed */
	TOOL_USAGE = 2, /* misused; grouper run has 125 for it */
};

/* A verb: argv[0] is its name.  Returns the exit status of the process. */
typedef int tool_verb_fn(int argc, char **argv);

tool_verb_fn act_main;
tool_verb_fn broadcast_main;
tool_verb_fn check_main;
tool_verb_fn config_main;
tool_verb_fn doctor_main;
tool_verb_fn events_main;
tool_verb_fn host_main;
tool_verb_fn hosts_main;
tool_verb_fn ident_main;
tool_verb_fn listen_main;
tool_verb_fn logs_main;
tool_verb_fn names_main;
tool_verb_fn plan_main;
tool_verb_fn presence_main;
tool_verb_fn ps_main;
tool_verb_fn publish_main;
tool_verb_fn run_main;
tool_verb_fn send_main;
tool_verb_fn spawn_main;
tool_verb_fn status_main;
tool_verb_fn supervise_main;
tool_verb_fn topics_main;
tool_verb_fn wait_main;

/*
 * Prints "grouper VERB: ..." to standard error, one line whatever is in it;
 * verb NULL for grouper itself.  Keeps errno.
 */
void tool_error(const char *verb, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/*
 * The same of a text of several lines, such as what is wrong with a file: the
 * first behind "grouper VERB: WHOM: ", the others as they are.  whom may be
 * NULL.
 */
void tool_trouble(const char *verb, const char *whom, const char *text);

/*
 * Prints a line to a descriptor by one write.  Control characters, which
 * names and command lines may hold, are shown as '?'.  raw: the terminal is
 * in raw mode and needs a carriage return.  0, or -1 with errno.
 */
int tool_line(int fd, bool raw, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Prints each line of a text like that, to standard error. */
void tool_lines(const char *text);

/* Writes all of it; 0, or -1 with errno. */
int tool_write(int fd, const char *text, unsigned long length);

/*
 * Ends a verb that printed to stdout alone: TOOL_OK, or TOOL_NO if not all of
 * it could be written, which is told.
 */
int tool_printed(const char *verb);

/* Whether colours suit a descriptor: a terminal, and NO_COLOR is not set. */
bool tool_colours(int fd);

/*
 * Prints what getopt_long(3) has just refused.  opt is ':' or '?'; the values
 * of long options are letters, or above UCHAR_MAX.
 */
void tool_bad_option(const char *verb, int opt, char **argv);

#endif
