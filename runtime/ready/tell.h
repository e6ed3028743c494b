/* SPDX-License-Identifier: ISC */
/*
 * What the host tells its own service manager, as sd_notify(3) does.
 */
#ifndef RUNTIME_READY_TELL_H
#define RUNTIME_READY_TELL_H

#include <sys/types.h>

#include <stdint.h>

/*
 * Sends text, lines of KEY=VALUE, to the socket of this address: the value
 * of NOTIFY_SOCKET, a path or '@' and an abstract name; does not block.
 *
 * 0, or -1 with errno: EAGAIN when the manager is behind, to be tried again;
 * EINVAL or ENAMETOOLONG for an address that is none; else those of
 * sendto(2).
 */
int tell(const char *address, const char *text);

/* The same, made of these; status NULL for none. */
int tell_ready(const char *address, const char *status);
int tell_status(const char *address, const char *status);
int tell_stopping(const char *address);
int tell_reloading(const char *address); /* then tell_ready() */
int tell_watchdog(const char *address);

/*
 * How often the manager wants a sign of life: half of what WATCHDOG_USEC
 * says, in ms.  0 if it wants none, or, by WATCHDOG_PID, none of process
 * self.  Both are values of the environment, NULL if not set.
 */
int64_t tell_watchdog_ms(const char *usec, const char *pid, pid_t self);

#endif
