/* SPDX-License-Identifier: ISC */
/*
 * Clients of a host that come, stay for a while, and are gone: some of them
 * wait for something that takes time, some follow for ever, and are killed.
 */

#ifndef TESTS_SOAK_GUESTS_H
#define TESTS_SOAK_GUESTS_H

#include <stdint.h>

/* Lets one more come, in place of one that was there. */
void soak_guest_comes(uint64_t *random);

/* All of them go. */
void soak_guests_go(void);

/* How many came. */
unsigned int soak_guests(void);

#endif
