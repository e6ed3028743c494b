/* SPDX-License-Identifier: ISC */
/*
 * The table of interest, see interest.h; as bytes, grouper-protocol(7).
 */
#include "runtime/relay/interest.h"

#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <unistd.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

#include "runtime/relay/topic.h"
#include "runtime/util/fd.h"

/* Linux 5.1: maps made from then on are read-only. */
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x0010
#endif

#define SEALS (F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_FUTURE_WRITE)
#define SLOTS 16384

/*
 * Counts of patterns.  A look at several of them is no look at one moment: who
 * goes from one pattern to another that has the same topic may be in neither
 * count when that is looked at.  So it is told how often one was taken off.
 */
struct interest_table {
	atomic_uint_least32_t prefixes[TOPIC_MAX + 1]; /* of each length */
	atomic_uint_least32_t slots[SLOTS];
	atomic_uint_least32_t removals;
};

struct interest {
	pid_t owner; /* a fork shares the memory, and is not to change it */
	int fd;
	struct interest_table *table;
};

/* Patterns that look alike, "a" and "a*", have different slots. */
static __attribute__((nonnull)) size_t
slot_of(const char *text, size_t length, bool prefix)
{
	return XXH32(text, length, prefix ? 1 : 0) % SLOTS;
}

static bool
counts(const atomic_uint_least32_t *count)
{
	return atomic_load_explicit(count, memory_order_acquire) > 0;
}

struct interest *
interest_new(void)
{
	struct interest *interest;
	void *table = MAP_FAILED;
	struct rlimit limit;

	/* Beyond it ftruncate(2) sends SIGXFSZ, which ends programs. */
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 &&
	    limit.rlim_cur < sizeof(*interest->table)) {
		errno = EFBIG;
		return NULL;
	}
	interest = malloc(sizeof(*interest));
	if (interest == NULL)
		return NULL;
	interest->owner = getpid();
	interest->fd = memfd_create("grouper-interest",
	    MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (interest->fd != -1 &&
	    ftruncate(interest->fd, sizeof(*interest->table)) == 0)
		table = mmap(NULL, sizeof(*interest->table),
		    PROT_READ | PROT_WRITE, MAP_SHARED, interest->fd, 0);
	interest->table = table != MAP_FAILED ? table : NULL;
	if (interest->table == NULL ||
	    fcntl(interest->fd, F_ADD_SEALS, SEALS | F_SEAL_SEAL) == -1) {
		interest_free(interest);
		return NULL;
	}
	return interest;
}

void
interest_free(struct interest *interest)
{
	int saved = errno;

	if (interest == NULL)
		return;
	if (interest->table != NULL)
		munmap(interest->table, sizeof(*interest->table));
	fd_close(&interest->fd);
	free(interest);
	errno = saved;
}

int
interest_fd(const struct interest *interest)
{
	return interest->fd;
}

void
interest_add(struct interest *interest, const char *text, size_t length,
    bool prefix)
{
	struct interest_table *table;

	if (interest == NULL || interest->owner != getpid())
		return;
	table = interest->table;
	atomic_fetch_add(&table->slots[slot_of(text, length, prefix)], 1);
	if (prefix)
		atomic_fetch_add(&table->prefixes[length], 1);
}

void
interest_remove(struct interest *interest, const char *text, size_t length,
    bool prefix)
{
	struct interest_table *table;

	if (interest == NULL || interest->owner != getpid())
		return;
	table = interest->table;
	atomic_fetch_add(&table->removals, 1);
	if (prefix)
		atomic_fetch_sub(&table->prefixes[length], 1);
	atomic_fetch_sub(&table->slots[slot_of(text, length, prefix)], 1);
}

const struct interest_table *
interest_map(int fd)
{
	int seals = fcntl(fd, F_GET_SEALS);
	struct stat st;
	const struct interest_table *table;

	if (seals == -1 || (seals & SEALS) != SEALS || fstat(fd, &st) == -1 ||
	    st.st_size != sizeof(struct interest_table)) {
		errno = EPROTO;
		return NULL;
	}
	table = mmap(NULL, sizeof(struct interest_table), PROT_READ, MAP_SHARED,
	    fd, 0);
	if (table == MAP_FAILED)
		return NULL;
	return table;
}

void
interest_unmap(const struct interest_table *table)
{
	if (table != NULL)
		munmap((void *)(uintptr_t)table, sizeof(*table));
}

bool
interest_has(const struct interest_table *table, const char *topic,
    size_t length)
{
	unsigned int before = atomic_load_explicit(&table->removals,
	    memory_order_acquire);
	size_t n;

	if (counts(&table->slots[slot_of(topic, length, false)]))
		return true;
	for (n = 0; n <= length && n <= TOPIC_MAX; n++)
		if (counts(&table->prefixes[n]) &&
		    counts(&table->slots[slot_of(topic, n, true)]))
			return true;
	/* What was there before may have been replaced meanwhile. */
	return atomic_load_explicit(&table->removals, memory_order_acquire) !=
	    before;
}
