/* SPDX-License-Identifier: ISC */
/*
 * Light forks, see light.h.
 *
 * The child begins with its parent's table of descriptors itself, not with a
 * copy.  Its first act is to take a copy of the lowest ones for its own; the
 * parent, which must not touch those meanwhile, waits for a byte on a pipe
 * that is among them.
 */
#include "runtime/group/light.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/util/bug.h"
#include "runtime/util/fd.h"

/* The link, the lock, four of a cgroup, and a command's. */
#define SLOTS 12
/* Where the lowest free descriptors are higher, nothing is won. */
#define SLOT_MAX 256
#define FDS_MAX 64 /* of a command, by number */
/* A child that is stopped before it has run an instruction. */
#define BIRTH_MS 5000

struct light {
	void *room; /* what a leader reads */
	size_t size;
	int born[2];	  /* a byte from each child */
	int slots[SLOTS]; /* taken by placeholders between forks */
	size_t used;	  /* the first of them, by a leader's */
	int end;	  /* above the slots */
};

/*
 * Where the part of the heap begins that is the program's alone.  Below, in a
 * static program, stands what libc keeps for each thread, errno among it.
 */
#define THREAD_SIZE 4096 /* more than libc takes from errno on */
#define NEAR ((uintptr_t)1 << 20)
static void *heap;

static void __attribute__((constructor)) mark_heap(void)
{
	uintptr_t end = (uintptr_t)os_heap_end();
	uintptr_t thread = (uintptr_t)&errno + THREAD_SIZE;

	heap = (void *)(end - thread < NEAR ? thread : end);
}

/* Copies into a room, or only counts where it is NULL. */
struct pack {
	unsigned char *room;
	size_t used;
};

static void *
put(struct pack *pack, const void *data, size_t size, size_t align)
{
	size_t at = (pack->used + align - 1) / align * align;

	pack->used = at + size;
	if (pack->room == NULL)
		return NULL;
	if (size > 0)
		memcpy(pack->room + at, data, size);
	return pack->room + at;
}

static void *
put_text(struct pack *pack, const char *text)
{
	return text == NULL ? NULL : put(pack, text, strlen(text) + 1, 1);
}

static char **
put_list(struct pack *pack, char *const *list)
{
	size_t count = 0, i;
	char *text, **copy;

	while (list[count] != NULL)
		count++;
	copy = put(pack, list, (count + 1) * sizeof(*list), sizeof(*list));
	for (i = 0; i < count; i++) {
		text = put_text(pack, list[i]);
		if (copy != NULL)
			copy[i] = text;
	}
	return copy;
}

#define PUT(pack, data, count) \
	put(pack, data, (count) * sizeof(*(data)), _Alignof(max_align_t))

/* All that a leader and its member read, but what is on our stack. */
static void
pack_leader(struct pack *pack, struct leader *leader)
{
	struct member *member = &leader->member;

	member->paths = put_list(pack, member->paths);
	member->argv = put_list(pack, member->argv);
	member->shell_argv = put_list(pack, member->shell_argv);
	member->envp = put_list(pack, member->envp);
	member->directory = put_text(pack, member->directory);
	if (member->signals != NULL)
		member->signals = PUT(pack, member->signals, 1);
	member->fds = PUT(pack, member->fds, member->nfds);
	member->limits = PUT(pack, member->limits, member->nlimits);
	member->groups = PUT(pack, member->groups, member->ngroups);
	leader->socket = put_text(pack, leader->socket);
}

static int
make_room(struct light *light, size_t size)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *room;

	if (size <= light->size)
		return 0;
	size = (size + page - 1) / page * page;
	room = mmap(NULL, size, PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (room == MAP_FAILED)
		return -1;
	if (light->size > 0)
		munmap(light->room, light->size);
	light->room = room;
	light->size = size;
	return 0;
}

/* Where a leader names its descriptors. */
struct places {
	int *numbers[SLOTS + FDS_MAX];
	size_t count;
};

static void
place(struct places *places, int *fd)
{
	if (*fd > STDERR_FILENO)
		places->numbers[places->count++] = fd;
}

/* Puts a descriptor on the next slot, and all that name it to that. */
static int
occupy(const struct places *places, size_t from, int slot)
{
	int fd = *places->numbers[from];
	size_t i;

	if (dup3(fd, slot, O_CLOEXEC) == -1)
		return -1;
	for (i = from; i < places->count; i++)
		if (*places->numbers[i] == fd)
			*places->numbers[i] = slot;
	return 0;
}

static bool
is_occupied(const struct light *light, int slot)
{
	size_t i;

	for (i = 0; i < light->used; i++)
		if (light->slots[i] == slot)
			return true;
	return false;
}

static void
place_all(struct places *places, struct leader *leader)
{
	/* The copy in the room is ours to change. */
	struct grouper_fd *fds = (void *)(uintptr_t)leader->member.fds;
	size_t i;

	places->count = 0;
	place(places, &leader->link);
	place(places, &leader->member.link);
	place(places, &leader->member.pty);
	place(places, &leader->lock);
	if (leader->leaf.parent != -1) {
		place(places, &leader->leaf.parent);
		place(places, &leader->leaf.dir);
		place(places, &leader->leaf.kill);
		place(places, &leader->leaf.events);
	}
	for (i = 0; i < leader->member.nfds; i++)
		place(places, &fds[i].source);
}

/* 0, or -1 with errno: E2BIG for too few slots. */
static int
occupy_slots(struct light *light, struct leader *leader)
{
	struct places places;
	size_t i;

	light->used = 0;
	if (leader->member.nfds > FDS_MAX) {
		errno = E2BIG;
		return -1;
	}
	place_all(&places, leader);
	for (i = 0; i < places.count; i++) {
		if (is_occupied(light, *places.numbers[i]))
			continue;
		if (light->used == SLOTS) {
			errno = E2BIG;
			return -1;
		}
		if (occupy(&places, i, light->slots[light->used++]) == -1)
			return -1;
	}
	return 0;
}

static void
free_slots(struct light *light)
{
	while (light->used > 0)
		dup3(light->born[0], light->slots[--light->used], O_CLOEXEC);
}

static int
reserve_slots(struct light *light)
{
	size_t i;

	for (i = 0; i < SLOTS; i++) {
		light->slots[i] = fcntl(light->born[0], F_DUPFD_CLOEXEC,
		    STDERR_FILENO + 1);
		if (light->slots[i] == -1)
			return -1;
		if (light->end <= light->slots[i])
			light->end = light->slots[i] + 1;
	}
	if (light->end <= light->born[1])
		light->end = light->born[1] + 1;
	if (light->end <= SLOT_MAX)
		return 0;
	errno = EMFILE;
	return -1;
}

struct light *
light_new(void)
{
	struct light *light = calloc(1, sizeof(*light));
	size_t i;

	if (light == NULL)
		return NULL;
	for (i = 0; i < SLOTS; i++)
		light->slots[i] = -1;
	light->born[0] = light->born[1] = -1;
	if (pipe2(light->born, O_CLOEXEC) == 0 && reserve_slots(light) == 0)
		return light;
	light_free(light);
	return NULL;
}

void
light_free(struct light *light)
{
	int saved = errno;
	size_t i;

	if (light == NULL)
		return;
	for (i = 0; i < SLOTS; i++)
		fd_close(&light->slots[i]);
	fd_close(&light->born[0]);
	fd_close(&light->born[1]);
	if (light->size > 0)
		munmap(light->room, light->size);
	free(light);
	errno = saved;
}

/*
 * In the child, which has no heap, and whose table of descriptors is still
 * the parent's.
 */
static void __attribute__((noreturn))
be_born(int end, int born, struct leader *leader)
{
	ssize_t n;

	if (os_unshare_fds((unsigned int)end) == -1)
		_exit(errno);
	do
		n = write(born, "", 1);
	while (n == -1 && errno == EINTR);
	if (n == -1)
		_exit(errno);
	leader_run(leader);
}

/* 0, or -1 with errno; the child is reaped then. */
static int
await_birth(const struct light *light, pid_t pid, int *pidfd)
{
	struct pollfd fds[2] = { { light->born[0], POLLIN, 0 },
		{ *pidfd, POLLIN, 0 } };
	siginfo_t info = { 0 };
	char byte;
	int n;

	do
		n = poll(fds, 2, BIRTH_MS);
	while (n == -1 && errno == EINTR);
	if (fds[0].revents & POLLIN) {
		BUG_IF(read(light->born[0], &byte, 1) != 1);
		return 0;
	}
	waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT | __WALL);
	if (info.si_pid != 0 && info.si_code != CLD_EXITED)
		return 0; /* killed: its end is told as any leader's */
	os_pidfd_signal(*pidfd, SIGKILL);
	waitid(P_PID, (id_t)pid, NULL, WEXITED | __WALL);
	fd_close(pidfd);
	errno = info.si_pid != 0 ? info.si_status : ETIMEDOUT;
	return -1;
}

static pid_t
fork_packed(struct light *light, unsigned int flags, int *pidfd,
    struct leader *leader)
{
	int end = light->end, born = light->born[1], saved;
	pid_t pid;

	os_fork_heap(heap, false);
	pid = os_clone(flags | OS_CLONE_FILES, pidfd, -1);
	if (pid == 0)
		be_born(end, born, leader);
	saved = errno;
	os_fork_heap(heap, true);
	if (pid != -1 && await_birth(light, pid, pidfd) == -1) {
		pid = -1;
		saved = errno;
	}
	errno = saved;
	return pid;
}

static bool
can_pack(const struct leader *leader)
{
	return leader->member.fn == NULL && !leader->member.inherit_fds;
}

/* 0, or -1 with errno. */
static int
prepare(struct light *light, struct leader *leader)
{
	struct leader counted = *leader;
	struct pack pack = { NULL, 0 };

	if (!can_pack(leader)) {
		errno = ENOTSUP;
		return -1;
	}
	pack_leader(&pack, &counted);
	if (make_room(light, pack.used) == -1)
		return -1;
	pack = (struct pack) { light->room, 0 };
	pack_leader(&pack, leader);
	leader->host_link = -1; /* is left behind */
	return occupy_slots(light, leader);
}

pid_t
light_fork(struct light *light, unsigned int flags, int *pidfd,
    const struct leader *leader)
{
	struct leader copy = *leader;
	bool packed = prepare(light, &copy) == 0;
	pid_t pid = -1;
	int saved;

	if (packed)
		pid = fork_packed(light, flags, pidfd, &copy);
	/* clone3(2) is refused, or the leader cannot be packed. */
	if (!packed || (pid == -1 && errno == ENOSYS)) {
		copy = *leader;
		pid = os_clone(flags, pidfd, -1);
		if (pid == 0)
			leader_run(&copy);
	}
	saved = errno;
	free_slots(light);
	errno = saved;
	return pid;
}
