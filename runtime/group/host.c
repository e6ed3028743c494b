/* SPDX-License-Identifier: ISC */
/*
 * The host: keys and the contract of what may be done to them.
 */
#include "runtime/group/host.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <grouper/ident.h>

#include "runtime/group/group.h"
#include "runtime/os/os.h"
#include "runtime/util/environment.h"
#include "runtime/util/fd.h"
#include "runtime/util/parse.h"

#define KEY_MAX 255
#define DEFAULT_KEY "default"
#define DEFAULT_STEPS "5s"

/*
 * The process that has a host.  All children of a process belong to its
 * host, so there can be one; a forked child may have one of its own.
 */
static pid_t host_process;

/*
 * Leaders that outlived a freed host end as children without an exit signal,
 * which an ordinary wait(2) does not take: they are reaped here.
 */
static bool
has_children(void)
{
	siginfo_t info;

	do
		info.si_pid = 0;
	while (waitid(P_ALL, 0, &info, WEXITED | WNOHANG | __WCLONE) == 0 &&
	    info.si_pid != 0);
	return waitid(P_ALL, 0, &info, WEXITED | WNOHANG | WNOWAIT | __WALL) ==
	    0;
}

static enum grouper_error
check_options(const struct grouper_host_options *options)
{
	if (options == NULL)
		return GROUPER_OK;
	if (options->size != sizeof(*options) ||
	    (options->flags & ~(unsigned int)GROUPER_HOST_TRANSIENT) != 0)
		return GROUPER_INVALID;
	if (options->name != NULL &&
	    !name_valid(options->name, NAMES_HOST_MAX, false))
		return GROUPER_INVALID;
	return GROUPER_OK;
}

static int
claim_name(struct grouper_host *host,
    const struct grouper_host_options *options)
{
	struct contain_owner *owner = &host->owner;
	bool transient;

	host->names = (struct names)NAMES_INIT;
	snprintf(owner->label, sizeof(owner->label), ":%d", (int)getpid());
	if (options == NULL || options->name == NULL)
		return 0;
	transient = (options->flags & GROUPER_HOST_TRANSIENT) != 0;
	if (names_claim(&host->names, options->name, transient) == -1)
		return -1;
	if (!transient) {
		snprintf(owner->label, sizeof(owner->label), "%s:%jx.%jx",
		    host->names.name, (uintmax_t)host->names.device,
		    (uintmax_t)host->names.inode);
		owner->locked = true;
	}
	return 0;
}

enum grouper_error
host_new(struct loop *loop, const struct grouper_host_options *options,
    struct grouper_host **out)
{
	enum grouper_error error = check_options(options);
	struct grouper_host *host;
	struct sigaction action;

	if (error != GROUPER_OK)
		return error;
	if (host_process == getpid() || has_children())
		return GROUPER_RUNNING;
	host = calloc(1, sizeof(*host));
	if (host == NULL)
		return GROUPER_SYSTEM;
	host->process = getpid();
	host->loop = loop;
	host->contain = (struct contain)CONTAIN_INIT;
	host->sweep_pidfd = -1;
	host->session = getsid(0);
	host->walk.proc = (struct os_proc) { .dir = -1, .self = -1 };
	RB_INIT(&host->keys);
	RB_INIT(&host->leaders);
	RB_INIT(&host->leavers);
	TAILQ_INIT(&host->orphaned);
	LIST_INIT(&host->watches);
	/* Ignored, the kernel would reap leaders unseen; sigaction(2). */
	if (sigaction(SIGCHLD, NULL, &action) == 0 &&
	    action.sa_handler == SIG_IGN)
		signal(SIGCHLD, SIG_DFL);
	if (os_set_subreaper(true) == -1 || claim_name(host, options) == -1) {
		free(host);
		return GROUPER_SYSTEM;
	}
	host_process = host->process;
	*out = host;
	return GROUPER_OK;
}

/* Nobody else would sweep what leaders left that are dead by now. */
static void
end_orphans(struct grouper_host *host)
{
	struct group *group, *next;

	RB_FOREACH_SAFE(group, group_leaders, &host->leaders, next)
		group_forget_dead(group);
	if (!TAILQ_EMPTY(&host->orphaned))
		host_sweep_at_once(host);
}

void
grouper_host_free(struct grouper_host *host)
{
	struct group *group;
	bool alive;

	/* A forked child has the same files, links and epoll(7): its parent
	 * would lose them. */
	if (host == NULL || host->process != getpid())
		return;
	host_close(host);
	end_orphans(host);
	leavers_reap(host);
	alive = !RB_EMPTY(&host->leaders);
	while ((group = RB_MIN(group_keys, &host->keys)) != NULL)
		group_free(group);
	host_forget_watches(host);
	loop_timer_free(host->sweep_timer);
	loop_fd_free(host->sweep_watch);
	fd_close(&host->sweep_pidfd);
	walk_fini(&host->walk);
	contain_fini(&host->contain);
	names_release(&host->names, alive);
	if (host->own_loop)
		loop_free(host->loop);
	free(host);
	host_process = 0;
}

/* Where there is no other host, nobody can own to us: the common case. */
static bool
may_be_led(const struct grouper_host *host)
{
	return getenv("GROUPER_SOCKET") != NULL ||
	    host->names.socket_path == NULL || !names_alone(&host->names);
}

static bool
host_is_worker(struct grouper_host *host)
{
	struct grouper_ident ident = GROUPER_IDENT_INIT;

	if (!host->asked_worker) {
		host->asked_worker = true;
		host->is_worker = may_be_led(host) &&
		    grouper_identify(0, &ident) == GROUPER_OK &&
		    ident.kind == GROUPER_KIND_WORKER;
	}
	return host->is_worker;
}

/*
 * What takes time and has to be done before a command runs: the leader is
 * being made meanwhile.
 */
static enum grouper_error
before_command(struct grouper_host *host, const struct grouper_options *options)
{
	if (!(options->flags & GROUPER_FORCE) && host_is_worker(host))
		return GROUPER_GROUP_UNDER_APP;
	/* Nobody asks for a transient host by name: it can do without. */
	if (host_listen(host) == -1 && host->owner.locked)
		return GROUPER_SYSTEM;
	return GROUPER_OK;
}

#define ALL_FLAGS \
	(GROUPER_FORCE | GROUPER_WORKER | GROUPER_NO_NEW_PRIVS | \
	    GROUPER_INHERIT_FDS | GROUPER_INHERIT_SIGNALS | \
	    GROUPER_HOLD_LEFTOVERS | GROUPER_ADOPT)

static enum grouper_error
check_start(struct grouper_host *host, const struct grouper_options *options,
    const char *key, struct steps *steps)
{
	const char *why;

	if (host == NULL || options == NULL ||
	    options->size != sizeof(*options) ||
	    (options->flags & ~(unsigned int)ALL_FLAGS) != 0 ||
	    options->contain > GROUPER_CONTAIN_PIDNS ||
	    options->session > GROUPER_SESSION_KEEP ||
	    options->stop_target > GROUPER_STOP_TREE ||
	    !name_valid(key, KEY_MAX, true))
		return GROUPER_INVALID;
	if (steps_parse(options->shutdown != NULL ? options->shutdown :
						    DEFAULT_STEPS,
		steps, &why) == -1)
		return GROUPER_INVALID;
	if (options->pty != -1 && options->session == GROUPER_SESSION_KEEP)
		return GROUPER_BAD_COMBINATION;
	return GROUPER_OK;
}

/* The contract of start, in the order in which its errors hold. */
static enum grouper_error
claim_key(struct grouper_host *host, const char *key, struct group **out)
{
	struct group *group;

	group = group_make(host, key);
	if (group == NULL)
		return GROUPER_SYSTEM;
	*out = group;
	switch (group->state) {
	case GROUPER_STATE_LEADER_DIED:
		return GROUPER_LEADER_DIED;
	case GROUPER_STATE_STARTING:
	case GROUPER_STATE_RUNNING:
	case GROUPER_STATE_STOPPING:
	case GROUPER_STATE_UNKILLABLE:
		return GROUPER_ALREADY_STARTED;
	case GROUPER_STATE_IDLE:
	case GROUPER_STATE_UNKNOWN:
		break;
	}
	/* Latched and reset, but its orphans are not swept yet. */
	return group->orphans ? GROUPER_ALREADY_STARTED : GROUPER_OK;
}

static void
fill_member(struct member *member, const struct grouper_host *host,
    const struct grouper_options *options)
{
	member->directory = options->directory;
	member->fds = options->fds;
	member->nfds = options->nfds;
	member->limits = options->limits;
	member->nlimits = options->nlimits;
	member->groups = options->groups;
	member->ngroups = options->ngroups;
	member->uid = options->uid;
	member->gid = options->gid;
	member->umask = options->umask;
	member->nice = options->nice;
	member->pty = options->pty;
	member->no_new_privs = (options->flags & GROUPER_NO_NEW_PRIVS) != 0;
	member->inherit_fds = (options->flags & GROUPER_INHERIT_FDS) != 0;
	if ((options->flags & GROUPER_INHERIT_SIGNALS) && host->has_signals)
		member->signals = &host->signals;
}

static enum grouper_error
start_group(struct group *group, const struct grouper_options *options,
    struct member *member, int out)
{
	enum grouper_error error;

	if (group_start(group, options, member, out) == -1)
		return GROUPER_SYSTEM;
	error = before_command(group->host, options);
	if (error != GROUPER_OK) {
		group_abandon(group);
		return error;
	}
	return group_go(group) == 0 ? GROUPER_OK : GROUPER_SYSTEM;
}

static const char *
key_of(const struct grouper_options *options)
{
	return options->key != NULL ? options->key : DEFAULT_KEY;
}

/* env is for environment_fini() in any case.  0, or -1 with errno. */
static int
choose_environment(const struct grouper_host *host,
    const struct grouper_options *options, struct environment *env,
    char *const **envp)
{
	*env = (struct environment) { 0 };
	*envp = options->envp;
	if (*envp != NULL)
		return 0;
	if (host_environment(host, key_of(options), env) == -1)
		return -1;
	*envp = env->vars;
	return 0;
}

static enum grouper_error
start(struct grouper_host *host, const struct grouper_options *options,
    struct member *member, int out, grouper_event_fn *on_event, void *arg)
{
	const char *key = key_of(options);
	enum grouper_error error;
	struct group *group;
	struct steps steps;
	bool known;

	error = check_start(host, options, key, &steps);
	known = error == GROUPER_OK && group_find(host, key) != NULL;
	if (error == GROUPER_OK)
		error = claim_key(host, key, &group);
	if (error != GROUPER_OK) {
		fd_close(&out);
		return error;
	}
	fill_member(member, host, options);
	group->on_event = on_event;
	group->arg = arg;
	group->steps = steps;
	group->worker = (options->flags & GROUPER_WORKER) != 0;
	error = start_group(group, options, member, out);
	/* A key that never had a group is as unknown as before. */
	if (error != GROUPER_OK && !known && !group->orphans)
		group_free(group);
	return error;
}

enum grouper_error
grouper_start(struct grouper_host *host, const struct grouper_options *options,
    grouper_event_fn *on_event, void *arg)
{
	enum grouper_error error = GROUPER_SYSTEM;
	struct member member = { 0 };
	struct environment env;
	char *const *envp;

	if (host == NULL || options == NULL || options->argv == NULL ||
	    options->argv[0] == NULL || options->argv[0][0] == '\0')
		return GROUPER_INVALID;
	if (choose_environment(host, options, &env, &envp) == 0 &&
	    member_prepare(&member, options->argv, envp) == 0)
		error = start(host, options, &member, -1, on_event, arg);
	member_fini(&member);
	environment_fini(&env);
	return error;
}

enum grouper_error
grouper_exec(struct grouper_host *host, const struct grouper_options *options,
    grouper_exec_fn *fn, void *fn_arg, grouper_event_fn *on_event, void *arg)
{
	struct member member = { .fn = fn, .fn_arg = fn_arg };
	enum grouper_error error = GROUPER_SYSTEM;
	struct environment env;
	int ends[2];

	if (host == NULL || options == NULL || fn == NULL)
		return GROUPER_INVALID;
	if (pipe2(ends, O_CLOEXEC) == -1)
		return GROUPER_SYSTEM;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	member.fn_out = ends[1];
	os_get_name(member.name);
	if (choose_environment(host, options, &env, &member.envp) == 0)
		error = start(host, options, &member, ends[0], on_event, arg);
	else
		fd_close(&ends[0]);
	environment_fini(&env);
	fd_close(&ends[1]);
	return error;
}

static enum grouper_error
find_known(const struct grouper_host *host, const char *key,
    struct group **group)
{
	if (host == NULL || RB_EMPTY(&host->keys))
		return GROUPER_NO_GROUP;
	*group = group_find(host, key != NULL ? key : DEFAULT_KEY);
	return *group == NULL ? GROUPER_NOT_FOUND : GROUPER_OK;
}

static enum sweep_target
target_of(const struct group *group)
{
	static const enum sweep_target targets[] = {
		[GROUPER_STOP_GROUP] = SWEEP_PGROUP,
		[GROUPER_STOP_COMMAND] = SWEEP_COMMAND,
		[GROUPER_STOP_TREE] = SWEEP_TREE,
	};

	return targets[group->stop_target];
}

enum grouper_error
grouper_stop(struct grouper_host *host, const char *key, const char *text)
{
	enum grouper_error error;
	struct group *group;
	struct steps steps;
	const char *why;

	error = find_known(host, key, &group);
	if (error != GROUPER_OK)
		return error;
	steps = group->steps;
	if (text != NULL && steps_parse(text, &steps, &why) == -1)
		return GROUPER_INVALID;
	if (text != NULL && group->orphans && !host->sweep.gave_up)
		host_sweep_orphans(host, &steps);
	switch (group->state) {
	case GROUPER_STATE_LEADER_DIED:
		group->state = GROUPER_STATE_IDLE;
		return GROUPER_OK;
	case GROUPER_STATE_UNKILLABLE:
		return GROUPER_UNKILLABLE;
	case GROUPER_STATE_STOPPING:
		group->asked = true; /* it may have begun by itself */
		if (text != NULL && group->leader != 0)
			group_stop(group, &steps, SWEEP_TREE);
		return GROUPER_OK;
	case GROUPER_STATE_STARTING:
	case GROUPER_STATE_RUNNING:
		group_stop(group, &steps, target_of(group));
		return GROUPER_OK;
	case GROUPER_STATE_IDLE:
	case GROUPER_STATE_UNKNOWN:
		break;
	}
	return GROUPER_OK;
}

enum grouper_error
grouper_reset(struct grouper_host *host, const char *key)
{
	enum grouper_error error;
	struct group *group;

	error = find_known(host, key, &group);
	if (error == GROUPER_OK && group->state == GROUPER_STATE_LEADER_DIED)
		group->state = GROUPER_STATE_IDLE;
	return error;
}

enum grouper_error
grouper_signal(struct grouper_host *host, const char *key, int signum)
{
	enum grouper_error error;
	struct group *group;

	if (signum < 1 || signum > SIGRTMAX)
		return GROUPER_INVALID;
	error = find_known(host, key, &group);
	if (error != GROUPER_OK)
		return error;
	if (group->leader == 0)
		return GROUPER_NO_GROUP;
	return group_signal(group, signum) == 0 ? GROUPER_OK : GROUPER_SYSTEM;
}

enum grouper_error
grouper_adopt(struct grouper_host *host, const char *key, pid_t pid)
{
	enum grouper_error error;
	struct group *group;

	if (pid <= 1)
		return GROUPER_INVALID;
	error = find_known(host, key, &group);
	if (error != GROUPER_OK)
		return error;
	if (group->leader == 0)
		return GROUPER_NO_GROUP;
	if (!group->adopts)
		return GROUPER_INVALID;
	return group_adopt(group, pid) == 0 ? GROUPER_OK : GROUPER_SYSTEM;
}

enum grouper_state
grouper_state(const struct grouper_host *host, const char *key)
{
	struct group *group;

	if (find_known(host, key, &group) != GROUPER_OK)
		return GROUPER_STATE_UNKNOWN;
	return group->state;
}

enum grouper_containment
grouper_contained(const struct grouper_host *host, const char *key)
{
	struct group *group;

	if (find_known(host, key, &group) != GROUPER_OK)
		return GROUPER_CONTAIN_AUTO;
	return group->level;
}

enum grouper_error
grouper_members(struct grouper_host *host, const char *key,
    struct grouper_processes *list)
{
	enum grouper_error error;
	struct group *group;

	if (list == NULL)
		return GROUPER_INVALID;
	*list = (struct grouper_processes) { NULL, 0, 0 };
	error = find_known(host, key, &group);
	if (error != GROUPER_OK)
		return error;
	if (group->leader == 0)
		return GROUPER_NO_GROUP;
	return grouper_descendants(group->leader, list);
}

static void
on_timeout(void *arg)
{
	*(bool *)arg = true;
}

static bool
is_over(const struct group *group)
{
	return group->leader == 0 && !group->orphans;
}

/* What is left withstood SIGKILL, its leader's or our own. */
static bool
is_hopeless(const struct group *group)
{
	return group->state == GROUPER_STATE_UNKILLABLE ||
	    (group->orphans && group->host->sweep.gave_up);
}

enum grouper_error
grouper_wait(struct grouper_host *host, const char *key, int64_t timeout_ms)
{
	struct loop_timer *timer = NULL;
	enum grouper_error error;
	struct group *group;
	bool late = false;

	error = find_known(host, key, &group);
	if (error != GROUPER_OK)
		return error;
	if (timeout_ms >= 0) {
		timer = loop_timer_new(host->loop, on_timeout, &late);
		if (timer == NULL)
			return GROUPER_SYSTEM;
		loop_timer_set(timer, timeout_ms);
	}
	while (!is_over(group) && !late && !is_hopeless(group))
		if (loop_once(host->loop) == -1) {
			error = GROUPER_SYSTEM;
			break;
		}
	loop_timer_free(timer);
	if (error != GROUPER_OK)
		return error;
	if (is_hopeless(group))
		return GROUPER_UNKILLABLE;
	if (!is_over(group))
		return GROUPER_TIMED_OUT;
	return group->state == GROUPER_STATE_LEADER_DIED ? GROUPER_LEADER_DIED :
							   GROUPER_OK;
}
