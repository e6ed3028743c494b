/* SPDX-License-Identifier: ISC */
/*
 * The events of bench_relay: see relay_traffic.h.
 */
#include "tests/bench/relay_traffic.h"

#include <err.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/frame.h"

#define TOPICS_EACH 10
#define BATCH 64
#define READ_SIZE ((size_t)65536)
#define WARM_UP 0.3

struct traffic *shared;
struct settings settings = { .members = 10,
	.payload = 64,
	.window = 1 << 20,
	.topics = 1,
	.seconds = 2 };

static uint64_t counts[TOPICS];		 /* events of each topic */
static uint64_t per_member[MEMBERS_MAX]; /* what each was sent */

double
now(clockid_t clock)
{
	struct timespec ts;

	if (clock_gettime(clock, &ts) == -1)
		err(1, "clock_gettime");
	return ((double)ts.tv_sec + (double)ts.tv_nsec / 1e9);
}

static int64_t
now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec);
}

/* Topics that a member is subscribed to: ten in a row, from anywhere. */
bool
subscribed(size_t member, size_t topic)
{
	return (!settings.mixed ||
	    (topic + TOPICS - member * 7 % TOPICS) % TOPICS < TOPICS_EACH);
}

/* The next topic that has subscribers. */
static size_t
next_topic(size_t topic)
{
	static bool used[TOPICS], known;
	size_t i;

	for (i = 0; i < settings.members * TOPICS && !known; i++)
		used[i % TOPICS] |= subscribed(i / TOPICS, i % TOPICS);
	known = true;
	do
		topic = (topic + 1) % settings.topics;
	while (!used[topic]);
	return (topic);
}

void
topic_name(char *to, size_t topic)
{
	sprintf(to, "room:%zu", topic);
}

uint64_t
deliveries(void)
{
	uint64_t sum = 0;
	size_t i;

	for (i = 0; i < settings.members; i++)
		sum += atomic_load_explicit(&shared->progress[i].received,
		    memory_order_relaxed);
	return (sum);
}

/*
 * Subscribers
 */

static void
verify(const char *payload, uint64_t *expected)
{
	struct stamp stamp;
	uint64_t n;

	memcpy(&stamp, payload, sizeof(stamp));
	if (stamp.topic >= TOPICS || ++expected[stamp.topic] != stamp.count)
		errx(1,
		    "event %" PRIu64 " of topic %" PRIu64 " came, not %" PRIu64,
		    stamp.count, stamp.topic, expected[stamp.topic % TOPICS]);
	if (stamp.sent != 0) {
		n = atomic_fetch_add(&shared->samples, 1);
		if (n < SAMPLES)
			shared->latency[n] = (int32_t)(now_ns() - stamp.sent);
	}
}

/*
 * Takes the whole frames apart and returns how many bytes they were.  Only
 * the letter, the number and the length are looked at: the less this costs,
 * the more the way here counts.
 */
static size_t
take(const char *p, size_t held, uint64_t *seq, uint64_t *expected,
    uint64_t *received)
{
	const char *start = p, *end = p + held, *newline, *digit;
	uint64_t number;
	size_t length, unit;

	while ((newline = memchr(p, '\n', (size_t)(end - p))) != NULL) {
		if (p[0] != 'E')
			errx(1, "frame %.*s", (int)(newline - p), p);
		number = 0;
		for (digit = p + 2; *digit != ' '; digit++)
			number = number * 10 + (uint64_t)(*digit - '0');
		length = 0;
		unit = 1;
		for (digit = newline - 1; *digit != ' '; digit--) {
			length += (size_t)(*digit - '0') * unit;
			unit *= 10;
		}
		if ((size_t)(end - newline) < length + 2)
			break;
		if (number <= *seq || (!settings.mixed && number != *seq + 1) ||
		    length != settings.payload || newline[length + 1] != '\n')
			errx(1, "frame %.*s after %" PRIu64, (int)(newline - p),
			    p, *seq);
		*seq = number;
		verify(newline + 1, expected);
		p = newline + length + 2;
		(*received)++;
	}
	return ((size_t)(p - start));
}

void
subscribe(int fd, struct progress *progress)
{
	static uint64_t expected[TOPICS];
	static char buffer[READ_SIZE + FRAME_MAX];
	uint64_t received = 0, seq = 0;
	size_t held = 0, used;
	double cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	ssize_t n;

	for (;;) {
		n = read(fd, buffer + held, READ_SIZE);
		if (n == -1)
			err(1, "read");
		if (n == 0)
			break;
		held += (size_t)n;
		used = take(buffer, held, &seq, expected, &received);
		held -= used;
		memmove(buffer, buffer + used, held);
		atomic_store_explicit(&progress->received, received,
		    memory_order_relaxed);
	}
	progress->cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
}

/*
 * The publisher
 */

static void
write_all(int fd, const char *bytes, size_t length)
{
	ssize_t n;

	while (length > 0) {
		n = write(fd, bytes, length);
		if (n == -1)
			err(1, "write");
		bytes += n;
		length -= (size_t)n;
	}
}

/* Appends an event to a buffer; returns its size. */
static size_t
put_event(char *to, enum frame_type type, uint64_t seq, size_t topic)
{
	static char payload[FRAME_PAYLOAD_MAX];
	static char names[TOPICS][16];
	static size_t lengths[TOPICS];
	struct stamp stamp = { topic, ++counts[topic], 0 };
	struct frame frame = { .type = type,
		.number = seq,
		.name = names[topic],
		.event = "bench",
		.event_length = 5,
		.from = "bench",
		.from_length = 5,
		.payload_length = settings.payload };
	size_t used;

	if (lengths[topic] == 0) {
		topic_name(names[topic], topic);
		lengths[topic] = strlen(names[topic]);
	}
	frame.name_length = lengths[topic];
	if (settings.rate > 0)
		stamp.sent = now_ns();
	used = frame_header(to, &frame);
	memcpy(payload, &stamp, sizeof(stamp));
	memcpy(to + used, payload, settings.payload);
	used += settings.payload;
	to[used++] = '\n';
	return (used);
}

/* Waits until the slowest is at most so many events behind. */
static void
hold_back(size_t behind)
{
	const struct timespec nap = { .tv_nsec = 50000 };
	size_t i = 0;

	while (i < settings.members) {
		if (atomic_load_explicit(&shared->progress[i].received,
			memory_order_relaxed) +
			behind >=
		    per_member[i])
			i++;
		else
			nanosleep(&nap, NULL);
	}
}

static void
count_event(size_t topic)
{
	size_t i;

	for (i = 0; i < settings.members; i++)
		per_member[i] += subscribed(i, topic) ? 1 : 0;
}

/* Keeps time; false when it is up. */
static bool
go_on(void)
{
	static double begun;
	double t = now(CLOCK_MONOTONIC);

	if (begun == 0)
		begun = t;
	if (shared->start == 0 && t >= begun + WARM_UP) {
		shared->start = t;
		shared->at_start = deliveries();
	}
	if (shared->start == 0 || t < shared->start + settings.seconds)
		return (true);
	shared->end = t;
	shared->at_end = deliveries();
	return (false);
}

static void
pause_for_rate(void)
{
	static int64_t next;
	struct timespec ts;

	if (settings.rate <= 0)
		return;
	if (next == 0)
		next = now_ns();
	next += (int64_t)(1e9 / settings.rate);
	ts.tv_sec = next / 1000000000;
	ts.tv_nsec = next % 1000000000;
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

/* Through the relay: as many events a write as a pipe holds. */
void
publish_relay(int up)
{
	size_t frame = settings.payload + 32, used, topic = 0, i, n;
	size_t batch = READ_SIZE / frame, behind = settings.window / frame + 1;
	char *buffer;

	if (batch == 0)
		batch = 1;
	if (settings.rate > 0)
		batch = 1;
	buffer = malloc(batch * (settings.payload + 64));
	if (buffer == NULL)
		err(1, NULL);
	while (go_on()) {
		pause_for_rate();
		for (used = 0, n = 0; n < batch; n++) {
			used += put_event(buffer + used, FRAME_PUBLISH, 0,
			    topic);
			if (settings.mixed)
				count_event(topic);
			topic = next_topic(topic);
		}
		for (i = 0; i < settings.members && !settings.mixed; i++)
			per_member[i] += batch;
		write_all(up, buffer, used);
		hold_back(behind);
	}
	free(buffer);
}

/* One buffer for all, or with -x one for each. */
void
publish_bare(const int *fds)
{
	size_t frame = settings.payload + 64,
	       nbuffers = settings.mixed ? settings.members : 1;
	size_t *used, *held, batch = settings.rate > 0 ? 1 : BATCH, topic = 0,
			     i, length;
	char *buffers, *event;
	uint64_t seq = 0;

	buffers = calloc(nbuffers, BATCH * frame);
	used = calloc(nbuffers, sizeof(*used));
	held = calloc(nbuffers, sizeof(*held));
	event = malloc(frame);
	if (buffers == NULL || used == NULL || held == NULL || event == NULL)
		err(1, NULL);
	while (seq % BATCH != 0 || go_on()) {
		pause_for_rate();
		if (!settings.mixed) {
			used[0] += put_event(buffers + used[0], FRAME_EVENT,
			    ++seq, 0);
			if (++held[0] < batch)
				continue;
			for (i = 0; i < settings.members; i++)
				write_all(fds[i], buffers, used[0]);
			used[0] = held[0] = 0;
			continue;
		}
		length = put_event(event, FRAME_EVENT, ++seq, topic);
		for (i = 0; i < settings.members; i++) {
			if (!subscribed(i, topic))
				continue;
			memcpy(buffers + i * BATCH * frame + used[i], event,
			    length);
			used[i] += length;
			if (++held[i] < batch)
				continue;
			write_all(fds[i], buffers + i * BATCH * frame, used[i]);
			used[i] = held[i] = 0;
		}
		topic = next_topic(topic);
	}
	for (i = 0; i < nbuffers; i++)
		if (used[i] > 0)
			write_all(fds[i], buffers + i * BATCH * frame, used[i]);
	free(buffers);
	free(used);
	free(held);
	free(event);
}

void
publisher_end(double cpu)
{
	size_t topic, i;

	for (topic = 0; topic < settings.topics; topic++)
		for (i = 0; i < settings.members; i++)
			if (subscribed(i, topic))
				shared->published += counts[topic];
	shared->publisher_cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	atomic_store(&shared->done, true);
}
