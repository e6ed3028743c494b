/* SPDX-License-Identifier: ISC */
/*
 * The relay beside a model that is as simple as can be: members with pipes,
 * which subscribe, publish and broadcast by them, and listeners.  Each gets
 * what the model says, in order, and nothing else; publishers are told what
 * nobody wants.
 *
 * Input: bytes that say what is done.
 */
#include "runtime/relay/relay.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/frame.h"
#include "runtime/relay/groups.h"
#include "runtime/relay/interest.h"
#include "runtime/relay/topic.h"
#include "runtime/util/loop.h"
#include "tests/fuzz/fuzz.h"

#define MEMBERS 4
#define LISTENERS 2
#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))
#define ROUNDS_MAX 300
#define TOLD_MAX 32768
#define PADDING 5000 /* of large events */

static const char *const topics[] = { "a", "a:b", "a:b:c", "b", "room:1",
	"room:12", "ab", "x*" };
static const char *const patterns[] = { "a", "a:b", "a*", "a:*", "*", "room:*",
	"room:1", "b", "x*", "ro*" };
static const char *const keys[MEMBERS] = { "m0", "m1", "m2", "m3" };

/* What one was told, and what it should have been: "topic payload;". */
struct ear {
	bool open;
	bool has[NELEMS(patterns)];
	char told[TOLD_MAX];
	char expected[TOLD_MAX];
};

struct member {
	struct ear ear;
	struct relay_member *member;
	struct frame_parser parser;
	uint64_t seq;
	int down;
	int up;
};

struct listener {
	struct ear ear;
	struct relay_listener *listener;
};

static struct world {
	struct loop *loop;
	struct loop_timer *guard;
	struct relay *relay;
	struct member members[MEMBERS];
	struct listener listeners[LISTENERS];
	bool grouped[NELEMS(topics)]; /* in the group "g" */
	bool group;
	const struct interest_table *interest; /* once it was looked at */
	unsigned int events;
} world;

static void
on_guard(void *arg)
{
	(void)arg;
}

static void
turn(void)
{
	loop_timer_set(world.guard, 0);
	FUZZ_CHECK(loop_once(world.loop) == 0);
	relay_flush(world.relay);
}

static void
note(char *to, const char *topic, const char *payload, size_t length)
{
	size_t used = strlen(to);

	snprintf(to + used, TOLD_MAX - used, "%s %.*s;", topic, (int)length,
	    payload);
}

/* A number, and perhaps the padding, of which no note is taken. */
static void
hear(char *to, const char *topic, const char *payload, size_t length)
{
	size_t digits = strspn(payload, "0123456789"), i;

	FUZZ_CHECK(length == digits || length == digits + PADDING);
	for (i = digits; i < length; i++)
		FUZZ_CHECK(payload[i] == '.');
	note(to, topic, payload, digits);
}

static bool
on_event(const struct relay_event *event, uint64_t lost, void *arg)
{
	struct listener *listener = arg;

	FUZZ_CHECK(lost == 0);
	hear(listener->ear.told, event->topic, event->payload, event->length);
	return true;
}

static void
on_frame(struct member *member, const struct frame *frame)
{
	FUZZ_CHECK(frame->type != FRAME_LOST);
	if (frame->type != FRAME_EVENT)
		return;
	FUZZ_CHECK(frame->number > member->seq);
	member->seq = frame->number;
	hear(member->ear.told, frame->name, frame->payload,
	    frame->payload_length);
}

static void
read_down(struct member *member)
{
	struct frame frame;
	size_t room;
	char *to;
	ssize_t n;

	for (;;) {
		to = frame_parser_room(&member->parser, 4096, &room);
		n = read(member->down, to, room);
		if (n <= 0)
			return;
		frame_parser_add(&member->parser, (size_t)n);
		while (frame_parser_next(&member->parser, &frame) == 1)
			on_frame(member, &frame);
		FUZZ_CHECK(!member->parser.broken);
	}
}

/*
 * The model
 */

static bool
takes(const struct ear *ear, const char *topic)
{
	size_t i;

	for (i = 0; ear->open && i < NELEMS(patterns); i++)
		if (ear->has[i] && topic_matches(patterns[i], topic))
			return true;
	return false;
}

/* To all but one; returns how many it reached. */
static size_t
pass(const char *topic, const char *payload, const struct member *except,
    bool *reached)
{
	struct ear *ear;
	size_t i, n = 0;

	for (i = 0; i < MEMBERS + LISTENERS; i++) {
		ear = i < MEMBERS ? &world.members[i].ear :
				    &world.listeners[i - MEMBERS].ear;
		if (!takes(ear, topic) ||
		    (except != NULL && ear == &except->ear))
			continue;
		note(ear->expected, topic, payload, strlen(payload));
		n += !reached[i];
		reached[i] = true;
	}
	return n;
}

static int
compare(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static struct relay_reach
broadcast(const char *payload)
{
	bool reached[MEMBERS + LISTENERS] = { false };
	struct relay_reach reach = { .known = world.group };
	const char *list[NELEMS(topics)];
	size_t i;

	for (i = 0; i < NELEMS(topics); i++)
		if (world.group && world.grouped[i])
			list[reach.topics++] = topics[i];
	if (reach.topics > 0)
		qsort((void *)list, reach.topics, sizeof(list[0]), compare);
	for (i = 0; i < reach.topics; i++)
		reach.reached += pass(list[i], payload, NULL, reached);
	return reach;
}

/*
 * What is done
 */

static void
member_open(struct member *member, size_t index, size_t pattern)
{
	const struct relay_member_options options = { .key = keys[index],
		.patterns = &patterns[pattern],
		.npatterns = 1 };

	FUZZ_CHECK(relay_member_new(world.relay, &options, &member->member,
		       &member->down, &member->up) == GROUPER_OK);
	FUZZ_CHECK(fcntl(member->down, F_SETFL, O_NONBLOCK) == 0);
	frame_parser_init(&member->parser, FRAME_DOWN);
	member->seq = 0;
	member->ear.open = true;
	member->ear.has[pattern] = true;
}

static void
ear_close(struct ear *ear)
{
	FUZZ_CHECK(strcmp(ear->told, ear->expected) == 0);
	*ear = (struct ear) { .open = false };
}

static void
member_close(struct member *member)
{
	size_t length;

	/* What its pipe cannot take comes with further turns. */
	do {
		length = strlen(member->ear.told);
		turn();
		read_down(member);
	} while (strlen(member->ear.told) > length);
	relay_member_free(member->member);
	read_down(member);
	FUZZ_CHECK(frame_parser_held(&member->parser) == 0);
	frame_parser_fini(&member->parser);
	close(member->down);
	close(member->up);
	ear_close(&member->ear);
}

static void
listener_toggle(struct listener *listener, size_t pattern)
{
	const struct relay_listener_options options = {
		.patterns = &patterns[pattern],
		.npatterns = 1,
		.fn = on_event,
		.arg = listener
	};

	if (listener->ear.open) {
		relay_listener_free(listener->listener);
		ear_close(&listener->ear);
		return;
	}
	FUZZ_CHECK(relay_listener_new(world.relay, &options,
		       &listener->listener) == GROUPER_OK);
	listener->ear.open = true;
	listener->ear.has[pattern] = true;
}

/* By its pipe, read at once. */
static void
say(struct member *member, const char *text)
{
	size_t length = strlen(text);

	FUZZ_CHECK(write(member->up, text, length) == (ssize_t)length);
	relay_drain_uplink(member->member);
}

static void
subscribe(struct member *member, size_t pattern, bool on, bool by_pipe)
{
	char text[64];

	if (by_pipe) {
		snprintf(text, sizeof(text), "%c %s\n", on ? 'S' : 'U',
		    patterns[pattern]);
		say(member, text);
	} else {
		FUZZ_CHECK((on ? relay_member_subscribe :
				 relay_member_unsubscribe)(member->member,
			       patterns[pattern]) == GROUPER_OK);
	}
	member->ear.has[pattern] = on;
}

/* The payload of an event: its number, and padding if it is a large one. */
static size_t
pad(char payload[16 + PADDING], const char *number)
{
	size_t length = strlen(number);

	memcpy(payload, number, length);
	memset(payload + length, '.', PADDING);
	return length + (world.events % 3 == 0 ? PADDING : 0);
}

static void
publish(const char *topic, const struct member *except)
{
	bool seen[MEMBERS + LISTENERS] = { false };
	char number[16], payload[16 + PADDING];
	struct relay_event event = { .topic = topic,
		.event = "e",
		.payload = payload };
	size_t reached, expected;

	snprintf(number, sizeof(number), "%u", world.events++);
	event.length = pad(payload, number);
	expected = pass(topic, number, except, seen);
	FUZZ_CHECK(relay_publish(world.relay, &event,
		       except != NULL ? except->member : NULL,
		       &reached) == GROUPER_OK);
	FUZZ_CHECK(reached == expected);
}

static void
broadcast_all(struct member *member)
{
	char payload[16], text[64];
	struct relay_event event = { .topic = "g",
		.event = "e",
		.payload = payload };
	struct relay_reach reach, expected;

	snprintf(payload, sizeof(payload), "%u", world.events++);
	event.length = strlen(payload);
	expected = broadcast(payload);
	if (member != NULL) {
		snprintf(text, sizeof(text), "B g e %zu\n%s\n", event.length,
		    payload);
		say(member, text);
		return;
	}
	FUZZ_CHECK(relay_broadcast(world.relay, &event, &reach) == GROUPER_OK);
	FUZZ_CHECK(reach.known == expected.known &&
	    reach.topics == expected.topics &&
	    reach.reached == expected.reached);
}

static void
publish_up(struct member *member, const char *topic, bool others)
{
	bool seen[MEMBERS + LISTENERS] = { false };
	char payload[16], text[64];

	snprintf(payload, sizeof(payload), "%u", world.events++);
	pass(topic, payload, others ? member : NULL, seen);
	snprintf(text, sizeof(text), "%c %s e %zu\n%s\n", others ? 'O' : 'P',
	    topic, strlen(payload), payload);
	say(member, text);
}

static void
group_toggle(size_t topic)
{
	struct topic_groups *groups = relay_groups(world.relay);

	if (topic >= NELEMS(topics)) {
		FUZZ_CHECK((world.group ? topic_groups_delete(groups, "g") :
					  topic_groups_create(groups, "g")) ==
		    GROUPER_OK);
		world.group = !world.group;
		memset(world.grouped, 0, sizeof(world.grouped));
		return;
	}
	if (!world.group)
		return;
	FUZZ_CHECK((world.grouped[topic] ? topic_groups_remove :
					   topic_groups_add)(groups, "g",
		       topics[topic]) == GROUPER_OK);
	world.grouped[topic] = !world.grouped[topic];
}

static void
check_presence(const char *topic)
{
	const struct relay_member *found[MEMBERS + 1];
	size_t count, i, k, expected = 0;

	count = relay_presence(world.relay, topic, found, NELEMS(found));
	for (i = 0; i < MEMBERS; i++) {
		if (!takes(&world.members[i].ear, topic))
			continue;
		expected++;
		for (k = 0; k < count && found[k] != world.members[i].member;)
			k++;
		FUZZ_CHECK(k < count);
	}
	FUZZ_CHECK(count == expected);
}

/* No two of the patterns are mistaken for each other. */
static void
check_interest(const char *topic)
{
	bool wanted = false;
	size_t i;

	if (world.interest == NULL)
		world.interest = interest_map(relay_interest_fd(world.relay));
	FUZZ_CHECK(world.interest != NULL);
	for (i = 0; i < MEMBERS; i++)
		wanted |= takes(&world.members[i].ear, topic);
	for (i = 0; i < LISTENERS; i++)
		wanted |= takes(&world.listeners[i].ear, topic);
	FUZZ_CHECK(interest_has(world.interest, topic, strlen(topic)) ==
	    wanted);
}

static void
act_on_member(struct member *member, unsigned int verb, unsigned int what)
{
	size_t pattern = what % NELEMS(patterns);
	const char *topic = topics[what % NELEMS(topics)];

	if (!member->ear.open) {
		member_open(member, (size_t)(member - world.members), pattern);
		return;
	}
	switch (verb) {
	case 0:
	case 1:
		subscribe(member, pattern, verb == 0, what >= 128);
		break;
	case 2:
	case 3:
		publish_up(member, topic, verb == 2);
		break;
	case 4:
		broadcast_all(member);
		break;
	case 5:
		publish(topic, member);
		break;
	case 6:
		read_down(member);
		break;
	default:
		if (what >= 192)
			member_close(member);
		break;
	}
}

static void
act(unsigned int verb, unsigned int what)
{
	switch (verb / 128 == 0 ? 8 : verb % 8) {
	case 0:
	case 1:
		publish(topics[what % NELEMS(topics)], NULL);
		break;
	case 2:
		broadcast_all(NULL);
		break;
	case 3:
		listener_toggle(&world.listeners[what % LISTENERS],
		    what / LISTENERS % NELEMS(patterns));
		break;
	case 4:
		group_toggle(what % (NELEMS(topics) + 1));
		break;
	case 5:
		check_presence(topics[what % NELEMS(topics)]);
		check_interest(topics[what % NELEMS(topics)]);
		break;
	case 6:
	case 7:
		turn();
		break;
	default:
		act_on_member(&world.members[verb % MEMBERS],
		    verb / MEMBERS % 8, what);
		break;
	}
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	unsigned int verb, rounds;
	size_t i;

	signal(SIGPIPE, SIG_IGN);
	memset(&world, 0, sizeof(world));
	world.loop = loop_new(NULL);
	FUZZ_CHECK(world.loop != NULL);
	world.guard = loop_timer_new(world.loop, on_guard, NULL);
	world.relay = relay_new(world.loop, 0);
	FUZZ_CHECK(world.guard != NULL && world.relay != NULL);
	for (rounds = 0; input.size > 0 && rounds < ROUNDS_MAX; rounds++) {
		verb = fuzz_byte(&input);
		act(verb, fuzz_byte(&input));
	}
	for (i = 0; i < MEMBERS; i++)
		if (world.members[i].ear.open)
			member_close(&world.members[i]);
	for (i = 0; i < LISTENERS; i++)
		if (world.listeners[i].ear.open)
			listener_toggle(&world.listeners[i], 0);
	for (i = 0; i < NELEMS(topics) && world.interest != NULL; i++)
		check_interest(topics[i]);
	interest_unmap(world.interest);
	relay_free(world.relay);
	loop_timer_free(world.guard);
	loop_free(world.loop);
	return 0;
}
