/* SPDX-License-Identifier: ISC */
/*
 * What the C suites share: a fixture that makes every test prove that it left
 * nothing behind, commands run under it to a deadline, terminals, and the
 * search for survivors.
 *
 * Everything here is called from a test (or its fixture) and fails that test
 * itself, with a message, when the system refuses: callers check nothing.
 * All times are milliseconds and stretched by support_scale().
 */

#ifndef TESTS_SUPPORT_H
#define TESTS_SUPPORT_H

#include <sys/types.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <check.h>
#include <stdbool.h>
#include <stddef.h>

/* How long anything may take before the test fails. */
#define SUPPORT_PATIENCE 30000

#define SUPPORT_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/*
 * Suites
 */

/*
 * Runs suites, the last argument NULL, and returns main()'s exit status: 0,
 * 1 if a test failed, 77 (automake: skipped) if every test was skipped.
 * CK_RUN_SUITE and CK_RUN_CASE select; CK_VERBOSITY and CK_TAP_LOG_FILE_NAME
 * act as check documents them.  It returns in a child process; the parent waits
 * for that and ends what failed tests left, then exits with the same status.
 */
int support_main(Suite *, ...);

/*
 * Makes a case in a suite: the fixture below, and a timeout of a minute
 * (tcase_set_timeout() changes it, CK_DEFAULT_TIMEOUT overrides both).
 */
TCase *support_case(Suite *, const char *name);

/* Slowness of this run: 1, more under ASan, valgrind or SUPPORT_SCALE=n. */
int support_scale(void);

/* Counts this test as skipped and says why; the test must return then. */
void support_skip(const char *fmt, ...) SUPPORT_PRINTF(1, 2);
#define SUPPORT_SKIP(...) \
	do { \
		support_skip(__VA_ARGS__); \
		return; \
	} while (0)

/*
 * Fixture: every case of support_case() has it.
 *
 * The test process is a subreaper, so orphans of the test are its children.
 * After the test as many descriptors must be open as before, and no descendant
 * alive: what lives is printed, killed, and fails the test.  Zombies are
 * reaped and do not count.
 */
void support_setup(void);
void support_teardown(void);

/* A directory of this test, mode 0755, removed with its content afterwards. */
const char *support_directory(void);

/* Path of a file in it; the string lasts until the end of the test. */
const char *support_path(const char *name);

/* Writes a file there with this mode; returns its path. */
const char *support_file(const char *name, mode_t, const char *text);

/*
 * A uid that no other test uses at this time, for limits counted by user; its
 * gid has the same number.
 */
uid_t support_user(void);

/*
 * Can this test start programs under another uid, and may that uid execute
 * the grouper under test?  If not, *why tells.
 */
bool support_can_switch_user(const char **why);

/*
 * Whether the caller can have mounts that nobody else sees: not as an ordinary
 * user, nor where the root directory is no mount point, as in a chroot.
 */
bool support_can_mount(const char **why);

/* The binary under test: $GROUPER.  Fails the test if it is not set. */
const char *support_grouper(void);

/*
 * Processes
 */

struct support_process {
	pid_t pid;
	pid_t ppid;
	pid_t pgid;
	pid_t sid;
	uid_t uid;
	char state;
	int threads;
	unsigned long long start; /* clock ticks since boot */
	char command[128];	  /* arguments, else (name) */
};

/* Fills in one process; false if there is none of that pid. */
bool support_process(pid_t, struct support_process *);

/* Not a zombie, or one whose other threads still run. */
bool support_alive(const struct support_process *);

/* Living descendants of pid, at most max stored; returns their number. */
size_t support_descendants(pid_t, struct support_process *, size_t max);

/* Living children of pid in any of its threads. */
size_t support_children(pid_t, pid_t *, size_t max);

/*
 * Living processes anywhere on the machine, below whatever parent, namespace
 * or cgroup, with token in their arguments or environment; list may be NULL.
 * The calling process does not count.  What changes its pid all the time, a
 * comet, is hardly ever found: only support_reap() proves that there is none.
 */
size_t support_survivors(const char *token, struct support_process *,
    size_t max);

/*
 * Reaps all children that have ended.  True when there is none any more, of
 * whatever kind: as the test is a subreaper, nothing that descends from it is
 * alive then.  A command that was not waited for loses its status.
 */
bool support_reap(void);

/*
 * This test's random token.  Each command gets it as SUPPORT_TOKEN in its
 * environment, so that whatever descends from it can be found.
 */
const char *support_token(void);

/*
 * Does nothing live that descends from the test or carries its token?  For
 * support_until(); it is support_reap() that tells.
 */
bool support_is_empty(void *unused);

/* Fails the test, listing what lives, unless support_is_empty(). */
void support_assert_no_survivors(void);

/* The same, but they may take until a deadline to go. */
void support_await_no_survivors(int ms);

/*
 * Stops, kills and reaps every descendant of the calling process; false if
 * one is alive after SUPPORT_PATIENCE.  The number killed, 0 only if nothing
 * lived, goes to *killed (may be NULL).
 */
bool support_sweep(size_t *killed);

/* Prints processes to stderr, one a line. */
void support_print_processes(const char *title, const struct support_process *,
    size_t);

/*
 * Commands
 */

enum support_group {
	SUPPORT_SAME_GROUP, /* the test's process group and session */
	SUPPORT_OWN_GROUP,  /* a process group of its own */
	SUPPORT_OWN_SESSION
};

struct support_limit {
	int resource; /* RLIMIT_..., -1 ends a list */
	rlim_t value; /* soft and hard */
};

struct support_pty;

/* Words, as support_command.argv wants them. */
#define ARGV(...) ((const char *const[]) { __VA_ARGS__, NULL })

/*
 * A command to start.  Zero is the default of each member but argv.  stdout
 * and stderr are captured, unless there is a terminal.
 */
struct support_command {
	const char *const *argv; /* argv[0] by PATH */
	const char *const *env;	 /* "K=V" added, "K" removed */
	const char *input;	 /* stdin's text; NULL: null */
	const char *directory;
	bool input_open;     /* stdin is a pipe; see feed */
	bool output_inherit; /* stdout, stderr as ours */
	enum support_group group;
	uid_t uid; /* and gid; no other groups */
	const struct support_limit *limits;
	struct support_pty *pty; /* its terminal: 0, 1 and 2 */
	void (*prepare)(void *); /* last before exec */
	void *prepare_arg;
};

struct support_text {
	char *data; /* always ends with NUL, never NULL */
	size_t length;
	size_t size;
};

struct support_run {
	pid_t pid;
	int pidfd;
	int in, out, err;
	struct support_text stdout_text;
	struct support_text stderr_text;
	bool ended;
	int status; /* as a shell's $? */
	int signal; /* that ended it, or 0 */
	bool core_dumped;
	long long elapsed; /* ms, start to end */
	long long started;
};

/* Starts a command.  A failed exec fails the test. */
void support_start(struct support_run *, const struct support_command *);

/*
 * Waits for its end, collecting its output, and returns its status: the exit
 * status, or 128 + n for signal n.  It does not wait for end-of-file.  At the
 * deadline the test fails, after printing the output so far and the processes.
 */
int support_wait(struct support_run *);
int support_wait_for(struct support_run *, int ms);

/* Closes and frees; kills the command first if it was not waited for. */
void support_finish(struct support_run *);

/* support_start() and support_wait(). */
int support_call(struct support_run *, const struct support_command *);

/* The same of `grouper run`, its options, `--` and a script; it must be 0. */
void support_run_script(struct support_run *, const char *const *options,
    const char *script);

/*
 * Runs the arguments, the last NULL, to their end; "@grouper" as first stands
 * for the binary under test.  For tests that need nothing special.
 */
int support_execute(struct support_run *, const char *, ...);

/* Signals the command alone. */
void support_signal(struct support_run *, int);

/* Waits until text has come on stdout or stderr. */
void support_await_stdout(struct support_run *, const char *text);
void support_await_stderr(struct support_run *, const char *text);

/* The same, but false if the command ended without it. */
bool support_stdout_comes(struct support_run *, const char *text);

/* To the stdin of a command with input_open; end closes it. */
void support_feed(struct support_run *, const char *text);
void support_feed_end(struct support_run *);

/* Value of "NAME=" in a line of text, as a number; fails if absent. */
long support_number(const char *text, const char *name);

/*
 * Terminals
 */

struct support_pty {
	int master;
	int slave; /* kept open: no hangup before close */
	char name[64];
	struct support_text seen; /* everything that came */
	size_t matched;		  /* end of the last match in it */
};

/* A new terminal of 80x24.  Give it as .pty: the command leads its session. */
void support_pty_open(struct support_pty *);

/* Closes our slave end, so that the last close of the others hangs up. */
void support_pty_release_slave(struct support_pty *);
void support_pty_close(struct support_pty *);

/* Waits until text comes after the last match. */
void support_pty_expect(struct support_pty *, const char *text);

/* Has text come after the last match, within ms?  Consumes it if so. */
bool support_pty_comes(struct support_pty *, const char *text, int ms);

void support_pty_send(struct support_pty *, const char *text);

/* The foreground process group of the terminal. */
pid_t support_pty_foreground(struct support_pty *);

/*
 * Waits until the shell of support_pty_shell() gave the terminal to a job, so
 * that a key sent now reaches that.  What a job printed does not prove it.
 */
void support_pty_await_job(struct support_pty *, const struct support_run *);

/*
 * Starts an interactive shell ("bash", "dash", ...) on the terminal without
 * start-up files, prompt "ready> ", echo off, and waits for the prompt.
 */
void support_pty_shell(struct support_pty *, struct support_run *,
    const char *shell);

/*
 * Waiting
 */

/* Monotonic. */
long long support_now(void);

/* Is the condition true before the deadline?  Asked at least once. */
bool support_until(bool (*)(void *), void *, int ms);

/* Waits until the file exists and, if text is not NULL, contains text. */
void support_await_file(const char *path, const char *text);

/* Content of a file, "" if absent; to be freed. */
char *support_slurp(const char *path);

/* What a process wrote to its memory and shares with none, kB; 0: gone. */
long support_private_memory(pid_t);

/* Waits until the process is gone or a zombie, whoever's child it is. */
void support_await_gone(pid_t);

/* Waits for the process to be in one of these states, such as "tT". */
void support_await_state(pid_t, const char *states);

/* Reads one line, without its newline, from a descriptor. */
void support_read_line(int fd, char *, size_t);

#endif
