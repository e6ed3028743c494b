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
 *	ready        started, notify or fd:N, started without; or an object:
 *		     exec, a command and its arguments, and interval in ms; or
 *		     log, a regular expression for lines of its output
 *	ready_timeout
 *		     how long that may take, in ms; without end without
 *	watchdog     how long it may be silent, in ms
 *	success      a list of exit statuses that are no failure, [0] without
 *	start_pre, stop_pre, reload_command
 *		     commands and their arguments, see grouper.yaml(5)
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
 * Reads them.  The child, whose id is NULL if there is no key, is to be given
 * to spec_child_fini() whatever is returned: NULL, or what was expected.
 */
const char *spawn_params_read(struct spec_child *child, const json_t *params);

#endif
