/* SPDX-License-Identifier: ISC */
/*
 * A supervisor tree and its control socket in the process of a test.
 */
#ifndef TESTS_UNIT_GROVE_H
#define TESTS_UNIT_GROVE_H

#include <sys/types.h>

#include <stdbool.h>

#include <jansson.h>

#include "client.h"
#include "runtime/supervise/machine.h"
#include "trial.h"

struct control;
struct spec_tree;
struct supervisor;

struct grove {
	struct trial trial;
	struct supervisor *supervisor;
	struct control *control;
	struct spec_tree *next; /* for a reload */
	bool over;
	int status; /* when it is */
	struct client client;
};

/* A host with a tree of this text, booted, and a client of it. */
void grove_open(struct grove *grove, const char *yaml);

/* Stops it, waits for its end and frees it; or frees what is over. */
void grove_close(struct grove *grove);
void grove_free(struct grove *grove);

/* A tree of this text, for spec_free(). */
struct spec_tree *grove_read_tree(const char *yaml);

/* Turns of the loop; whether the tree is over, of a grove. */
void grove_turn(struct grove *grove, int count);
bool grove_is_over(void *arg);

enum machine_state grove_state(const struct grove *grove, const char *key);
void grove_await_state(struct grove *grove, const char *key,
    enum machine_state state);

/* The main process of a key; waits until it is another than pid. */
pid_t grove_pid(const struct grove *grove, const char *key);
void grove_await_another(struct grove *grove, const char *key, pid_t pid);
pid_t grove_leader_of(pid_t pid);

/* The answer to a request, to be released, or dropped. */
json_t *grove_ask(struct grove *grove, const char *request);
void grove_ask_only(struct grove *grove, const char *request);

/* What the verb of that name calls: reloads with grove->next. */
enum grouper_error grove_on_reload(json_t **ignored, char **why, void *arg);

/* Reloads with this text, which must be accepted. */
void grove_reload(struct grove *grove, const char *yaml);

#endif
