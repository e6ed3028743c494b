/* SPDX-License-Identifier: ISC */
/*
 * grouper supervise: runs a tree file or a Procfile.
 */
#include "tools/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "runtime/control/server.h"
#include "runtime/group/front.h"
#include "runtime/group/host.h"
#include "runtime/group/names.h"
#include "runtime/group/signals.h"
#include "runtime/ready/tell.h"
#include "runtime/supervise/control.h"
#include "runtime/supervise/messages.h"
#include "runtime/supervise/supervisor.h"
#include "runtime/util/clock.h"
#include "runtime/util/fd.h"
#include "runtime/util/log.h"
#include "runtime/util/loop.h"
#include "runtime/util/parse.h"
#include "tools/json.h"
#include "tools/plan.h"
#include "tools/supervise_tree.h"
#include "tools/tool.h"

/* Two signals within this time may be one wish. */
#define INSIST_MS 1000
/* What members wrote last is to be seen. */
#define LOGS_MS 2000

static const char help[] =
    "Usage: grouper supervise [OPTION...] [FILE]\n"
    "\n"
    "Runs a supervisor tree from a tree file (grouper.yaml) or a Procfile, in\n"
    "the foreground, until it is stopped or fails.  Without FILE:\n"
    "grouper.yaml, grouper.yml or Procfile of the working directory; '-' is\n"
    "a tree file on standard input.\n"
    "\n" SUPERVISE_CONFIG_HELP
    "      --no-config        without the settings of the tree file\n"
    "      --name NAME        name of the host; the tree's own without\n"
    "  -m, --formation N=M,.. instances of a Procfile's commands\n"
    "  -q, --quiet            do not tell of restarts and the like\n"
    "  -v, --verbose          tell what happens; twice: more\n"
    "  -h, --help             this text\n"
    "\n"
    "TERM and INT stop the tree, a second one kills it; HUP reloads the file;\n"
    "USR1 and USR2 open log files anew.  'grouper status' and others talk to\n"
    "it.\n"
    "\n"
    "Exit status: 0 after a stop that was asked for; 1 if the tree failed;\n"
    "120 if a leader died, 123 if processes withstood KILL; that of a\n"
    "significant child that ended the tree;\n"
    "2 for bad usage or a bad file.  See grouper-supervise(1).\n";

struct supervise {
	const struct supervise_options *options;
	struct spec_tree *tree; /* that was loaded last */
	json_t *settings;	/* of the command line */
	struct loop *loop;
	struct grouper_host *host;
	struct supervisor *supervisor;
	struct control *control;
	int signals;
	struct loop_fd *signals_watch;
	struct loop_fd *control_watch; /* of options->control */
	struct loop_timer *watchdog;
	int64_t watchdog_ms;
	const char *manager; /* NOTIFY_SOCKET; NULL: none */
	bool told_ready;
	int64_t stop_began; /* 0: not stopping */
	int status;
};

static int
fail(const struct supervise *supervise, const char *what)
{
	tool_error(supervise->options->verb, "%s: %s", what, strerror(errno));
	return -1;
}

static void
on_end(int status, const char *text, void *arg)
{
	struct supervise *supervise = arg;

	supervise->status = status;
	if (status != 0)
		tool_error(supervise->options->verb, "%s", text);
	loop_break(supervise->loop);
}

static void
on_change(void *arg)
{
	struct supervise *supervise = arg;
	struct machine_view view;

	if (supervise->control != NULL)
		control_changed(supervise->control);
	if (supervise->told_ready || supervise->manager == NULL)
		return;
	machine_view(machine_root(supervisor_machine(supervise->supervisor)),
	    &view);
	if (view.state == MACHINE_RUNNING)
		supervise->told_ready = tell_ready(supervise->manager, NULL) ==
		    0;
}

static void
on_ended(const char *key, int status, void *arg)
{
	struct supervise *supervise = arg;

	if (supervise->control != NULL)
		control_ended(supervise->control, key, status);
}

static void
on_failed(const char *key, const char *why, void *arg)
{
	struct supervise *supervise = arg;

	if (supervise->control != NULL)
		control_failed(supervise->control, key, why);
}

static void
on_watchdog(void *arg)
{
	struct supervise *supervise = arg;

	tell_watchdog(supervise->manager);
	loop_timer_set(supervise->watchdog, supervise->watchdog_ms);
}

/* Also called by the verb of that name. */
static enum grouper_error
reload(json_t **ignored, char **why, void *arg)
{
	struct supervise *supervise = arg;
	/* READY=1 would come too early, or undo STOPPING=1. */
	bool tells = supervise->told_ready && supervise->stop_began == 0;
	enum grouper_error error = GROUPER_INVALID;
	struct spec_tree *tree;

	*why = NULL;
	*ignored = NULL;
	if (supervise->options->path == NULL) {
		*why = strdup("there is no tree file");
		return GROUPER_INVALID;
	}
	if (tells)
		tell_reloading(supervise->manager);
	tree = tree_read_for(supervise->options, supervise->options->path, why);
	if (tree != NULL)
		error = supervisor_reload(supervise->supervisor, tree, why);
	if (error == GROUPER_OK) {
		*ignored = plan_ignored(supervise->tree, tree, supervise->host);
		spec_free(supervise->tree);
		supervise->tree = tree;
	} else
		spec_free(tree);
	if (tells)
		tell_ready(supervise->manager, NULL);
	return error;
}

static json_t *
plan(const char *path, void *arg)
{
	struct supervise *supervise = arg;
	const struct plan_source source = { supervise->options, supervise->tree,
		supervise->supervisor };

	return plan_answer(&source, path);
}

static void
reload_by_signal(struct supervise *supervise)
{
	enum grouper_error error;
	json_t *ignored;
	char *why;

	error = reload(&ignored, &why, supervise);
	plan_tell_ignored(supervise->options->verb, ignored);
	json_decref(ignored);
	if (error != GROUPER_OK)
		tool_trouble(supervise->options->verb, "nothing was changed",
		    why != NULL ? why : grouper_strerror(error));
	free(why);
}

static void
stop(struct supervise *supervise, const char *reason)
{
	bool again = supervise->stop_began != 0;

	if (again && clock_ms() - supervise->stop_began < INSIST_MS)
		return;
	log_info("%s on %s", again ? "killing" : "stopping", reason);
	if (!again) {
		supervise->stop_began = clock_ms();
		if (supervise->manager != NULL)
			tell_stopping(supervise->manager);
	}
	supervisor_shutdown(supervise->supervisor, again);
}

/* What comes before the end means nothing. */
static void
on_control(int fd, void *arg)
{
	struct supervise *supervise = arg;
	char buffer[512];
	ssize_t n;

	n = read(fd, buffer, sizeof(buffer));
	if (n > 0 || (n == -1 && (errno == EAGAIN || errno == EINTR)))
		return;
	loop_fd_free(supervise->control_watch);
	supervise->control_watch = NULL;
	if (supervise->stop_began == 0)
		stop(supervise, "the end of the control descriptor");
}

/* As nohup(1) has it.  What is blocked comes all the same. */
static bool
hangups_are_ignored(void)
{
	struct sigaction action;

	return sigaction(SIGHUP, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN;
}

static void
on_signal(struct supervise *supervise, const struct signalfd_siginfo *info)
{
	switch (info->ssi_signo) {
	case SIGCHLD:
		host_on_child(supervise->host);
		break;
	case SIGTERM:
	case SIGINT:
	case SIGQUIT:
		stop(supervise, signal_name((int)info->ssi_signo));
		break;
	case SIGHUP:
		/* From the kernel: the terminal went away. */
		if (info->ssi_code != SI_KERNEL)
			reload_by_signal(supervise);
		else if (!hangups_are_ignored())
			stop(supervise, "SIGHUP");
		break;
	case SIGUSR1:
	case SIGUSR2:
		supervisor_reopen_logs(supervise->supervisor);
		break;
	default:
		break;
	}
}

static void
on_signals(int fd, void *arg)
{
	struct signalfd_siginfo info;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		on_signal(arg, &info);
}

static int
watch_signals(struct supervise *supervise)
{
	static const int ours[] = { SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGHUP,
		SIGUSR1, SIGUSR2 };
	sigset_t set;
	size_t i;

	sigemptyset(&set);
	for (i = 0; i < sizeof(ours) / sizeof(ours[0]); i++)
		sigaddset(&set, ours[i]);
	supervise->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (supervise->signals == -1)
		return -1;
	/* ^Z gives the shell back, as of any job.  The children run on. */
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, NULL);
	supervise->signals_watch = loop_fd_new(supervise->loop,
	    supervise->signals, LOOP_READ, on_signals, supervise);
	return supervise->signals_watch == NULL ? -1 : 0;
}

/* Nobody but those it lets in may hold the descriptor's other end. */
static int
watch_control(struct supervise *supervise)
{
	int fd = supervise->options->control;

	if (fd == -1)
		return 0;
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) == -1)
		return -1;
	supervise->control_watch = loop_fd_new(supervise->loop, fd, LOOP_READ,
	    on_control, supervise);
	return supervise->control_watch == NULL ? -1 : 0;
}

static int
make_host(struct supervise *supervise)
{
	struct grouper_host_options options = GROUPER_HOST_OPTIONS_INIT;
	enum grouper_error error;
	char own[NAMES_HOST_MAX + 1], why[256];

	options.name = supervise->options->name != NULL ?
	    supervise->options->name :
	    supervise->tree->name;
	if (options.name == NULL) {
		snprintf(own, sizeof(own), NAMES_TRANSIENT, (int)getpid());
		options.name = own;
		options.flags = GROUPER_HOST_TRANSIENT;
	}
	error = host_new(supervise->loop, &options, &supervise->host);
	if (error == GROUPER_OK) {
		host_be_quick(supervise->host);
		return 0;
	}
	if (error != GROUPER_SYSTEM || !names_why(why, sizeof(why)))
		snprintf(why, sizeof(why), "%s",
		    error == GROUPER_SYSTEM ? strerror(errno) :
					      grouper_strerror(error));
	tool_error(supervise->options->verb, "cannot be the host '%s': %s",
	    options.name, why);
	return -1;
}

static int
announce(const struct supervise *supervise)
{
	const struct grouper_host *host = supervise->host;

	if (!supervise->options->json)
		return tool_line(STDOUT_FILENO, false, "%s", host_socket(host));
	return json_print(STDOUT_FILENO,
	    json_pack("{s:s, s:i, s:o}", "host", host_name(host), "pid",
		(int)getpid(), "socket", json_text(host_socket(host))));
}

static int
make_supervisor(struct supervise *supervise)
{
	char directory[108], *why;
	struct supervisor_options options = { .host = supervise->host,
		.tree = supervise->tree,
		.hooks = &tree_hooks,
		.directory = directory,
		.log = SPEC_LOG_PREFIX,
		.output = STDOUT_FILENO,
		.on_end = on_end,
		.on_change = on_change,
		.on_ended = on_ended,
		.on_failed = on_failed,
		.arg = supervise };

	if (names_directory(directory, sizeof(directory)) == -1)
		return fail(supervise, "runtime directory");
	if (getrandom(&options.seed, sizeof(options.seed), GRND_NONBLOCK) !=
	    (ssize_t)sizeof(options.seed))
		options.seed = (uint64_t)clock_us();
	supervise->supervisor = supervisor_new(&options);
	if (supervise->supervisor == NULL)
		return fail(supervise, "supervisor");
	if (given_put(supervise->settings, supervise->host,
		supervise->options->verb) == -1)
		return -1;
	if (messages_load(supervise->host, supervise->tree, &why) == -1) {
		tool_error(supervise->options->verb, "%s",
		    why != NULL ? why : strerror(errno));
		free(why);
		return -1;
	}
	supervise->control = control_new(supervise->supervisor, reload,
	    supervise);
	if (supervise->control == NULL)
		return fail(supervise, "control socket");
	if (supervise->options->path != NULL)
		control_set_plan(supervise->control, plan);
	if (server_attach(supervise->host,
		control_methods(supervise->control)) == -1)
		return fail(supervise, "control socket");
	/* Whoever started it waits for this line. */
	if (supervise->options->announce && announce(supervise) == -1)
		return fail(supervise, "standard output");
	return 0;
}

static int
tell_manager(struct supervise *supervise)
{
	supervise->manager = getenv("NOTIFY_SOCKET");
	if (supervise->manager == NULL)
		return 0;
	supervise->watchdog_ms = tell_watchdog_ms(getenv("WATCHDOG_USEC"),
	    getenv("WATCHDOG_PID"), getpid());
	if (supervise->watchdog_ms <= 0)
		return 0;
	supervise->watchdog = loop_timer_new(supervise->loop, on_watchdog,
	    supervise);
	if (supervise->watchdog == NULL)
		return -1;
	on_watchdog(supervise);
	return 0;
}

static int
carry_out(struct supervise *supervise)
{
	struct signals inherited;

	signals_take(&inherited);
	if (front_needed() && front_split(-1) != 0)
		return fail(supervise, "cannot fork");
	supervise->loop = loop_new(NULL);
	if (supervise->loop == NULL)
		return fail(supervise, "event loop");
	if (watch_control(supervise) != 0)
		return fail(supervise, "control descriptor");
	if (make_host(supervise) != 0 || make_supervisor(supervise) != 0)
		return -1;
	if (watch_signals(supervise) != 0)
		return fail(supervise, "signals");
	if (tell_manager(supervise) != 0)
		return fail(supervise, "watchdog");
	supervisor_boot(supervise->supervisor);
	if (loop_run(supervise->loop) == -1)
		return fail(supervise, "event loop");
	supervisor_finish_logs(supervise->supervisor, LOGS_MS);
	return 0;
}

static void
release(struct supervise *supervise)
{
	if (supervise->host != NULL)
		host_close(supervise->host);
	control_free(supervise->control);
	supervisor_free(supervise->supervisor);
	grouper_host_free(supervise->host);
	loop_timer_free(supervise->watchdog);
	loop_fd_free(supervise->signals_watch);
	loop_fd_free(supervise->control_watch);
	fd_close(&supervise->signals);
	loop_free(supervise->loop);
	spec_free(supervise->tree);
	json_decref(supervise->settings);
}

int
supervise_run(const struct supervise_options *options, struct spec_tree *tree)
{
	struct supervise supervise = { .options = options,
		.tree = tree,
		.signals = -1,
		.status = TOOL_NO };

	supervise.settings = given_read(&options->config, options->verb);
	if (supervise.settings == NULL)
		supervise.status = TOOL_USAGE;
	else if (carry_out(&supervise) != 0)
		supervise.status = TOOL_NO;
	release(&supervise);
	return supervise.status;
}

static int
take_setting(struct supervise_options *options, char *value, bool is_file)
{
	const char *expected = given_add(&options->config, value, is_file);

	if (expected == NULL)
		return -1;
	tool_error(options->verb, "--config%s: expected %s, got '%s'",
	    is_file ? "-file" : "", expected, value);
	return TOOL_USAGE;
}

static int
take_name(struct supervise_options *options, const char *value)
{
	options->name = value;
	if (name_valid(value, NAMES_HOST_MAX, false))
		return -1;
	tool_error(options->verb,
	    "--name: expected 1 to 32 bytes without blanks, '/' or ':', "
	    "got '%s'",
	    value);
	return TOOL_USAGE;
}

int
supervise_take(struct supervise_options *options, int opt, char *value)
{
	switch (opt) {
	case SUPERVISE_NAME:
		return take_name(options, value);
	case SUPERVISE_CONFIG:
	case SUPERVISE_CONFIG_FILE:
		return take_setting(options, value,
		    opt == SUPERVISE_CONFIG_FILE);
	case 'q':
		options->level = LOG_LEVEL_QUIET;
		break;
	default:
		options->level = options->level == LOG_LEVEL_INFO ?
		    LOG_LEVEL_DEBUG :
		    LOG_LEVEL_INFO;
		break;
	}
	return -1;
}

enum { NO_CONFIG = SUPERVISE_OWN };

static int
take_option(int opt, char *value, void *arg)
{
	struct supervise_options *parsed = arg;

	if (opt == 'm')
		parsed->formation = value;
	else if (opt == NO_CONFIG)
		parsed->no_config = true;
	else
		return supervise_take(parsed, opt, value);
	return -1;
}

static int
take_path(struct supervise_options *parsed, int argc, char **argv)
{
	if (argc - optind > 1) {
		tool_error("supervise", "expected one FILE, got '%s' as well",
		    argv[optind + 1]);
		return TOOL_USAGE;
	}
	parsed->path = optind < argc ? argv[optind] : tree_default();
	if (parsed->path != NULL)
		return TOOL_OK;
	tool_error("supervise",
	    "expected a FILE: there is no grouper.yaml, grouper.yml or "
	    "Procfile here");
	return TOOL_USAGE;
}

int
supervise_main(int argc, char **argv)
{
	static const struct option table[] = {
		{ "formation", required_argument, NULL, 'm' },
		{ "no-config", no_argument, NULL, NO_CONFIG },
		SUPERVISE_OPTIONS,
		OPTIONS_END,
	};
	struct options common = { .verb = "supervise", .help = help };
	struct supervise_options options = { .verb = "supervise",
		.level = LOG_LEVEL_WARN,
		.control = -1 };
	struct spec_tree *tree;
	int status;

	status = options_read(&common, argc, argv, ":m:" SUPERVISE_LETTERS,
	    table, take_option, &options);
	if (status == -1 && take_path(&options, argc, argv) != TOOL_OK)
		status = TOOL_USAGE;
	if (status == -1) {
		log_open("grouper supervise", options.level);
		tree = tree_read_named(&options, options.path);
		if (tree_is_input(options.path))
			options.path = NULL;
		status = tree == NULL ? TOOL_USAGE :
					supervise_run(&options, tree);
	}
	given_fini(&options.config);
	return status;
}
