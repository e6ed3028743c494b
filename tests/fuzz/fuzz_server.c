/* SPDX-License-Identifier: ISC */
/*
 * The control socket with the methods of the bus: whatever clients and a
 * member write, and however it arrives, every line that comes back is
 * JSON-RPC, the host is well afterwards, and no descriptor is left.
 *
 * Input: requests as they are.  Bytes that are no UTF-8 cut them:
 *	ff  what comes next has to wait until the host was there
 *	fe  from another client, of three
 *	fd  with descriptors
 *	fc  the client has said all
 *	fb  up to the next cut, by the member's pipe
 *	fa  the member reads
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <grouper/group.h>

#include "runtime/bus/bus.h"
#include "runtime/control/server.h"
#include "runtime/group/host.h"
#include "runtime/relay/frame.h"
#include "runtime/util/loop.h"
#include "tests/fuzz/fuzz.h"

#define CLIENTS 3
#define TURNS 3
#define FIRST_CUT 0xfa

struct peer {
	int fd; /* -1: not connected */
	char *text;
	size_t length;
	size_t answers; /* that have an id */
};

struct world {
	struct loop *loop;
	struct loop_timer *guard;
	struct grouper_host *host;
	struct peer peers[CLIENTS + 1];
	struct frame_parser parser;
	int down;
	int up;
};

static void
on_guard(void *arg)
{
	(void)arg;
}

static void
peer_open(struct peer *peer, const struct world *world)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s",
	    host_socket(world->host));
	peer->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	FUZZ_CHECK(peer->fd != -1 &&
	    connect(peer->fd, (struct sockaddr *)&address, sizeof(address)) ==
		0);
	FUZZ_CHECK(fcntl(peer->fd, F_SETFL, O_NONBLOCK) == 0);
}

static void
peer_close(struct peer *peer)
{
	if (peer->fd != -1)
		close(peer->fd);
	peer->fd = -1;
	free(peer->text);
	peer->text = NULL;
	peer->length = 0;
}

/* An answer or a notification. */
static void
check_line(struct peer *peer, const char *line, size_t length)
{
	json_t *object = json_loadb(line, length, JSON_REJECT_DUPLICATES, NULL);
	const json_t *error = json_object_get(object, "error");
	const char *version = json_string_value(json_object_get(object,
	    "jsonrpc"));

	FUZZ_CHECK(version != NULL && strcmp(version, "2.0") == 0);
	if (json_object_get(object, "id") != NULL) {
		FUZZ_CHECK((json_object_get(object, "result") == NULL) ==
		    (error != NULL));
		FUZZ_CHECK(error == NULL ||
		    (json_is_integer(json_object_get(error, "code")) &&
			json_is_string(json_object_get(error, "message"))));
		peer->answers++;
	} else {
		FUZZ_CHECK(json_is_string(json_object_get(object, "method")) &&
		    json_is_object(json_object_get(object, "params")));
	}
	json_decref(object);
}

static void
check_lines(struct peer *peer)
{
	size_t done = 0, length;
	const char *end;

	while (done < peer->length &&
	    (end = memchr(peer->text + done, '\n', peer->length - done)) !=
		NULL) {
		length = (size_t)(end - peer->text) - done;
		check_line(peer, peer->text + done, length);
		done += length + 1;
	}
	if (done > 0)
		memmove(peer->text, peer->text + done, peer->length - done);
	peer->length -= done;
}

static void
peer_read(struct peer *peer)
{
	char buffer[16384];
	ssize_t n = -1;

	while (peer->fd != -1 &&
	    (n = recv(peer->fd, buffer, sizeof(buffer), 0)) > 0) {
		peer->text = realloc(peer->text, peer->length + (size_t)n);
		FUZZ_CHECK(peer->text != NULL);
		memcpy(peer->text + peer->length, buffer, (size_t)n);
		peer->length += (size_t)n;
		check_lines(peer);
	}
	if (n == 0 || (n == -1 && errno != EAGAIN))
		peer_close(peer);
}

/* Rounds of the loop, which never wait. */
static void
turn(struct world *world)
{
	int i;

	for (i = 0; i < TURNS; i++) {
		loop_timer_set(world->guard, 0);
		FUZZ_CHECK(loop_once(world->loop) == 0);
	}
	for (i = 0; i < CLIENTS; i++)
		peer_read(&world->peers[i]);
}

static void
member_read(struct world *world)
{
	struct frame frame;
	size_t room;
	char *to;
	ssize_t n;

	for (;;) {
		to = frame_parser_room(&world->parser, 4096, &room);
		n = read(world->down, to, room);
		if (n <= 0)
			break;
		frame_parser_add(&world->parser, (size_t)n);
		while (frame_parser_next(&world->parser, &frame) == 1)
			;
		FUZZ_CHECK(!world->parser.broken);
	}
}

static void
open_world(struct world *world)
{
	static char topic[] = "a:*";
	char *topics[] = { topic, NULL };
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	const struct bus_member_options member = { .key = "m",
		.topics = topics,
		.messages = true };
	size_t i;

	setenv("GROUPER_RUNTIME_DIR", fuzz_directory(), 1);
	signal(SIGPIPE, SIG_IGN);
	*world = (struct world) { .loop = loop_new(NULL) };
	FUZZ_CHECK(world->loop != NULL);
	world->guard = loop_timer_new(world->loop, on_guard, NULL);
	options.name = "f";
	FUZZ_CHECK(host_new(world->loop, &options, &world->host) == GROUPER_OK);
	FUZZ_CHECK(server_attach(world->host, bus_methods(world->host)) == 0);
	FUZZ_CHECK(bus_join(bus_of(world->host), &member, &world->down,
		       &world->up) == GROUPER_OK);
	fcntl(world->down, F_SETFL, O_NONBLOCK);
	fcntl(world->up, F_SETFL, O_NONBLOCK);
	frame_parser_init(&world->parser, FRAME_DOWN);
	for (i = 0; i <= CLIENTS; i++)
		world->peers[i].fd = -1;
}

static void
close_world(struct world *world)
{
	size_t i;

	for (i = 0; i <= CLIENTS; i++)
		peer_close(&world->peers[i]);
	grouper_host_free(world->host);
	loop_timer_free(world->guard);
	loop_free(world->loop);
	frame_parser_fini(&world->parser);
	close(world->down);
	close(world->up);
}

static void
check_well(struct world *world)
{
	static const char request[] = "{\"jsonrpc\":\"2.0\",\"id\":1,"
				      "\"method\":\"ident\"}\n";
	struct peer *last = &world->peers[CLIENTS];
	int i;

	last->answers = 0;
	peer_open(last, world);
	fuzz_send(last->fd, request, sizeof(request) - 1, 0);
	for (i = 0; i < 16 && last->answers == 0; i++) {
		turn(world);
		peer_read(last);
	}
	FUZZ_CHECK(last->answers == 1);
}

static void
act(struct world *world, struct fuzz_input *input)
{
	struct peer *peer = world->peers;
	size_t length, nfds = 0;
	uint8_t cut = 0xff;
	const char *bytes;

	while (input->size > 0) {
		for (length = 0;
		     length < input->size && input->data[length] < FIRST_CUT;)
			length++;
		bytes = fuzz_bytes(input, &length);
		if (peer->fd == -1)
			peer_open(peer, world);
		if (cut == 0xfb)
			(void)!write(world->up, bytes, length);
		else
			fuzz_send(peer->fd, bytes, length, nfds);
		nfds = 0;
		cut = fuzz_byte(input);
		if (cut == 0xff)
			turn(world);
		else if (cut == 0xfe)
			peer = peer == &world->peers[CLIENTS - 1] ?
			    world->peers :
			    peer + 1;
		else if (cut == 0xfd)
			nfds = 1 + input->size % 4;
		else if (cut == 0xfc)
			shutdown(peer->fd, SHUT_WR);
		else if (cut == 0xfa)
			member_read(world);
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct world world;
	int before, after;

	fuzz_directory();
	before = dup(STDERR_FILENO);
	close(before);
	open_world(&world);
	act(&world, &input);
	turn(&world);
	check_well(&world);
	member_read(&world);
	close_world(&world);
	after = dup(STDERR_FILENO);
	close(after);
	FUZZ_CHECK(before == after);
	return 0;
}
