/* SPDX-License-Identifier: ISC */
/*
 * A host of this process that serves clients of other processes by methods
 * of its own: what members and clients ask for, as far as their suites need.
 */
#ifndef TESTS_UNIT_SERVED_H
#define TESTS_UNIT_SERVED_H

#include <jansson.h>

#include "runtime/control/server.h"
#include "runtime/relay/registry.h"
#include "runtime/relay/settings.h"
#include "trial.h"

struct served {
	struct trial trial;
	struct registry *registry;
	struct settings *settings;
	struct call *held;     /* by the method hold; NULL: none */
	struct call *streamed; /* by the method subscribe; NULL: none */
	json_t *params;	       /* of the last send, subscribe or
				  echo */
	json_t *messages;      /* a list: those of the stream */
	size_t told;	       /* of them */
	bool leaves;	       /* leave was called */
	size_t nfds;	       /* so many come with member.open; 0: error */
	int down;	       /* our ends of the pipes of member.open */
	int up;
};

/*
 * A host named srv, which GROUPER_SOCKET leads to from then on.  Its methods:
 * register, unregister, whereis, config.get, .put, .delete, .list; send and
 * echo, which note their params; subscribe; member.open; hold, which answers
 * the call before it and keeps this one; fail; leave, which ends the host.
 */
void served_open(struct served *served);
void served_close(struct served *served);

/* Runs fn(arg) in another process and serves until it has ended well. */
void served_run(struct served *served, void (*fn)(void *), void *arg);

#endif
