/* SPDX-License-Identifier: ISC */
/*
 * Tables on standard output, columns as wide as what stands in them.
 */
#ifndef TOOLS_TABLE_H
#define TOOLS_TABLE_H

#include <stddef.h>
#include <stdint.h>

#define TABLE_COLUMNS_MAX 12

struct table;

/* titles end with NULL; static.  NULL without memory. */
struct table *table_new(const char *const *titles);
void table_free(struct table *table);

/*
 * Adds a row of as many texts as there are titles, copied; NULL is empty.
 * Control characters become '?'.  0, or -1 without memory.
 */
int table_add(struct table *table, const char *const *texts);

/* Prints it, the last column not padded; 0, or -1 with errno. */
int table_print(const struct table *table, int fd);

/* "3.2 s", "4 m 12 s", "2 h 5 m", "9 d 4 h"; into a buffer, returned. */
const char *table_time(int64_t ms, char *buffer, size_t size);

/* "512 B", "3.4 MiB"; into a buffer, returned. */
const char *table_size(uint64_t bytes, char *buffer, size_t size);

#endif
