/* SPDX-License-Identifier: ISC */
/*
 * Tables, see table.h.
 */
#include "tools/table.h"

#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/util/bug.h"
#include "tools/tool.h"

#define GAP 2

struct table {
	size_t columns;
	size_t widths[TABLE_COLUMNS_MAX];
	char **cells; /* row by row, the titles first */
	size_t count;
	size_t room;
};

/* Columns on the terminal: bytes that do not continue a UTF-8 character. */
static size_t
width_of(const char *text)
{
	size_t width = 0;

	for (; *text != '\0'; text++)
		width += ((unsigned char)*text & 0xc0) != 0x80;
	return width;
}

static void
make_harmless(char *text)
{
	for (; *text != '\0'; text++)
		if ((unsigned char)*text < ' ' || *text == 0x7f)
			*text = '?';
}

static int
add_cell(struct table *table, size_t column, const char *text)
{
	size_t room = table->room == 0 ? 64 : table->room * 2, width;
	char **grown;

	if (table->count == table->room) {
		grown = reallocarray((void *)table->cells, room,
		    sizeof(*grown));
		if (grown == NULL)
			return -1;
		table->cells = grown;
		table->room = room;
	}
	table->cells[table->count] = strdup(text != NULL ? text : "");
	if (table->cells[table->count] == NULL)
		return -1;
	make_harmless(table->cells[table->count]);
	width = width_of(table->cells[table->count++]);
	if (width > table->widths[column])
		table->widths[column] = width;
	return 0;
}

struct table *
table_new(const char *const *titles)
{
	struct table *table = calloc(1, sizeof(*table));

	if (table == NULL)
		return NULL;
	while (titles[table->columns] != NULL)
		table->columns++;
	BUG_IF(table->columns > TABLE_COLUMNS_MAX);
	if (table_add(table, titles) == -1) {
		table_free(table);
		return NULL;
	}
	return table;
}

void
table_free(struct table *table)
{
	size_t i;

	if (table == NULL)
		return;
	for (i = 0; i < table->count; i++)
		free(table->cells[i]);
	free((void *)table->cells);
	free(table);
}

int
table_add(struct table *table, const char *const *texts)
{
	size_t i;

	for (i = 0; i < table->columns; i++)
		if (add_cell(table, i, texts[i]) == -1)
			return -1;
	return 0;
}

static void
print_row(const struct table *table, size_t row, FILE *stream)
{
	const char *text;
	size_t i, pad;

	for (i = 0; i < table->columns; i++) {
		text = table->cells[row * table->columns + i];
		fputs(text, stream);
		pad = table->widths[i] + GAP - width_of(text);
		if (i + 1 < table->columns)
			fprintf(stream, "%*s", (int)pad, "");
	}
	fputc('\n', stream);
}

int
table_print(const struct table *table, int fd)
{
	size_t row, length = 0;
	char *text = NULL;
	FILE *stream;
	int result;

	stream = open_memstream(&text, &length);
	if (stream == NULL)
		return -1;
	for (row = 0; row < table->count / table->columns; row++)
		print_row(table, row, stream);
	result = fclose(stream);
	if (result == 0)
		result = tool_write(fd, text, length);
	free(text);
	return result;
}

const char *
table_time(int64_t ms, char *buffer, size_t size)
{
	int64_t s = ms / 1000;

	if (s < 60)
		snprintf(buffer, size, "%" PRId64 ".%d s", s,
		    (int)(ms % 1000 / 100));
	else if (s < 3600)
		snprintf(buffer, size, "%" PRId64 " m %d s", s / 60,
		    (int)(s % 60));
	else if (s < 86400)
		snprintf(buffer, size, "%" PRId64 " h %d m", s / 3600,
		    (int)(s % 3600 / 60));
	else
		snprintf(buffer, size, "%" PRId64 " d %d h", s / 86400,
		    (int)(s % 86400 / 3600));
	return buffer;
}

const char *
table_size(uint64_t bytes, char *buffer, size_t size)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB" };
	double value = (double)bytes;
	size_t unit = 0;

	while (value >= 1024 && unit + 1 < sizeof(units) / sizeof(units[0])) {
		value /= 1024;
		unit++;
	}
	snprintf(buffer, size, unit == 0 ? "%.0f %s" : "%.1f %s", value,
	    units[unit]);
	return buffer;
}
