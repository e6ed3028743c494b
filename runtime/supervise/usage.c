/* SPDX-License-Identifier: ISC */
/*
 * Sums by group, see usage.h.  A walk finds parents before their children:
 * each process is of its parent's group, that of a leader's child the
 * leader's.
 */
#include "runtime/supervise/usage.h"

#include <sys/tree.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/group/walk.h"

struct sum {
	RB_ENTRY(sum) by_key;
	const char *key; /* the host's, for as long as it has the leader */
	struct usage_sum total;
};

struct member {
	RB_ENTRY(member) by_pid;
	pid_t pid;
	struct sum *sum;
};

struct usage {
	const struct grouper_host *host;
	RB_HEAD(sums, sum) sums;
	RB_HEAD(members, member) members;
	int64_t tick_ms;
	uint64_t page;
	bool failed;
};

static int
compare_sums(const struct sum *one, const struct sum *other)
{
	return strcmp(one->key, other->key);
}

static int
compare_members(const struct member *one, const struct member *other)
{
	return one->pid < other->pid ? -1 : one->pid > other->pid;
}

RB_PROTOTYPE(sums, sum, by_key, compare_sums)
RB_GENERATE(sums, sum, by_key, compare_sums)
RB_PROTOTYPE(members, member, by_pid, compare_members)
RB_GENERATE(members, member, by_pid, compare_members)

static void
add_member(struct usage *usage, pid_t pid, struct sum *sum)
{
	struct member *member = calloc(1, sizeof(*member));

	if (member == NULL) {
		usage->failed = true;
		return;
	}
	member->pid = pid;
	member->sum = sum;
	/* One that was found twice, since it moved, is of the first. */
	if (RB_INSERT(members, &usage->members, member) != NULL)
		free(member);
}

/* Our child: a leader, or an orphan of a dead one. */
static void
add_leader(struct usage *usage, pid_t pid)
{
	struct sum *sum;
	const char *key;
	bool worker;

	key = host_key_of_leader(usage->host, pid, &worker);
	if (key == NULL)
		return;
	sum = calloc(1, sizeof(*sum));
	if (sum == NULL) {
		usage->failed = true;
		return;
	}
	sum->key = key;
	if (RB_INSERT(sums, &usage->sums, sum) != NULL)
		free(sum);
	else
		add_member(usage, pid, sum);
}

static void
on_found(const struct walk_found *found, void *arg)
{
	struct usage *usage = arg;
	const struct os_stat *stat = found->stat;
	struct member wanted = { .pid = stat->ppid }, *parent;
	struct usage_sum *total;

	if (stat->ppid == getpid()) {
		add_leader(usage, stat->pid);
		return;
	}
	parent = RB_FIND(members, &usage->members, &wanted);
	if (parent == NULL)
		return;
	add_member(usage, stat->pid, parent->sum);
	total = &parent->sum->total;
	total->processes++;
	total->memory += stat->pages * usage->page;
	total->cpu_ms += (int64_t)(stat->user_ticks + stat->system_ticks) *
	    usage->tick_ms;
}

struct usage *
usage_take(const struct grouper_host *host)
{
	struct walk walk = { .proc = { -1, -1 } };
	struct usage *usage = calloc(1, sizeof(*usage));

	if (usage == NULL)
		return NULL;
	usage->host = host;
	usage->tick_ms = 1000 / sysconf(_SC_CLK_TCK);
	usage->page = (uint64_t)sysconf(_SC_PAGESIZE);
	RB_INIT(&usage->sums);
	RB_INIT(&usage->members);
	if (walk_init(&walk) == -1 || walk_run(&walk, 0, on_found, usage) == -1)
		usage->failed = true;
	walk_fini(&walk);
	if (!usage->failed)
		return usage;
	usage_free(usage);
	return NULL;
}

void
usage_free(struct usage *usage)
{
	struct member *member;
	struct sum *sum;
	int saved = errno;

	if (usage == NULL)
		return;
	/* The analyzer does not see that each is taken off the tree. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	while ((member = RB_ROOT(&usage->members)) != NULL) {
		RB_REMOVE(members, &usage->members, member);
		free(member);
	}
	while ((sum = RB_ROOT(&usage->sums)) != NULL) {
		RB_REMOVE(sums, &usage->sums, sum);
		free(sum);
	}
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
	free(usage);
	errno = saved;
}

const struct usage_sum *
usage_find(const struct usage *usage, const char *key)
{
	struct sum wanted = { .key = key }, *found;

	if (usage == NULL)
		return NULL;
	found = RB_FIND(sums, (struct sums *)(uintptr_t)&usage->sums, &wanted);
	return found != NULL ? &found->total : NULL;
}
