/* SPDX-License-Identifier: ISC */
/*
 * Commands of a test: started with everything said beforehand, their output
 * collected while the test waits for anything of them, each wait to a
 * deadline.
 */

#include "support.h"

#include <sys/prctl.h>
#include <sys/syscall.h>

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support_internal.h"

#define MAX_ARGUMENTS 64
#define FILL_LIMIT (8U << 20)

/* What a command inherits of grouper's own must not steer the tests. */
static const char *const unwanted[] = { "GROUPER_SOCKET", "GROUPER_HOST",
	"GROUPER_KEY" };

struct child_pipes {
	int in[2];
	int out[2];
	int err[2];
	int failure[2];
};

void
support_text_init(struct support_text *text)
{
	text->size = 256;
	text->length = 0;
	if ((text->data = malloc(text->size)) == NULL)
		ck_abort_msg("out of memory");
	text->data[0] = '\0';
}

void
support_text_fini(struct support_text *text)
{
	free(text->data);
	memset(text, 0, sizeof(*text));
}

void
support_text_add(struct support_text *text, const char *data, size_t length)
{
	while (text->length + length + 1 > text->size) {
		text->size *= 2;
		if ((text->data = realloc(text->data, text->size)) == NULL)
			ck_abort_msg("out of memory");
	}
	memcpy(text->data + text->length, data, length);
	text->length += length;
	text->data[text->length] = '\0';
}

bool
support_text_fill(struct support_text *text, int fd)
{
	char buf[16384];
	size_t taken = 0;
	ssize_t n;

	/* A leaked process may write for ever: that must not hold us here. */
	while (taken < FILL_LIMIT) {
		n = read(fd, buf, sizeof(buf));
		if (n == -1 && errno == EINTR)
			continue;
		if (n == -1)
			return errno == EAGAIN;
		if (n == 0)
			return false;
		support_text_add(text, buf, (size_t)n);
		taken += (size_t)n;
	}
	return true;
}

static void
make_pipe(int fds[2])
{
	if (pipe2(fds, O_CLOEXEC) == -1)
		ck_abort_msg("pipe: %s", strerror(errno));
}

static void
shut(int *fd)
{
	if (*fd != -1)
		close(*fd);
	*fd = -1;
}

/* In the child: the descriptors 0-2.  Returns -1 with errno. */
static int
set_descriptors(const struct support_command *c, struct child_pipes *p)
{
	int null;

	if (c->pty != NULL)
		return support_pty_enter(c->pty);
	if (p->in[0] != -1) {
		if (dup2(p->in[0], 0) == -1)
			return -1;
	} else {
		if ((null = open("/dev/null", O_RDONLY)) == -1)
			return -1;
		if (null != 0 && (dup2(null, 0) == -1 || close(null) == -1))
			return -1;
	}
	if (c->output_inherit)
		return 0;
	if (dup2(p->out[1], 1) == -1 || dup2(p->err[1], 2) == -1)
		return -1;
	return 0;
}

static int
set_identity(const struct support_command *c)
{
	const struct support_limit *l;
	struct rlimit limit;
	gid_t gid = (gid_t)c->uid;

	for (l = c->limits; l != NULL && l->resource != -1; l++) {
		limit.rlim_cur = limit.rlim_max = l->value;
		if (setrlimit((__rlimit_resource_t)l->resource, &limit) == -1)
			return -1;
	}
	if (c->uid == 0)
		return 0;
	if (setgroups(0, NULL) == -1 || setresgid(gid, gid, gid) == -1)
		return -1;
	return setresuid(c->uid, c->uid, c->uid);
}

static void
set_environment(const struct support_command *c)
{
	char name[256];
	const char *equals;

	for (size_t i = 0; i < sizeof(unwanted) / sizeof(unwanted[0]); i++)
		unsetenv(unwanted[i]);
	setenv("SUPPORT_TOKEN", support_token(), 1);
	setenv("GROUPER_RUNTIME_DIR", support_runtime_directory(c->uid), 1);
	for (size_t i = 0; c->env != NULL && c->env[i] != NULL; i++) {
		equals = strchr(c->env[i], '=');
		if (equals == NULL) {
			unsetenv(c->env[i]);
			continue;
		}
		snprintf(name, sizeof(name), "%.*s", (int)(equals - c->env[i]),
		    c->env[i]);
		setenv(name, equals + 1, 1);
	}
}

_Noreturn static void
become_command(const struct support_command *c, struct child_pipes *p)
{
	sigset_t none;
	int error;

	if (c->pty == NULL && c->group == SUPPORT_OWN_SESSION)
		setsid();
	else if (c->pty == NULL && c->group == SUPPORT_OWN_GROUP)
		setpgid(0, 0);
	/* check's runner has handlers for these, which exec resets. */
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	set_environment(c);
	if (set_descriptors(c, p) == -1)
		goto fail;
	if (c->directory != NULL && chdir(c->directory) == -1)
		goto fail;
	if (set_identity(c) == -1)
		goto fail;
	if (c->prepare != NULL)
		c->prepare(c->prepare_arg);
	execvp(c->argv[0], (char *const *)(uintptr_t)c->argv);
fail:
	error = errno;
	if (write(p->failure[1], &error, sizeof(error)) != sizeof(error))
		_exit(126);
	_exit(127);
}

static void
open_pipes(const struct support_command *c, struct child_pipes *p)
{
	memset(p, 0xff, sizeof(*p));
	if (c->pty == NULL && (c->input != NULL || c->input_open))
		make_pipe(p->in);
	if (c->pty == NULL && !c->output_inherit) {
		make_pipe(p->out);
		make_pipe(p->err);
	}
	make_pipe(p->failure);
}

static void
await_exec(struct support_run *r, const struct support_command *c, int fd)
{
	int error = 0;
	ssize_t n;

	do {
		n = read(fd, &error, sizeof(error));
	} while (n == -1 && errno == EINTR);
	close(fd);
	if (n <= 0)
		return;
	support_finish(r);
	ck_abort_msg("%s: cannot be started: %s", c->argv[0], strerror(error));
}

void
support_start(struct support_run *r, const struct support_command *c)
{
	struct child_pipes p;

	memset(r, 0, sizeof(*r));
	support_text_init(&r->stdout_text);
	support_text_init(&r->stderr_text);
	/* Made here, so that the child's copies of the names are ours. */
	support_runtime_directory(c->uid);
	open_pipes(c, &p);
	fflush(NULL);
	r->started = support_now();
	if ((r->pid = fork()) == -1)
		ck_abort_msg("fork: %s", strerror(errno));
	if (r->pid == 0)
		become_command(c, &p);
	/* On both sides, so that it holds whoever runs first. */
	if (c->pty == NULL && c->group == SUPPORT_OWN_GROUP)
		setpgid(r->pid, r->pid);
	if ((r->pidfd = support_pidfd(r->pid)) == -1)
		ck_abort_msg("pidfd_open: %s", strerror(errno));
	r->in = p.in[1];
	r->out = p.out[0];
	r->err = p.err[0];
	shut(&p.in[0]);
	shut(&p.out[1]);
	shut(&p.err[1]);
	shut(&p.failure[1]);
	if (r->out != -1)
		fcntl(r->out, F_SETFL, O_NONBLOCK);
	if (r->err != -1)
		fcntl(r->err, F_SETFL, O_NONBLOCK);
	await_exec(r, c, p.failure[0]);
	if (c->input != NULL)
		support_feed(r, c->input);
	if (c->input != NULL && !c->input_open)
		support_feed_end(r);
}

static void
fill(struct support_run *r)
{
	if (r->out != -1 && !support_text_fill(&r->stdout_text, r->out))
		shut(&r->out);
	if (r->err != -1 && !support_text_fill(&r->stderr_text, r->err))
		shut(&r->err);
}

/* Everything there is to know, and then the end of the test. */
static void
give_up(struct support_run *r, const char *what)
{
	struct support_process list[64];
	char message[512];
	size_t n;

	fill(r);
	fprintf(stderr, "stdout so far: %s\nstderr so far: %s\n",
	    r->stdout_text.data, r->stderr_text.data);
	n = support_descendants(getpid(), list, 64);
	support_print_processes("running", list, n < 64 ? n : 64);
	snprintf(message, sizeof(message), "%s", what);
	support_sweep(NULL);
	ck_abort_msg("pid %d: %s", (int)r->pid, message);
}

static void
take_status(struct support_run *r)
{
	siginfo_t si;

	memset(&si, 0, sizeof(si));
	while (waitid(P_PID, (id_t)r->pid, &si, WEXITED) == -1) {
		if (errno != EINTR)
			ck_abort_msg("waitid: %s", strerror(errno));
	}
	r->elapsed = support_now() - r->started;
	r->ended = true;
	if (si.si_code == CLD_EXITED) {
		r->status = si.si_status;
	} else {
		r->signal = si.si_status;
		r->status = 128 + si.si_status;
		r->core_dumped = si.si_code == CLD_DUMPED;
	}
}

/* One turn of waiting: output, or the end, or the deadline (false). */
static bool
turn(struct support_run *r, long long deadline)
{
	struct pollfd pfds[3] = {
		{ .fd = r->pidfd, .events = POLLIN },
		{ .fd = r->out, .events = POLLIN },
		{ .fd = r->err, .events = POLLIN },
	};
	int n;

	n = poll(pfds, 3, support_left(deadline));
	if (n == -1 && errno != EINTR)
		ck_abort_msg("poll: %s", strerror(errno));
	if (n == 0)
		return false;
	if (n > 0 && pfds[0].revents != 0)
		take_status(r);
	fill(r);
	return true;
}

int
support_wait_for(struct support_run *r, int ms)
{
	long long deadline = support_deadline(ms);

	while (!r->ended) {
		if (!turn(r, deadline))
			give_up(r, "did not end in time");
	}
	return r->status;
}

int
support_wait(struct support_run *r)
{
	return support_wait_for(r, SUPPORT_PATIENCE);
}

static void
await_text(struct support_run *r, struct support_text *where, const char *text)
{
	long long deadline = support_deadline(SUPPORT_PATIENCE);
	char what[300];

	while (strstr(where->data, text) == NULL) {
		if (!r->ended && turn(r, deadline))
			continue;
		snprintf(what, sizeof(what), "\"%s\" did not come", text);
		give_up(r, what);
	}
}

bool
support_stdout_comes(struct support_run *r, const char *text)
{
	long long deadline = support_deadline(SUPPORT_PATIENCE);

	while (strstr(r->stdout_text.data, text) == NULL) {
		if (r->ended)
			return false;
		if (!turn(r, deadline))
			give_up(r, "it neither ended nor said its text");
	}
	return true;
}

void
support_await_stdout(struct support_run *r, const char *text)
{
	await_text(r, &r->stdout_text, text);
}

void
support_await_stderr(struct support_run *r, const char *text)
{
	await_text(r, &r->stderr_text, text);
}

void
support_feed(struct support_run *r, const char *text)
{
	void (*saved)(int);
	size_t length = strlen(text);

	/* The command may be gone: that is for its status to tell. */
	saved = signal(SIGPIPE, SIG_IGN);
	if (write(r->in, text, length) != (ssize_t)length && errno != EPIPE)
		ck_abort_msg("stdin of the command: %s", strerror(errno));
	signal(SIGPIPE, saved);
}

void
support_feed_end(struct support_run *r)
{
	shut(&r->in);
}

void
support_signal(struct support_run *r, int signo)
{
	if (!r->ended && kill(r->pid, signo) == -1)
		ck_abort_msg("kill %d: %s", (int)r->pid, strerror(errno));
}

void
support_finish(struct support_run *r)
{
	if (r->pid > 0 && !r->ended) {
		kill(r->pid, SIGKILL);
		take_status(r);
	}
	shut(&r->in);
	shut(&r->out);
	shut(&r->err);
	shut(&r->pidfd);
	support_text_fini(&r->stdout_text);
	support_text_fini(&r->stderr_text);
}

int
support_call(struct support_run *r, const struct support_command *c)
{
	support_start(r, c);
	return support_wait(r);
}

void
support_run_script(struct support_run *run, const char *const *options,
    const char *script)
{
	const char *argv[24] = { support_grouper(), "run" };
	struct support_command command = { .argv = argv };
	size_t n = 2;

	while (*options != NULL)
		argv[n++] = *options++;
	argv[n++] = "--";
	argv[n++] = "sh";
	argv[n++] = "-c";
	argv[n++] = script;
	ck_assert_msg(support_call(run, &command) == 0, "status %d, stderr: %s",
	    run->status, run->stderr_text.data);
}

int
support_execute(struct support_run *r, const char *first, ...)
{
	const char *argv[MAX_ARGUMENTS];
	struct support_command c = { .argv = argv };
	size_t n = 0;
	va_list ap;

	argv[n++] = strcmp(first, "@grouper") == 0 ? support_grouper() : first;
	va_start(ap, first);
	while (n < MAX_ARGUMENTS &&
	    (argv[n] = va_arg(ap, const char *)) != NULL)
		n++;
	va_end(ap);
	ck_assert_uint_lt(n, MAX_ARGUMENTS);
	return support_call(r, &c);
}

long
support_number(const char *text, const char *name)
{
	const char *at = strstr(text, name);

	if (at == NULL)
		ck_abort_msg("no %s in: %s", name, text);
	return strtol(at + strlen(name), NULL, 10);
}
