/* SPDX-License-Identifier: ISC */
/*
 * What the programs that measure messages share, whatever carries them: the
 * memory by which they and the benchmark tell each other how far they are,
 * what a message holds, who is subscribed to what, and the publisher's pace.
 *
 * There is one topic, or there are TOPICS, published in turn, and each member
 * is subscribed to TOPICS_EACH of them, chosen at random.
 */
#ifndef TESTS_BENCH_BENCH_MESSAGE_H
#define TESTS_BENCH_BENCH_MESSAGE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define MEMBERS_MAX 4000
#define TOPICS 100
#define TOPICS_EACH 10
#define SAMPLES_MAX 400000
#define PAYLOAD_MAX ((size_t)1 << 20)
#define READ_SIZE ((size_t)65536)
#define ERROR_SIZE 512

enum phase {
	PHASE_IDLE,
	PHASE_PACED, /* one message in each interval, each with its time */
	PHASE_FULL,  /* as many as are taken */
	PHASE_QUIT,
};

typedef atomic_uint_fast64_t word;

struct received {
	_Alignas(64) word count; /* messages, all of them verified */
};

/*
 * bench_messages.py knows how this is laid out.  Counts are of messages if
 * not said otherwise.
 */
struct shared {
	word phase;
	word nmembers;
	word ntopics;
	word payload_size;
	word window;	 /* that a member may be behind */
	word interval;	 /* ns */
	word limit;	 /* in all; 0: none */
	word claimed;	 /* members that took a number */
	word ready;	 /* members that are subscribed */
	word running;	 /* the publisher is not idle */
	word published;	 /* known when idle: */
	word deliveries; /* that come of it */
	word nsamples;
	word failed;
	_Alignas(512) char error[ERROR_SIZE]; /* of the first that failed */
	struct received received[MEMBERS_MAX];
	uint32_t samples[SAMPLES_MAX]; /* ns from publisher to subscriber */
};

/* Maps the file that the benchmark has made, or ends the program. */
extern struct shared *shared;
void shared_map(const char *path);

/* Tells the benchmark and ends the program. */
void fail(const char *format, ...)
    __attribute__((format(printf, 1, 2), noreturn));

/* What was lost by a server that went away is no failure once it should. */
void end_of_file(void) __attribute__((noreturn));

/* The topics that a member is subscribed to, and how many. */
size_t member_topics(size_t member, unsigned int topics[TOPICS_EACH]);

/*
 * fork(2): the child ends with us.  It gets a session of its own, as a group
 * of grouper does, since processors are shared out by session (autogroup in
 * sched(7)): on a busy machine that decides more about latency than whatever
 * carries the messages.
 */
pid_t member_fork(void);

/* The number of a member that starts. */
size_t member_claim(void);

/*
 * A member's messages must be complete, and in each topic none missing or out
 * of order.  received_all(): what was verified may be counted.
 */
void received_one(const char *payload, size_t length);
void received_all(size_t member);

/*
 * What carries messages: put() takes one, whose payload is that of
 * shared->payload_size; flush() sends what was taken and still kept.
 */
struct carrier {
	void (*put)(size_t topic, const char *payload);
	void (*flush)(void);
};

/* Publishes as the benchmark wants it, until it says quit. */
void publish(const struct carrier *carrier);

#endif
