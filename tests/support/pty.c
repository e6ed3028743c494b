/* SPDX-License-Identifier: ISC */
/*
 * Terminals for tests, and what expect(1) does with them.
 */

#include "support.h"

#include <sys/ioctl.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include "support_internal.h"

void
support_pty_open(struct support_pty *pty)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };

	memset(pty, 0, sizeof(*pty));
	support_text_init(&pty->seen);
	pty->master = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (pty->master == -1 || grantpt(pty->master) == -1 ||
	    unlockpt(pty->master) == -1 ||
	    ptsname_r(pty->master, pty->name, sizeof(pty->name)) != 0)
		ck_abort_msg("no terminal: %s", strerror(errno));
	pty->slave = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (pty->slave == -1)
		ck_abort_msg("%s: %s", pty->name, strerror(errno));
	ioctl(pty->slave, TIOCSWINSZ, &size);
}

int
support_pty_enter(const struct support_pty *pty)
{
	int fd;

	setsid();
	if ((fd = open(pty->name, O_RDWR | O_NOCTTY | O_CLOEXEC)) == -1)
		return -1;
	if (ioctl(fd, TIOCSCTTY, 0) == -1 || dup2(fd, 0) == -1 ||
	    dup2(fd, 1) == -1 || dup2(fd, 2) == -1) {
		close(fd);
		return -1;
	}
	/* Below 3 only if the test had those closed. */
	return fd > 2 ? close(fd) : 0;
}

void
support_pty_release_slave(struct support_pty *pty)
{
	if (pty->slave != -1)
		close(pty->slave);
	pty->slave = -1;
}

void
support_pty_close(struct support_pty *pty)
{
	support_pty_release_slave(pty);
	if (pty->master != -1)
		close(pty->master);
	pty->master = -1;
	support_text_fini(&pty->seen);
}

bool
support_pty_comes(struct support_pty *pty, const char *text, int ms)
{
	long long deadline = support_deadline(ms);
	struct pollfd pfd = { .fd = pty->master, .events = POLLIN };
	char *at;
	int n;

	for (;;) {
		/* EIO, when every slave end is closed, is the end of it. */
		bool open = support_text_fill(&pty->seen, pty->master);

		at = strstr(pty->seen.data + pty->matched, text);
		if (at != NULL) {
			pty->matched = (size_t)(at - pty->seen.data) +
			    strlen(text);
			return true;
		}
		if (!open)
			return false;
		n = poll(&pfd, 1, support_left(deadline));
		if (n == 0)
			return false;
		if (n == -1 && errno != EINTR)
			ck_abort_msg("poll: %s", strerror(errno));
	}
}

void
support_pty_expect(struct support_pty *pty, const char *text)
{
	struct support_process list[32];
	char wanted[256];
	size_t n;

	if (support_pty_comes(pty, text, SUPPORT_PATIENCE))
		return;
	snprintf(wanted, sizeof(wanted), "%s", text);
	fprintf(stderr, "the terminal showed: %s\n", pty->seen.data);
	n = support_descendants(getpid(), list, 32);
	support_print_processes("running", list, n < 32 ? n : 32);
	support_sweep(NULL);
	ck_abort_msg("\"%s\" did not come on the terminal; its end: %s", wanted,
	    pty->seen.data +
		(pty->seen.length > 200 ? pty->seen.length - 200 : 0));
}

void
support_pty_send(struct support_pty *pty, const char *text)
{
	long long deadline = support_deadline(SUPPORT_PATIENCE);
	struct pollfd pfd = { .fd = pty->master, .events = POLLOUT };
	size_t length = strlen(text);
	ssize_t n;

	while (length > 0) {
		n = write(pty->master, text, length);
		if (n > 0) {
			text += n;
			length -= (size_t)n;
			continue;
		}
		if (n == -1 && errno != EAGAIN && errno != EINTR)
			ck_abort_msg("terminal: %s", strerror(errno));
		if (poll(&pfd, 1, support_left(deadline)) == 0)
			ck_abort_msg("the terminal takes no more");
	}
}

pid_t
support_pty_foreground(struct support_pty *pty)
{
	return tcgetpgrp(pty->master);
}

struct job_condition {
	struct support_pty *pty;
	pid_t shell;
};

static bool
job_has_terminal(void *arg)
{
	struct job_condition *c = arg;
	struct support_process p;
	pid_t pgid = support_pty_foreground(c->pty);

	return pgid > 0 && pgid != c->shell && support_process(pgid, &p) &&
	    strchr("RSD", p.state) != NULL;
}

void
support_pty_await_job(struct support_pty *pty, const struct support_run *shell)
{
	struct job_condition c = { pty, shell->pid };

	if (!support_until(job_has_terminal, &c, SUPPORT_PATIENCE))
		ck_abort_msg("no job took the terminal; it showed: %s",
		    pty->seen.data +
			(pty->seen.length > 500 ? pty->seen.length - 500 : 0));
}

static void
echo_off(struct support_pty *pty)
{
	struct termios t;

	if (tcgetattr(pty->slave, &t) == -1)
		ck_abort_msg("tcgetattr: %s", strerror(errno));
	t.c_lflag &= (tcflag_t)~ECHO;
	if (tcsetattr(pty->slave, TCSANOW, &t) == -1)
		ck_abort_msg("tcsetattr: %s", strerror(errno));
}

void
support_pty_shell(struct support_pty *pty, struct support_run *r,
    const char *shell)
{
	const char *const env[] = { "PS1=ready> ", "PS2=> ", "ENV", "BASH_ENV",
		"PROMPT_COMMAND", "HISTFILE", "INPUTRC=/dev/null", "TERM=dumb",
		NULL };
	const char *const bash[] = { shell, "--norc", "--noprofile",
		"--noediting", "-i", NULL };
	const char *const other[] = { shell, "-i", NULL };
	struct support_command c = { .env = env, .pty = pty };

	c.argv = strstr(shell, "bash") != NULL ? bash : other;
	echo_off(pty);
	support_start(r, &c);
	support_pty_expect(pty, "ready> ");
}
