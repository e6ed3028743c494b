/* SPDX-License-Identifier: ISC */
/*
 * What is left to chance, so that it can be repeated from a number.
 */

#ifndef TESTS_CHANCE_H
#define TESTS_CHANCE_H

#include <stddef.h>
#include <stdint.h>

/* The next of a sequence that its first state determines. */
uint64_t chance_next(uint64_t *state);

/* One of 0 to n - 1. */
size_t chance_below(uint64_t *state, size_t n);

/* Between two numbers above 0, as often in each of their powers of ten. */
double chance_between(uint64_t *state, double low, double high);

/* A number from the environment. */
uint64_t chance_setting(const char *variable, uint64_t otherwise);

/* A first state that no other run has. */
uint64_t chance_seed(void);

#endif
