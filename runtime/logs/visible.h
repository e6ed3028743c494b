/* SPDX-License-Identifier: ISC */
/*
 * Text of members made harmless for a terminal.  Pure.
 */
#ifndef RUNTIME_LOGS_VISIBLE_H
#define RUNTIME_LOGS_VISIBLE_H

#include <stddef.h>

/* What length bytes may become. */
#define VISIBLE_SIZE(length) ((length)*4)

/*
 * Copies text, control characters made visible: "^[" for escape, "^@" for
 * NUL, "\x9b" for those of ISO 6429's upper half, whether alone or as UTF-8.
 * Tabs stay, one carriage return at the end is dropped, other bytes that are
 * no UTF-8 stay as they are.
 *
 * to: room for VISIBLE_SIZE(length) bytes, not terminated.  Returns how many
 * bytes were written.
 */
size_t visible(char *to, const char *text, size_t length);

#endif
