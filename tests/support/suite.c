/* SPDX-License-Identifier: ISC */
/*
 * The main() of a suite: a keeper, above check's runner, to which everything
 * falls that a failed or timed-out test left behind; and the count of skipped
 * tests, which check does not know.
 */
#include "support.h"

#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support_internal.h"

#define CASE_TIMEOUT 60.0 /* seconds */
#define EXIT_SKIPPED 77

/* Shared between the runner and the tests it forks. */
struct tally {
	atomic_int skipped;
};

/* check keeps the pointer to a case's name only. */
struct case_name {
	struct case_name *next;
	char text[];
};

static struct case_name *names;
static struct tally *tally;
static pid_t keeper;

static void free_names(void);

pid_t
support_keeper(void)
{
	return keeper;
}

static SRunner *
make_runner(Suite *first, va_list ap)
{
	SRunner *sr;
	Suite *suite;

	sr = srunner_create(first);
	while ((suite = va_arg(ap, Suite *)) != NULL)
		srunner_add_suite(sr, suite);
	/* The fixture needs a process per test: CK_FORK=no is overruled. */
	srunner_set_fork_status(sr, CK_FORK);
	return sr;
}

static int
run_all(SRunner *sr)
{
	int failed, run, skipped;

	srunner_run_all(sr, CK_ENV);
	failed = srunner_ntests_failed(sr);
	run = srunner_ntests_run(sr);
	srunner_free(sr);
	free_names();

	skipped = atomic_load(&tally->skipped);
	if (skipped > 0)
		printf("%d of %d tests skipped\n", skipped, run);
	fflush(stdout);
	if (failed > 0)
		return EXIT_FAILURE;
	return run > 0 && skipped == run ? EXIT_SKIPPED : EXIT_SUCCESS;
}

/*
 * Reaps whatever falls to it, until the runner has ended or a signal says that
 * all must; then nothing is left below it.
 */
_Noreturn static void
keep(pid_t runner, const sigset_t *signals)
{
	int signo, status, result = -1;
	size_t strays = 0;
	pid_t pid;

	while (result == -1) {
		while ((pid = waitpid(-1, &status, WNOHANG | __WALL)) > 0) {
			if (pid == runner)
				result = WIFEXITED(status) ?
				    WEXITSTATUS(status) :
				    EXIT_FAILURE;
		}
		if (result != -1)
			break;
		signo = sigwaitinfo(signals, NULL);
		if (signo != -1 && signo != SIGCHLD)
			result = 128 + signo;
	}
	/* Strays of failed tests are no news. */
	if (!support_sweep(&strays) || (strays > 0 && result == 0)) {
		fprintf(stderr, "%zu processes outlived the tests\n", strays);
		result = EXIT_FAILURE;
	}
	support_remove_tree(support_base_directory());
	_exit(result);
}

/* Returns in the child only: the runner. */
static void
start_keeper(void)
{
	sigset_t signals, saved;
	pid_t runner;

	keeper = getpid();
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigaddset(&signals, SIGHUP);
	sigaddset(&signals, SIGINT);
	sigaddset(&signals, SIGTERM);
	sigprocmask(SIG_BLOCK, &signals, &saved);
	fflush(NULL);
	if ((runner = fork()) == -1) {
		perror("fork");
		_exit(EXIT_FAILURE);
	}
	if (runner != 0)
		keep(runner, &signals);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, &saved, NULL);
}

/*
 * What those that run us have left: a make's flags, by which a make in a test
 * would take part in our jobs; ignored signals, as nohup(1) has it, and the
 * two that libc keeps for itself, which posix_spawn(3) leaves ignored and
 * sigaction(3) cannot reach.
 */
static void
forget_make(void)
{
	unsigned long by_default[4] = { 0 };
	int signum;

	unsetenv("MAKEFLAGS");
	unsetenv("MFLAGS");
	unsetenv("MAKELEVEL");
	for (signum = 1; signum < _NSIG; signum++)
		syscall(SYS_rt_sigaction, signum, by_default, NULL, _NSIG / 8);
}

int
support_main(Suite *first, ...)
{
	SRunner *sr;
	va_list ap;

	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
	    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (tally == MAP_FAILED || prctl(PR_SET_CHILD_SUBREAPER, 1) == -1 ||
	    support_make_base_directory() == -1) {
		perror("support_main");
		return EXIT_FAILURE;
	}
	forget_make();
	start_keeper();
	va_start(ap, first);
	sr = make_runner(first, ap);
	va_end(ap);
	return run_all(sr);
}

static const char *
keep_name(const char *text)
{
	struct case_name *name;
	size_t size = strlen(text) + 1;

	if ((name = malloc(sizeof(*name) + size)) == NULL)
		abort();
	memcpy(name->text, text, size);
	name->next = names;
	names = name;
	return name->text;
}

static void
free_names(void)
{
	struct case_name *name;

	while ((name = names) != NULL) {
		names = name->next;
		free(name);
	}
}

TCase *
support_case(Suite *suite, const char *name)
{
	TCase *tc;

	tc = tcase_create(keep_name(name));
	if (getenv("CK_DEFAULT_TIMEOUT") == NULL)
		tcase_set_timeout(tc, CASE_TIMEOUT * support_scale());
	tcase_add_checked_fixture(tc, support_setup, support_teardown);
	suite_add_tcase(suite, tc);
	return tc;
}

int
support_scale(void)
{
	const char *text;
	int scale = 1;

#if defined(__SANITIZE_ADDRESS__)
	scale = 3;
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
	scale = 3;
#endif
#endif
	/* valgrind shows itself by what it preloads. */
	if ((text = getenv("LD_PRELOAD")) != NULL &&
	    strstr(text, "vgpreload") != NULL)
		scale = 10;
	if ((text = getenv("SUPPORT_SCALE")) != NULL && atoi(text) > 0)
		scale = atoi(text);
	return scale;
}

void
support_skip(const char *fmt, ...)
{
	char reason[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(reason, sizeof(reason), fmt, ap);
	va_end(ap);
	printf("SKIP %s: %s\n", tcase_name(), reason);
	fflush(stdout);
	if (tally != NULL)
		atomic_fetch_add(&tally->skipped, 1);
}
