/* SPDX-License-Identifier: ISC */
/*
 * Signals to `grouper run`.
 *
 * What the terminal sends, the kernel sends to the whole foreground process
 * group.  Where the command shares ours it has received it already, and it
 * is only noted.
 */
#include "tools/run.h"

#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/group/steps.h"
#include "runtime/util/clock.h"
#include "runtime/util/log.h"
#include "runtime/util/parse.h"

/* Two signals within this time may be one wish. */
#define INSIST_MS 1000

static void
pass_on(struct run *run, int signum)
{
	log_info("%s: passing %s on", run->options->key, signal_name(signum));
	grouper_signal(run->host, run->options->key, signum);
}

/* The stop steps with INT in place of the first signal. */
static void
stop_by_int(struct run *run)
{
	struct steps steps = run->options->steps;
	char text[STEPS_TEXT_MAX];

	if (steps.step[0].signum != SIGKILL)
		steps.step[0].signum = SIGINT;
	run->by_int = true;
	if (steps_format(&steps, text, sizeof(text)) == 0)
		run_stop(run, text);
	else
		run_stop(run, NULL);
}

/*
 * Has the command received what the terminal sent to our process group?  It
 * may have left that since, as timeout(1) and interactive shells do.  One that
 * is gone may have ended by what it received; one not yet seen has just begun.
 */
static bool
was_told(const struct run *run)
{
	pid_t pgid = getpgid(run->result.pid);

	return run->shared && (pgid == -1 || pgid == getpgrp());
}

static void
on_ending_signal(struct run *run, int signum, bool keyboard)
{
	bool insists = run->stopping &&
	    clock_ms() - run->stop_began >= INSIST_MS;

	if (insists)
		run_spawn_stop(run->spawn, true);
	if (run->over) {
		/* No further output is waited for. */
		if (run_spawn_over(run->spawn))
			loop_break(run->loop);
		return;
	}
	if (run->stopping) {
		if (insists)
			run_stop(run, "KILL");
		return;
	}
	/* Once the command has ended, nobody else is there to act on it. */
	if (keyboard && !run->result.ended && was_told(run))
		return;
	log_info("%s: stopping on %s", run->options->key, signal_name(signum));
	run->result.stopped = true;
	run->deadline = -1; /* whoever sent it may insist */
	if (signum == SIGINT)
		stop_by_int(run);
	else
		run_stop(run, NULL);
}

/* On a pseudo-terminal the keyboard stopped its whole foreground group. */
static void
continue_command(struct run *run)
{
	pid_t pgrp;

	pgrp = run->pty != NULL ? pty_foreground(run->pty) : -1;
	if (pgrp > 1)
		kill(-pgrp, SIGCONT);
	grouper_signal(run->host, run->options->key, SIGCONT);
}

static void
on_continued(struct run *run)
{
	if (run->pty != NULL)
		pty_resume(run->pty);
	continue_command(run);
}

/*
 * Somebody may continue the command alone: a shell is to see that the job
 * runs, and that it ends.
 */
static void
on_stopping(void *arg)
{
	struct run *run = arg;

	/* The signal that would stop us is pending: this takes it back. */
	if (!host_wake(run->host, run->options->key))
		kill(getpid(), SIGCONT);
}

void
run_pause(struct run *run, int signum)
{
	int64_t before = clock_ms();
	bool keyed = run->keyed;
	bool propagate = run->shared || keyed ||
	    (run->pty != NULL && pty_is_interactive(run->pty));

	run->keyed = false;
	log_info("%s: stopped by %s", run->options->key, signal_name(signum));
	if (!propagate)
		return;
	if (run->pty != NULL)
		pty_suspend(run->pty);
	signals_stop_when(signum, on_stopping, run);
	if (run->front)
		kill(getppid(), SIGCONT); /* it stopped with us */
	run_postpone(run, clock_ms() - before);
	if (run->pty != NULL)
		pty_resume(run->pty);
	/*
	 * A shared command was continued with us.  One that the key did not
	 * reach has to be, also where nobody could stop us and this returned
	 * at once.
	 */
	if (!run->shared || keyed)
		continue_command(run);
}

/* What the kernel sent. */
static void
on_kernel_signal(struct run *run, int signum)
{
	switch (signum) {
	case SIGINT:
		on_ending_signal(run, signum, true);
		break;
	case SIGHUP:
		/* A hangup is told to the leader of the session only. */
		if (!was_told(run) || getsid(0) == getpid())
			pass_on(run, signum);
		break;
	case SIGWINCH:
		if (run->pty != NULL)
			pty_resize(run->pty);
		/* Else the command was told itself, or has no such terminal. */
		break;
	case SIGTSTP:
		if (was_told(run))
			break;
		run->keyed = true;
		/* Its process group of our session is an orphaned one, in
		 * which the kernel discards TSTP. */
		pass_on(run, run->shared ? SIGSTOP : signum);
		break;
	case SIGQUIT:
		if (!was_told(run))
			pass_on(run, signum);
		break;
	case SIGALRM: /* of a timer set before grouper was executed */
		pass_on(run, signum);
		break;
	default: /* our own: TTIN, TTOU, XCPU, PIPE */
		break;
	}
}

static void
on_signal(struct run *run, const struct signalfd_siginfo *info)
{
	int signum = (int)info->ssi_signo;
	bool worker;

	if (run->parent != -1 && signum == SIGNALS_PARENT) {
		if (signals_orphaned(run->parent))
			on_ending_signal(run, SIGTERM, false);
		return;
	}
	switch (signum) {
	case SIGCHLD:
		host_on_child(run->host);
		return;
	case SIGCONT:
		/* A leader wakes us when its command runs, host_wake(): that
		 * needs nothing, and may have been stopped again. */
		if (host_key_of_leader(run->host, (pid_t)info->ssi_pid,
			&worker) == NULL)
			on_continued(run);
		return;
	}
	if (info->ssi_code == SI_KERNEL) {
		on_kernel_signal(run, signum);
		return;
	}
	/* Raised by what we do ourselves, such as PIPE by a write. */
	if (info->ssi_pid == (uint32_t)getpid())
		return;
	if (signum == SIGTERM || signum == SIGINT)
		on_ending_signal(run, signum, false);
	else if (signum == SIGWINCH && run->pty != NULL)
		pty_resize(run->pty);
	else
		pass_on(run, signum);
}

static void
on_readable(int fd, void *arg)
{
	struct signalfd_siginfo info;
	struct run *run = arg;

	while (read(fd, &info, sizeof(info)) == (ssize_t)sizeof(info))
		on_signal(run, &info);
}

int
run_watch_signals(struct run *run)
{
	sigset_t all;

	sigfillset(&all);
	run->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (run->signals == -1)
		return -1;
	run->signals_watch = loop_fd_new(run->loop, run->signals, LOOP_READ,
	    on_readable, run);
	return run->signals_watch != NULL ? 0 : -1;
}
