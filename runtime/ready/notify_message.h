/* SPDX-License-Identifier: ISC */
/*
 * What a datagram of sd_notify(3) says.  Pure.
 */
#ifndef RUNTIME_READY_NOTIFY_MESSAGE_H
#define RUNTIME_READY_NOTIFY_MESSAGE_H

#include <sys/types.h>

#include <stddef.h>
#include <stdint.h>

#define NOTIFY_STATUS_MAX 512

enum notify_flag {
	NOTIFY_READY = 1 << 0,
	NOTIFY_STOPPING = 1 << 1,
	NOTIFY_RELOADING = 1 << 2,
	NOTIFY_WATCHDOG = 1 << 3,	  /* a sign of life */
	NOTIFY_WATCHDOG_TRIGGER = 1 << 4, /* act as if none had come */
	NOTIFY_BARRIER = 1 << 5,
	NOTIFY_STATUS = 1 << 6,	       /* status is set */
	NOTIFY_MAINPID = 1 << 7,       /* main_pid is set */
	NOTIFY_WATCHDOG_USEC = 1 << 8, /* watchdog_us is set */
	NOTIFY_EXTEND = 1 << 9,	       /* extend_us is set */
	NOTIFY_MONOTONIC = 1 << 10,    /* monotonic_us is set */
	NOTIFY_ERRNO = 1 << 11,	       /* error is set */
};

struct notify_message {
	unsigned int flags;
	pid_t main_pid;	      /* > 1; in the sender's words, to be checked */
	int error;	      /* what a service says it failed with */
	int64_t watchdog_us;  /* > 0 */
	int64_t extend_us;    /* the deadline at hand, from now */
	int64_t monotonic_us; /* when a reload began */
	char status[NOTIFY_STATUS_MAX]; /* control characters as '?' */
};

/*
 * Reads any bytes, NUL among them.  Unknown keys and bad values are ignored;
 * of several lines of one key the first counts, as with systemd.  Returns
 * the flags.
 */
unsigned int notify_parse(const char *text, size_t length,
    struct notify_message *message);

#endif
