/* SPDX-License-Identifier: ISC */
/*
 * The events of bench_relay: what subscribers verify and publishers write.
 * All ends the program with a line on stderr where something is wrong.
 */
#ifndef TESTS_BENCH_RELAY_TRAFFIC_H
#define TESTS_BENCH_RELAY_TRAFFIC_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#define MEMBERS_MAX 4000
#define TOPICS 100
#define SAMPLES 200000

/* At the beginning of each payload. */
struct stamp {
	uint64_t topic;
	uint64_t count; /* of events of its topic, from 1 */
	int64_t sent;	/* ns, or 0 */
};

/* What all processes share. */
struct progress {
	_Alignas(64) atomic_uint_fast64_t received;
	double cpu;
};

struct traffic {
	atomic_bool done;
	uint64_t published; /* deliveries that must come of it */
	double start, end;
	uint64_t at_start, at_end; /* deliveries */
	double publisher_cpu;
	atomic_uint_fast64_t samples;
	int32_t latency[SAMPLES]; /* ns */
	struct progress progress[MEMBERS_MAX];
};

extern struct traffic *shared;

/* Set from the options. */
struct settings {
	size_t members;
	size_t payload; /* bytes */
	size_t window;	/* bytes that a subscriber may be behind */
	size_t topics;
	double seconds;
	double rate; /* events a second; 0: as many as possible */
	bool bare;
	bool mixed;
};

extern struct settings settings;

double now(clockid_t clock);
bool subscribed(size_t member, size_t topic);
void topic_name(char *to, size_t topic);

/* Events that subscribers have got. */
uint64_t deliveries(void);

/* Reads a pipe to its end. */
void subscribe(int fd, struct progress *progress);

/*
 * Publishes for as long as is to be measured: to the relay; or to the pipes
 * themselves, in one buffer for all, or with mixed topics in one for each.
 */
void publish_relay(int up);
void publish_bare(const int *fds);

/* After it; cpu: what this process had used before. */
void publisher_end(double cpu);

#endif
