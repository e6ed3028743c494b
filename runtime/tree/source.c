/* SPDX-License-Identifier: ISC */
/*
 * Files that users wrote: see source.h.
 */
#include "runtime/tree/source.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tree/problem.h"
#include "runtime/util/fd.h"

/*
 * The bytes of the character at p, of which left are there; 0 if it is no
 * valid UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF).
 */
static size_t
utf8_length(const unsigned char *p, size_t left)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length, i;

	if (p[0] < 0x80)
		return 1;
	if (p[0] < 0xc2 || p[0] > 0xf4)
		return 0;
	length = p[0] < 0xe0 ? 2 : p[0] < 0xf0 ? 3 : 4;
	if (left < length)
		return 0;
	if (p[0] == 0xe0)
		low = 0xa0;
	else if (p[0] == 0xed)
		high = 0x9f;
	else if (p[0] == 0xf0)
		low = 0x90;
	else if (p[0] == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

/* What may not stand in a text file: NULL if the character may. */
static const char *
refuse(const unsigned char *p, size_t length)
{
	if (length == 0)
		return "expected UTF-8, got a byte that is none";
	if (*p == '\0')
		return "expected text, got a NUL byte";
	if ((*p < ' ' && *p != '\t' && *p != '\n' && *p != '\r') || *p == 0x7f)
		return "expected text, got a control character";
	if (length == 3 && memcmp(p, "\xef\xbb\xbf", 3) == 0)
		return "a byte order mark may stand at the start only";
	/* C1 controls, among them NEL, which would be a line's end. */
	if (length == 2 && p[0] == 0xc2 && p[1] < 0xa0)
		return "expected text, got a control character";
	return NULL;
}

static int
check(const struct source *source, struct tree_problems *problems)
{
	const unsigned char *p = (const unsigned char *)source->text;
	size_t at = 0, length;
	const char *why;

	while (at < source->length) {
		length = utf8_length(p + at, source->length - at);
		why = refuse(p + at, length);
		if (why != NULL) {
			tree_problem_add(problems, source, at, "%s", why);
			return -1;
		}
		at += length;
	}
	return 0;
}

static int
too_long(const struct source *source, struct tree_problems *problems)
{
	tree_problem_add(problems, source, TREE_PROBLEM_WHOLE,
	    "expected at most %zu MiB", SOURCE_MAX >> 20);
	return -1;
}

static int
system_error(const struct source *source, struct tree_problems *problems)
{
	int saved = errno;

	tree_problem_add(problems, source, TREE_PROBLEM_WHOLE, "%s",
	    strerror(saved));
	errno = saved;
	return -1;
}

static int
init(struct source *source, const char *path, size_t room,
    struct tree_problems *problems)
{
	memset(source, 0, sizeof(*source));
	source->path = strdup(path);
	source->text = malloc(room + 1);
	if (source->path == NULL || source->text == NULL)
		return system_error(source, problems);
	source->text[0] = '\0';
	return 0;
}

int
source_copy(struct source *source, const char *path, const char *text,
    size_t length, struct tree_problems *problems)
{
	if (length >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) {
		text += 3;
		length -= 3;
	}
	if (init(source, path, length <= SOURCE_MAX ? length : 0, problems) !=
	    0)
		return -1;
	if (length > SOURCE_MAX)
		return too_long(source, problems);
	memcpy(source->text, text, length);
	source->text[length] = '\0';
	source->length = length;
	return check(source, problems);
}

/* NULL for a regular file, else what it is instead. */
static const char *
other_kind(mode_t mode)
{
	if (S_ISREG(mode))
		return NULL;
	if (S_ISDIR(mode))
		return "a directory";
	if (S_ISFIFO(mode))
		return "a FIFO";
	if (S_ISCHR(mode) || S_ISBLK(mode))
		return "a device";
	return "something else";
}

static int
read_text(int fd, struct source *source, struct tree_problems *problems)
{
	char *path = source->path, *buffer;
	size_t length;
	int result;

	buffer = fd_read_all(fd, SOURCE_MAX, &length);
	if (buffer == NULL && errno == EFBIG) {
		too_long(source, problems);
		errno = EINVAL;
		return -1;
	}
	if (buffer == NULL)
		return system_error(source, problems);
	result = source_copy(source, path, buffer, length, problems);
	free(path);
	if (result != 0)
		errno = EINVAL;
	free(buffer);
	return result;
}

static int
read_file(int fd, struct source *source, struct tree_problems *problems)
{
	const char *kind;
	struct stat st;

	if (fstat(fd, &st) == -1)
		return system_error(source, problems);
	kind = other_kind(st.st_mode);
	if (kind == NULL)
		return read_text(fd, source, problems);
	tree_problem_add(problems, source, TREE_PROBLEM_WHOLE,
	    "expected a file, got %s", kind);
	errno = EINVAL;
	return -1;
}

static int
name(struct source *source, const char *path, struct tree_problems *problems)
{
	memset(source, 0, sizeof(*source));
	source->path = strdup(path);
	return source->path != NULL ? 0 : system_error(source, problems);
}

int
source_read_input(struct source *source, struct tree_problems *problems)
{
	if (name(source, "<stdin>", problems) == -1)
		return -1;
	return read_text(STDIN_FILENO, source, problems);
}

int
source_read(struct source *source, const char *path,
    struct tree_problems *problems)
{
	int fd, result;

	if (name(source, path, problems) == -1)
		return -1;
	/* Not to wait for the writer of a FIFO. */
	fd = open(path, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return system_error(source, problems);
	result = read_file(fd, source, problems);
	fd_close(&fd);
	return result;
}

void
source_fini(struct source *source)
{
	free(source->path);
	free(source->text);
	memset(source, 0, sizeof(*source));
}

/* Whether a line ends with this byte. */
static bool
ends_line(const char *p)
{
	return *p == '\n' || (*p == '\r' && p[1] != '\n');
}

static bool
begins_character(char c)
{
	return ((unsigned char)c & 0xc0) != 0x80;
}

void
source_place(const struct source *source, size_t offset, unsigned int *line,
    unsigned int *column)
{
	size_t i;

	*line = 1;
	*column = 1;
	for (i = 0; i < offset && i < source->length; i++) {
		if (ends_line(source->text + i)) {
			(*line)++;
			*column = 1;
		} else if (begins_character(source->text[i + 1])) {
			(*column)++;
		}
	}
}

size_t
source_offset(const struct source *source, unsigned int line,
    unsigned int column)
{
	size_t i = 0;

	for (; line > 1 && i < source->length; i++)
		if (ends_line(source->text + i))
			line--;
	for (; column > 1 && i < source->length; i++) {
		if (ends_line(source->text + i))
			break;
		if (begins_character(source->text[i + 1]))
			column--;
	}
	return i;
}
