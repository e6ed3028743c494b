/* SPDX-License-Identifier: ISC */
/*
 * grouper run: runs a command as a group and ends with its status, when
 * nothing of the group is alive.
 *
 * Everything that can be refused is found out before the command starts.
 */
#include "tools/run.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/control/server.h"
#include "runtime/group/front.h"
#include "runtime/group/host.h"
#include "runtime/group/names.h"
#include "runtime/os/os.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "tools/run_tmpdir.h"
#include "tools/tool.h"

/*
 * At its end the kernel takes all back, and sooner than we could.  Builds in
 * which leaks are looked for, or calls counted until exit(3), are not linked
 * static.
 */
#ifdef STATIC_TOOL
#define LEAVE_AT_ONCE true
#else
#define LEAVE_AT_ONCE false
#endif

static int
fail(const char *what)
{
	tool_error("run", "%s: %s", what, strerror(errno));
	return -1;
}

static int
open_files(struct run *run)
{
	const struct run_options *options = run->options;
	const char *input = options->input;

	if (input != NULL && strcmp(input, "null") == 0)
		input = "/dev/null";
	if (input != NULL) {
		run->input = open(input, O_RDONLY | O_CLOEXEC | O_NOCTTY);
		if (run->input == -1) {
			tool_error("run", "cannot read %s for --stdin: %s",
			    input, strerror(errno));
			return -1;
		}
	}
	if (options->report_file == NULL)
		return 0;
	run->report = open(options->report_file,
	    O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOCTTY, 0666);
	if (run->report == -1) {
		tool_error("run", "cannot write the report file %s: %s",
		    options->report_file, strerror(errno));
		return -1;
	}
	return 0;
}

/* The process that started us is the one to die with, not its successor. */
static int
die_with(pid_t parent)
{
	if (os_set_parent_death_signal(SIGNALS_PARENT) == -1)
		return fail("--die-with-parent");
	if (getppid() == parent)
		return 0;
	tool_error("run", "--die-with-parent: the parent is dead already");
	return -1;
}

static int
make_tmpdir(struct run *run)
{
	const char *base = getenv("TMPDIR");

	run->tmpdir = tmpdir_make(run->user.uid, run->user.gid);
	if (run->tmpdir == NULL) {
		tool_error("run", "cannot make a directory in %s: %s",
		    base != NULL && *base != '\0' ? base : "/tmp",
		    strerror(errno));
		return -1;
	}
	if (environment_set(&run->env, "TMPDIR", run->tmpdir) != 0)
		return fail("environment");
	return 0;
}

static int
find_user(struct run *run)
{
	const struct run_options *options = run->options;
	char *why;

	if (user_find(options->user, options->group, &run->user, &why) == 0)
		return 0;
	tool_error("run", "--%s", why != NULL ? why : strerror(ENOMEM));
	free(why);
	return -1;
}

/* From here on this is the process that will be the host. */
static int
prepare(struct run *run)
{
	const struct run_options *options = run->options;
	pid_t parent = getppid();

	if (open_files(run) != 0 || find_user(run) != 0)
		return -1;
	if (environment_init(&run->env) != 0)
		return fail("environment");
	if (environment_apply(&run->env, options, "run") != 0 ||
	    run_messages_read(&run->messages, options) != 0)
		return -1;
	signals_take(&run->inherited);
	if (options->die_with_parent) {
		if (die_with(parent) != 0)
			return -1;
		run->parent = parent;
	}
	run->front = front_needed();
	if (run->front) {
		if (front_split(run->parent) != 0)
			return fail("cannot fork");
		run->parent = -1;
	}
	return options->tmpdir ? make_tmpdir(run) : 0;
}

/*
 * Without a place for its socket a host that nobody named goes on without
 * one; nobody can ask for it by name then.
 */
static int
make_host(struct run *run)
{
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	const char *name = run->options->name;
	enum grouper_error error;
	char own[32], why[256];

	if (name == NULL) {
		snprintf(own, sizeof(own), NAMES_TRANSIENT, (int)getpid());
		options.flags = GROUPER_HOST_TRANSIENT;
	}
	options.name = name != NULL ? name : own;
	error = host_new(run->loop, &options, &run->host);
	if (error == GROUPER_SYSTEM && name == NULL) {
		log_info("no control socket: %s", strerror(errno));
		error = host_new(run->loop, NULL, &run->host);
	}
	if (error == GROUPER_OK)
		return 0;
	if (error != GROUPER_SYSTEM || !names_why(why, sizeof(why)))
		snprintf(why, sizeof(why), "%s",
		    error == GROUPER_SYSTEM ? strerror(errno) :
					      grouper_strerror(error));
	tool_error("run", "cannot be the host '%s': %s", options.name, why);
	return -1;
}

/* What a member knows its group by; an outer group's is not passed on. */
static int
name_group(struct run *run)
{
	const char *name = host_name(run->host);
	const char *socket = host_socket(run->host);
	struct environment *env = &run->env;

	snprintf(run->result.host, sizeof(run->result.host), "%s", name);
	if (environment_set(env, "GROUPER_SOCKET",
		*socket != '\0' ? socket : NULL) != 0 ||
	    environment_set(env, "GROUPER_HOST", *name != '\0' ? name : NULL) !=
		0 ||
	    environment_set(env, "GROUPER_KEY", run->options->key) != 0)
		return fail("environment");
	return 0;
}

/* As the library would, but whether it is shared has to be known here. */
static enum grouper_session
choose_session(const struct run_options *options)
{
	int fd;

	if (options->pty)
		return GROUPER_SESSION_NEW;
	if (options->session != GROUPER_SESSION_AUTO)
		return options->session;
	/* Fails where there is no controlling terminal, see tty(4). */
	fd = open("/dev/tty", O_RDONLY | O_NOCTTY | O_CLOEXEC);
	if (fd == -1)
		return GROUPER_SESSION_NEW;
	close(fd);
	return GROUPER_SESSION_KEEP;
}

static enum grouper_error
start(struct run *run)
{
	const struct run_options *from = run->options;
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct grouper_fd fds[3];
	enum grouper_error error;

	run->holds = from->leaks != RUN_LEAKS_KILL ||
	    from->report != RUN_REPORT_NONE;
	options.flags = GROUPER_INHERIT_FDS | GROUPER_INHERIT_SIGNALS;
	if (run->holds)
		options.flags |= GROUPER_HOLD_LEFTOVERS;
	if (from->force)
		options.flags |= GROUPER_FORCE;
	if (from->no_new_privs)
		options.flags |= GROUPER_NO_NEW_PRIVS;
	options.key = from->key;
	options.argv = from->argv;
	options.envp = run->env.vars;
	options.directory = from->directory;
	options.shutdown = from->shutdown;
	options.contain = from->contain;
	options.session = choose_session(from);
	options.stop_target = from->stop_target;
	options.limits = from->limits;
	options.nlimits = from->nlimits;
	options.uid = run->user.uid;
	options.gid = run->user.gid;
	options.groups = run->user.groups;
	options.ngroups = run->user.ngroups;
	options.umask = from->umask;
	options.nice = from->nice;
	if (run->pty != NULL)
		options.pty = pty_slave(run->pty);
	else if (run->input != -1)
		fds[options.nfds++] = (struct grouper_fd) { run->input,
			STDIN_FILENO };
	if (run->messages.down.source != -1) {
		fds[options.nfds++] = run->messages.down;
		fds[options.nfds++] = run->messages.up;
	}
	options.fds = fds;
	run->shared = options.session == GROUPER_SESSION_KEEP;
	run->began_us = clock_us();
	error = grouper_start(run->host, &options, run_on_event, run);
	if (error == GROUPER_OK)
		run->result.contain = grouper_contained(run->host, from->key);
	run_messages_close(&run->messages);
	return error;
}

/* Why the group could not even be tried. */
static int
refuse(struct run *run, enum grouper_error error)
{
	const struct run_options *options = run->options;
	const char *why = NULL;
	int saved = errno;

	if (error == GROUPER_GROUP_UNDER_APP) {
		run->result.failed = RUN_UNDER_APP;
		tool_error("run",
		    "a worker of an application may not found a group: "
		    "expected --force");
		return -1;
	}
	if (error == GROUPER_NO_GROUP)
		run->result.failed = RUN_NO_GROUP;
	if (error == GROUPER_SYSTEM &&
	    grouper_containment_probe(options->contain, &why) != 0 &&
	    why != NULL) {
		tool_error("run", "cannot contain at level %s: %s",
		    grouper_containment_name(options->contain), why);
		return -1;
	}
	tool_error("run", "cannot start the group: %s",
	    error == GROUPER_SYSTEM ? strerror(saved) :
				      grouper_strerror(error));
	return -1;
}

/* Where the linker puts the program: text and constants end before edata. */
extern const char __executable_start[], edata[];

static void
find_text(struct run *run)
{
	run->text = __executable_start;
	run->text_size = (size_t)((uintptr_t)edata -
	    (uintptr_t)__executable_start);
}

static int
make_pty(struct run *run)
{
	run->pty = pty_new(run->loop,
	    run->input != -1 ? run->input : STDIN_FILENO, run_on_gone, run);
	if (run->pty == NULL)
		return fail("pseudo-terminal");
	/* The command may open it by name.  Its group stays, see tty(4). */
	if (run->user.uid != (uid_t)-1 &&
	    fchown(pty_slave(run->pty), run->user.uid, (gid_t)-1) == -1)
		log_warn("the pseudo-terminal stays ours");
	return 0;
}

static int
carry_out(struct run *run)
{
	enum grouper_error error;

	if (run->options->argv[0][0] == '\0') {
		tool_error("run", "expected a command's name or path, got ''");
		run->result.not_run = RUN_NOT_FOUND;
		return 0;
	}
	run->loop = loop_new(NULL);
	if (run->loop == NULL)
		return fail("event loop");
	if (make_host(run) != 0 || name_group(run) != 0 ||
	    run_messages_open(&run->messages, run->host, run->options,
		&run->env) != 0)
		return -1;
	host_set_signals(run->host, &run->inherited);
	host_set_text(run->host, run->text, run->text_size);
	if (run->options->pty && make_pty(run) != 0)
		return -1;
	error = start(run);
	if (error != GROUPER_OK)
		return refuse(run, error);
	/* What the command does not need comes while it starts: the loop is
	 * made by its first use.  Signals have been waiting, all blocked. */
	if (run_watch_signals(run) != 0) {
		fail("signals");
		grouper_stop(run->host, run->options->key, "KILL");
		run->result.failed = RUN_FAILED;
	}
	if (server_attach_later(run->host, run_spawn_methods, run) != 0) {
		log_warn("control socket");
		host_close(run->host); /* or who asks would wait for ever */
	}
	if (run_limit(run) != 0) {
		fail("--timeout");
		run->result.failed = RUN_FAILED;
		run_stop(run, NULL);
	}
	if (loop_run(run->loop) == -1)
		return fail("event loop");
	return 0;
}

static void
remove_tmpdir(struct run *run)
{
	if (run->tmpdir == NULL)
		return;
	if (tmpdir_remove(run->tmpdir) != 0)
		log_warn("cannot remove all of %s", run->tmpdir);
	free(run->tmpdir);
}

/* What others would miss, and whoever reads the report. */
static struct run_end
finish(struct run *run)
{
	pty_free(run->pty);
	if (run->host != NULL)
		host_close(run->host);
	run_spawn_free(run->spawn);
	grouper_host_free(run->host);
	remove_tmpdir(run);
	if (run->report != -1 &&
	    result_tell(&run->result, run->options, run->report) != 0) {
		fail("cannot write the report");
		run->result.failed = RUN_FAILED;
	}
	return result_end(&run->result, run->options);
}

/* What the end of the process does as well. */
static void
let_go(struct run *run)
{
	loop_timer_free(run->limit);
	loop_timer_free(run->settle);
	loop_timer_free(run->waiting);
	loop_fd_free(run->signals_watch);
	loop_free(run->loop);
	fd_close(&run->signals);
	fd_close(&run->input);
	run_messages_close(&run->messages);
	if (run->report > STDERR_FILENO)
		fd_close(&run->report);
	environment_fini(&run->env);
	free(run->user.groups);
	result_fini(&run->result);
}

int
run_main(int argc, char **argv)
{
	struct run_options options;
	struct run run = {
		.options = &options,
		.input = -1,
		.parent = -1,
		.report = STDERR_FILENO,
		.signals = -1,
		.deadline = -1,
		.messages = RUN_MESSAGES_INIT,
	};
	struct run_end end = { 0, 0 };

	switch (run_options_parse(&options, argc, argv)) {
	case RUN_PARSED:
		find_text(&run);
		log_open("grouper run", options.level);
		if ((prepare(&run) != 0 || carry_out(&run) != 0) &&
		    run.result.failed == 0)
			run.result.failed = RUN_FAILED;
		end = finish(&run);
		if (end.signum != 0)
			signals_die(end.signum);
		if (LEAVE_AT_ONCE)
			_exit(end.status);
		let_go(&run);
		break;
	case RUN_PARSED_HELP:
		break;
	case RUN_PARSED_BAD:
		end.status = RUN_FAILED;
		break;
	}
	run_options_fini(&options);
	return end.status;
}
