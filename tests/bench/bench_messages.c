/* SPDX-License-Identifier: ISC */
/*
 * bench_messages: those who send and receive messages, for bench_messages.py.
 *
 *	bench_messages ROLE WIRE SHARED [ADDRESS]
 *
 *	member	one member, in this process
 *	members	all of them, each in a process of its own
 *	publish	the publisher
 *	stall	a member that never reads
 *	bare	members and a publisher that writes to their pipes, 64 messages
 *		at a time: the limit for all others
 *
 * WIRE is how a server is spoken to, see bench_wire.h; SHARED the file of
 * struct shared; ADDRESS the path of a socket or a port of this host.  A
 * member of grouper uses the descriptors that it was given.
 */
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include <netinet/in.h>
#include <netinet/tcp.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/bench/bench_message.h"
#include "tests/bench/bench_wire.h"

#define BATCH 64

struct connection {
	int down;
	int up;
};

static const struct wire *wire;

/*
 * Connections
 */

static int
connect_local(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1)
		fail("connect to %s: %s", path, strerror(errno));
	return (fd);
}

static int
connect_port(const char *port)
{
	struct sockaddr_in address = { .sin_family = AF_INET,
		.sin_port = htons((uint16_t)atoi(port)),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;

	if (fd == -1 ||
	    connect(fd, (struct sockaddr *)&address, sizeof(address)) == -1 ||
	    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)) == -1)
		fail("connect to port %s: %s", port, strerror(errno));
	return (fd);
}

static void
write_all(int fd, const char *bytes, size_t length)
{
	ssize_t n;

	while (length > 0) {
		n = write(fd, bytes, length);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1 && (errno == EPIPE || errno == ECONNRESET))
			end_of_file();
		if (n == -1)
			fail("write: %s", strerror(errno));
		bytes += n;
		length -= (size_t)n;
	}
}

static int
environment_fd(const char *name)
{
	const char *value = getenv(name);

	if (value == NULL)
		fail("%s is not set", name);
	return (atoi(value));
}

static struct connection
connection_open(const char *address, bool publisher)
{
	struct connection connection;
	char text[WIRE_TEXT_MAX];

	if (address == NULL)
		return ((struct connection) {
		    environment_fd("GROUPER_EVENTS_FD"),
		    environment_fd("GROUPER_COMMANDS_FD") });
	connection.down = connection.up = strchr(address, '/') != NULL ?
	    connect_local(address) :
	    connect_port(address);
	if (wire->greet != NULL)
		write_all(connection.up, text, wire->greet(text, publisher));
	return (connection);
}

/*
 * Members
 */

/* Of what a process has read: ever the same memory, read in large pieces. */
static void
receive(int fd, size_t member, size_t unconfirmed)
{
	static char buffer[READ_SIZE + PAYLOAD_MAX + 4096];
	struct wire_message message;
	size_t held = 0, at, used;
	ssize_t n;

	for (;;) {
		n = read(fd, buffer + held, READ_SIZE);
		if (n == -1 && errno == EINTR)
			continue;
		if (n == 0 || (n == -1 && errno == ECONNRESET))
			end_of_file();
		if (n == -1)
			fail("read: %s", strerror(errno));
		held += (size_t)n;
		for (at = 0; at < held; at += used) {
			message = (struct wire_message) { 0 };
			used = wire->take(buffer + at, held - at, &message);
			if (used == 0)
				break;
			if (message.payload != NULL)
				received_one(message.payload, message.length);
			if (message.confirms && --unconfirmed == 0)
				atomic_fetch_add(&shared->ready, 1);
		}
		received_all(member);
		held -= at;
		memmove(buffer, buffer + at, held);
	}
}

/* In grouper, a member's only topic stands in the tree file. */
static void
run_member(const char *address)
{
	struct connection connection = connection_open(address, false);
	unsigned int topics[TOPICS_EACH];
	char text[WIRE_TEXT_MAX];
	size_t member = member_claim(), count, i;

	count = member_topics(member, topics);
	if (address == NULL && atomic_load(&shared->ntopics) == 1) {
		atomic_fetch_add(&shared->ready, 1);
		receive(connection.down, member, 0);
	}
	for (i = 0; i < count; i++)
		write_all(connection.up, text,
		    wire->subscribe(text, topics[i]));
	receive(connection.down, member, count);
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
run_stalled(void)
{
	atomic_fetch_add(&shared->ready, 1);
	for (;;)
		pause();
}

/*
 * The publisher: as much in one write as a pipe holds
 */

static struct connection out;
static char *batch;
static size_t batched;

static void
wire_flush(void)
{
	write_all(out.up, batch, batched);
	batched = 0;
}

static void
wire_put(size_t topic, const char *payload)
{
	static struct {
		char text[WIRE_TEXT_MAX];
		size_t length;
	} heads[TOPICS];
	static size_t size, tail;

	if (wire->wanted != NULL && !wire->wanted((unsigned int)topic))
		return;
	if (size == 0) {
		size = atomic_load(&shared->payload_size);
		tail = strlen(wire->tail);
	}
	if (heads[topic].length == 0)
		heads[topic].length = wire->head(heads[topic].text,
		    (unsigned int)topic, size);
	if (batched + heads[topic].length + size + tail > READ_SIZE)
		wire_flush();
	memcpy(batch + batched, heads[topic].text, heads[topic].length);
	batched += heads[topic].length;
	memcpy(batch + batched, payload, size);
	memcpy(batch + batched + size, wire->tail, tail);
	batched += size + tail;
}

static void
run_publisher(const char *address)
{
	const struct carrier carrier = { wire_put, wire_flush };

	out = connection_open(address, true);
	batch = malloc(READ_SIZE + PAYLOAD_MAX + WIRE_TEXT_MAX);
	if (batch == NULL)
		fail("out of memory");
	publish(&carrier);
}

/*
 * The limit: events are written to pipes as grouper writes them
 */

struct bare_batch {
	char *bytes;
	size_t used;
	size_t count;
};

static struct bare_batch *bare_batches; /* of each member; or one, of all */
static int bare_pipes[MEMBERS_MAX];
static size_t nbare, nbatches;
static bool bare_equal; /* it is one, of all */
static size_t audience[TOPICS][MEMBERS_MAX], naudience[TOPICS];

static void
bare_write(size_t number)
{
	struct bare_batch *b = &bare_batches[number];
	size_t i;

	if (!bare_equal)
		write_all(bare_pipes[number], b->bytes, b->used);
	for (i = 0; i < nbare && bare_equal; i++)
		write_all(bare_pipes[i], b->bytes, b->used);
	b->used = b->count = 0;
}

static void
bare_flush(void)
{
	size_t i;

	for (i = 0; i < nbatches; i++)
		if (bare_batches[i].used > 0)
			bare_write(i);
}

static void
bare_put(size_t topic, const char *payload)
{
	static uint64_t seq;
	size_t size = atomic_load(&shared->payload_size), length, i, n;
	struct bare_batch *b;
	char head[WIRE_TEXT_MAX];

	length = (size_t)snprintf(head, sizeof(head),
	    "E %" PRIu64 " room:%zu bench p %zu\n", ++seq, topic, size);
	n = bare_equal ? 1 : naudience[topic];
	for (i = 0; i < n; i++) {
		b = &bare_batches[bare_equal ? 0 : audience[topic][i]];
		memcpy(b->bytes + b->used, head, length);
		memcpy(b->bytes + b->used + length, payload, size);
		b->used += length + size;
		b->bytes[b->used++] = '\n';
		if (++b->count == BATCH)
			bare_write((size_t)(b - bare_batches));
	}
}

static void
bare_start_member(size_t member)
{
	unsigned int topics[TOPICS_EACH];
	size_t count, i;
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) == -1)
		fail("pipe: %s", strerror(errno));
	bare_pipes[member] = ends[1];
	if (member_fork() == 0) {
		for (i = 0; i <= member; i++)
			close(bare_pipes[i]);
		receive(ends[0], member, 0);
	}
	close(ends[0]);
	count = member_topics(member, topics);
	for (i = 0; i < count; i++)
		audience[topics[i]][naudience[topics[i]]++] = member;
}

static void
run_bare(void)
{
	const struct carrier carrier = { bare_put, bare_flush };
	size_t i, size = atomic_load(&shared->payload_size) + WIRE_TEXT_MAX;

	nbare = atomic_load(&shared->nmembers);
	bare_equal = atomic_load(&shared->ntopics) == 1;
	nbatches = bare_equal ? 1 : nbare;
	bare_batches = calloc(nbatches, sizeof(*bare_batches));
	if (bare_batches == NULL || nbare > MEMBERS_MAX)
		fail("out of memory");
	for (i = 0; i < nbatches; i++) {
		bare_batches[i].bytes = malloc(BATCH * size);
		if (bare_batches[i].bytes == NULL)
			fail("out of memory");
	}
	for (i = 0; i < nbare; i++)
		bare_start_member(i);
	atomic_fetch_add(&shared->ready, nbare);
	publish(&carrier);
}

int
main(int argc, char **argv)
{
	const char *role, *address;

	if (argc < 4 || argc > 5 || (wire = wire_find(argv[2])) == NULL)
		errx(2, "usage: bench_messages ROLE WIRE SHARED [ADDRESS]");
	signal(SIGPIPE, SIG_IGN);
	role = argv[1];
	address = argv[4];
	shared_map(argv[3]);
	if (strcmp(role, "member") == 0)
		run_member(address);
	else if (strcmp(role, "members") == 0)
		run_members(address);
	else if (strcmp(role, "publish") == 0)
		run_publisher(address);
	else if (strcmp(role, "stall") == 0)
		run_stalled();
	else if (strcmp(role, "bare") == 0)
		run_bare();
	else
		errx(2, "%s: no role", role);
	return (0);
}
