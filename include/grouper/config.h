/* SPDX-License-Identifier: ISC */
/*
 * Settings, on the side of a program that embeds a host: keys with JSON
 * values that its members read and change.  A host has room for 4096 keys and
 * 4 MiB of keys and values.
 *
 * Values go in and out as JSON text, "1.5" or "\"text\""; what comes out is
 * freed by free(3) and set on success only.  All functions return at once and
 * may be called from callbacks.  Besides what is named each returns
 * GROUPER_OK; GROUPER_INVALID for what is no key, see grouper/message.h for
 * names, or no JSON; GROUPER_NO_GROUP if host is NULL; GROUPER_SYSTEM with
 * errno, ENOSPC for too many.
 */
#ifndef GROUPER_CONFIG_H
#define GROUPER_CONFIG_H

#include <stddef.h>

#include <grouper/error.h>
#include <grouper/export.h>
#include <grouper/group.h>

GROUPER_BEGIN_DECLS

/* GROUPER_NOT_FOUND. */
GROUPER_EXPORT enum grouper_error grouper_config_get(struct grouper_host *host,
    const char *key, char **json);

/*
 * Sets or removes one.  old, if not NULL, receives the value before, NULL if
 * there was none.
 */
GROUPER_EXPORT enum grouper_error grouper_config_put(struct grouper_host *host,
    const char *key, const char *json, char **old);
GROUPER_EXPORT enum grouper_error grouper_config_delete(struct grouper_host
							    *host,
    const char *key, char **old);

/* All of them as one JSON object, its keys in byte order. */
GROUPER_EXPORT enum grouper_error grouper_config_list(struct grouper_host *host,
    char **json);

/*
 * Sets every member of the JSON object that a file holds.  On failure why, if
 * not NULL, receives a line for people, with room for size bytes: what is no
 * JSON is told as FILE:LINE:COLUMN.  What came before the fault has been set.
 * GROUPER_INVALID also for a file that cannot be read.
 */
GROUPER_EXPORT enum grouper_error grouper_config_load(struct grouper_host *host,
    const char *path, char *why, size_t size);

GROUPER_END_DECLS

#endif
