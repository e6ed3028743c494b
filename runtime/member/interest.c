/* SPDX-License-Identifier: ISC */
/*
 * What the host's subscribers want, as a member sees it.
 */
#include <grouper/member.h>

#include <errno.h>
#include <string.h>

#include "runtime/member/private.h"
#include "runtime/relay/interest.h"
#include "runtime/relay/topic.h"

/* The table, from the host; NULL if it does not give one. */
static const struct interest_table *
ask(struct grouper_member *member)
{
	const struct interest_table *table = NULL;
	struct client_fds got = { .count = 0 };
	int saved = errno;
	json_t *result;

	if (control_call(member, "interest", json_object(), &result, &got) ==
		GROUPER_OK &&
	    got.count > 0)
		table = interest_map(got.list[0]);
	client_fds_close(&got);
	json_decref(result);
	errno = saved;
	return table;
}

/*
 * Whose member it is matters only for who asks the host: each call would cost
 * a getpid(2), several times of what the rest of it takes.
 */
int
grouper_member_wanted(struct grouper_member *member, const char *topic)
{
	size_t length;

	if (member == NULL || topic == NULL)
		return 1;
	if (!member->interest_asked && member_is_ours(member)) {
		member->interest = ask(member);
		member->interest_asked = true;
	}
	if (member->interest == NULL)
		return 1;
	length = strnlen(topic, TOPIC_MAX + 1);
	return interest_has(member->interest, topic, length) ||
	    !topic_valid(topic, length);
}
