/* SPDX-License-Identifier: ISC */
/*
 * A running `grouper supervise` and its verbs, for tests.
 */
#ifndef TESTS_E2E_TREE_H
#define TESTS_E2E_TREE_H

#include <jansson.h>

#include "support.h"

/*
 * A child that tells of its start and of its stop in the file "log".  It starts
 * nothing that lasts: what is born after TERM came would not get it.
 */
#define TREE_TELLS(id) \
	"  - id: " id "\n" \
	"    ready: fd:3\n" \
	"    shell: |\n" \
	"      trap 'echo stop " id " >>@/log; exit 0' TERM\n" \
	"      echo start " id " >>@/log; echo >&3; exec 3>&-\n" \
	"      while :; do sleep 0.1; done\n"
/* One that only lives. */
#define TREE_LIVES(id) "  - {id: " id ", command: [sleep, '1000']}\n"

struct tree {
	struct support_run host;
};

/*
 * Starts the tree of this text, which is written to the file "tree.yaml";
 * "@" in it stands for the test's directory.  It runs in that directory.
 */
void tree_start(struct tree *tree, const char *text);
void tree_write(const char *text);

/* The same, by a command line behind `grouper`, which names the file itself. */
void tree_start_by(struct tree *tree, const char *text,
    const char *const *argv);

/* Waits until children are ready; fails the test after `wait` gave up. */
void tree_await_ready(const char *key);

/* The same where there are several hosts. */
void tree_await_ready_at(const char *host, const char *key);

/* Calls a verb; its status.  *out, to be freed, is what it printed. */
int tree_ask(char **out, const char *const *argv);

/* Calls a verb that must end with this status. */
void tree_expect(int status, const char *const *argv);

/* Calls a verb that must succeed and print exactly this. */
void tree_prints(const char *text, const char *const *argv);

/*
 * Calls a verb that must end with this status, print nothing, and tell one
 * line that contains text.
 */
void tree_refuses(int status, const char *text, const char *const *argv);

/*
 * Runs a script in which $G is grouper, in the test's directory and beside the
 * tree, not in it: its status.  tree_script_prints() expects status and output.
 */
int tree_script(struct support_run *r, const char *text);
void tree_script_prints(int status, const char *output, const char *text);

/* The entry of a child in `status --json`, to be released. */
json_t *tree_child(const char *key);

/* Its pid, 0 if it has none; its state, to be freed. */
pid_t tree_pid(const char *key);
char *tree_state(const char *key);

/*
 * Waits until memory is told of a child: the kernel counts pages in batches,
 * and none for what has only just been executed.
 */
void tree_await_memory(const char *key);

/* It is in this state; the file "log" has this text. */
void tree_expect_state(const char *key, const char *state);
void tree_expect_log(const char *text);

/* Waits until an event of this type for the key has been told. */
void tree_await_event(const char *key, const char *type, size_t count);

/* Sends TERM, expects this status, and that nothing is left. */
void tree_stop(struct tree *tree, int status);

/* Waits for its end by itself, with this status and nothing left. */
void tree_end(struct tree *tree, int status);

#endif
