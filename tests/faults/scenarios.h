/* SPDX-License-Identifier: ISC */
/*
 * What grouper does while its calls fail.
 */
#ifndef TESTS_FAULTS_SCENARIOS_H
#define TESTS_FAULTS_SCENARIOS_H

#include <stdbool.h>
#include <stddef.h>

/* What a script ends with where a client did not do what it promises. */
#define SCENARIO_CLIENT_FAILED 98

struct scenario_file {
	const char *name;
	const char *text;
};

/*
 * A script has in its environment: GROUPER, the command without wrappers;
 * FAULTY, that with them; DIR, the test's directory; FDS, how many descriptors
 * the host has at the end of it without a fault, where that is known.  It may
 * write that number to the file "fds", and what is wrong to "why".
 */
struct scenario {
	const char *name;
	size_t arena; /* of arenas[] */
	bool clean;   /* the host: only its clients are faulty */
	bool stop;    /* by TERM, once it is ready */
	int status;   /* without a fault */
	/* In a short test each such use; the others would take too long. */
	unsigned int every;
	/* After the verb: "@/" stands for the directory, "hostile" for it. */
	const char *const *argv;
	const struct scenario_file *files;
	const char *const *mended; /* faults that once did harm */
	const char *program;	   /* that it needs, or NULL */
};

#define SCENARIOS 9

extern const struct scenario scenarios[SCENARIOS];

#endif
