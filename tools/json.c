/* SPDX-License-Identifier: ISC */
/*
 * JSON output: see json.h.
 */
#include "tools/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tool.h"

/* Doubles are seconds of microseconds. */
#define DIGITS 12

int
json_print(int fd, json_t *object)
{
	char *text;
	int result;

	if (object == NULL) {
		errno = ENOMEM;
		return -1;
	}
	text = json_dumps(object,
	    JSON_COMPACT | JSON_PRESERVE_ORDER | JSON_REAL_PRECISION(DIGITS));
	json_decref(object);
	if (text == NULL) {
		errno = ENOMEM;
		return -1;
	}
	result = tool_write(fd, text, strlen(text));
	if (result == 0)
		result = tool_write(fd, "\n", 1);
	free(text);
	return result;
}
