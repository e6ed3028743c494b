/* SPDX-License-Identifier: ISC */
/*
 * bench_zeromq: as bench_messages, through ZeroMQ, which has no server.
 *
 *	bench_zeromq members|publish zeromq SHARED ADDRESS
 *
 * The publisher is an XPUB, a PUB that learns who has subscribed; a message
 * begins with its topic and a blank, in one part.  There are no limits to the
 * queues, since the publisher is held back by the members themselves.
 */
#include <sys/wait.h>

#include <err.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_message.h"

/* Elsewhere it is not built, but looked at. */
#ifdef HAVE_ZMQ

#include <zmq.h>

#define TOPIC_MAX 16
#define BACKLOG 4096

static void *sock;

static void
set(int option, int value)
{
	if (zmq_setsockopt(sock, option, &value, sizeof(value)) != 0)
		fail("zmq_setsockopt: %s", zmq_strerror(errno));
}

static void
open_socket(int type)
{
	void *context = zmq_ctx_new();

	if (context == NULL ||
	    zmq_ctx_set(context, ZMQ_MAX_SOCKETS, MEMBERS_MAX) != 0 ||
	    (sock = zmq_socket(context, type)) == NULL)
		fail("zmq_socket: %s", zmq_strerror(errno));
	set(ZMQ_SNDHWM, 0);
	set(ZMQ_RCVHWM, 0);
	set(ZMQ_BACKLOG, BACKLOG);
}

static void
run_member(const char *address)
{
	unsigned int topics[TOPICS_EACH];
	size_t member = member_claim(), count, i;
	char topic[TOPIC_MAX];
	zmq_msg_t message;
	const char *data, *blank;
	size_t length;

	open_socket(ZMQ_SUB);
	count = member_topics(member, topics);
	for (i = 0; i < count; i++) {
		length = (size_t)snprintf(topic, sizeof(topic), "room:%u ",
		    topics[i]);
		if (zmq_setsockopt(sock, ZMQ_SUBSCRIBE, topic, length) != 0)
			fail("ZMQ_SUBSCRIBE: %s", zmq_strerror(errno));
	}
	if (zmq_connect(sock, address) != 0)
		fail("zmq_connect: %s", zmq_strerror(errno));
	zmq_msg_init(&message);
	for (;;) {
		if (zmq_msg_recv(&message, sock, 0) == -1)
			fail("zmq_msg_recv: %s", zmq_strerror(errno));
		data = zmq_msg_data(&message);
		length = zmq_msg_size(&message);
		blank = memchr(data, ' ', length);
		if (blank == NULL)
			fail("a message without a topic");
		received_one(blank + 1, length - (size_t)(blank + 1 - data));
		received_all(member);
	}
}

static void
run_members(const char *address)
{
	uint64_t i;

	for (i = 0; i < atomic_load(&shared->nmembers); i++)
		if (member_fork() == 0)
			run_member(address);
	while (wait(NULL) != -1 || errno == EINTR)
		;
}

static void
put(size_t topic, const char *payload)
{
	static size_t size;
	static char bytes[TOPIC_MAX + PAYLOAD_MAX];
	size_t length;

	if (size == 0)
		size = atomic_load(&shared->payload_size);
	length = (size_t)snprintf(bytes, TOPIC_MAX, "room:%zu ", topic);
	memcpy(bytes + length, payload, size);
	if (zmq_send(sock, bytes, length + size, 0) == -1)
		fail("zmq_send: %s", zmq_strerror(errno));
}

static void
flush(void)
{
}

static void
run_publisher(const char *address)
{
	const struct carrier carrier = { put, flush };
	uint64_t each = atomic_load(&shared->ntopics) == 1 ? 1 : TOPICS_EACH;
	uint64_t left = atomic_load(&shared->nmembers) * each;
	char subscription[TOPIC_MAX + 1];

	open_socket(ZMQ_XPUB);
	set(ZMQ_XPUB_VERBOSE, 1);
	if (zmq_bind(sock, address) != 0)
		fail("zmq_bind: %s", zmq_strerror(errno));
	while (left-- > 0)
		if (zmq_recv(sock, subscription, sizeof(subscription), 0) == -1)
			fail("zmq_recv: %s", zmq_strerror(errno));
	atomic_store(&shared->ready, atomic_load(&shared->nmembers));
	publish(&carrier);
}

int
main(int argc, char **argv)
{
	if (argc != 5)
		errx(2, "usage: bench_zeromq ROLE zeromq SHARED ADDRESS");
	signal(SIGPIPE, SIG_IGN);
	shared_map(argv[3]);
	if (strcmp(argv[1], "members") == 0)
		run_members(argv[4]);
	else
		run_publisher(argv[4]);
	return (0);
}

#endif
