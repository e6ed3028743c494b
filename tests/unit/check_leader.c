/* SPDX-License-Identifier: ISC */
/*
 * The leader: its table of states and events, and what it withstands.
 */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "runtime/group/host.h"
#include "runtime/group/leader.h"
#include "runtime/group/link.h"
#include "trial.h"

/*
 * Written down a second time, on purpose: who changes the one table has to
 * think of the other, and the model goes by these rows.
 */
static const struct {
	enum leader_state state;
	enum leader_event event;
	bool hold;
	enum leader_action action;
	enum leader_state next;
} table[] = {
#define LEADER(state, event, hold, action, next) \
	{ LEADER_##state, LEADER_ON_##event, hold, LEADER_##action, \
		LEADER_##next },
#include "tests/model/leader.def"
};
#define ROWS (sizeof(table) / sizeof(table[0]))

START_TEST(every_event_in_every_state_has_its_step)
{
	bool seen[LEADER_STATES][LEADER_EVENTS][2] = { 0 };
	struct leader_step step;
	size_t i;

	ck_assert_uint_eq(ROWS, (size_t)LEADER_STATES * LEADER_EVENTS * 2);
	for (i = 0; i < ROWS; i++) {
		ck_assert_msg(!seen[table[i].state][table[i].event]
				   [table[i].hold],
		    "row %zu is there twice", i);
		seen[table[i].state][table[i].event][table[i].hold] = true;
		step = leader_next(table[i].state, table[i].event,
		    table[i].hold);
		ck_assert_msg(step.action == table[i].action &&
			step.next == table[i].next,
		    "state %d, event %d, hold %d: action %d, next %d",
		    table[i].state, table[i].event, table[i].hold, step.action,
		    step.next);
	}
}
END_TEST

/* No way leads back, and nothing but an empty group ends a leader. */
START_TEST(a_leader_s_life_is_a_straight_line)
{
	struct leader_step step;
	int state, event, hold;

	for (state = 0; state < LEADER_STATES; state++)
		for (event = 0; event < LEADER_EVENTS; event++)
			for (hold = 0; hold < 2; hold++) {
				step = leader_next((enum leader_state)state,
				    (enum leader_event)event, hold == 1);
				ck_assert_int_ge((int)step.next, state);
				ck_assert(step.next != LEADER_EMPTY ||
				    state == LEADER_EMPTY ||
				    event == LEADER_ON_NONE_LEFT);
			}
}
END_TEST

static pid_t
start_sleeper(struct trial *trial)
{
	struct grouper_options options;

	trial_open(trial, NULL);
	options = trial_shell(trial, "echo ready; read x; echo bye; exit 4");
	trial_start(trial, &options);
	trial_expect(trial, "ready");
	trial_await(trial, GROUPER_EVENT_STARTED);
	return trial_leader();
}

static void
still_works(struct trial *trial)
{
	trial_say(trial);
	trial_expect(trial, "bye");
	ck_assert_int_eq(WEXITSTATUS(trial_await(trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    4);
}

/* A service manager signals it too; and anybody may feign the host's end. */
START_TEST(a_leader_withstands_all_signals_but_kill)
{
	static const int spared[] = { SIGKILL, SIGSTOP, SIGSEGV, SIGBUS, SIGFPE,
		SIGILL };
	struct trial trial;
	size_t i;
	pid_t leader;
	int signum;

	leader = start_sleeper(&trial);
	for (signum = 1; signum <= SIGRTMAX; signum++) {
		if (signum > SIGSYS && signum < SIGRTMIN)
			continue; /* libc's own */
		for (i = 0; i < sizeof(spared) / sizeof(spared[0]); i++)
			if (signum == spared[i])
				break;
		if (i == sizeof(spared) / sizeof(spared[0]))
			kill(leader, signum);
	}
	still_works(&trial);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEADER_DIED), 0);
	trial_close(&trial);
}
END_TEST

START_TEST(a_stopped_and_continued_leader_goes_on)
{
	struct trial trial;
	pid_t leader;

	leader = start_sleeper(&trial);
	kill(leader, SIGSTOP);
	support_await_state(leader, "T");
	trial_say(&trial);
	trial_expect(&trial, "bye");
	kill(leader, SIGCONT);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    4);
	trial_close(&trial);
}
END_TEST

/* Only few, and no pipe among them; soon after the command runs. */
static bool
holds_little(void *arg)
{
	char path[64], target[256];
	struct dirent *entry;
	bool has_pipe = false;
	size_t count = 0;
	ssize_t n;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)*(pid_t *)arg);
	dir = opendir(path);
	ck_assert_ptr_nonnull(dir);
	while ((entry = readdir(dir)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		count++;
		n = readlinkat(dirfd(dir), entry->d_name, target,
		    sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		has_pipe |= strncmp(target, "pipe:", 5) == 0;
	}
	closedir(dir);
	return !has_pipe && count <= 4;
}

/* A program that reads signals tells its host of each SIGCHLD. */
START_TEST(a_stopped_leader_is_continued_by_its_host)
{
	struct trial trial;
	pid_t leader;

	leader = start_sleeper(&trial);
	kill(leader, SIGSTOP);
	support_await_state(leader, "T");
	host_on_child(trial.host);
	support_await_state(leader, "RS");
	still_works(&trial);
	trial_close(&trial);
}
END_TEST

/* Else whoever reads from the command would never see end-of-file. */
START_TEST(a_leader_holds_no_descriptor_of_its_command_or_host)
{
	struct trial trial;
	pid_t leader;

	leader = start_sleeper(&trial);
	ck_assert(support_until(holds_little, &leader, SUPPORT_PATIENCE));
	still_works(&trial);
	trial_close(&trial);
}
END_TEST

START_TEST(a_leader_bears_its_name_and_its_command_does_not)
{
	struct trial trial;
	char path[64], *name;

	snprintf(path, sizeof(path), "/proc/%d/comm",
	    (int)start_sleeper(&trial));
	name = support_slurp(path);
	ck_assert_str_eq(name, LEADER_NAME "\n");
	free(name);
	snprintf(path, sizeof(path), "/proc/%d/comm", (int)trial.events[0].pid);
	name = support_slurp(path);
	ck_assert_str_eq(name, "sh\n");
	free(name);
	still_works(&trial);
	trial_close(&trial);
}
END_TEST

static int
own_name(void *arg, int out)
{
	char *name = support_slurp("/proc/self/comm");

	(void)arg;
	return write(out, name, strlen(name)) == -1;
}

START_TEST(a_function_bears_the_host_s_name)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	struct trial trial;
	char *name;

	trial_open(&trial, NULL);
	options.session = GROUPER_SESSION_NEW;
	trial_exec(&trial, &options, own_name, NULL);
	name = support_slurp("/proc/self/comm");
	ck_assert_str_eq(trial_await(&trial, GROUPER_EVENT_EMPTY)->result,
	    name);
	free(name);
	trial_close(&trial);
}
END_TEST

/* A command that kills its process group and all it may must not hit it. */
START_TEST(kill_0_of_a_command_spares_its_leader)
{
	struct grouper_options options;
	struct trial trial;

	trial_open(&trial, NULL);
	options = trial_shell(&trial, "kill -KILL 0; sleep 1000");
	trial_start(&trial, &options);
	ck_assert_int_eq(trial_wait(&trial, NULL), GROUPER_OK);
	ck_assert_int_eq(WTERMSIG(trial.events[trial.count - 1].status),
	    SIGKILL);
	trial_close(&trial);
}
END_TEST

static bool
is_led(void *arg)
{
	struct support_process p;

	ck_assert(support_process(*(pid_t *)arg, &p));
	return p.ppid == trial_leader();
}

/* Orphans fall to the leader, not to the host and not to init. */
START_TEST(orphans_fall_to_the_leader)
{
	struct grouper_options options;
	struct trial trial;
	pid_t orphan;

	trial_open(&trial, NULL);
	options = trial_shell(&trial,
	    "(setsid sh -c 'echo $$; exec sleep 1000' &) ; read x");
	trial_start(&trial, &options);
	orphan = (pid_t)trial_number(&trial);
	trial_await(&trial, GROUPER_EVENT_STARTED);
	trial_until(&trial, is_led, &orphan);
	trial_close(&trial);
}
END_TEST

/* The leader's end of its link, as if it were taken over; -1 if refused. */
static int
steal_link(pid_t leader)
{
	char path[64], target[256];
	int fd = -1, pidfd, i;
	ssize_t n;

	pidfd = (int)syscall(SYS_pidfd_open, leader, 0);
	ck_assert_int_ne(pidfd, -1);
	for (i = 0; fd == -1 && i < 64; i++) {
		snprintf(path, sizeof(path), "/proc/%d/fd/%d", (int)leader, i);
		n = readlink(path, target, sizeof(target) - 1);
		target[n > 0 ? n : 0] = '\0';
		if (strncmp(target, "socket:", 7) == 0)
			fd = (int)syscall(SYS_pidfd_getfd, pidfd, i, 0);
	}
	close(pidfd);
	return fd;
}

START_TEST(a_leader_that_floods_holds_up_nobody)
{
	static const struct link_up up = { .type = LINK_CONTINUED };
	struct trial trial;
	size_t sent = 0, before;
	int link;

	link = steal_link(start_sleeper(&trial));
	if (link == -1) {
		still_works(&trial);
		trial_close(&trial);
		SUPPORT_SKIP("no descriptor of another process can be had");
	}
	before = trial.count;
	while (sent < 200 && link_send_up(link, &up, LINK_DROP) == 0)
		sent++;
	ck_assert_uint_gt(sent, 100);
	event_base_loop(trial.base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
	ck_assert_uint_gt(trial.count, before);
	ck_assert_uint_lt(trial.count, before + 100);
	while (trial.count < before + sent)
		event_base_loop(trial.base, EVLOOP_ONCE);
	close(link);
	still_works(&trial);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("leader");
	TCase *tc = support_case(s, "table");

	tcase_add_test(tc, every_event_in_every_state_has_its_step);
	tcase_add_test(tc, a_leader_s_life_is_a_straight_line);

	tc = support_case(s, "process");
	tcase_add_test(tc, a_leader_withstands_all_signals_but_kill);
	tcase_add_test(tc, a_stopped_and_continued_leader_goes_on);
	tcase_add_test(tc, a_stopped_leader_is_continued_by_its_host);
	tcase_add_test(tc, a_leader_holds_no_descriptor_of_its_command_or_host);
	tcase_add_test(tc, a_leader_bears_its_name_and_its_command_does_not);
	tcase_add_test(tc, a_function_bears_the_host_s_name);
	tcase_add_test(tc, kill_0_of_a_command_spares_its_leader);
	tcase_add_test(tc, orphans_fall_to_the_leader);
	tcase_add_test(tc, a_leader_that_floods_holds_up_nobody);
	return support_main(s, NULL);
}
