/* SPDX-License-Identifier: ISC */
/*
 * Messages between host and leader: what was received can be acted on and is
 * the same when it is sent on; all else is refused, and nothing follows it.
 *
 * Input: a byte, bit 0: down, bit 1: raw, else laid over a message of a right
 * size; then the message.
 */
#include "runtime/group/link.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/socket.h>

#include <grouper/group.h>

#include "runtime/group/group.h"
#include "runtime/util/fd.h"
#include "tests/fuzz/fuzz.h"

#define UP_HEAD offsetof(struct link_up, pids)

_Static_assert(sizeof(struct link_down) <= sizeof(struct link_up),
    "laid over the larger one");

static int ends[2] = { -1, -1 };

/* What the host does with it, as far as that has no process. */
static void
check_up(const struct link_up *up)
{
	static char key[] = "k";
	const struct group group = { .key = key };
	struct link_up again;

	FUZZ_CHECK(up->count <= SWEEP_LIST);
	if (up->type == LINK_STEP)
		group_log_step(&group, up->signum,
		    (enum sweep_target)up->target, up->ms);
	FUZZ_CHECK(grouper_stage_name((enum grouper_stage)up->stage) != NULL);
	FUZZ_CHECK(link_send_up(ends[0], up, LINK_WAIT) == 0);
	FUZZ_CHECK(link_receive_up(ends[1], &again) == 1);
	FUZZ_CHECK(memcmp(up, &again, sizeof(again)) == 0);
}

/* What the leader relies on. */
static void
check_down(const struct link_down *down)
{
	char text[STEPS_TEXT_MAX];
	struct link_down again;
	size_t i;

	FUZZ_CHECK(down->target <= SWEEP_COMMAND);
	FUZZ_CHECK(down->steps.count <= STEPS_MAX);
	for (i = 0; i < down->steps.count; i++)
		FUZZ_CHECK(down->steps.step[i].signum > 0 &&
		    down->steps.step[i].signum <= SIGRTMAX &&
		    (down->steps.step[i].ms >= 0 ||
			down->steps.step[i].ms == STEPS_FOREVER));
	if (down->type == LINK_STOP) {
		FUZZ_CHECK(down->steps.count > 0);
		FUZZ_CHECK(steps_format(&down->steps, text, sizeof(text)) == 0);
	}
	FUZZ_CHECK(down->type != LINK_ADOPT || down->pid > 1);
	FUZZ_CHECK(link_send_down(ends[0], down) == 0);
	FUZZ_CHECK(link_receive_down(ends[1], &again) == 1);
	FUZZ_CHECK(memcmp(down, &again, sizeof(again)) == 0);
}

static void
receive(bool is_down)
{
	struct link_down down = { .type = 0 };
	struct link_up up;
	int result;

	result = is_down ? link_receive_down(ends[1], &down) :
			   link_receive_up(ends[1], &up);
	if (result == -1)
		FUZZ_CHECK(errno == EPROTO);
	else if (result == 1 && is_down)
		check_down(&down);
	else if (result == 1)
		check_up(&up);
	result = is_down ? link_receive_down(ends[1], &down) :
			   link_receive_up(ends[1], &up);
	FUZZ_CHECK(result == -1 && errno == EAGAIN);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int how = fuzz_byte(&input);
	bool is_down = (how & 1) != 0;
	struct link_up up = { .type = 0 };
	const char *bytes;
	size_t length;

	if (ends[0] == -1)
		FUZZ_CHECK(link_pair(ends) == 0);
	length = sizeof(up);
	if ((how & 2) != 0 && input.size > 0) {
		if (input.size > 2 * sizeof(up))
			return 0;
		FUZZ_CHECK(send(ends[0], input.data, input.size, 0) > 0);
	} else {
		bytes = fuzz_bytes(&input, &length);
		if (length > 0)
			memcpy(&up, bytes, length);
		up.count %= SWEEP_LIST + 2;
		length = is_down ? sizeof(struct link_down) :
				   UP_HEAD + up.count * sizeof(up.pids[0]);
		if (length > sizeof(up))
			length = sizeof(up);
		FUZZ_CHECK(send(ends[0], &up, length, 0) > 0);
	}
	receive(is_down);
	return 0;
}
