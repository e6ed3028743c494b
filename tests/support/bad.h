/* SPDX-License-Identifier: ISC */
/*
 * Bad tests, each of which the fixture must fail, as a suite of their own; and
 * the processes that they leave, which good tests look for as well.
 */

#ifndef TESTS_SUPPORT_BAD_H
#define TESTS_SUPPORT_BAD_H

#include <sys/types.h>

/* Microseconds between a comet's pids. */
#define N_COMETS 2
extern const unsigned int comet_turns[N_COMETS];

/* How often a comet must be seen, half of them with each turn. */
#define COMET_ROUNDS 100

/* Runs the bad tests; main()'s exit status. */
int bad_main(void);

/* A child whose main thread has ended, while another goes on. */
pid_t start_zombie_with_thread(void);

/*
 * Starts a comet: a line of processes, each of which forks the next after this
 * time and exits, so that only the newest lives, under another pid each time.
 */
void start_comet(unsigned int turn);

#endif
