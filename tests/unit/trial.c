/* SPDX-License-Identifier: ISC */
/*
 * A host under trial, see trial.h.
 */
#include "trial.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

const char *
trial_runtime_directory(void)
{
	const char *path = support_path("runtime");

	ck_assert(mkdir(path, 0700) == 0 || errno == EEXIST);
	ck_assert_int_eq(setenv("GROUPER_RUNTIME_DIR", path, 1), 0);
	return path;
}

void
trial_open(struct trial *trial, const char *name)
{
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	enum grouper_error error;

	memset(trial, 0, sizeof(*trial));
	if (name != NULL)
		trial_runtime_directory();
	options.name = name;
	trial->base = event_base_new();
	ck_assert_ptr_nonnull(trial->base);
	ck_assert_int_eq(pipe2(trial->out, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(trial->in, O_CLOEXEC), 0);
	error = grouper_host_new(trial->base, &options, &trial->host);
	ck_assert_msg(error == GROUPER_OK, "host: %s, %s",
	    grouper_strerror(error), strerror(errno));
}

void
trial_close(struct trial *trial)
{
	enum grouper_error error;
	const char *key;
	size_t i;

	for (i = 0; i < trial->nkeys; i++) {
		key = trial->keys[i];
		if (grouper_wait(trial->host, key, 0) != GROUPER_TIMED_OUT)
			continue;
		grouper_stop(trial->host, key, "KILL");
		error = trial_wait(trial, key);
		ck_assert_msg(error == GROUPER_OK ||
			error == GROUPER_LEADER_DIED,
		    "%s: %s", key, grouper_strerror(error));
	}
	for (i = 0; i < trial->count; i++)
		free(trial->events[i].result);
	grouper_host_free(trial->host);
	event_base_free(trial->base);
	close(trial->out[0]);
	close(trial->out[1]);
	close(trial->in[0]);
	close(trial->in[1]);
}

struct grouper_options
trial_shell(struct trial *trial, const char *text)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;

	trial->argv[0] = "sh";
	trial->argv[1] = "-c";
	trial->argv[2] = text;
	trial->argv[3] = NULL;
	trial->fds[0] = (struct grouper_fd) { trial->out[1], STDOUT_FILENO };
	options.argv = (char *const *)(uintptr_t)trial->argv;
	options.fds = trial->fds;
	trial->fds[1] = (struct grouper_fd) { trial->in[0], STDIN_FILENO };
	options.nfds = 2;
	options.session = GROUPER_SESSION_NEW;
	return options;
}

static const char *
key_of(const struct grouper_options *options)
{
	return options->key != NULL ? options->key : "default";
}

/* To be stopped by trial_close(). */
static void
remember(struct trial *trial, const struct grouper_options *options)
{
	const char *key = key_of(options);
	size_t i;

	for (i = 0; i < trial->nkeys; i++)
		if (strcmp(trial->keys[i], key) == 0)
			return;
	ck_assert_uint_lt(trial->nkeys, TRIAL_KEYS);
	snprintf(trial->keys[trial->nkeys++], sizeof(trial->keys[0]), "%s",
	    key);
}

enum grouper_error
trial_try(struct trial *trial, const struct grouper_options *options)
{
	enum grouper_error error;

	error = grouper_start(trial->host, options, trial_record, trial);
	if (error == GROUPER_OK)
		remember(trial, options);
	return error;
}

void
trial_exec(struct trial *trial, const struct grouper_options *options,
    grouper_exec_fn *fn, void *arg)
{
	enum grouper_error error;

	error = grouper_exec(trial->host, options, fn, arg, trial_record,
	    trial);
	ck_assert_msg(error == GROUPER_OK, "exec: %s, %s",
	    grouper_strerror(error), strerror(errno));
	remember(trial, options);
}

void
trial_start(struct trial *trial, const struct grouper_options *options)
{
	enum grouper_error error = trial_try(trial, options);

	ck_assert_msg(error == GROUPER_OK, "start: %s, %s",
	    grouper_strerror(error), strerror(errno));
}

void
trial_start_ready(struct trial *trial, struct grouper_options *options,
    const char *text)
{
	*options = trial_shell(trial, text);
	trial_start(trial, options);
	trial_await(trial, GROUPER_EVENT_STARTED);
	trial_expect(trial, "ready");
}

void
trial_record(struct grouper_host *host, const struct grouper_event *event,
    void *arg)
{
	struct trial *trial = arg;
	struct trial_event *to = &trial->events[trial->count];
	size_t i;

	ck_assert_ptr_eq(host, trial->host);
	ck_assert_uint_lt(trial->count, TRIAL_EVENTS);
	trial->count++;
	to->type = event->type;
	snprintf(to->key, sizeof(to->key), "%s", event->key);
	to->pid = event->pid;
	to->status = event->status;
	to->stage = event->stage;
	to->error = event->error;
	to->last = event->last;
	to->usage = event->usage;
	if (event->processes != NULL) {
		to->processes = event->processes->count;
		for (i = 0; i < to->processes && i < TRIAL_PIDS; i++)
			to->pids[i] = event->processes->items[i].pid;
	}
	to->result_length = event->result_length;
	if (event->result != NULL) {
		to->result = malloc(event->result_length + 1);
		ck_assert_ptr_nonnull(to->result);
		memcpy(to->result, event->result, event->result_length);
		to->result[event->result_length] = '\0';
	}
}

void
trial_say(struct trial *trial)
{
	ck_assert_int_eq(write(trial->in[1], "\n", 1), 1);
}

/* Wakes the loop, so that a deadline is seen. */
static void
on_tick(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

void
trial_until(struct trial *trial, bool (*condition)(void *), void *arg)
{
	long long deadline = support_now() +
	    (long long)SUPPORT_PATIENCE * support_scale();
	struct timeval period = { .tv_usec = 20000 };
	struct event *tick;

	tick = event_new(trial->base, -1, EV_PERSIST, on_tick, NULL);
	ck_assert_ptr_nonnull(tick);
	event_add(tick, &period);
	while (!condition(arg)) {
		if (support_now() >= deadline)
			ck_abort_msg("not in time; %zu events came, the last "
				     "of type %d",
			    trial->count,
			    trial->count == 0 ?
				-1 :
				(int)trial->events[trial->count - 1].type);
		ck_assert_int_eq(event_base_loop(trial->base, EVLOOP_ONCE), 0);
	}
	event_free(tick);
}

struct awaited {
	struct trial *trial;
	enum grouper_event_type type;
};

static bool
has_come(void *arg)
{
	struct awaited *awaited = arg;
	struct trial *trial = awaited->trial;

	while (trial->awaited < trial->count)
		if (trial->events[trial->awaited++].type == awaited->type)
			return true;
	return false;
}

const struct trial_event *
trial_await(struct trial *trial, enum grouper_event_type type)
{
	struct awaited awaited = { trial, type };

	trial_until(trial, has_come, &awaited);
	return &trial->events[trial->awaited - 1];
}

size_t
trial_count(const struct trial *trial, enum grouper_event_type type)
{
	size_t n = 0, i;

	for (i = 0; i < trial->count; i++)
		n += trial->events[i].type == type;
	return n;
}

enum grouper_error
trial_wait(struct trial *trial, const char *key)
{
	enum grouper_error error;

	error = grouper_wait(trial->host, key,
	    (int64_t)SUPPORT_PATIENCE * support_scale());
	ck_assert_msg(error != GROUPER_TIMED_OUT, "%s: did not end in time",
	    key != NULL ? key : "default");
	return error;
}

const struct trial_event *
trial_run(struct trial *trial, const struct grouper_options *options)
{
	const struct trial_event *last = NULL;
	enum grouper_error error;
	size_t i;

	trial_start(trial, options);
	error = trial_wait(trial, options->key);
	ck_assert_msg(error == GROUPER_OK, "wait: %s", grouper_strerror(error));
	/* Events of other groups may have come after its last. */
	for (i = 0; i < trial->count; i++)
		if (strcmp(trial->events[i].key, key_of(options)) == 0)
			last = &trial->events[i];
	ck_assert_ptr_nonnull(last);
	ck_assert_int_eq(last->type, GROUPER_EVENT_EMPTY);
	return last;
}

void
trial_run_ok(struct trial *trial, const struct grouper_options *options)
{
	const struct trial_event *event = trial_run(trial, options);

	ck_assert_uint_eq(trial_count(trial, GROUPER_EVENT_START_FAILED), 0);
	ck_assert(WIFEXITED(event->status));
	ck_assert_int_eq(WEXITSTATUS(event->status), 0);
}

void
trial_line(struct trial *trial, char *line, size_t size)
{
	support_read_line(trial->out[0], line, size);
}

long
trial_number(struct trial *trial)
{
	char line[64], *end;
	long number;

	trial_line(trial, line, sizeof(line));
	number = strtol(line, &end, 10);
	ck_assert_msg(line[0] != '\0' && *end == '\0', "no number: '%s'", line);
	return number;
}

void
trial_expect(struct trial *trial, const char *expected)
{
	char line[512];

	trial_line(trial, line, sizeof(line));
	ck_assert_str_eq(line, expected);
}

pid_t
trial_leader(void)
{
	pid_t leader;

	ck_assert_uint_eq(support_children(getpid(), &leader, 1), 1);
	return leader;
}

pid_t
trial_kill_leader(void)
{
	pid_t leader = trial_leader();

	ck_assert_int_eq(kill(leader, SIGKILL), 0);
	return leader;
}

pid_t
trial_fork(void (*fn)(void *), void *arg)
{
	pid_t pid;

	fflush(NULL);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		/* Not check's handlers, which signal the test. */
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		fn(arg);
		_exit(0);
	}
	return pid;
}

void
trial_join(pid_t pid)
{
	int status;

	support_await_gone(pid);
	ck_assert_int_eq(waitpid(pid, &status, __WALL), pid);
	ck_assert_msg(WIFEXITED(status) && WEXITSTATUS(status) == 0,
	    "a process of the test ended with wait status %#x", status);
}

pid_t
trial_chain(int length)
{
	int ready[2], i;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe2(ready, O_CLOEXEC), 0);
	pid = fork();
	ck_assert_int_ne(pid, -1);
	if (pid == 0) {
		signal(SIGTERM, SIG_DFL); /* not check's handler */
		for (i = 1; i < length; i++)
			if (fork() != 0)
				break;
		if (write(ready[1], "r", 1) != 1)
			_exit(99);
		for (;;)
			pause();
	}
	for (i = 0; i < length; i++)
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	close(ready[0]);
	close(ready[1]);
	return pid;
}

bool
trial_may_kill(bool on)
{
	struct __user_cap_header_struct header = {
		.version = _LINUX_CAPABILITY_VERSION_3,
	};
	struct __user_cap_data_struct data[2];
	unsigned int bit = CAP_TO_MASK(CAP_KILL);

	if (syscall(SYS_capget, &header, data) == -1 ||
	    (data[0].permitted & bit) == 0 ||
	    (data[0].effective & CAP_TO_MASK(CAP_SETUID)) == 0)
		return false;
	if (on)
		data[0].effective |= bit;
	else
		data[0].effective &= ~bit;
	return syscall(SYS_capset, &header, data) == 0;
}

void
trial_notify(const char *socket_name, const char *text)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	strlcpy(address.sun_path, support_path(socket_name),
	    sizeof(address.sun_path));
	ck_assert_int_ne(sendto(fd, text, strlen(text), 0,
			     (struct sockaddr *)&address, sizeof(address)),
	    -1);
	close(fd);
}
