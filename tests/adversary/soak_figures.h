/* SPDX-License-Identifier: ISC */
/*
 * What a host and its tree take of the system when all is quiet.
 */

#ifndef TESTS_SOAK_FIGURES_H
#define TESTS_SOAK_FIGURES_H

#include <sys/types.h>

#include <stdbool.h>
#include <stdio.h>

enum soak_figure {
	SOAK_DESCRIPTORS, /* of the host */
	SOAK_MEMORY,	  /* what it wrote and shares with none, kB */
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

/* The greater of each. */
void soak_raise(struct soak_figures *most, const struct soak_figures *now);

/* Whether each is at most what it was, and what it is allowed to grow. */
bool soak_is_flat(const struct soak_figures *now,
    const struct soak_figures *before);

/* A line for a table; NULL: its head, with what is allowed. */
void soak_print(const char *title, const struct soak_figures *figures);

/* A line of a file to plot from; NULL: its head. */
void soak_print_sample(FILE *file, long long second,
    const struct soak_figures *figures);

#endif
