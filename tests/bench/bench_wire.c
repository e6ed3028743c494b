/* SPDX-License-Identifier: ISC */
/*
 * How grouper, Redis, NATS and MQTT servers are spoken to: see bench_wire.h.
 *
 * Nothing is done twice that a good client would do once: a message is found
 * by its length, and its topic is not looked at.
 */
#include "tests/bench/bench_wire.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <grouper/member.h>

#include "tests/bench/bench_message.h"

#define TOPIC_MAX 16

static size_t
copy(char *to, const char *text)
{
	size_t length = strlen(text);

	memcpy(to, text, length);
	return (length);
}

static const char *
line_end(const char *p, size_t held)
{
	return (memchr(p, '\n', held));
}

/* The number that ends before a byte. */
static size_t
number_before(const char *end)
{
	size_t number = 0, unit = 1;

	while (*--end >= '0' && *end <= '9') {
		number += (size_t)(*end - '0') * unit;
		unit *= 10;
	}
	return (number);
}

/*
 * A message whose head is one line that ends with the length, of which
 * newline is the end; behind the payload there are so many bytes.
 */
static size_t
take_counted(const char *p, size_t held, const char *newline, size_t ending,
    size_t tail, struct wire_message *m)
{
	size_t head = (size_t)(newline + 1 - p);

	m->payload = newline + 1;
	m->length = number_before(newline + 1 - ending);
	return (held - head < m->length + tail ? 0 : head + m->length + tail);
}

/*
 * grouper
 */

static bool
grouper_wanted(unsigned int topic)
{
	static struct grouper_member *member;
	static char names[TOPICS][TOPIC_MAX];

	if (member == NULL && grouper_member_open(&member) != GROUPER_OK)
		fail("not a member");
	if (names[topic][0] == '\0')
		snprintf(names[topic], TOPIC_MAX, "room:%u", topic);
	return (grouper_member_wanted(member, names[topic]) == 1);
}

static size_t
grouper_subscribe(char *to, unsigned int topic)
{
	return ((size_t)snprintf(to, WIRE_TEXT_MAX, "S room:%u\n", topic));
}

static size_t
grouper_head(char *to, unsigned int topic, size_t payload_size)
{
	return ((size_t)snprintf(to, WIRE_TEXT_MAX, "P room:%u bench %zu\n",
	    topic, payload_size));
}

static size_t
grouper_take(const char *p, size_t held, struct wire_message *m)
{
	const char *newline = line_end(p, held);

	if (newline == NULL)
		return (0);
	if (*p == 'E')
		return (take_counted(p, held, newline, 1, 1, m));
	if (*p != 'R')
		fail("grouper says %.*s", (int)(newline - p), p);
	m->confirms = true;
	return ((size_t)(newline + 1 - p));
}

/*
 * Redis
 */

static size_t
redis_greet(char *to, bool publisher)
{
	return (copy(to,
	    publisher ? "*3\r\n$6\r\nCLIENT\r\n$5\r\nREPLY\r\n$3\r\nOFF\r\n" :
			""));
}

static size_t
redis_topic(char *to, const char *command, unsigned int topic)
{
	char name[TOPIC_MAX];
	int length = snprintf(name, sizeof(name), "room:%u", topic);

	return ((size_t)snprintf(to, WIRE_TEXT_MAX, "%s$%d\r\n%s\r\n", command,
	    length, name));
}

static size_t
redis_subscribe(char *to, unsigned int topic)
{
	return (redis_topic(to, "*2\r\n$9\r\nSUBSCRIBE\r\n", topic));
}

static size_t
redis_head(char *to, unsigned int topic, size_t payload_size)
{
	size_t length = redis_topic(to, "*3\r\n$7\r\nPUBLISH\r\n", topic);

	return (length +
	    (size_t)snprintf(to + length, WIRE_TEXT_MAX - length, "$%zu\r\n",
		payload_size));
}

/* Behind so many further lines; NULL if not all of it is there. */
static const char *
skip_lines(const char *p, const char *end, unsigned int count)
{
	for (; p != NULL && count > 0; count--) {
		p = line_end(p, (size_t)(end - p));
		if (p != NULL)
			p++;
	}
	return (p);
}

static size_t
redis_take(const char *p, size_t held, struct wire_message *m)
{
	static const char message[] = "*3\r\n$7\r\nmessage\r\n";
	static const char subscribed[] = "*3\r\n$9\r\nsubscribe\r\n";
	const char *at, *newline;

	if (held < sizeof(subscribed))
		return (0);
	if (memcmp(p, message, sizeof(message) - 1) == 0) {
		at = skip_lines(p + sizeof(message) - 1, p + held, 2);
		newline = at != NULL ? line_end(at, (size_t)(p + held - at)) :
				       NULL;
		if (newline == NULL)
			return (0);
		return (take_counted(p, held, newline, 2, 2, m));
	}
	if (memcmp(p, subscribed, sizeof(subscribed) - 1) != 0)
		fail("Redis says %.*s", (int)(held < 80 ? held : 80), p);
	at = skip_lines(p, p + held, 6);
	m->confirms = true;
	return (at == NULL ? 0 : (size_t)(at - p));
}

/*
 * NATS
 */

static size_t
nats_greet(char *to, bool publisher)
{
	(void)publisher;
	return (copy(to,
	    "CONNECT {\"verbose\":false,\"pedantic\":false,\"echo\":false,"
	    "\"tls_required\":false,\"lang\":\"c\",\"version\":\"1\"}\r\n"));
}

/* The answer to the PING is that the subscription has come. */
static size_t
nats_subscribe(char *to, unsigned int topic)
{
	return ((size_t)snprintf(to, WIRE_TEXT_MAX,
	    "SUB room:%u %u\r\nPING\r\n", topic, topic + 1));
}

static size_t
nats_head(char *to, unsigned int topic, size_t payload_size)
{
	return ((size_t)snprintf(to, WIRE_TEXT_MAX, "PUB room:%u %zu\r\n",
	    topic, payload_size));
}

static size_t
nats_take(const char *p, size_t held, struct wire_message *m)
{
	const char *newline = line_end(p, held);

	if (newline == NULL)
		return (0);
	if (*p == 'M')
		return (take_counted(p, held, newline, 2, 2, m));
	if (*p == '-')
		fail("NATS says %.*s", (int)(newline - p), p);
	/* Else INFO, or a PING, whose answer it is configured not to need. */
	m->confirms = strncmp(p, "PONG", 4) == 0;
	return ((size_t)(newline + 1 - p));
}

/*
 * MQTT 3.1.1
 */

static size_t
mqtt_greet(char *to, bool publisher)
{
	static const char connect[] = "\x10\x0c\0\4MQTT\4\2\0\0\0";

	(void)publisher;
	memcpy(to, connect, 14);
	return (14);
}

/* A string with its length before it. */
static size_t
mqtt_topic(char *to, unsigned int topic)
{
	size_t length;

	length = (size_t)snprintf(to + 2, TOPIC_MAX, "room:%u", topic);
	to[0] = 0;
	to[1] = (char)length;
	return (2 + length);
}

static size_t
mqtt_subscribe(char *to, unsigned int topic)
{
	size_t length = mqtt_topic(to + 4, topic);

	memcpy(to, "\x82\0\0\1", 4);
	to[1] = (char)(2 + length + 1);
	to[4 + length] = 0;
	return (4 + length + 1);
}

static size_t
mqtt_head(char *to, unsigned int topic, size_t payload_size)
{
	char name[2 + TOPIC_MAX];
	size_t name_length = mqtt_topic(name, topic), used = 0;
	size_t left = name_length + payload_size;

	to[used++] = 0x30;
	do {
		to[used++] = (char)((left & 127) | (left > 127 ? 128 : 0));
		left >>= 7;
	} while (left > 0);
	memcpy(to + used, name, name_length);
	return (used + name_length);
}

static size_t
mqtt_take(const char *p, size_t held, struct wire_message *m)
{
	const unsigned char *byte = (const unsigned char *)p;
	size_t left = 0, at = 1, name;
	unsigned int shift = 0;

	do {
		if (at >= held)
			return (0);
		left |= (size_t)(byte[at] & 127) << shift;
		shift += 7;
	} while ((byte[at++] & 128) != 0);
	if (held - at < left)
		return (0);
	m->confirms = byte[0] == 0x90;
	if (byte[0] == 0x30) {
		name = (size_t)byte[at] << 8 | byte[at + 1];
		m->payload = p + at + 2 + name;
		m->length = left - 2 - name;
	} else if (!m->confirms && (byte[0] != 0x20 || byte[at + 1] != 0)) {
		fail("an MQTT server sends type %#x", (unsigned int)byte[0]);
	}
	return (at + left);
}

static const struct wire wires[] = {
	{ "grouper", NULL, grouper_wanted, grouper_subscribe, grouper_head,
	    "\n", grouper_take },
	{ "redis", redis_greet, NULL, redis_subscribe, redis_head, "\r\n",
	    redis_take },
	{ "nats", nats_greet, NULL, nats_subscribe, nats_head, "\r\n",
	    nats_take },
	{ "mqtt", mqtt_greet, NULL, mqtt_subscribe, mqtt_head, "", mqtt_take },
};

const struct wire *
wire_find(const char *name)
{
	size_t i;

	for (i = 0; i < sizeof(wires) / sizeof(wires[0]); i++)
		if (strcmp(wires[i].name, name) == 0)
			return (&wires[i]);
	return (NULL);
}
