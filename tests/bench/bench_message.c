/* SPDX-License-Identifier: ISC */
/*
 * What the programs that measure messages share: see bench_message.h.
 *
 * The publisher never is more than a window ahead of the slowest member, so
 * that nothing gets lost in those that drop what is not read in time.
 */
#include "tests/bench/bench_message.h"

#include <sys/mman.h>
#include <sys/prctl.h>

#include <err.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* So many messages from one look at who is behind to the next. */
#define CHECK_EVERY 64

/* At the beginning of each payload; then nothing of interest. */
struct stamp {
	uint32_t topic;
	uint32_t magic;
	uint64_t count; /* of the topic's, from 1 */
	uint64_t sent;	/* ns, or 0 */
};

#define MAGIC 0x6d657373

struct shared *shared;
static uint64_t expected[TOPICS]; /* of a member: the last one of each */
static uint64_t received;

static uint64_t
get(const word *w)
{
	return (atomic_load_explicit(w, memory_order_relaxed));
}

static uint64_t
now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ((uint64_t)ts.tv_sec * 1000000000 + (uint64_t)ts.tv_nsec);
}

void
shared_map(const char *path)
{
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd == -1)
		err(1, "%s", path);
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED,
	    fd, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	close(fd);
}

void
fail(const char *format, ...)
{
	va_list ap;

	if (atomic_exchange(&shared->failed, 1) == 0) {
		va_start(ap, format);
		vsnprintf(shared->error, sizeof(shared->error), format, ap);
		va_end(ap);
	}
	_exit(1);
}

void
end_of_file(void)
{
	if (get(&shared->phase) != PHASE_QUIT)
		fail("a member was disconnected");
	_exit(0);
}

/*
 * Members
 */

size_t
member_topics(size_t member, unsigned int topics[TOPICS_EACH])
{
	uint64_t random = member * 2654435761U + 1;
	bool chosen[TOPICS] = { false };
	unsigned int topic;
	size_t n = 0;

	if (get(&shared->ntopics) == 1) {
		topics[0] = 0;
		return (1);
	}
	while (n < TOPICS_EACH) {
		random = random * 6364136223846793005U + 1442695040888963407U;
		topic = (unsigned int)(random >> 33) % TOPICS;
		if (!chosen[topic])
			topics[n++] = topic;
		chosen[topic] = true;
	}
	return (n);
}

pid_t
member_fork(void)
{
	pid_t pid = fork();

	if (pid == -1)
		fail("fork: %s", strerror(errno));
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		setsid();
	}
	return (pid);
}

size_t
member_claim(void)
{
	size_t member = atomic_fetch_add(&shared->claimed, 1);

	if (member >= MEMBERS_MAX)
		fail("more than %d members", MEMBERS_MAX);
	return (member);
}

void
received_one(const char *payload, size_t length)
{
	struct stamp stamp;
	uint64_t n;

	if (length != get(&shared->payload_size))
		fail("%zu bytes came", length);
	memcpy(&stamp, payload, sizeof(stamp));
	if (stamp.magic != MAGIC || stamp.topic >= TOPICS)
		fail("what came was not published");
	if (stamp.count != ++expected[stamp.topic])
		fail("message %" PRIu64 " came in place of %" PRIu64,
		    stamp.count, expected[stamp.topic]);
	received++;
	if (stamp.sent == 0)
		return;
	n = atomic_fetch_add(&shared->nsamples, 1);
	if (n < SAMPLES_MAX)
		shared->samples[n] = (uint32_t)(now() - stamp.sent);
}

void
received_all(size_t member)
{
	atomic_store_explicit(&shared->received[member].count, received,
	    memory_order_release);
}

/*
 * The publisher
 */

/* How many of so many messages go to a member. */
static uint64_t
due(size_t member, uint64_t published)
{
	static unsigned int topics[MEMBERS_MAX][TOPICS_EACH];
	static bool known[MEMBERS_MAX];
	uint64_t count = published / TOPICS * TOPICS_EACH;
	size_t i;

	if (get(&shared->ntopics) == 1)
		return (published);
	if (!known[member])
		member_topics(member, topics[member]);
	known[member] = true;
	for (i = 0; i < TOPICS_EACH; i++)
		count += topics[member][i] < published % TOPICS ? 1 : 0;
	return (count);
}

/* Waits until no member is more than a window behind, or it is time to end. */
static void
hold_back(const struct carrier *carrier, uint64_t published)
{
	const struct timespec nap = { .tv_nsec = 50000 };
	uint64_t window = get(&shared->window);
	size_t i = 0, nmembers = get(&shared->nmembers);

	while (i < nmembers) {
		if (get(&shared->received[i].count) + window >=
		    due(i, published)) {
			i++;
			continue;
		}
		if (get(&shared->phase) == PHASE_QUIT)
			return;
		carrier->flush();
		nanosleep(&nap, NULL);
	}
}

static void
await_tick(uint64_t *next)
{
	struct timespec ts;

	if (*next == 0)
		*next = now();
	*next += get(&shared->interval);
	ts.tv_sec = (time_t)(*next / 1000000000);
	ts.tv_nsec = (long)(*next % 1000000000);
	clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &ts, NULL);
}

static void
rest(const struct carrier *carrier, uint64_t published)
{
	const struct timespec nap = { .tv_nsec = 1000000 };
	uint64_t deliveries = 0;
	size_t i, nmembers = get(&shared->nmembers);

	if (get(&shared->running) != 0) {
		carrier->flush();
		for (i = 0; i < nmembers; i++)
			deliveries += due(i, published);
		atomic_store(&shared->published, published);
		atomic_store(&shared->deliveries, deliveries);
		atomic_store(&shared->running, 0);
	}
	nanosleep(&nap, NULL);
}

static void
put(const struct carrier *carrier, uint64_t published, bool stamped)
{
	static char payload[PAYLOAD_MAX];
	uint64_t ntopics = get(&shared->ntopics);
	struct stamp stamp = { .topic = (uint32_t)(published % ntopics),
		.magic = MAGIC,
		.count = published / ntopics + 1,
		.sent = stamped ? now() : 0 };

	memcpy(payload, &stamp, sizeof(stamp));
	carrier->put(stamp.topic, payload);
}

void
publish(const struct carrier *carrier)
{
	uint64_t published = 0, next = 0, limit, phase;

	while ((phase = get(&shared->phase)) != PHASE_QUIT) {
		limit = get(&shared->limit);
		if (phase == PHASE_IDLE || (limit != 0 && published == limit)) {
			rest(carrier, published);
			continue;
		}
		if (get(&shared->running) == 0)
			atomic_store(&shared->running, 1);
		if (phase == PHASE_PACED)
			await_tick(&next);
		put(carrier, published++, phase == PHASE_PACED);
		if (phase == PHASE_PACED)
			carrier->flush();
		if (published % CHECK_EVERY == 0)
			hold_back(carrier, published);
	}
}
