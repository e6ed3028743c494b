/* SPDX-License-Identifier: ISC */
/*
 * Membership by descent, see membership.h.
 */
#include "runtime/control/membership.h"

#include <stdint.h>
#include <unistd.h>

#include <grouper/ident.h>

#include "runtime/control/descent.h"
#include "runtime/control/rpc.h"
#include "runtime/group/host.h"

struct search {
	const struct grouper_host *host;
	struct membership found;
};

/* A leader is known by its pid, which is our child's: names prove nothing. */
static bool
look_for_leader(const struct os_stat *stat, void *arg)
{
	struct search *search = arg;
	struct membership *found = &search->found;

	found->key = host_key_of_leader(search->host, stat->pid,
	    &found->worker);
	found->leader = stat->pid;
	return found->key == NULL;
}

int
membership_find(const struct grouper_host *host, pid_t pid,
    struct membership *found)
{
	struct search search = { .host = host };
	int result = descent_walk(pid, look_for_leader, &search);

	*found = search.found;
	return result;
}

const char *
membership_key(const struct grouper_host *host, pid_t pid)
{
	struct membership found;

	if (pid < 1 || membership_find(host, pid, &found) == -1)
		return NULL;
	return found.key;
}

void
membership_method(struct call *call, const json_t *params, void *arg)
{
	const json_t *given = json_object_get(params, "pid");
	struct grouper_host *host = arg;
	struct membership found;
	json_int_t pid = call_pid(call);

	if (given != NULL) {
		pid = json_integer_value(given);
		if (!json_is_integer(given) || pid < 1 || pid > INT32_MAX) {
			call_fail_code(call, RPC_INVALID_PARAMS,
			    "pid must be a positive integer");
			return;
		}
	}
	if (pid < 1 || membership_find(host, (pid_t)pid, &found) == -1)
		call_fail(call, GROUPER_NOT_FOUND, "no such process");
	else if (found.key == NULL)
		call_fail(call, GROUPER_NO_GROUP,
		    "not in a group of this host");
	else
		call_result(call,
		    json_pack("{s:s, s:s, s:s, s:i, s:i}", "kind",
			grouper_kind_name(found.worker ? GROUPER_KIND_WORKER :
							 GROUPER_KIND_GROUP),
			"host", host_name(host), "key", found.key, "leader",
			(int)found.leader, "host_pid", (int)getpid()));
}
