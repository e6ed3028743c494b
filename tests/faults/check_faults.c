/* SPDX-License-Identifier: ISC */
/*
 * Faults by injection: in each round one use of one call of grouper fails, as
 * faults.h tells, while a scenario of scenarios.c runs.
 *
 * What is guaranteed, and looked for after each round:
 *
 *   - No process is left: all fall to the test, which is a subreaper.
 *   - grouper ends, and its clients with it: none waits for ever.
 *   - A status other than the command's own comes with an error line; what a
 *     client prints with status 0 is right.
 *   - No file is left in the runtime directory or in TMPDIR, and no cgroup,
 *     unless it was the removal that failed.
 *   - A host that goes on has no more descriptors than without the fault.
 *
 * What is not:
 *
 *   - That the command runs, or runs on.  A host that cannot start or watch a
 *     group refuses, or ends it.  A leader that cannot report for two seconds
 *     acts as if its host were gone: it stops its group, and the host says
 *     that it died (120), sweeps what it left and fails its supervisor.
 *   - That a signal is delivered which the kernel refuses once: the next of
 *     the stop steps does what it was to do, the last is repeated.
 *   - That the decisions about a tree survive without memory.  The host says
 *     "out of memory" and dies; its leaders end their groups as after any
 *     death of a host, and the next host of its name removes its socket.
 *   - That libfyaml survives without memory while it reads a tree file.
 *
 * FAULTS_SHARE uses of each call are made to fail (2, and not in all
 * scenarios; 0: every one), FAULTS_RANDOM rounds have faults at random from
 * FAULTS_SEED, FAULTS_TURN shifts which use meets which error, FAULTS_LIMIT is
 * the time in ms that a round may take.  A round that fails names its
 * GROUPER_FAULT: FAULTS_ONE repeats it, FAULTS_CALL takes one call only and
 * CK_RUN_CASE one scenario.
 */
#include "tests/faults/faults.h"
#include "tests/faults/scenarios.h"

#include "tests/adversary/arena.h"
#include "tests/adversary/chance.h"

#include <sys/mman.h>
#include <sys/stat.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support_internal.h"

#define LIMIT 25000 /* ms that a round may take */
#define SHARE 2	    /* uses of each call */

/* The scenario of this test. */
static const struct scenario *scenario;
static struct faults_page *page;
static long usual_fds;	  /* of the host, without a fault; 0: not known */
static char *usual_words; /* on stderr, likewise */
static unsigned int rounds, problems;

static const char *
faulty(void)
{
	static char path[512];
	const char *build = getenv("builddir");

	snprintf(path, sizeof(path), "%s/tests/faults/grouper_faults",
	    build != NULL ? build : ".");
	return path;
}

static void
open_page(void)
{
	const char *path = support_file("page", 0600, "");
	int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd == -1 || ftruncate(fd, sizeof(*page)) == -1)
		ck_abort_msg("%s: %s", path, strerror(errno));
	page = mmap(NULL, sizeof(*page), PROT_READ | PROT_WRITE, MAP_SHARED, fd,
	    0);
	ck_assert_ptr_ne(page, MAP_FAILED);
	close(fd);
}

/*
 * What a round was, and what is wrong with it
 */

/* The calls that led to the last fault, a line each. */
static void
find_place(char *text, size_t size)
{
	char command[1024], line[256];
	size_t length, used = 0;
	FILE *out;

	text[0] = '\0';
	length = (size_t)snprintf(command, sizeof(command),
	    "addr2line -spf -e '%s'", faulty());
	/* Before the return address is the call. */
	for (size_t i = 0; i < FAULTS_FRAMES && page->frames[i] > 1; i++)
		length += (size_t)snprintf(command + length,
		    sizeof(command) - length, " 0x%jx",
		    (uintmax_t)page->frames[i] - 1);
	if ((out = popen(command, "r")) == NULL)
		return;
	while (fgets(line, sizeof(line), out) != NULL)
		if (used < size && strstr(line, "strike") == NULL &&
		    strstr(line, "faults_use") == NULL)
			used += (size_t)snprintf(text + used, size - used,
			    "      %s", line);
	pclose(out);
}

/*
 * Whether it is one for which a library dies: libfyaml 0.7 uses the name of an
 * input without a look at what asprintf(3) returned.
 */
static bool
is_of_library(void)
{
	char text[4096];

	find_place(text, sizeof(text));
	return strstr(text, " fy_") != NULL;
}

static void SUPPORT_PRINTF(3, 4) complain(const char *fault,
    const struct support_run *r, const char *fmt, ...)
{
	char text[256], place[4096], *why;
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	problems++;
	fprintf(stderr, "%s, GROUPER_FAULT=%s: %s; status %d after %lld ms\n",
	    scenario->name, fault, text, r->status, r->elapsed);
	if (r->stderr_text.length > 0)
		fprintf(stderr, "    %.1500s\n", r->stderr_text.data);
	why = support_slurp(support_path("why"));
	if (why[0] != '\0')
		fprintf(stderr, "    %.3000s\n", why);
	free(why);
	if (atomic_load(&page->struck) == 0)
		return;
	find_place(place, sizeof(place));
	fprintf(stderr, "    struck %u times, last %s in pid %d (%.16s)\n%s",
	    atomic_load(&page->struck), faults_calls[page->call].name,
	    page->pid, page->process, place);
}

static void
print_file(pid_t pid, const char *name)
{
	char path[64], *text;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, name);
	text = support_slurp(path);
	if (text[0] != '\0')
		fprintf(stderr, "    %s of %d: %.600s\n", name, (int)pid, text);
	free(text);
}

static void
print_descendants(const char *title)
{
	struct support_process list[32];
	size_t n = support_descendants(getpid(), list, 32);

	n = n < 32 ? n : 32;
	support_print_processes(title, list, n);
	for (size_t i = 0; i < n; i++) {
		print_file(list[i].pid, "wchan");
		print_file(list[i].pid, "syscall");
		print_file(list[i].pid, "stack");
	}
}

/* Names in a directory, but locks; they are removed. */
static size_t
clear_directory(const char *path, char *names, size_t size)
{
	char entry_path[600];
	struct dirent *entry;
	size_t count = 0;
	DIR *dir;

	names[0] = '\0';
	if ((dir = opendir(path)) == NULL)
		return 0;
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(entry_path, sizeof(entry_path), "%s/%s", path,
		    entry->d_name);
		if (strstr(entry->d_name, ".lock") == NULL) {
			snprintf(names, size, "%s", entry_path);
			count++;
		}
		support_remove_tree(entry_path);
	}
	closedir(dir);
	return count;
}

/* Whatever lives below us now outlived grouper; returns how many did. */
static size_t
reap_survivors(void)
{
	size_t killed = 0;
	siginfo_t si;

	do {
		si.si_pid = 0;
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | __WALL) == -1)
			return 0;
	} while (si.si_pid != 0);
	print_descendants("survivor");
	support_sweep(&killed);
	return killed;
}

/*
 * A round
 */

static bool
is_removal(const char *fault)
{
	return strncmp(fault, "unlink", 6) == 0 ||
	    strncmp(fault, "random", 6) == 0;
}

/* A line of the verb's, or on its file, that is not there without a fault. */
static bool
says_why(const struct support_run *r)
{
	char line[512];
	const char *at = r->stderr_text.data;
	size_t length;

	while (*at != '\0') {
		length = strcspn(at, "\n");
		snprintf(line, sizeof(line), "%.*s", (int)length, at);
		if ((strncmp(line, "grouper ", strlen("grouper ")) == 0 ||
			strstr(line, ": error: ") != NULL) &&
		    strstr(usual_words, line) == NULL)
			return true;
		at += length + (at[length] == '\n');
	}
	return false;
}

/* Its own status, or that of a command that was to be asked and was not. */
static bool
is_own_status(int status)
{
	return status == scenario->status ||
	    (scenario->stop && status == 128 + SIGKILL);
}

/*
 * Without memory for the tree of a supervisor the host dies at once, and tells:
 * its leaders, which are told by the kernel, end their groups.
 */
static bool
ran_out(const struct support_run *r)
{
	return r->signal == SIGABRT &&
	    strstr(r->stderr_text.data, "grouper: out of memory\n") != NULL;
}

static bool
are_gone(void *unused)
{
	(void)unused;
	return support_descendants(getpid(), NULL, 0) == 0;
}

static void
check_round(const char *fault, const struct support_run *r)
{
	bool struck = atomic_load(&page->struck) != 0, may_die;
	char names[600];
	size_t n;

	may_die = ran_out(r) || (r->signal != 0 && struck && is_of_library());
	if (may_die)
		support_until(are_gone, NULL, LIMIT);
	if ((n = reap_survivors()) > 0)
		complain(fault, r, "%zu survivors", n);
	if (r->signal != 0 && !may_die)
		complain(fault, r, "grouper died of signal %d", r->signal);
	else if (!is_own_status(r->status) && !struck)
		complain(fault, r, "without a fault");
	else if (r->status == SCENARIO_CLIENT_FAILED || r->status == 99)
		complain(fault, r, "a client failed");
	else if (r->signal == 0 && !is_own_status(r->status) && !says_why(r))
		complain(fault, r, "no word of why");
	n = clear_directory(support_runtime_directory(0), names, sizeof(names));
	if (n > 0 && !is_removal(fault) && !may_die)
		complain(fault, r, "left %s", names);
	n = clear_directory(support_path("tmp"), names, sizeof(names));
	if (n > 0 && !is_removal(fault))
		complain(fault, r, "left %s", names);
	if (arena_leave(&arenas[scenario->arena]) > 0 && !is_removal(fault))
		complain(fault, r, "left a cgroup");
}

/* Until text has come or it has ended; false if it is late. */
static bool
await(struct support_run *r, const char *text, long long deadline)
{
	struct pollfd fds[2] = { { r->pidfd, POLLIN, 0 },
		{ r->out, POLLIN, 0 } };

	while (text == NULL || strstr(r->stdout_text.data, text) == NULL) {
		if (support_now() >= deadline)
			return false;
		poll(fds, 2, support_left(deadline));
		if (fds[1].revents != 0 &&
		    !support_text_fill(&r->stdout_text, r->out))
			fds[1].fd = -1;
		if (fds[0].revents != 0) {
			support_wait(r);
			return true;
		}
	}
	return true;
}

static void
prepare_files(char *arguments, size_t size, const char **argv)
{
	const struct scenario_file *file;
	size_t n = 1, used = 0;

	unlink(support_path("crashed"));
	unlink(support_path("said"));
	unlink(support_path("why"));
	for (file = scenario->files; file->name != NULL; file++)
		support_file(file->name, 0644, file->text);
	argv[0] = scenario->clean ? support_grouper() : faulty();
	for (size_t i = 0; scenario->argv[i] != NULL; i++) {
		argv[n] = scenario->argv[i];
		if (argv[n][0] == '@') {
			used = (size_t)snprintf(arguments, size, "%s%s",
				   support_directory(), argv[n] + 1) +
			    1;
			argv[n] = arguments;
			arguments += used;
			size -= used;
		} else if (strcmp(argv[n], "hostile") == 0) {
			argv[n] = arena_program("hostile");
		}
		n++;
	}
	argv[n] = NULL;
}

/* One round; true if the fault struck. */
static bool
play(const char *fault)
{
	static char settings[7][600];
	const char *env[8], *argv[32];
	char arguments[1200];
	struct support_command c = { .argv = argv,
		.env = env,
		.group = SUPPORT_OWN_GROUP };
	struct support_run r;
	long long deadline;
	bool in_time;
	size_t n = 0;

	memset(page, 0, sizeof(*page));
	prepare_files(arguments, sizeof(arguments), argv);
	snprintf(settings[n++], 600, "GROUPER=%s", support_grouper());
	snprintf(settings[n++], 600, "FAULTY=%s", faulty());
	snprintf(settings[n++], 600, "DIR=%s", support_directory());
	snprintf(settings[n++], 600, "TMPDIR=%s", support_path("tmp"));
	snprintf(settings[n++], 600, "GROUPER_FAULT_PAGE=%s",
	    support_path("page"));
	if (usual_fds > 0)
		snprintf(settings[n++], 600, "FDS=%ld", usual_fds);
	if (fault[0] != '\0')
		snprintf(settings[n++], 600, "GROUPER_FAULT=%s", fault);
	for (size_t i = 0; i < n; i++)
		env[i] = settings[i];
	env[n] = NULL;
	arena_enter(&arenas[scenario->arena]);
	support_start(&r, &c);
	deadline = support_deadline((int)chance_setting("FAULTS_LIMIT", LIMIT));
	if (scenario->stop && await(&r, "ready\n", deadline) && !r.ended)
		support_signal(&r, SIGTERM);
	in_time = r.ended || await(&r, NULL, deadline);
	if (!in_time) {
		print_descendants("stuck");
		kill(r.pid, SIGKILL);
		support_wait(&r);
		complain(fault, &r, "stuck");
		support_sweep(NULL);
	}
	check_round(fault, &r);
	if (usual_words == NULL &&
	    (usual_words = strdup(r.stderr_text.data)) == NULL)
		ck_abort_msg("out of memory");
	support_finish(&r);
	rounds++;
	return atomic_load(&page->struck) != 0;
}

/*
 * Sweeps
 */

static bool
play_use(int call, int variant, unsigned int n)
{
	char fault[64];

	snprintf(fault, sizeof(fault), "%s:%u:%s", faults_calls[call].name, n,
	    faults_error_name(faults_calls[call].errors[variant]));
	return play(fault);
}

/* What the calls were used for, without a fault. */
struct uses {
	unsigned int count[FAULTS_CALLS][FAULTS_VARIANTS];
};

static void
note_uses(struct uses *uses)
{
	for (int call = 0; call < FAULTS_CALLS; call++)
		for (int v = 0; v < FAULTS_VARIANTS; v++)
			uses->count[call][v] =
			    atomic_load(&page->uses[call][v]);
}

/* The errors that a call can meet; their number. */
static unsigned int
list_variants(const struct uses *uses, int call, int *variants)
{
	const char *only = getenv("FAULTS_CALL");
	unsigned int count = 0;

	if (only != NULL && strcmp(only, faults_calls[call].name) != 0)
		return 0;
	for (int v = 0; v < FAULTS_VARIANTS; v++)
		if (uses->count[call][v] > 0)
			variants[count++] = v;
	return count;
}

/* Each use of each call, with one error after the other. */
static void
sweep(const struct uses *uses, unsigned int turn)
{
	int variants[FAULTS_VARIANTS], v;
	unsigned int k, j, n;

	for (int call = 0; call < FAULTS_CALLS; call++) {
		k = list_variants(uses, call, variants);
		for (j = 0; j < k; j++) {
			v = variants[j];
			n = 1 + (j + turn) % k;
			while (play_use(call, v, n) ||
			    n <= uses->count[call][v])
				n += k;
		}
	}
}

/* So many uses of each call, from the first to the last. */
static void
sample(const struct uses *uses, unsigned int share, unsigned int every,
    unsigned int turn)
{
	unsigned int k, j, most, number = turn;
	int variants[FAULTS_VARIANTS], v;

	for (int call = 0; call < FAULTS_CALLS; call++) {
		k = list_variants(uses, call, variants);
		for (j = 0; k > 0 && j < share; j++) {
			v = variants[((unsigned int)call + j + turn) % k];
			most = uses->count[call][v] - 1;
			if (j > 0 && most < j)
				break;
			if (number++ % every == 0)
				play_use(call, v,
				    share == 1 ? 1 :
						 1 + most * j / (share - 1));
		}
	}
}

static void
play_random(unsigned int count, uint64_t seed)
{
	uint64_t state = seed;
	char fault[64];

	while (count-- > 0) {
		snprintf(fault, sizeof(fault), "random:%u:%u",
		    (unsigned int)chance_next(&state),
		    (unsigned int)chance_between(&state, 20, 5000));
		play(fault);
	}
}

static void
play_all(void)
{
	const char *one = getenv("FAULTS_ONE");
	unsigned int turn = (unsigned int)chance_setting("FAULTS_TURN", 0);
	unsigned int share = (unsigned int)chance_setting("FAULTS_SHARE",
	    SHARE);
	struct uses uses;

	note_uses(&uses);
	if (one != NULL) {
		play(one);
		return;
	}
	for (const char *const *at = scenario->mended; *at != NULL; at++)
		play(*at);
	if (share == 0)
		sweep(&uses, turn);
	else
		sample(&uses, share,
		    getenv("FAULTS_SHARE") != NULL ? 1 : scenario->every, turn);
	play_random((unsigned int)chance_setting("FAULTS_RANDOM", 0),
	    chance_setting("FAULTS_SEED", 1));
}

START_TEST(a_call_that_fails_leaves_nothing_and_is_told)
{
	long long started = support_now();
	const char *why;
	char *text;

	scenario = &scenarios[_i];
	if (!arena_available(&arenas[scenario->arena], &why))
		SUPPORT_SKIP("%s: %s", scenario->name, why);
	if (scenario->program != NULL && access(scenario->program, X_OK) == -1)
		SUPPORT_SKIP("%s: no %s", scenario->name, scenario->program);
	open_page();
	mkdir(support_path("tmp"), 0700);
	play("");
	text = support_slurp(support_path("fds"));
	usual_fds = atol(text);
	free(text);
	if (problems == 0)
		play_all();
	printf("faults: %s: %u rounds, %u problems, %lld s\n", scenario->name,
	    rounds, problems, (support_now() - started) / 1000);
	fflush(stdout);
	munmap(page, sizeof(*page));
	free(usual_words);
	ck_assert_msg(problems == 0, "%s: %u problems", scenario->name,
	    problems);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("faults");
	TCase *tc;

	for (int i = 0; i < SCENARIOS; i++) {
		tc = support_case(s, scenarios[i].name);
		tcase_set_timeout(tc, 0);
		tcase_add_loop_test(tc,
		    a_call_that_fails_leaves_nothing_and_is_told, i, i + 1);
	}
	return support_main(s, NULL);
}
