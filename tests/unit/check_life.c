/* SPDX-License-Identifier: ISC */
/*
 * The life of a key in its host: each row of the table that the model goes
 * by, on the host's own functions.  The leader is a process that only lives,
 * and the test speaks for it.
 */
#include <signal.h>
#include <unistd.h>

#include "runtime/group/group.h"
#include "runtime/group/link.h"
#include "runtime/os/os.h"
#include "trial.h"

#define KEY "key"
#define STATES (GROUPER_STATE_LEADER_DIED + 1)

enum on {
	ON_START,
	ON_START_ORPHANED,
	ON_STOP,
	ON_RESET,
	ON_STARTED,
	ON_START_FAILED,
	ON_MAIN_ENDED,
	ON_MAIN_HELD,
	ON_UNKILLABLE,
	ON_EMPTY,
	ON_EMPTY_ENDED,
	ON_LEADER_LEFT,
	ON_LEADER_DIED,
	ON_LEADER_DIED_ASKED,
	ON_ORPHANS_GONE,
	EVENTS,
};

enum action {
	DO_FORK,
	DO_REFUSE_RUNNING,
	DO_REFUSE_DIED,
	DO_REFUSE_UNKILLABLE,
	DO_NOTHING,
	DO_ASK,
	DO_NOTE,
	DO_TELL_EMPTY,
	DO_ORPHANED,
	DO_NEVER,
};

static const struct row {
	enum grouper_state state;
	enum on event;
	enum action action;
	enum grouper_state next;
} rows[] = {
#define HOST(state, event, action, next) \
	{ GROUPER_STATE_##state, ON_##event, DO_##action, \
		GROUPER_STATE_##next },
#define HOST_NEVER(state, event) \
	{ GROUPER_STATE_##state, ON_##event, DO_NEVER, GROUPER_STATE_##state },
#include "tests/model/host.def"
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

/* A host with one key in some state. */
struct life {
	struct trial trial;
	struct group *group;
	pid_t leader; /* 0: none */
	int link;     /* its end */
	unsigned int empty;
	unsigned int died;
	enum grouper_state at_death;
	bool orphans;
};

static void
record(struct grouper_host *host, const struct grouper_event *event, void *arg)
{
	struct life *life = arg;

	life->empty += event->type == GROUPER_EVENT_EMPTY;
	if (event->type != GROUPER_EVENT_LEADER_DIED)
		return;
	life->died++;
	life->at_death = grouper_state(host, KEY);
	life->orphans = life->group->orphans;
}

static pid_t
fork_sleeper(void)
{
	pid_t pid = fork();

	ck_assert_int_ne(pid, -1);
	if (pid == 0)
		for (;;)
			pause();
	return pid;
}

static bool
has_leader(enum grouper_state state)
{
	return state != GROUPER_STATE_IDLE &&
	    state != GROUPER_STATE_LEADER_DIED;
}

static bool
has_orphans(const struct row *row)
{
	return row->event == ON_START_ORPHANED || row->event == ON_ORPHANS_GONE;
}

static void
lead(struct life *life, bool asked)
{
	struct group *group = life->group;
	struct link_down down;
	int ends[2];

	ck_assert_int_eq(link_pair(ends), 0);
	life->leader = fork_sleeper();
	life->link = ends[1];
	group->link = ends[0];
	group->leader = group->main = life->leader;
	group->pidfd = os_pidfd(life->leader);
	group->asked = asked;
	RB_INSERT(group_leaders, &group->host->leaders, group);
	ck_assert_int_eq(group_go(group), 0);
	ck_assert_int_eq(link_receive_down(life->link, &down), 1);
	ck_assert_uint_eq(down.type, LINK_GO);
}

static void
begin(struct life *life, const struct row *row)
{
	struct group *group;
	const char *why;

	*life = (struct life) { .link = -1 };
	trial_open(&life->trial, NULL);
	group = life->group = group_make(life->trial.host, KEY);
	ck_assert_ptr_nonnull(group);
	group->on_event = record;
	group->arg = life;
	ck_assert_int_eq(steps_parse("KILL", &group->steps, &why), 0);
	group->ending = group->steps;
	group->state = row->state;
	if (has_orphans(row)) {
		fork_sleeper();
		ck_assert_int_eq(host_expect_orphans(group->host), 0);
		host_orphaned(group->host, group);
	} else if (has_leader(row->state)) {
		lead(life, row->event == ON_LEADER_DIED_ASKED);
	}
}

static bool
is_over(void *arg)
{
	struct life *life = arg;

	return life->group->leader == 0 && !life->group->orphans;
}

static bool
is_empty(void *arg)
{
	return ((struct life *)arg)->empty > 0;
}

static bool
has_died(void *arg)
{
	return ((struct life *)arg)->died > 0;
}

static bool
is_drained(void *arg)
{
	struct link_up up;

	return recv(((struct life *)arg)->group->link, &up, sizeof(up),
		   MSG_PEEK | MSG_DONTWAIT) == -1;
}

static void
end(struct life *life)
{
	if (life->group->leader != 0)
		os_pidfd_signal(life->group->pidfd, SIGKILL);
	trial_until(&life->trial, is_over, life);
	if (life->link != -1)
		close(life->link);
	trial_close(&life->trial);
}

static void
say(struct life *life, enum link_up_type type, bool held, bool ended)
{
	struct link_up up = { .type = type,
		.pid = life->leader,
		.held = held,
		.ended = ended };

	ck_assert_int_eq(link_send_up(life->link, &up, LINK_WAIT), 0);
	trial_until(&life->trial, is_drained, life);
}

static void
check_start(struct life *life, const struct row *row)
{
	struct grouper_options options = trial_shell(&life->trial, ":");
	enum grouper_error error;

	options.key = KEY;
	error = grouper_start(life->trial.host, &options, record, life);
	switch (row->action) {
	case DO_FORK:
		ck_assert_int_eq(error, GROUPER_OK);
		ck_assert_int_ne(life->group->leader, life->leader);
		break;
	case DO_REFUSE_RUNNING:
		ck_assert_int_eq(error, GROUPER_ALREADY_STARTED);
		break;
	case DO_REFUSE_DIED:
		ck_assert_int_eq(error, GROUPER_LEADER_DIED);
		break;
	default:
		ck_abort_msg("no answer to a start");
	}
}

static void
check_stop(struct life *life, const struct row *row)
{
	enum grouper_error error = grouper_stop(life->trial.host, KEY, NULL);
	struct link_down down = { 0 };
	bool asks = row->action == DO_ASK;

	ck_assert_int_eq(error,
	    row->action == DO_REFUSE_UNKILLABLE ? GROUPER_UNKILLABLE :
						  GROUPER_OK);
	ck_assert_int_eq(life->group->asked, asks || row->action == DO_NOTE);
	if (life->link == -1)
		return;
	ck_assert_int_eq(link_receive_down(life->link, &down), asks ? 1 : -1);
	ck_assert(!asks || down.type == LINK_STOP);
}

static void
check_left(struct life *life, const struct row *row)
{
	say(life, LINK_EMPTY, false, false);
	ck_assert_int_eq(grouper_state(life->trial.host, KEY), row->state);
	ck_assert_uint_eq(life->empty, 0);
	kill(life->leader, SIGKILL);
	trial_until(&life->trial, is_empty, life);
	ck_assert_uint_eq(life->died, 0);
}

static void
check_died(struct life *life, const struct row *row)
{
	kill(life->leader, SIGKILL);
	trial_until(&life->trial, has_died, life);
	ck_assert_int_eq(life->at_death, row->next);
	ck_assert(life->orphans);
}

/* Does what the row is about, and looks at all but the next state. */
static void
drive(struct life *life, const struct row *row)
{
	switch (row->event) {
	case ON_START:
	case ON_START_ORPHANED:
		check_start(life, row);
		break;
	case ON_STOP:
		check_stop(life, row);
		break;
	case ON_RESET:
		ck_assert_int_eq(grouper_reset(life->trial.host, KEY),
		    GROUPER_OK);
		break;
	case ON_STARTED:
		say(life, LINK_STARTED, false, false);
		break;
	case ON_START_FAILED:
		say(life, LINK_START_FAILED, false, false);
		break;
	case ON_MAIN_ENDED:
		say(life, LINK_MAIN_ENDED, false, false);
		break;
	case ON_MAIN_HELD:
		say(life, LINK_MAIN_ENDED, true, false);
		break;
	case ON_UNKILLABLE:
		say(life, LINK_UNKILLABLE, false, false);
		break;
	case ON_EMPTY:
	case ON_EMPTY_ENDED:
		say(life, LINK_EMPTY, false, row->event == ON_EMPTY_ENDED);
		ck_assert(life->group->empty_told);
		break;
	case ON_LEADER_LEFT:
		check_left(life, row);
		break;
	case ON_LEADER_DIED:
	case ON_LEADER_DIED_ASKED:
		check_died(life, row);
		return; /* the sweep may be over by now */
	case ON_ORPHANS_GONE:
		trial_until(&life->trial, is_empty, life);
		break;
	case EVENTS:
		break;
	}
	ck_assert_int_eq(grouper_state(life->trial.host, KEY), row->next);
	ck_assert_uint_eq(life->empty, row->action == DO_TELL_EMPTY);
}

START_TEST(a_key_goes_as_the_table_says)
{
	const struct row *row = &rows[_i];
	struct life life;

	if (row->action == DO_NEVER)
		return; /* for the model to show */
	begin(&life, row);
	drive(&life, row);
	end(&life);
}
END_TEST

START_TEST(every_event_in_every_state_has_one_row)
{
	unsigned int seen[STATES][EVENTS] = { 0 };
	size_t i, j;

	for (i = 0; i < ROWS; i++)
		seen[rows[i].state][rows[i].event]++;
	for (i = GROUPER_STATE_IDLE; i < STATES; i++)
		for (j = 0; j < EVENTS; j++)
			ck_assert_msg(seen[i][j] == 1,
			    "%u rows for event %zu in state %s", seen[i][j], j,
			    grouper_state_name((enum grouper_state)i));
}
END_TEST

/* The compiler tells of a message that is new, so that it gets its rows. */
static bool
has_rows(enum link_up_type type)
{
	switch (type) {
	case LINK_STARTED:
	case LINK_START_FAILED:
	case LINK_MAIN_ENDED:
	case LINK_UNKILLABLE:
	case LINK_EMPTY:
		return true;
	case LINK_PAUSED:
	case LINK_CONTINUED:
	case LINK_STEP:
	case LINK_AWAITING:
	case LINK_ADOPTED:
		return false;
	}
	return true;
}

START_TEST(other_messages_move_no_key)
{
	struct row row = { GROUPER_STATE_IDLE, EVENTS, DO_NOTHING,
		GROUPER_STATE_IDLE };
	struct life life;
	int state, type;

	for (state = GROUPER_STATE_STARTING; state <= GROUPER_STATE_UNKILLABLE;
	     state++)
		for (type = 0; type <= LINK_EMPTY; type++) {
			if (has_rows((enum link_up_type)type))
				continue;
			row.state = row.next = (enum grouper_state)state;
			begin(&life, &row);
			say(&life, (enum link_up_type)type, false, false);
			ck_assert_int_eq(life.group->state, state);
			end(&life);
		}
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("life");
	TCase *tcase = support_case(suite, "table");

	tcase_add_test(tcase, every_event_in_every_state_has_one_row);
	tcase_add_loop_test(tcase, a_key_goes_as_the_table_says, 0, (int)ROWS);
	tcase_add_test(tcase, other_messages_move_no_key);
	return support_main(suite, NULL);
}
