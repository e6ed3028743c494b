/* SPDX-License-Identifier: ISC */
/*
 * The child that a caller of `spawn` describes:
 *
 *	argv         the command, a list of texts
 *	cwd          an absolute path, a text
 *	env          its whole environment, a list of texts NAME=VALUE
 *	umask        a number
 *
 * and, all optional:
 *
 *	key          its id; without one the command's name and a number
 *	restart      permanent, transient or temporary, which it is without
 *	shutdown     stop steps
 *	contain      auto, reaper, cgroup or pidns
 *	stop_target  group, command or tree
 *	nice         a number, added to the host's
 *	limits       a list of [resource, soft, hard], -1 for unlimited
 *	force        whether a worker may call this, and its command run
 *		     where the host itself is one
 *	uid, gid     a user and a group, texts: names or numbers
 *	ready        started, notify or fd:N, started without
 *	ready_timeout
 *		     how long that may take, in ms; without end without
 *	topics       patterns that it subscribes to, a list
 *	messages     whether it gets the descriptors for messages without them
 *	on_event     an object of numbers of signals by names of events
 *	log          prefix, inherit, discard or syslog, or an object: file,
 *		     an absolute path, a text, max_size in bytes, and keep
 */
#ifndef RUNTIME_SUPERVISE_SPAWN_PARAMS_H
#define RUNTIME_SUPERVISE_SPAWN_PARAMS_H

#include <jansson.h>

#include "runtime/supervise/spec.h"

/*
 * A text of any bytes: a JSON string, or where it is no UTF-8 a list of the
 * numbers of its bytes.  NULL without memory.
 */
json_t *spawn_text(const char *text);

/* And back, to be freed; NULL for what is none, or without memory. */
char *spawn_text_of(const json_t *value);

/*
 * Reads them.  The child, whose id is NULL if there is no key, is to be given
 * to spec_child_fini() whatever is returned: NULL, or what was expected.
 */
const char *spawn_params_read(struct spec_child *child, const json_t *params);

#endif
