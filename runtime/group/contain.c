/* SPDX-License-Identifier: ISC */
/*
 * Levels of containment, see contain.h.
 */
#include "runtime/group/contain.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/os/os.h"
#include "runtime/util/fd.h"

/* How long a leaf that a dead host left may take to die. */
#define LEFTOVER_MS 200
#define LEFTOVER_TRIES 25

void
contain_fini(struct contain *contain)
{
	fd_close(&contain->cgroup);
	light_free(contain->light);
	contain->light = NULL;
}

static int
own_cgroup(struct contain *contain)
{
	if (!contain->looked) {
		contain->cgroup = cgroup_open_own();
		contain->looked = true;
	}
	if (contain->cgroup == -1)
		errno = ENOENT;
	return contain->cgroup;
}

enum grouper_containment
contain_resolve(struct contain *contain, enum grouper_containment level)
{
	if (level != GROUPER_CONTAIN_AUTO)
		return level;
	if (!contain->asked) {
		contain->asked = true;
		contain->delegated = cgroup_is_delegated() &&
		    own_cgroup(contain) != -1 && os_can_clone_into_cgroup();
	}
	return contain->delegated ? GROUPER_CONTAIN_CGROUP :
				    GROUPER_CONTAIN_REAPER;
}

/* Kills what lives in a leaf nobody leads any more, and removes it. */
static int
clear_leaf(int parent, const char *name)
{
	struct cgroup_leaf leaf;
	struct pollfd change;
	int result = -1, tries, saved;

	if (cgroup_leaf_open(&leaf, parent, name) == -1)
		return -1;
	change = (struct pollfd) { leaf.events, POLLPRI, 0 };
	for (tries = 0; tries < LEFTOVER_TRIES; tries++) {
		if (!cgroup_leaf_populated(&leaf))
			break;
		cgroup_leaf_kill(&leaf);
		if (tries > 0)
			cgroup_leaf_kill_listed(&leaf);
		poll(&change, 1, LEFTOVER_MS);
	}
	if (cgroup_leaf_populated(&leaf))
		errno = EBUSY;
	else
		result = cgroup_leaf_remove(&leaf);
	saved = errno;
	cgroup_leaf_close(&leaf);
	errno = saved;
	return result;
}

/*
 * The lock of the host's name is ours, so a leaf of that name belongs to a
 * host and a leader that were killed together.
 */
static int
clear_leftovers(struct contain *contain, const char *owner)
{
	char prefix[CGROUP_NAME_MAX + 1];
	struct dirent *entry;
	int result = 0, error = 0, fd;
	size_t length;
	DIR *dir;

	length = (size_t)snprintf(prefix, sizeof(prefix), "grouper:%s:", owner);
	fd = openat(contain->cgroup, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	dir = fd == -1 ? NULL : fdopendir(fd);
	if (dir == NULL) {
		fd_close(&fd);
		return -1;
	}
	while ((entry = readdir(dir)) != NULL)
		if (strncmp(entry->d_name, prefix, length) == 0 &&
		    clear_leaf(contain->cgroup, entry->d_name) == -1) {
			result = -1;
			error = errno;
		}
	closedir(dir);
	errno = error;
	return result;
}

/*
 * "grouper:<owner>:<key>:<n>".  The owner ends where its second ':' does,
 * which no host name holds.  A key may hold '/', and be longer than a
 * directory's name.
 */
static void
leaf_name(char *name, size_t size, const char *owner, const char *key,
    unsigned long serial)
{
	char *at;

	snprintf(name, size, "grouper:%s:%.150s:%lu", owner, key, serial);
	for (at = name; *at != '\0'; at++)
		if (*at == '/')
			*at = '|';
}

static int
make_leaf(struct contain *contain, const struct contain_owner *owner,
    const char *key, struct leader *leader)
{
	char name[CGROUP_NAME_MAX + 1];
	int result;

	if (own_cgroup(contain) == -1)
		return -1;
	if (!os_can_clone_into_cgroup()) {
		errno = ENOSYS;
		return -1;
	}
	if (owner->locked && !contain->cleared &&
	    clear_leftovers(contain, owner->label) == -1)
		return -1;
	contain->cleared = true;
	do {
		leaf_name(name, sizeof(name), owner->label, key,
		    ++contain->serial);
		result = cgroup_leaf_make(&leader->leaf, contain->cgroup, name);
	} while (result == -1 && errno == EEXIST);
	return result;
}

static pid_t
fork_leader(struct contain *contain, unsigned int flags, struct leader *leader,
    int *pidfd)
{
	pid_t pid;

	if (contain->light != NULL)
		return light_fork(contain->light, flags, pidfd, leader);
	pid = os_clone(flags, pidfd, -1);
	if (pid == 0)
		leader_run(leader);
	return pid;
}

static pid_t
fork_namespace(struct contain *contain, struct leader *leader, int *pidfd)
{
	pid_t pid;

	leader->namespace = true;
	pid = fork_leader(contain, OS_CLONE_PIDNS, leader, pidfd);
	if (pid != -1 || errno != EPERM)
		return pid;
	leader->map_user = true;
	leader->uid = geteuid();
	leader->gid = getegid();
	return fork_leader(contain, OS_CLONE_PIDNS | OS_CLONE_USERNS, leader,
	    pidfd);
}

pid_t
contain_fork(struct contain *contain, enum grouper_containment level,
    const struct contain_owner *owner, const char *key, struct leader *leader,
    int *pidfd)
{
	uint64_t before;
	int saved;
	pid_t pid;

	if (level == GROUPER_CONTAIN_CGROUP &&
	    make_leaf(contain, owner, key, leader) == -1)
		return -1;
	/* No handler of the caller's may run in the leader. */
	before = os_block_signals(~(uint64_t)0);
	if (level == GROUPER_CONTAIN_PIDNS)
		pid = fork_namespace(contain, leader, pidfd);
	else
		pid = fork_leader(contain, 0, leader, pidfd);
	saved = errno;
	os_block_signals(before);
	if (pid == -1) {
		cgroup_leaf_remove(&leader->leaf);
		cgroup_leaf_close(&leader->leaf);
	}
	errno = saved;
	return pid;
}

static int
probe_reaper(const char **why)
{
	struct os_proc proc;

	if (os_is_subreaper() == -1)
		*why = "the kernel has no child subreaper";
	else if (os_proc_open(&proc) == -1)
		*why = "/proc is not mounted, and pidfds do not tell a parent";
	else {
		os_proc_close(&proc);
		return 0;
	}
	return ENOSYS;
}

static int
probe_cgroup(const char **why)
{
	struct contain contain = CONTAIN_INIT;
	struct cgroup_leaf leaf;
	char name[64];
	int error = 0;

	snprintf(name, sizeof(name), "grouper:probe %d", (int)getpid());
	if (!os_can_clone_into_cgroup()) {
		error = ENOSYS;
		*why = "clone3(2) is refused, as by a filter of system calls";
	} else if (own_cgroup(&contain) == -1) {
		error = errno;
		*why = access("/proc/self/cgroup", F_OK) == -1 ?
		    "/proc, which tells our cgroup, is not mounted" :
		    "no cgroup v2 is mounted";
	} else if (cgroup_leaf_make(&leaf, contain.cgroup, name) == -1) {
		error = errno;
		*why = error == ENOSYS ?
		    "the kernel has no cgroup.kill (Linux 5.14)" :
		    "this process's cgroup is not writable";
	} else {
		cgroup_leaf_remove(&leaf);
		cgroup_leaf_close(&leaf);
	}
	contain_fini(&contain);
	return error;
}

static int
probe_pidns(const char **why)
{
	int pidfd = -1, error = 0;
	pid_t pid;

	pid = os_clone(OS_CLONE_PIDNS, &pidfd, -1);
	if (pid == -1 && errno == EPERM) {
		if (access("/proc/self/uid_map", F_OK) == -1) {
			error = errno;
			*why = "/proc, where a user namespace gets its ids, "
			       "is not mounted";
			return error;
		}
		pid = os_clone(OS_CLONE_PIDNS | OS_CLONE_USERNS, &pidfd, -1);
	}
	if (pid == 0)
		_exit(0);
	if (pid == -1) {
		error = errno;
		*why = error == EPERM ?
		    "needs root or unprivileged user namespaces" :
		    "the kernel does not make a PID namespace";
		return error;
	}
	waitpid(pid, NULL, __WALL);
	fd_close(&pidfd);
	return 0;
}

int
grouper_containment_probe(enum grouper_containment level, const char **why)
{
	const char *unused;

	if (why == NULL)
		why = &unused;
	*why = NULL;
	switch (level) {
	case GROUPER_CONTAIN_AUTO:
	case GROUPER_CONTAIN_REAPER:
		return probe_reaper(why);
	case GROUPER_CONTAIN_CGROUP:
		return probe_cgroup(why);
	case GROUPER_CONTAIN_PIDNS:
		return probe_pidns(why);
	}
	*why = "unknown level";
	return EINVAL;
}
