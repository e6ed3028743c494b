/* SPDX-License-Identifier: ISC */
/*
 * JSON output: see json.h.
 */
#include "tools/json.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "tools/tool.h"

int
json_print(int fd, json_t *object)
{
	char *text;
	int result;

	if (object == NULL) {
		errno = ENOMEM;
		return -1;
	}
	text = json_write(object);
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
