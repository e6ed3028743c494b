/* SPDX-License-Identifier: ISC */
/*
 * The tree in which groups are killed: 50 of the program "sole" below
 * supervisors of every strategy, and what each of its members wrote.
 */

#ifndef TESTS_KILLS_TREE_H
#define TESTS_KILLS_TREE_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#define KILLS_ENDLESS 1000000 /* an intensity */
#define KILLS_GROUPS 50
/* The first of them are the root's, and so is the last. */
#define KILLS_FIRST 3

/* A supervisor and its children; the root has intensity 0 here. */
struct kills_part {
	const char *key;
	const char *strategy;
	unsigned int intensity; /* in 5 s */
	char letter;		/* of its children: "a0", "a1" ... */
	unsigned int children;
	bool counted; /* each restart is that of a killed member */
	bool pool;    /* they are instances of one command */
};

struct kills_group {
	const struct kills_part *part;
	char key[32];
	unsigned int killed;   /* the last start of it that was killed */
	unsigned int restarts; /* that kills must have caused in this life */
};

/* What a member wrote into its file. */
struct kills_record {
	pid_t pid;
	unsigned int starts;
	pid_t helper;
};

extern struct kills_group kills_groups[KILLS_GROUPS];

void kills_make_groups(void);

/* NULL for what is no group. */
const struct kills_group *kills_find(const char *key);

/*
 * Writes a file of this name in the test's directory, for a host "kills" whose
 * root has this intensity and period; returns its path.
 */
const char *kills_write_tree(const char *name, unsigned int intensity,
    const char *period);

/*
 * To prepare a host, see struct support_command: its standard error is the
 * file of this path, since nobody reads a pipe while we wait for the next
 * moment to strike.
 */
void kills_open_log(void *path);

/*
 * What the last member of a key, one with a sole_lock, wrote; false if none
 * has written anything yet.
 */
bool kills_read(const char *key, struct kills_record *);

/*
 * Sends a signal to a process that is surely this one: if name is not NULL,
 * it must have that.  False if it has gone.
 */
bool kills_hit(pid_t pid, const char *name, int signum);

/* The leader, of this host, of a member that lives; 0 if it has none. */
pid_t kills_leader(pid_t host, pid_t member, const char *name);

#endif
