/* SPDX-License-Identifier: ISC */
/*
 * Diagnostics.  The library itself is silent: only a program that called
 * log_open() prints, one line a message, to standard error.
 */
#ifndef RUNTIME_UTIL_LOG_H
#define RUNTIME_UTIL_LOG_H

enum log_level {
	LOG_LEVEL_QUIET,
	LOG_LEVEL_WARN,
	LOG_LEVEL_INFO,
	LOG_LEVEL_DEBUG
};

/* prefix: "grouper run"; static storage.  Messages above level are dropped. */
void log_open(const char *prefix, enum log_level level);

/* Each keeps errno; log_warn appends strerror(errno). */
void log_warn(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warnx(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
