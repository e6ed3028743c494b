/* SPDX-License-Identifier: ISC */
/*
 * What a datagram of sd_notify(3) says: see notify_message.h.
 */
#include "runtime/ready/notify_message.h"

#include <limits.h>
#include <stdbool.h>
#include <string.h>

#include "runtime/util/parse.h"

#define NUMBER_MAX 24

typedef bool set_fn(struct notify_message *message, const char *value);

static bool
set_main_pid(struct notify_message *message, const char *value)
{
	int64_t number;

	if (parse_int(value, 2, INT_MAX, &number) != 0)
		return false;
	message->main_pid = (pid_t)number;
	return true;
}

static bool
set_error(struct notify_message *message, const char *value)
{
	int64_t number;

	if (parse_int(value, 0, INT_MAX, &number) != 0)
		return false;
	message->error = (int)number;
	return true;
}

static bool
set_watchdog(struct notify_message *message, const char *value)
{
	return parse_int(value, 1, INT64_MAX, &message->watchdog_us) == 0;
}

static bool
set_extend(struct notify_message *message, const char *value)
{
	return parse_int(value, 1, INT64_MAX, &message->extend_us) == 0;
}

static bool
set_monotonic(struct notify_message *message, const char *value)
{
	return parse_int(value, 0, INT64_MAX, &message->monotonic_us) == 0;
}

/* A key whose value is fixed, or is read by a function. */
static const struct key {
	const char *name;
	const char *value;
	set_fn *set;
	enum notify_flag flag;
} keys[] = {
	{ "READY", "1", NULL, NOTIFY_READY },
	{ "STOPPING", "1", NULL, NOTIFY_STOPPING },
	{ "RELOADING", "1", NULL, NOTIFY_RELOADING },
	{ "WATCHDOG", "1", NULL, NOTIFY_WATCHDOG },
	{ "WATCHDOG", "trigger", NULL, NOTIFY_WATCHDOG_TRIGGER },
	{ "BARRIER", "1", NULL, NOTIFY_BARRIER },
	{ "MAINPID", NULL, set_main_pid, NOTIFY_MAINPID },
	{ "ERRNO", NULL, set_error, NOTIFY_ERRNO },
	{ "WATCHDOG_USEC", NULL, set_watchdog, NOTIFY_WATCHDOG_USEC },
	{ "EXTEND_TIMEOUT_USEC", NULL, set_extend, NOTIFY_EXTEND },
	{ "MONOTONIC_USEC", NULL, set_monotonic, NOTIFY_MONOTONIC },
};

static void
set_status(struct notify_message *message, const char *text, size_t length)
{
	size_t i;

	if ((message->flags & NOTIFY_STATUS) != 0)
		return;
	if (length >= NOTIFY_STATUS_MAX) {
		length = NOTIFY_STATUS_MAX - 1;
		/* Not in the middle of a character of UTF-8. */
		while (length > 0 &&
		    ((unsigned char)text[length] & 0xc0) == 0x80)
			length--;
	}
	for (i = 0; i < length; i++)
		message->status[i] = (unsigned char)text[i] < ' ' ||
			text[i] == 0x7f ?
		    '?' :
		    text[i];
	message->status[length] = '\0';
	message->flags |= NOTIFY_STATUS;
}

static void
apply(struct notify_message *message, const struct key *key, const char *text,
    size_t length)
{
	char value[NUMBER_MAX];

	if ((message->flags & (unsigned int)key->flag) != 0 ||
	    length >= sizeof(value) || memchr(text, '\0', length) != NULL)
		return;
	memcpy(value, text, length);
	value[length] = '\0';
	if (key->set != NULL ? key->set(message, value) :
			       strcmp(value, key->value) == 0)
		message->flags |= (unsigned int)key->flag;
}

static void
parse_line(struct notify_message *message, const char *line, size_t length)
{
	const char *equals = memchr(line, '=', length);
	size_t name, rest, i;

	if (equals == NULL)
		return;
	name = (size_t)(equals - line);
	rest = length - name - 1;
	if (name == strlen("STATUS") && memcmp(line, "STATUS", name) == 0)
		set_status(message, equals + 1, rest);
	for (i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
		if (name == strlen(keys[i].name) &&
		    memcmp(line, keys[i].name, name) == 0)
			apply(message, &keys[i], equals + 1, rest);
}

unsigned int
notify_parse(const char *text, size_t length, struct notify_message *message)
{
	const char *end;
	size_t line;

	memset(message, 0, sizeof(*message));
	while (length > 0) {
		end = memchr(text, '\n', length);
		line = end != NULL ? (size_t)(end - text) : length;
		parse_line(message, text, line);
		if (end != NULL)
			line++;
		text += line;
		length -= line;
	}
	return message->flags;
}
