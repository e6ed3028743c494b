/* SPDX-License-Identifier: ISC */
/*
 * What a host and its tree take of the system when all is quiet.
 */

#ifndef TESTS_SOAK_FIGURES_H
#define TESTS_SOAK_FIGURES_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

enum soak_figure {
	SOAK_DESCRIPTORS, /* of the host */
	SOAK_MEMORY,	  /* its private memory, kB */
	SOAK_LEADERS,	  /* its living children */
	SOAK_PROCESSES,	  /* all that descend from it */
	SOAK_FILES,	  /* in the runtime directory */
	SOAK_LOGS,	  /* in the directory of logs */
	SOAK_FIGURES
};

struct soak_figures {
	long value[SOAK_FIGURES];
};

void soak_measure(pid_t host, struct soak_figures *figures);

/* Whether each is at most what it was, and what it is allowed to grow. */
bool soak_is_flat(const struct soak_figures *now,
    const struct soak_figures *before);

/* A line for a table; NULL: its head, with what is allowed. */
void soak_print(const char *title, const struct soak_figures *figures);

#endif
