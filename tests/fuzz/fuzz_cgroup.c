/* SPDX-License-Identifier: ISC */
/*
 * Which cgroup v2 a process is in, and where that is mounted: read of texts of
 * the kernel's that hold names which others chose.
 *
 * Input: /proc/PID/cgroup and /proc/PID/mountinfo, a NUL between them.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/group/own_cgroup.h"
#include "tests/fuzz/fuzz.h"

static FILE *
open_text(const char *text, size_t length)
{
	/* A stream of no bytes cannot be opened everywhere. */
	FILE *file = length > 0 ?
	    fmemopen((char *)(uintptr_t)text, length, "r") :
	    fopen("/dev/null", "re");

	FUZZ_CHECK(file != NULL);
	return file;
}

/* The way from the mount leads down. */
static void
check_found(const struct own_cgroup *own)
{
	const char *part = own->below;
	size_t length;

	FUZZ_CHECK(own->mount[0] == '/');
	FUZZ_CHECK(*part != '/' && *part != '\0');
	for (; *part != '\0'; part += length + (part[length] == '/')) {
		length = strcspn(part, "/");
		FUZZ_CHECK(length != 2 || strncmp(part, "..", 2) != 0);
	}
}

static void
put_escaped(FILE *file, const char *text)
{
	for (; *text != '\0'; text++)
		if (strchr(" \t\n\\#", *text) != NULL)
			fprintf(file, "\\%03o", (unsigned int)*text);
		else
			fputc(*text, file);
}

/* What the kernel writes of a mount is found, whatever its names are. */
static void
check_mount(const char *point, const char *path, const char *root)
{
	struct own_cgroup own;
	char *text;
	size_t length;
	FILE *file = open_memstream(&text, &length);

	FUZZ_CHECK(file != NULL);
	fputs("22 1 0:21 / /proc rw shared:5 - proc proc rw\n"
	      "25 30 0:23 ",
	    file);
	put_escaped(file, root);
	fputc(' ', file);
	put_escaped(file, point);
	fputs(" rw shared:9 - cgroup2 cgroup2 rw\n", file);
	fclose(file);
	file = open_text(text, length);
	if (own_cgroup_find(&own, path, file) == 0) {
		check_found(&own);
		FUZZ_CHECK(strcmp(own.mount, point) == 0);
		own_cgroup_fini(&own);
	} else {
		FUZZ_CHECK(strstr(path, "..") != NULL);
	}
	fclose(file);
	free(text);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size), *path;
	size_t length = strlen(text);
	struct own_cgroup own;
	FILE *file;

	path = own_cgroup_path(text);
	if (path != NULL) {
		FUZZ_CHECK(path[0] == '/' && strchr(path, '\n') == NULL);
		if (size > length) {
			file = open_text(text + length + 1, size - length - 1);
			if (own_cgroup_find(&own, path, file) == 0) {
				check_found(&own);
				own_cgroup_fini(&own);
			}
			fclose(file);
		}
		check_mount(path, path, "/");
		check_mount("/sys/fs/cgroup", path, path);
	}
	free(path);
	free(text);
	return 0;
}
