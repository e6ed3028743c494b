/* SPDX-License-Identifier: ISC */
/*
 * What the host tells its own service manager: see tell.h.
 */
#include "runtime/ready/tell.h"

#include <errno.h>
#include <inttypes.h>
#include <limits.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/parse.h"

#define STATUS_MAX 512

static int
resolve(const char *text, struct sockaddr_un *address, socklen_t *size)
{
	size_t length = strlen(text);

	if ((text[0] != '/' && text[0] != '@') || length < 2) {
		errno = EINVAL;
		return -1;
	}
	if (length >= sizeof(address->sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	memset(address, 0, sizeof(*address));
	address->sun_family = AF_UNIX;
	memcpy(address->sun_path, text, length);
	*size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + length);
	/* An abstract name is all of its bytes: no NUL behind it. */
	if (text[0] == '@')
		address->sun_path[0] = '\0';
	else
		(*size)++;
	return 0;
}

int
tell(const char *address, const char *text)
{
	struct sockaddr_un to;
	socklen_t size;
	ssize_t n;
	int fd;

	if (resolve(address, &to, &size) == -1)
		return -1;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd == -1)
		return -1;
	n = sendto(fd, text, strlen(text), MSG_DONTWAIT | MSG_NOSIGNAL,
	    (const struct sockaddr *)&to, size);
	fd_close(&fd);
	return n == -1 ? -1 : 0;
}

static int
tell_with_status(const char *address, const char *first, const char *status)
{
	char text[STATUS_MAX + 64], *newline;

	if (status == NULL)
		return tell(address, first);
	snprintf(text, STATUS_MAX, "%sSTATUS=%s", first, status);
	/* A line more would be a message more. */
	for (newline = text + strlen(first);
	     (newline = strchr(newline, '\n')) != NULL;)
		*newline = ' ';
	return tell(address, text);
}

int
tell_ready(const char *address, const char *status)
{
	return tell_with_status(address, "READY=1\n", status);
}

int
tell_status(const char *address, const char *status)
{
	return tell_with_status(address, "", status);
}

int
tell_stopping(const char *address)
{
	return tell(address, "STOPPING=1\n");
}

int
tell_reloading(const char *address)
{
	char text[64];

	snprintf(text, sizeof(text),
	    "RELOADING=1\nMONOTONIC_USEC=%" PRId64 "\n", clock_us());
	return tell(address, text);
}

int
tell_watchdog(const char *address)
{
	return tell(address, "WATCHDOG=1\n");
}

int64_t
tell_watchdog_ms(const char *usec, const char *pid, pid_t self)
{
	int64_t us, owner;

	if (usec == NULL || parse_int(usec, 1, INT64_MAX, &us) != 0)
		return 0;
	if (pid != NULL &&
	    (parse_int(pid, 1, INT_MAX, &owner) != 0 || owner != self))
		return 0;
	us /= 2000;
	return us > 0 ? us : 1;
}
