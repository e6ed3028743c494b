/* SPDX-License-Identifier: ISC */
/*
 * The processes of the machine as /proc shows them: one of them, the
 * descendants of one, and those that carry a token.
 */

#include "support.h"

#include <sys/prctl.h>
#include <sys/stat.h>

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support_internal.h"

#define SURVIVOR_ATTEMPTS 40

/* A snapshot of every process, grown as needed. */
struct snapshot {
	struct support_process *list;
	size_t count;
	size_t size;
};

/* Reads a whole file of /proc, without NUL inside; -1 if it is gone. */
static ssize_t
read_proc(pid_t pid, const char *name, char *buf, size_t size)
{
	char path[64];
	size_t length = 0;
	ssize_t n;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	if ((fd = open(path, O_RDONLY | O_CLOEXEC)) == -1)
		return -1;
	while (length < size - 1) {
		n = read(fd, buf + length, size - 1 - length);
		if (n == -1 && errno == EINTR)
			continue;
		if (n <= 0)
			break;
		length += (size_t)n;
	}
	close(fd);
	buf[length] = '\0';
	return (ssize_t)length;
}

static void
read_command(pid_t pid, const char *name, char *buf, size_t size)
{
	ssize_t n;

	n = read_proc(pid, "cmdline", buf, size);
	if (n <= 0) {
		snprintf(buf, size, "(%s)", name);
		return;
	}
	while (n > 0 && buf[n - 1] == '\0')
		n--;
	for (ssize_t i = 0; i < n; i++) {
		if (!isprint((unsigned char)buf[i]))
			buf[i] = ' ';
	}
	buf[n] = '\0';
}

/* All but the command line, from one line of /proc/PID/stat. */
static bool
read_stat(pid_t pid, struct support_process *p, char *name, size_t size)
{
	char path[64], text[1024], *open_paren, *close_paren;
	struct stat st;
	int ppid, pgid, sid;

	if (read_proc(pid, "stat", text, sizeof(text)) <= 0)
		return false;
	/* The name is not escaped: it ends at the last parenthesis. */
	open_paren = strchr(text, '(');
	close_paren = strrchr(text, ')');
	if (open_paren == NULL || close_paren == NULL)
		return false;
	if (sscanf(close_paren + 1,
		" %c %d %d %d %*d %*d %*u %*u %*u %*u %*u"
		" %*u %*u %*d %*d %*d %*d %d %*d %llu",
		&p->state, &ppid, &pgid, &sid, &p->threads, &p->start) != 6)
		return false;
	p->pid = pid;
	p->ppid = ppid;
	p->pgid = pgid;
	p->sid = sid;
	*close_paren = '\0';
	snprintf(name, size, "%s", open_paren + 1);
	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	p->uid = stat(path, &st) == 0 ? st.st_uid : (uid_t)-1;
	return true;
}

bool
support_process(pid_t pid, struct support_process *p)
{
	char name[64];

	memset(p, 0, sizeof(*p));
	if (!read_stat(pid, p, name, sizeof(name)))
		return false;
	read_command(pid, name, p->command, sizeof(p->command));
	return true;
}

bool
support_alive(const struct support_process *p)
{
	if (p->state == 'X')
		return false;
	/*
	 * The zombie of a main thread counts itself; more than that, and the
	 * process runs on.
	 */
	return p->state != 'Z' || p->threads > 1;
}

static void
snapshot_add(struct snapshot *s, const struct support_process *p)
{
	if (s->count == s->size) {
		s->size = s->size == 0 ? 256 : s->size * 2;
		s->list = realloc(s->list, s->size * sizeof(*s->list));
		if (s->list == NULL)
			ck_abort_msg("out of memory");
	}
	s->list[s->count++] = *p;
}

static void
snapshot_take(struct snapshot *s)
{
	struct support_process p;
	struct dirent *entry;
	char name[64];
	DIR *dir;

	memset(s, 0, sizeof(*s));
	if ((dir = opendir("/proc")) == NULL)
		ck_abort_msg("/proc: %s", strerror(errno));
	while ((entry = readdir(dir)) != NULL) {
		if (!isdigit((unsigned char)entry->d_name[0]))
			continue;
		memset(&p, 0, sizeof(p));
		if (!read_stat(atoi(entry->d_name), &p, name, sizeof(name)))
			continue;
		snprintf(p.command, sizeof(p.command), "(%s)", name);
		snapshot_add(s, &p);
	}
	closedir(dir);
}

/* Moves what descends from ancestor to the front; returns its number. */
static size_t
snapshot_descendants(struct snapshot *s, pid_t ancestor)
{
	struct support_process tmp;
	size_t found = 0, before;
	bool under;

	/* Parents may have higher pids than their children: until no more. */
	do {
		before = found;
		for (size_t i = found; i < s->count; i++) {
			under = s->list[i].ppid == ancestor;
			for (size_t k = 0; k < found && !under; k++)
				under = s->list[i].ppid == s->list[k].pid;
			if (!under)
				continue;
			tmp = s->list[found];
			s->list[found] = s->list[i];
			s->list[i] = tmp;
			found++;
		}
	} while (found != before);
	return found;
}

size_t
support_descendants(pid_t ancestor, struct support_process *list, size_t max)
{
	struct snapshot s;
	size_t found, living = 0;
	struct support_process *p;

	snapshot_take(&s);
	found = snapshot_descendants(&s, ancestor);
	for (size_t i = 0; i < found; i++) {
		p = &s.list[i];
		if (!support_alive(p))
			continue;
		if (living < max) {
			list[living] = *p;
			read_command(p->pid, "", list[living].command,
			    sizeof(list[living].command));
			if (strcmp(list[living].command, "()") == 0)
				memcpy(list[living].command, p->command,
				    sizeof(p->command));
		}
		living++;
	}
	free(s.list);
	return living;
}

size_t
support_children(pid_t parent, pid_t *list, size_t max)
{
	struct snapshot s;
	size_t found = 0;

	snapshot_take(&s);
	for (size_t i = 0; i < s.count; i++) {
		if (s.list[i].ppid != parent || !support_alive(&s.list[i]))
			continue;
		if (found < max)
			list[found] = s.list[i].pid;
		found++;
	}
	free(s.list);
	return found;
}

enum carrying {
	CARRIES_NOT,
	CARRIES,
	CARRIES_UNSEEN, /* nothing is there to be read, at this time */
	CARRIES_HIDDEN, /* we may not read it */
};

/*
 * Looks into the memory of one thread.  Nothing at all is there while the
 * process is in execve(2), and after its memory went on exit.  Between
 * an environment that is not there yet and the arguments it may have left
 * execve(2): the environment is looked at again.
 */
static enum carrying
thread_carries(pid_t pid, int tid, const char *token)
{
	static const char *const places[] = { "environ", "cmdline", "environ" };
	static char buf[256 * 1024];
	enum carrying result = CARRIES_UNSEEN;
	char name[64];
	ssize_t n;

	for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++) {
		snprintf(name, sizeof(name), "task/%d/%s", tid, places[i]);
		n = read_proc(pid, name, buf, sizeof(buf));
		if (n > 0 &&
		    memmem(buf, (size_t)n, token, strlen(token)) != NULL)
			return CARRIES;
		if (n == -1 && (errno == EACCES || errno == EPERM))
			result = CARRIES_HIDDEN;
		else if (n > 0 && result != CARRIES_HIDDEN)
			result = CARRIES_NOT;
	}
	return result;
}

/* A main thread that ended has no memory: each other one is asked too. */
static enum carrying
process_carries(pid_t pid, const char *token)
{
	enum carrying one, all = CARRIES_UNSEEN;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", (int)pid);
	if ((dir = opendir(path)) == NULL)
		return CARRIES_NOT;
	while (all != CARRIES && (entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		one = thread_carries(pid, atoi(entry->d_name), token);
		if (one != CARRIES_UNSEEN)
			all = one;
	}
	closedir(dir);
	return all;
}

static bool
descends_from_us(struct support_process p)
{
	while (p.ppid > 1) {
		if (p.ppid == getpid())
			return true;
		if (!support_process(p.ppid, &p))
			return false;
	}
	return false;
}

/*
 * Is p, as it is now, a living process with the token?  One whose memory shows
 * nothing, or is hidden from us, is counted if it descends from us.
 */
static bool
is_survivor(struct support_process *p, const char *token)
{
	pid_t pid = p->pid;

	for (int attempt = 0; attempt < SURVIVOR_ATTEMPTS; attempt++) {
		if (!support_process(pid, p) || !support_alive(p))
			return false;
		switch (process_carries(pid, token)) {
		case CARRIES:
			/* It may have ended, or begun to, meanwhile. */
			return support_process(pid, p) && support_alive(p);
		case CARRIES_NOT:
			return false;
		case CARRIES_HIDDEN:
			return descends_from_us(*p);
		case CARRIES_UNSEEN:
			usleep(500);
			break;
		}
	}
	return descends_from_us(*p);
}

size_t
support_survivors(const char *token, struct support_process *list, size_t max)
{
	struct support_process p;
	struct snapshot s;
	size_t found = 0;

	snapshot_take(&s);
	for (size_t i = 0; i < s.count; i++) {
		p = s.list[i];
		/* Kernel threads are the children of 2, and that. */
		if (p.pid == getpid() || p.pid == 2 || p.ppid == 2 ||
		    !support_alive(&p) || !is_survivor(&p, token))
			continue;
		if (found < max)
			list[found] = p;
		found++;
	}
	free(s.list);
	return found;
}

/*
 * The kernel moves the orphans of a process to us in the same moment in which
 * it makes that a zombie: ECHILD cannot come between two of a line.
 */
bool
support_reap(void)
{
	siginfo_t si;

	for (;;) {
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | __WALL) == -1) {
			if (errno == EINTR)
				continue;
			return errno == ECHILD;
		}
		if (si.si_pid == 0)
			return false;
	}
}

bool
support_is_empty(void *unused)
{
	(void)unused;
	return support_reap() &&
	    support_survivors(support_token(), NULL, 0) == 0;
}

void
support_assert_no_survivors(void)
{
	struct support_process list[32];
	size_t n;
	bool alone;

	alone = support_reap();
	n = support_survivors(support_token(), list, 32);
	if (alone && n == 0)
		return;
	if (n == 0)
		n = support_descendants(getpid(), list, 32);
	support_print_processes("survivor", list, n < 32 ? n : 32);
	support_sweep(NULL);
	if (n == 0)
		ck_abort_msg("a survivor that no list shows");
	ck_abort_msg("%zu survivors, the first: pid %d state %c: %s", n,
	    (int)list[0].pid, list[0].state, list[0].command);
}

void
support_await_no_survivors(int ms)
{
	if (!support_until(support_is_empty, NULL, ms))
		support_assert_no_survivors();
}

void
support_print_processes(const char *title, const struct support_process *list,
    size_t count)
{
	for (size_t i = 0; i < count; i++) {
		fprintf(stderr,
		    "%s: pid %d ppid %d pgid %d sid %d uid %d "
		    "state %c: %s\n",
		    title, (int)list[i].pid, (int)list[i].ppid,
		    (int)list[i].pgid, (int)list[i].sid, (int)list[i].uid,
		    list[i].state, list[i].command);
	}
}

/*
 * Ends what was living when the snapshot was taken: first everything is
 * stopped, and only what a whole pass shows stopped is killed, because a
 * killed process of a fork bomb at its limit gives its slot to the next.
 */
static size_t
sweep_pass(int signo, bool *moving)
{
	struct snapshot s;
	size_t found, living = 0;

	snapshot_take(&s);
	found = snapshot_descendants(&s, getpid());
	*moving = false;
	for (size_t i = 0; i < found; i++) {
		if (!support_alive(&s.list[i]))
			continue;
		living++;
		if (strchr("RS", s.list[i].state) != NULL)
			*moving = true;
		kill(s.list[i].pid, signo);
	}
	free(s.list);
	return living;
}

/*
 * What our children are now, as soon as it is read: a comet is one for a
 * moment, and gone long before a pass over all processes comes to it.
 */
static void
stop_children(void)
{
	char text[4096], name[64], *at, *end;
	long pid;

	snprintf(name, sizeof(name), "task/%d/children", (int)getpid());
	if (read_proc(getpid(), name, text, sizeof(text)) <= 0)
		return;
	/* One without its space was cut. */
	for (at = text; (pid = strtol(at, &end, 10)) > 0 && *end == ' ';
	     at = end)
		kill((pid_t)pid, SIGSTOP);
}

bool
support_sweep(size_t *killed)
{
	long long deadline;
	size_t first, living;
	bool moving;

	deadline = support_deadline(SUPPORT_PATIENCE);
	if (killed != NULL)
		*killed = 0;
	/* Whatever our descendants leave must fall to us, not past us. */
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (support_reap())
		return true;
	/* A comet may be in none of the lists: it lived all the same. */
	first = 1;
	while (support_now() < deadline) {
		for (int pass = 0; pass < 100; pass++) {
			stop_children();
			living = sweep_pass(SIGSTOP, &moving);
			if (living > first)
				first = living;
			if (!moving)
				break;
		}
		sweep_pass(SIGKILL, &moving);
		if (killed != NULL)
			*killed = first;
		if (support_reap())
			return true;
		usleep(1000);
	}
	return false;
}
