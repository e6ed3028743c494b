/* SPDX-License-Identifier: ISC */
/*
 * bench_relay: events from one publisher to many subscribers, through the
 * relay or by a bare loop that writes to their pipes.
 *
 *	bench_relay [-b] [-l rate] [-n members] [-s bytes] [-t seconds]
 *	    [-w bytes] [-x]
 *
 * The relay runs in this process as in a host.  Each subscriber is a process
 * that reads its pipe and verifies of every event that it is the next of its
 * topic; the publisher is one more.  It holds back while some subscriber is
 * more than a window (-w, 1 MiB) behind, so that nothing gets lost.  With -b
 * there is no relay: the publisher writes 64 events at a time to each pipe.
 * -x: there are 100 topics and each member is subscribed to 10 of them; else
 * all are to one.  Events go to topics that somebody is subscribed to.  -l: so
 * many events a second, to measure how long each takes.
 *
 * Prints one line: deliveries a second, and a second of processor time that
 * all processes together took; with -l the 50th and 99th percentile, in
 * microseconds.  Exits with 0, 2 after a usage error, or 1 and a line on
 * stderr if an event was wrong or missing, or nothing could be measured.
 */

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <err.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "runtime/relay/frame.h"
#include "runtime/relay/relay.h"
#include "runtime/util/loop.h"
#include "runtime/util/parse.h"
#include "tests/bench/relay_traffic.h"

#define KEEP_FD 3

/*
 * Processes
 */

static void
keep_only(int fd)
{
	if (fd != KEEP_FD && dup2(fd, KEEP_FD) == -1)
		err(1, "dup2");
	close_range(KEEP_FD + 1, ~0U, 0);
}

static pid_t
fork_or_die(void)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	if (pid == -1)
		err(1, "fork");
	return (pid);
}

static void
fork_subscriber(int fd, size_t number)
{
	if (fork_or_die() == 0) {
		keep_only(fd);
		subscribe(KEEP_FD, &shared->progress[number]);
		_exit(0);
	}
	close(fd);
}

struct host {
	struct loop *loop;
	struct loop_timer *timer;
	struct relay *relay;
};

/* Ends the loop when everything has arrived, or somebody failed. */
static void
on_tick(void *arg)
{
	struct host *host = arg;
	siginfo_t info = { .si_pid = 0 };
	bool failed;

	failed = waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
	    info.si_pid != 0 && info.si_status != 0;
	if (failed ||
	    (atomic_load(&shared->done) && deliveries() == shared->published))
		loop_break(host->loop);
	else
		loop_timer_set(host->timer, 20);
}

static int
add_member(struct host *host, size_t number)
{
	char names[TOPICS][16];
	const char *patterns[TOPICS];
	struct relay_member_options options = { .key = "bench",
		.patterns = patterns };
	struct relay_member *member;
	size_t topic;
	int down, up;

	for (topic = 0; topic < settings.topics; topic++) {
		if (number == SIZE_MAX || !subscribed(number, topic))
			continue;
		topic_name(names[topic], topic);
		patterns[options.npatterns++] = names[topic];
	}
	if (relay_member_new(host->relay, &options, &member, &down, &up) !=
	    GROUPER_OK)
		err(1, "member");
	close(number == SIZE_MAX ? down : up);
	return (number == SIZE_MAX ? up : down);
}

static double
run_relay(void)
{
	struct host host;
	size_t i;
	double cpu;
	int up;

	host.loop = loop_new(NULL);
	if (host.loop == NULL ||
	    (host.relay = relay_new(host.loop, 0)) == NULL ||
	    (host.timer = loop_timer_new(host.loop, on_tick, &host)) == NULL)
		err(1, "relay");
	for (i = 0; i < settings.members; i++)
		fork_subscriber(add_member(&host, i), i);
	up = add_member(&host, SIZE_MAX);
	if (fork_or_die() == 0) {
		keep_only(up);
		cpu = now(CLOCK_PROCESS_CPUTIME_ID);
		publish_relay(KEEP_FD);
		publisher_end(cpu);
		_exit(0);
	}
	close(up);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	loop_timer_set(host.timer, 20);
	if (loop_run(host.loop) == -1)
		err(1, "loop");
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	loop_timer_free(host.timer);
	relay_free(host.relay);
	loop_free(host.loop);
	return (cpu);
}

static double
run_bare(void)
{
	static int fds[MEMBERS_MAX];
	int ends[2];
	double cpu;
	size_t i;

	for (i = 0; i < settings.members; i++) {
		if (pipe2(ends, O_CLOEXEC) == -1)
			err(1, "pipe");
		fds[i] = ends[1];
		fork_subscriber(ends[0], i);
	}
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	publish_bare(fds);
	publisher_end(cpu);
	for (i = 0; i < settings.members; i++)
		close(fds[i]);
	return (0);
}

static int
compare_latency(const void *one, const void *other)
{
	int32_t a = *(const int32_t *)one, b = *(const int32_t *)other;

	return ((a > b) - (a < b));
}

static void
print(double cpu)
{
	uint64_t n = atomic_load(&shared->samples), half, most;
	size_t i;

	for (i = 0; i < settings.members; i++)
		cpu += shared->progress[i].cpu;
	printf("%s %zu %zu %s %.0f %.0f", settings.bare ? "bare" : "relay",
	    settings.members, settings.payload,
	    settings.mixed ? "mixed" : "equal",
	    (double)(shared->at_end - shared->at_start) /
		(shared->end - shared->start),
	    (double)deliveries() / (cpu + shared->publisher_cpu));
	if (n > SAMPLES)
		n = SAMPLES;
	if (n > 0) {
		qsort(shared->latency, n, sizeof(shared->latency[0]),
		    compare_latency);
		half = n / 2;
		most = n * 99 / 100;
		printf(" %.1f %.1f", shared->latency[half] / 1e3,
		    shared->latency[most] / 1e3);
	}
	printf("\n");
}

static void
usage(void)
{
	fprintf(stderr,
	    "usage: bench_relay [-bx] [-l rate] [-n members] "
	    "[-s bytes] [-t seconds] [-w bytes]\n");
	exit(2);
}

static void
parse(int argc, char **argv)
{
	int64_t n = 0;
	int opt;

	while ((opt = getopt(argc, argv, "bl:n:s:t:w:x")) != -1) {
		if (opt != '?' && optarg != NULL &&
		    parse_int(optarg, 1, INT32_MAX, &n) == -1)
			usage();
		switch (opt) {
		case 'b':
			settings.bare = true;
			break;
		case 'l':
			settings.rate = (double)n;
			break;
		case 'n':
			settings.members = (size_t)n;
			break;
		case 's':
			settings.payload = (size_t)n;
			break;
		case 't':
			settings.seconds = (double)n;
			break;
		case 'w':
			settings.window = (size_t)n;
			break;
		case 'x':
			settings.mixed = true;
			settings.topics = TOPICS;
			break;
		default:
			usage();
		}
	}
	if (optind != argc || settings.members > MEMBERS_MAX ||
	    settings.payload < sizeof(struct stamp) ||
	    settings.payload > FRAME_PAYLOAD_MAX)
		usage();
}

int
main(int argc, char **argv)
{
	struct rlimit limit;
	double cpu;
	int status;

	parse(argc, argv);
	signal(SIGPIPE, SIG_IGN);
	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (shared == MAP_FAILED)
		err(1, "mmap");
	cpu = settings.bare ? run_bare() : run_relay();
	while (wait(&status) > 0)
		if (status != 0)
			errx(1, "a process failed");
	if (deliveries() != shared->published)
		errx(1, "%" PRIu64 " events came, not %" PRIu64, deliveries(),
		    shared->published);
	print(cpu);
	return (0);
}
