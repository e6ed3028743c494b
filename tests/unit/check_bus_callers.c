/* SPDX-License-Identifier: ISC */
/*
 * The bus: whom it takes a caller for, and the pipes of groups.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "bus_side.h"
#include "runtime/bus/bus_private.h"
#include "runtime/relay/relay.h"

/* Callers inside a group */

/* What a function in a group does: asks, one request after the other. */
struct inside {
	struct sockaddr_un address;
	const char *requests[6]; /* NULL at the end */
	const char *uplink;	 /* written before the third is asked */
	bool closes;		 /* closes its pipes before the third */
};

/* Waits for one line, and the descriptors with it; how many, or -1. */
static int
take_line(int fd, char *line, int fds[2])
{
	char control[CMSG_SPACE(2 * sizeof(int))];
	struct iovec part = { line, BUS_SIDE_MAX };
	struct msghdr message = { .msg_iov = &part,
		.msg_iovlen = 1,
		.msg_control = control,
		.msg_controllen = sizeof(control) };
	struct cmsghdr *header;
	ssize_t n = recvmsg(fd, &message, 0);

	if (n <= 0 || line[n - 1] != '\n')
		return -1;
	line[n] = '\0';
	header = CMSG_FIRSTHDR(&message);
	if (header == NULL)
		return 0;
	memcpy(fds, CMSG_DATA(header), 2 * sizeof(int));
	return header->cmsg_len == CMSG_LEN(2 * sizeof(int)) ? 2 : -1;
}

/* Its result are the answers. */
static int
ask_inside(void *arg, int out)
{
	const struct inside *inside = arg;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), fds[2] = { -1, -1 }, i;
	char line[BUS_SIDE_MAX + 1];

	if (connect(fd, (const struct sockaddr *)&inside->address,
		sizeof(inside->address)) == -1)
		return 1;
	for (i = 0; inside->requests[i] != NULL; i++) {
		if (i == 2 && inside->closes) {
			close(fds[0]);
			close(fds[1]);
		}
		if (i == 2 && inside->uplink != NULL)
			dprintf(fds[1], "%s", inside->uplink);
		if (send(fd, inside->requests[i], strlen(inside->requests[i]),
			0) == -1 ||
		    take_line(fd, line, fds) == -1)
			return 2;
		dprintf(out, "%s", line);
	}
	return 0;
}

/* Runs it as a group of this key; the answers, of the trial. */
static const char *
run_inside(struct trial *trial, struct inside *inside, const char *key,
    uid_t uid)
{
	struct grouper_options options = GROUPER_OPTIONS_INIT;
	const struct trial_event *event;

	inside->address.sun_family = AF_UNIX;
	strcpy(inside->address.sun_path, support_path("runtime/srv.sock"));
	options.key = key;
	options.uid = options.gid = uid;
	options.session = GROUPER_SESSION_NEW;
	trial_exec(trial, &options, ask_inside, inside);
	event = trial_await(trial, GROUPER_EVENT_EMPTY);
	ck_assert_int_eq(event->status, 0);
	return event->result;
}

/* Who calls */

START_TEST(an_event_bears_the_key_of_its_sender)
{
	struct inside inside = { .requests = { REQUEST("publish",
				     "{\"topic\":\"a\",\"event\":\"e\"}") } };
	struct client client;
	struct trial trial;

	client_open_server(&trial, &client);
	bus_side_gives(&client, REQUEST("subscribe", "{\"patterns\":[\"*\"]}"),
	    "{}");
	run_inside(&trial, &inside, "in/x:1", (uid_t)-1);
	bus_side_hears(&client,
	    "{\"event\":\"e\",\"from\":\"in/x:1\",\"payload\":\"\",\"seq\":1,"
	    "\"topic\":\"a\"}");
	client_close_server(&trial, &client);
}
END_TEST

#define OPEN REQUEST("member.open", "{}")
#define OTHERS \
	REQUEST("publish", "{\"topic\":\"a\",\"event\":\"e\",\"others\":true}")

START_TEST(a_group_gets_one_pair_of_pipes_at_a_time)
{
	struct inside inside = { .requests = { OPEN, OPEN, OPEN },
		.closes = true };
	struct client client;
	struct trial trial;
	const char *answers;

	client_open_server(&trial, &client);
	answers = run_inside(&trial, &inside, "w", (uid_t)-1);
	ck_assert_ptr_nonnull(strstr(answers, "{\"key\":\"w\"}"));
	ck_assert_ptr_nonnull(strstr(answers, "-32006"));
	answers = strrchr(strstr(answers, "-32006"), '{');
	ck_assert_str_eq(answers, "{\"key\":\"w\"}}\n");
	client_close_server(&trial, &client);
}
END_TEST

/* What it wrote before it asked holds when it is answered. */
START_TEST(a_request_does_not_overtake_the_uplink)
{
	static const char publish[] = REQUEST("publish",
	    "{\"topic\":\"a\",\"event\":\"e\"}");
	struct inside inside = { .requests = { OPEN, publish, publish, OTHERS },
		.uplink = "S b\nS a\nP c x 0\n\n" };
	struct client client;
	struct trial trial;
	const char *answers;

	client_open_server(&trial, &client);
	bus_side_gives(&client,
	    REQUEST("subscribe", "{\"patterns\":[\"c\",\"a\"]}"), "{}");
	answers = run_inside(&trial, &inside, "w", (uid_t)-1);
	/* The subscriber, then both, then the subscriber alone. */
	ck_assert_str_eq(strstr(answers, "{\"members\""),
	    "{\"members\":1}}\n"
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"members\":2}}\n"
	    "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":{\"members\":1}}\n");
	bus_side_hears(&client,
	    "{\"event\":\"e\",\"from\":\"w\",\"payload\":\"\",\"seq\":1,"
	    "\"topic\":\"a\"}");
	bus_side_hears(&client,
	    "{\"event\":\"x\",\"from\":\"w\",\"payload\":\"\",\"seq\":2,"
	    "\"topic\":\"c\"}");
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(the_last_words_of_a_group_are_taken)
{
	struct grouper_options options;
	struct grouper_fd fds[2];
	struct client client;
	struct bus_pipes pipes;
	struct trial trial;

	client_open_server(&trial, &client);
	bus_side_gives(&client, REQUEST("subscribe", "{\"patterns\":[\"a\"]}"),
	    "{}");
	bus_side_join(&trial, "w", (char[]) { "a" }, &pipes);
	options = trial_shell(&trial, "printf 'P a bye 1\\nx\\n' >&9");
	fds[0] = (struct grouper_fd) { pipes.down, BUS_EVENTS_FD };
	fds[1] = (struct grouper_fd) { pipes.up, BUS_COMMANDS_FD };
	options.key = "w";
	options.fds = fds;
	trial_start(&trial, &options);
	bus_side_close(&pipes);
	trial_await(&trial, GROUPER_EVENT_EMPTY);
	bus_side_hears(&client,
	    "{\"event\":\"bye\",\"from\":\"w\",\"payload\":\"x\",\"seq\":1,"
	    "\"topic\":\"a\"}");
	bus_side_gives(&client, REQUEST("presence", "{\"topic\":\"a\"}"),
	    "{\"count\":0,\"members\":[]}");
	client_close_server(&trial, &client);
}
END_TEST

/* Where it has no pipes, and so is no member, too. */
START_TEST(a_group_that_publishes_to_others_does_not_hear_it_itself)
{
	struct inside inside = {
		.requests = { REQUEST("subscribe", "{\"patterns\":[\"a\"]}"),
		    OTHERS }
	};
	struct client client;
	struct trial trial;
	const char *answers;

	client_open_server(&trial, &client);
	answers = run_inside(&trial, &inside, "w", (uid_t)-1);
	ck_assert_ptr_nonnull(strstr(answers, "{\"members\":0}"));
	ck_assert_ptr_null(strstr(answers, "message"));
	client_close_server(&trial, &client);
}
END_TEST

/*
 * A group "w" that waits for signals, once its traps are set; it ends with 11
 * when both u and t are 1, in whatever order: where two signals come at once,
 * dash may run the action of the second first.
 */
static void
start_waiting(struct trial *trial, const char *traps)
{
	struct grouper_options options;
	char script[256];

	snprintf(script, sizeof(script),
	    "%s; echo ready; until [ \"$u$t\" = 11 ]; do sleep 0.1; done; "
	    "exit 11",
	    traps);
	options = trial_shell(trial, script);
	options.key = "w";
	trial_start(trial, &options);
	trial_expect(trial, "ready");
	trial_await(trial, GROUPER_EVENT_STARTED);
}

/* More events than the link to a leader that does not read has room for. */
START_TEST(a_flood_of_events_costs_a_group_no_signal_and_no_stop)
{
	struct bus_reaction reactions[] = { { (char[]) { "hit" }, SIGURG },
		{ (char[]) { "last" }, SIGUSR1 } };
	char *topics[] = { (char[]) { "a" }, NULL };
	const struct bus_member_options member = { .key = "w",
		.topics = topics,
		.reactions = reactions,
		.nreactions = 2 };
	struct relay_event event = { .topic = "a",
		.event = "hit",
		.payload = "" };
	struct relay *relay;
	struct trial trial;
	int none, i;

	trial_open(&trial, NULL);
	relay = bus_relay(bus_side(&trial));
	ck_assert_int_eq(bus_join(bus_side(&trial), &member, &none, &none),
	    GROUPER_OK);
	start_waiting(&trial, "trap 'u=1' USR1; trap 't=1' TERM");
	kill(trial_leader(), SIGSTOP);
	support_await_state(trial_leader(), "T");
	for (i = 0; i < 10000; i++)
		relay_publish(relay, &event, NULL, NULL);
	event.event = "last";
	relay_publish(relay, &event, NULL, NULL);
	ck_assert_int_eq(grouper_stop(trial.host, "w", NULL), GROUPER_OK);
	kill(trial_leader(), SIGCONT);
	ck_assert_int_eq(trial_wait(&trial, "w"), GROUPER_OK);
	ck_assert_uint_eq(trial_count(&trial, GROUPER_EVENT_LEADER_DIED), 0);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    11);
	trial_close(&trial);
}
END_TEST

#define PRESENCE(what) \
	"{\"key\":\"w\",\"presence\":\"" what "\",\"topic\":\"a\"}"

/* A group without pipes that asks for some, first without descriptors left. */
START_TEST(signals_by_events_stay_where_pipes_cannot_be_had)
{
	struct bus_reaction reaction = { (char[]) { "hit" }, SIGUSR1 };
	char *topics[] = { (char[]) { "a" }, NULL };
	const struct bus_member_options member = { .key = "w",
		.topics = topics,
		.reactions = &reaction,
		.nreactions = 1 };
	const struct relay_event event = { .topic = "a",
		.event = "hit",
		.payload = "" };
	struct rlimit limit, none;
	struct bus_pipes pipes;
	struct client client;
	struct trial trial;
	struct bus *bus;

	client_open_server(&trial, &client);
	bus = bus_side(&trial);
	ck_assert_int_eq(bus_join(bus, &member, &pipes.down, &pipes.up),
	    GROUPER_OK);
	start_waiting(&trial, "trap 'exit 3' USR1");
	bus_side_gives(&client,
	    REQUEST("subscribe",
		"{\"patterns\":[\"a\"],\"events\":false,"
		"\"presence\":true}"),
	    "{}");
	getrlimit(RLIMIT_NOFILE, &limit);
	none = (struct rlimit) { 0, limit.rlim_max };
	setrlimit(RLIMIT_NOFILE, &none);
	ck_assert_int_eq(bus_open(bus, "w", &pipes.down, &pipes.up),
	    GROUPER_SYSTEM);
	ck_assert_int_eq(errno, EMFILE);
	setrlimit(RLIMIT_NOFILE, &limit);
	bus_side_gives(&client, REQUEST("presence", "{\"topic\":\"a\"}"),
	    "{\"count\":1,\"members\":[\"w\"]}");
	if (_i == 1) {
		ck_assert_int_eq(bus_open(bus, "w", &pipes.down, &pipes.up),
		    GROUPER_OK);
		bus_side_hears(&client, PRESENCE("leave"));
		bus_side_hears(&client, PRESENCE("join"));
		bus_side_close(&pipes);
	}
	relay_publish(bus_relay(bus), &event, NULL, NULL);
	ck_assert_int_eq(WEXITSTATUS(trial_await(&trial, GROUPER_EVENT_EMPTY)
					 ->status),
	    3);
	client_close_server(&trial, &client);
}
END_TEST

#define BOSS REQUEST("register", "{\"name\":\"boss\"}")
#define WHERE REQUEST("whereis", "{\"name\":\"boss\"}")

START_TEST(names_go_with_their_group)
{
	struct inside inside = { .requests = { BOSS, BOSS } };
	struct client client;
	struct trial trial;
	const char *answers;

	client_open_server(&trial, &client);
	answers = run_inside(&trial, &inside, "w", (uid_t)-1);
	ck_assert_ptr_nonnull(strstr(answers, "{\"registered\":true}"));
	ck_assert_ptr_nonnull(strstr(answers, "{\"registered\":false}"));
	bus_side_gives(&client, WHERE, "{\"pid\":null}");
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(a_subtree_has_names_of_its_own)
{
	struct inside inside = { .requests = { WHERE, BOSS } };
	struct client client;
	struct trial trial;
	const char *answers;

	client_open_server(&trial, &client);
	ck_assert_int_eq(bus_own_names(bus_side(&trial), "in"), 0);
	bus_side_gives(&client, BOSS, "{\"registered\":true}");
	answers = run_inside(&trial, &inside, "in/x", (uid_t)-1);
	ck_assert_ptr_nonnull(strstr(answers, "{\"pid\":null}"));
	ck_assert_ptr_nonnull(strstr(answers, "{\"registered\":true}"));
	answers = run_inside(&trial, &inside, "inn", (uid_t)-1);
	ck_assert_ptr_nonnull(strstr(answers, "{\"registered\":false}"));
	client_close_server(&trial, &client);
}
END_TEST

START_TEST(a_group_of_another_user_may_speak_for_itself)
{
	struct inside inside = {
		.requests = { OPEN, BOSS,
		    REQUEST("register", "{\"name\":\"init\",\"pid\":1}"),
		    REQUEST("status", "{}") }
	};
	struct client client;
	struct trial trial;
	const char *answers;

	if (geteuid() != 0)
		SUPPORT_SKIP("only root's hosts serve others");
	client_open_server(&trial, &client);
	ck_assert_int_eq(chmod(support_path("runtime"), 0711), 0);
	answers = run_inside(&trial, &inside, "w", support_user());
	ck_assert_ptr_nonnull(strstr(answers, "{\"key\":\"w\"}"));
	ck_assert_ptr_nonnull(strstr(answers, "{\"registered\":true}"));
	ck_assert_ptr_nonnull(strstr(answers, "-32004"));
	client_close_server(&trial, &client);
}
END_TEST

/* Of another user and in no group: one answer for all. */
static void
ask_as_user(void *arg)
{
	static const char *const requests[] = { OTHERS, BOSS, WHERE, OPEN,
		REQUEST("config.list", "{}"),
		REQUEST("subscribe", "{\"patterns\":[\"*\"]}"),
		REQUEST("topics.list", "{}") };
	const struct sockaddr_un *address = arg;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0), fds[2];
	uid_t uid = support_user();
	char line[BUS_SIDE_MAX + 1];
	size_t i;

	ck_assert_int_eq(setresuid(uid, uid, uid), 0);
	ck_assert_int_eq(connect(fd, (const struct sockaddr *)address,
			     sizeof(*address)),
	    0);
	for (i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		ck_assert_int_gt(send(fd, requests[i], strlen(requests[i]), 0),
		    0);
		ck_assert_int_eq(take_line(fd, line, fds), 0);
		ck_assert_msg(strstr(line, "-32004") != NULL, "%s", line);
	}
	close(fd);
}

static bool
has_gone(void *arg)
{
	struct support_process p;

	return !support_process(*(pid_t *)arg, &p) || !support_alive(&p);
}

START_TEST(another_user_in_no_group_is_refused)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct trial trial;
	pid_t pid;

	if (geteuid() != 0)
		SUPPORT_SKIP("only root's hosts serve others");
	trial_open(&trial, "srv");
	ck_assert_int_eq(chmod(support_path("runtime"), 0711), 0);
	strcpy(address.sun_path, support_path("runtime/srv.sock"));
	pid = trial_fork(ask_as_user, &address);
	trial_until(&trial, has_gone, &pid);
	trial_join(pid);
	trial_close(&trial);
}
END_TEST

START_TEST(a_bad_topic_is_refused_before_a_start)
{
	char *topics[] = { (char[]) { "a b" }, NULL };
	const struct bus_member_options options = { .key = "w",
		.topics = topics };
	struct trial trial;
	int down, up;

	trial_open(&trial, NULL);
	ck_assert_int_eq(bus_join(bus_side(&trial), &options, &down, &up),
	    GROUPER_INVALID);
	ck_assert_int_eq(down, -1);
	ck_assert_int_eq(up, -1);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("bus_callers");
	TCase *tc;

	tc = support_case(s, "groups");
	tcase_add_test(tc, an_event_bears_the_key_of_its_sender);
	tcase_add_test(tc, a_group_gets_one_pair_of_pipes_at_a_time);
	tcase_add_test(tc,
	    a_group_that_publishes_to_others_does_not_hear_it_itself);
	tcase_add_test(tc, a_request_does_not_overtake_the_uplink);
	tcase_add_test(tc, the_last_words_of_a_group_are_taken);
	tcase_add_test(tc,
	    a_flood_of_events_costs_a_group_no_signal_and_no_stop);
	tcase_add_loop_test(tc,
	    signals_by_events_stay_where_pipes_cannot_be_had, 0, 2);
	tcase_add_test(tc, a_bad_topic_is_refused_before_a_start);
	tc = support_case(s, "names");
	tcase_add_test(tc, names_go_with_their_group);
	tcase_add_test(tc, a_subtree_has_names_of_its_own);
	tc = support_case(s, "users");
	tcase_add_test(tc, a_group_of_another_user_may_speak_for_itself);
	tcase_add_test(tc, another_user_in_no_group_is_refused);
	return support_main(s, NULL);
}
