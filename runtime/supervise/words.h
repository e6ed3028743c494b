/* SPDX-License-Identifier: ISC */
/*
 * Words for what happens to processes.
 */
#ifndef RUNTIME_SUPERVISE_WORDS_H
#define RUNTIME_SUPERVISE_WORDS_H

#include <stdbool.h>
#include <stddef.h>

#include "runtime/supervise/machine.h"

#define WORDS_STATUS_MAX 64

/* "exited with 3", "ended by SIGKILL", of a status of wait(2). */
const char *words_status(int status, char *buffer, size_t size);

/* What a shell would have as the exit status: 128 + n for a signal. */
int words_exit(int status);

/* Whether whoever runs a tree wants to know without having asked for more. */
bool words_is_trouble(enum machine_note note);

#endif
