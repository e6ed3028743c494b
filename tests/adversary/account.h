/* SPDX-License-Identifier: ISC */
/*
 * Whether listeners, see talk.h, were given what was owed to them.
 *
 * The witness has the order of all events.  A listener is subscribed to the
 * patterns of its tree before it runs, and to what it changes from the moment
 * that its request is carried out, which is between its two marks; it is told
 * by an R frame.  From the first event that comes to it on, or from the mark
 * of its start if none came before that, every event that matches what it is
 * subscribed to at that event's place comes, in order, or is counted by the L
 * frames in front of the next event, or of the confirmation of a change, that
 * comes: neither less nor more.  Only what other members publish between two
 * marks may count on either side of the change.  What a killed listener had
 * not yet read is lost with it.  An L in front of the first event may also
 * count events from before the mark of the start.
 */

#ifndef TESTS_ACCOUNT_H
#define TESTS_ACCOUNT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct account_sum {
	size_t witnessed; /* events */
	size_t lives;	  /* of listeners */
	size_t unmarked;  /* of them, those that ended before their mark */
	size_t whole;	  /* those that heard the end */
	size_t heard;	  /* events, by all of them */
	size_t lost;	  /* events that L frames counted */
	size_t gaps;	  /* for which there were L frames */
	size_t changes;
	size_t unclear;	 /* events between the marks of a change */
	char wrong[256]; /* "" or what was not as it must be */
};

/*
 * The last event to topic end that the witness saw has come to all of these
 * many listeners that live.
 */
bool account_is_closed(const char *directory, size_t listeners);

/* Adds all that listeners heard up to that event; false if it is wrong. */
bool account_check(const char *directory, struct account_sum *sum);

/* Removes the files of the listeners and the witness. */
void account_remove(const char *directory);

#endif
