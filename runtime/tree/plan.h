/* SPDX-License-Identifier: ISC */
/*
 * What a reload would do: the difference of two trees.
 */
#ifndef RUNTIME_TREE_PLAN_H
#define RUNTIME_TREE_PLAN_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/supervise/spec.h"

struct grouper_host;

enum plan_change {
	PLAN_STOP,    /* it is in the old tree alone */
	PLAN_START,   /* it is in the new one alone */
	PLAN_RESTART, /* what runs differs, or it is another kind of child */
	PLAN_SCALE,   /* the number of its instances differs */
	PLAN_UPDATE,  /* policies differ, or the order of those that stay under
			 a supervisor: changed in place, nothing restarts */
	PLAN_ADD,     /* a setting, or a topic group or topics of one */
};

struct plan_step {
	char *key; /* outer/inner; "" for the root supervisor itself */
	enum plan_change change;
	const char *what;  /* of PLAN_ADD, whose name the key is; else NULL */
	unsigned int from; /* instances, of PLAN_SCALE */
	unsigned int to;
};

struct plan {
	struct plan_step *steps;
	size_t count;
};

/*
 * Compares two trees: stops in reverse order of the old one, then the rest in
 * the order of the new one.  A supervisor that starts or stops is one step,
 * what is under it goes with it; a child that is updated and scaled has two.
 * What a reload leaves as it is is no step: see plan_ignores().  0, or -1 with
 * errno; plan_fini() may follow either.
 *
 * host: one that runs the old tree, which may hold other settings and topics
 *     by now; NULL: those of the tree.  Also below.
 */
int plan_make(struct plan *plan, const struct spec_tree *from,
    const struct spec_tree *to, const struct grouper_host *host);
void plan_fini(struct plan *plan);

/*
 * Calls fn with a line for each difference that a reload takes no account of:
 * the name, settings and topics that were changed or removed.  Before the
 * reload or after it.
 */
void plan_ignores(const struct spec_tree *from, const struct spec_tree *to,
    const struct grouper_host *host, void (*fn)(const char *line, void *arg),
    void *arg);

/* "start", "stop", "restart", "scale", "update" or "add". */
const char *plan_change_name(enum plan_change change);

#endif
