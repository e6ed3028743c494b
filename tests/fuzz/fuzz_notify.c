/* SPDX-License-Identifier: ISC */
/*
 * Datagrams of sd_notify(3): what is said is in its range, the first line of
 * a key counts, and what follows a message changes nothing of it.
 */
#include "runtime/ready/notify_message.h"

#include <stdlib.h>
#include <string.h>

#include "runtime/ready/tell.h"
#include "tests/fuzz/fuzz.h"

static void
check_range(const struct notify_message *message)
{
	unsigned int flags = message->flags;
	size_t i;

	FUZZ_CHECK(((flags & NOTIFY_MAINPID) != 0) == (message->main_pid != 0));
	FUZZ_CHECK((flags & NOTIFY_MAINPID) == 0 || message->main_pid > 1);
	FUZZ_CHECK((flags & NOTIFY_WATCHDOG_USEC) != 0 ?
		message->watchdog_us > 0 :
		message->watchdog_us == 0);
	FUZZ_CHECK((flags & NOTIFY_EXTEND) != 0 ? message->extend_us > 0 :
						  message->extend_us == 0);
	FUZZ_CHECK(message->monotonic_us >= 0 && message->error >= 0);
	FUZZ_CHECK(strnlen(message->status, NOTIFY_STATUS_MAX) <
	    NOTIFY_STATUS_MAX);
	for (i = 0; message->status[i] != '\0'; i++)
		FUZZ_CHECK((unsigned char)message->status[i] >= ' ' &&
		    message->status[i] != 0x7f);
}

/* What one who knows only of READY=1 would find. */
static int
says_ready(const char *text, size_t length)
{
	static const char ready[] = "READY=1";
	size_t n = sizeof(ready) - 1, i;

	for (i = 0; i + n <= length; i++)
		if ((i == 0 || text[i - 1] == '\n') &&
		    memcmp(text + i, ready, n) == 0 &&
		    (i + n == length || text[i + n] == '\n'))
			return 1;
	return 0;
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char more[] = "\nREADY=1\nSTATUS=later\nMAINPID=4711\n"
				   "ERRNO=9\nEXTEND_TIMEOUT_USEC=7\n";
	char *text = fuzz_text(data, size), *longer;
	struct notify_message message, again;

	FUZZ_CHECK(notify_parse(text, size, &message) == message.flags);
	check_range(&message);
	FUZZ_CHECK(says_ready(text, size) ==
	    ((message.flags & NOTIFY_READY) != 0));

	longer = malloc(size + sizeof(more));
	FUZZ_CHECK(longer != NULL);
	memcpy(longer, text, size);
	memcpy(longer + size, more, sizeof(more));
	notify_parse(longer, size + sizeof(more) - 1, &again);
	check_range(&again);
	FUZZ_CHECK((again.flags & message.flags) == message.flags);
	if ((message.flags & NOTIFY_STATUS) != 0)
		FUZZ_CHECK(strcmp(again.status, message.status) == 0);
	if ((message.flags & NOTIFY_MAINPID) != 0)
		FUZZ_CHECK(again.main_pid == message.main_pid);

	/* The other side of it: what a manager's environment may say. */
	FUZZ_CHECK(tell_watchdog_ms(text, NULL, 1) >= 0);
	FUZZ_CHECK(tell_watchdog_ms("1000000", text, 1) >= 0);
	free(longer);
	free(text);
	return 0;
}
