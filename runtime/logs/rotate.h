/* SPDX-License-Identifier: ISC */
/*
 * Old log files by number: path.1 is the youngest.
 */
#ifndef RUNTIME_LOGS_ROTATE_H
#define RUNTIME_LOGS_ROTATE_H

/*
 * Moves path to path.1, what stands there to path.2, and so on to path.keep,
 * which is overwritten; keep is at least 1.  Files above a gap in the numbers
 * stay, so that nothing but the oldest of a full row is lost, wherever an
 * earlier call was cut short.  0, or -1 with errno; path is then in place.
 */
int rotate(const char *path, unsigned int keep);

#endif
