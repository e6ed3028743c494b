/* SPDX-License-Identifier: ISC */
/*
 * What an incarnation tells, recorded by a test.
 */
#ifndef TESTS_UNIT_RECORD_H
#define TESTS_UNIT_RECORD_H

#include <sys/types.h>

#include "runtime/supervise/incarnation.h"
#include "trial.h"

struct logs;
struct member_log;
struct spec_tree;

#define LINES_KEPT 4096

struct record {
	struct trial trial;
	struct logs *logs;
	struct member_log *log;
	struct spec_tree *tree;
	struct incarnation *run; /* NULL: over */
	uint64_t number;
	char told[512]; /* a comma after each */
	char reason[256];
	int status;
	char lines[LINES_KEPT]; /* that it wrote, as long as there is room */
	char last[64];
	size_t nlines;
};

/* A host in a trial and a log, for runs of the key "a". */
void record_open(struct record *record);
void record_close(struct record *record);

/* Starts a run of a child of these keys, "@" the test's directory. */
void record_start(struct record *record, const char *keys);

/* Until it has told this. */
void record_await(struct record *record, const char *what);

/* The number in a file of the test's directory, when it is there. */
pid_t record_await_number(struct record *record, const char *name);
pid_t record_leader_of(pid_t pid);

#endif
