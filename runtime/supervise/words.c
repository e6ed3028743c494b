/* SPDX-License-Identifier: ISC */
/*
 * Words for what happens to processes, see words.h.
 */
#include "runtime/supervise/words.h"

#include <stdio.h>
#include <sys/wait.h>

#include "runtime/util/parse.h"

const char *
words_status(int status, char *buffer, size_t size)
{
	if (WIFSIGNALED(status))
		snprintf(buffer, size, "ended by SIG%s%s",
		    signal_name(WTERMSIG(status)),
		    WCOREDUMP(status) ? ", with a core dump" : "");
	else
		snprintf(buffer, size, "exited with %d", WEXITSTATUS(status));
	return buffer;
}

int
words_exit(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) :
				     WEXITSTATUS(status);
}

bool
words_is_trouble(enum machine_note note)
{
	switch (note) {
	case MACHINE_NOTE_START_FAILED:
	case MACHINE_NOTE_RESTART:
	case MACHINE_NOTE_LIMIT:
	case MACHINE_NOTE_COOLDOWN:
	case MACHINE_NOTE_LEADER_DIED:
	case MACHINE_NOTE_WATCHDOG:
	case MACHINE_NOTE_UNKILLABLE:
		return true;
	default:
		return false;
	}
}
