/* SPDX-License-Identifier: ISC */
/*
 * What fuzz targets share: see fuzz.h.
 */
#include "tests/fuzz/fuzz.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define NAME_SIZE 300

void
fuzz_broken(const char *file, int line, const char *what)
{
	fprintf(stderr, "%s:%d: does not hold: %s (errno %d)\n", file, line,
	    what, errno);
	abort();
}

uint8_t
fuzz_byte(struct fuzz_input *input)
{
	if (input->size == 0)
		return 0;
	input->size--;
	return *input->data++;
}

const char *
fuzz_bytes(struct fuzz_input *input, size_t *length)
{
	const uint8_t *begin = input->data;

	if (*length > input->size)
		*length = input->size;
	input->data += *length;
	input->size -= *length;
	return (const char *)begin;
}

char *
fuzz_text(const void *data, size_t size)
{
	char *text = malloc(size + 1);

	FUZZ_CHECK(text != NULL);
	if (size > 0)
		memcpy(text, data, size);
	text[size] = '\0';
	return text;
}

const char *
fuzz_name(struct fuzz_input *input, const char *const *names, size_t count)
{
	static char own[2][NAME_SIZE];
	static size_t which;
	uint8_t byte = fuzz_byte(input);
	const char *bytes;
	size_t length;

	if (byte < 0xe0)
		return names[byte % count];
	length = byte == 0xff ? fuzz_byte(input) + 32U : byte - 0xe0U;
	bytes = fuzz_bytes(input, &length);
	which = !which;
	if (length > 0)
		memcpy(own[which], bytes, length);
	own[which][length] = '\0';
	return own[which];
}

void
fuzz_send(int fd, const char *bytes, size_t length, size_t nfds)
{
	int fds[4] = { STDIN_FILENO, STDIN_FILENO, STDIN_FILENO, STDIN_FILENO };
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(fds))];
	} control = { .bytes = { 0 } };
	struct iovec iov = { (char *)(uintptr_t)bytes, length };
	struct msghdr message = { .msg_iov = &iov, .msg_iovlen = 1 };

	FUZZ_CHECK(nfds <= sizeof(fds) / sizeof(fds[0]));
	if (nfds > 0) {
		control.header.cmsg_level = SOL_SOCKET;
		control.header.cmsg_type = SCM_RIGHTS;
		control.header.cmsg_len = CMSG_LEN(nfds * sizeof(int));
		memcpy(CMSG_DATA(&control.header), fds, nfds * sizeof(int));
		message.msg_control = control.bytes;
		message.msg_controllen = CMSG_SPACE(nfds * sizeof(int));
	}
	if (length > 0)
		sendmsg(fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static char directory[32];

static void
remove_directory(void)
{
	char command[sizeof(directory) + 16];

	snprintf(command, sizeof(command), "rm -rf %s", directory);
	if (system(command) != 0)
		fprintf(stderr, "%s is left\n", directory);
}

const char *
fuzz_directory(void)
{
	const char *given = getenv("FUZZ_DIRECTORY");

	if (given != NULL)
		return given;
	if (directory[0] == '\0') {
		strcpy(directory, "/tmp/fuzz.XXXXXX");
		FUZZ_CHECK(mkdtemp(directory) != NULL);
		atexit(remove_directory);
	}
	return directory;
}
