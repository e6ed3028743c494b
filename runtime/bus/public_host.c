/* SPDX-License-Identifier: ISC */
/*
 * Hosts of programs, see grouper/group.h: with their control socket.
 */
#include <grouper/group.h>

#include "runtime/bus/bus.h"
#include "runtime/control/server.h"
#include "runtime/group/host.h"
#include "runtime/util/loop.h"

static const struct server_methods *
find_methods(void *arg)
{
	return bus_methods(arg);
}

enum grouper_error
grouper_host_new(struct event_base *base,
    const struct grouper_host_options *options, struct grouper_host **host)
{
	enum grouper_error error;
	struct signals signals;
	struct loop *loop;

	if (base == NULL || host == NULL)
		return GROUPER_INVALID;
	loop = loop_new(base);
	if (loop == NULL)
		return GROUPER_SYSTEM;
	signals_save(&signals); /* before the host changes SIGCHLD */
	error = host_new(loop, options, host);
	if (error != GROUPER_OK) {
		loop_free(loop);
		return error;
	}
	host_own_loop(*host);
	host_set_signals(*host, &signals);
	if (server_attach_later(*host, find_methods, *host) == -1) {
		grouper_host_free(*host);
		return GROUPER_SYSTEM;
	}
	return GROUPER_OK;
}
