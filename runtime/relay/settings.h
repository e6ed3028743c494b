/* SPDX-License-Identifier: ISC */
/*
 * The settings of a host: keys with JSON values, which its members read and
 * change.
 */
#ifndef RUNTIME_RELAY_SETTINGS_H
#define RUNTIME_RELAY_SETTINGS_H

#include <stddef.h>

#include <jansson.h>

#include <grouper/error.h>

/* So many keys, and so many bytes of keys and values, written compactly. */
#define SETTINGS_COUNT_MAX 4096
#define SETTINGS_BYTES_MAX ((size_t)4 << 20)

struct settings;

/* NULL with errno. */
struct settings *settings_new(void);
void settings_free(struct settings *settings);

/* The value, which stays theirs and is not to be changed; NULL: not there. */
json_t *settings_get(const struct settings *settings, const char *key);

/*
 * Sets a key.  The value is taken over, also on failure, and must not be
 * changed from then on; NULL stands for one that there was no memory for.
 *
 * old: receives the value before, to be released, NULL if there was none; may
 *     be NULL.
 *
 * Returns GROUPER_OK; GROUPER_INVALID for a key that topic_name_valid()
 * refuses, or that is no UTF-8; GROUPER_SYSTEM with errno, ENOSPC beyond the
 * bounds.  On failure nothing has changed and *old is NULL.
 */
enum grouper_error settings_put(struct settings *settings, const char *key,
    json_t *value, json_t **old);

/* Removes a key; old as above, NULL if it was not there. */
void settings_delete(struct settings *settings, const char *key, json_t **old);

/* All of them as one object in the byte order of the keys; NULL: ENOMEM. */
json_t *settings_list(const struct settings *settings);

/*
 * From text and files.  On failure -1, and a line for people is in error,
 * which has room for size bytes; what came before the fault has been set.
 */

/*
 * A value: JSON if it can be read as such, else the text itself.  NULL with
 * errno: ENOMEM, or EILSEQ for what is not UTF-8.
 */
json_t *settings_value(const char *text);

/* "KEY=VALUE". */
int settings_load_text(struct settings *settings, const char *text, char *error,
    size_t size);

/* Every member of an object, which stays the caller's. */
int settings_load_object(struct settings *settings, const json_t *object,
    char *error, size_t size);

/* A file that holds one; what is no JSON is told as FILE:LINE:COLUMN. */
int settings_load_file(struct settings *settings, const char *path, char *error,
    size_t size);

#endif
