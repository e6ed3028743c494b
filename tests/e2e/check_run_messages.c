/* SPDX-License-Identifier: ISC */
/*
 * Messages and settings of `grouper run`: what its command is given.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support.h"

#define ARGV(...) ((const char *const[]) { __VA_ARGS__, NULL })

/*
 * Runs a shell script under `grouper run` with these words; it must end with 0
 * and print this.  "$G" is the command under test.
 */
static void
assert_prints(const char *const *words, const char *script, const char *text,
    void (*prepare)(void *))
{
	const char *argv[24] = { support_grouper(), "run" };
	struct support_command c = { .argv = argv, .prepare = prepare };
	struct support_run r;
	char grouper[512];
	size_t n = 2;

	snprintf(grouper, sizeof(grouper), "G=%s", support_grouper());
	c.env = ARGV(grouper);
	while (*words != NULL)
		argv[n++] = *words++;
	argv[n++] = "--";
	argv[n++] = "sh";
	argv[n++] = "-c";
	argv[n++] = script;
	ck_assert_msg(support_call(&r, &c) == 0, "status %d, stderr: %s",
	    r.status, r.stderr_text.data);
	ck_assert_str_eq(r.stdout_text.data, text);
	ck_assert_str_eq(r.stderr_text.data, "");
	support_finish(&r);
}

static void
refuses(const char *option, const char *value, const char *why)
{
	struct support_run r;

	ck_assert_int_eq(support_execute(&r, "@grouper", "run", option, value,
			     "true", NULL),
	    125);
	ck_assert_msg(strstr(r.stderr_text.data, why) != NULL, "'%s' in '%s'",
	    why, r.stderr_text.data);
	support_finish(&r);
}

START_TEST(a_subscription_holds_before_the_command_runs)
{
	assert_prints(ARGV("--topic", "room:*", "--topic", "hall"),
	    "$G publish room:a say hello; $G publish hall say aloud;"
	    "$G publish elsewhere say nothing; $G publish hall say end;"
	    "for i in 1 2 3; do read -r head <&8; read -r text <&8;"
	    " echo ${head#E * } : $text; done",
	    "room:a say default 5 : hello\nhall say default 5 : aloud\n"
	    "hall say default 3 : end\n",
	    NULL);
}
END_TEST

START_TEST(a_command_may_subscribe_and_publish_by_itself)
{
	assert_prints(ARGV("--messages", "--key", "me"),
	    "printf 'S room\\n' >&9; read -r line <&8; echo \"$line\";"
	    "printf 'P room say 2\\nhi\\n' >&9; read -r line <&8;"
	    "echo ${line#E * }; read -r line <&8; echo $line",
	    "R room\nroom say me 2\nhi\n", NULL);
}
END_TEST

START_TEST(who_closes_its_pipes_is_not_reached_any_more)
{
	assert_prints(ARGV("--topic", "room"),
	    "$G topics create team; $G topics add team room;"
	    "$G register me; $G presence room; exec 8<&- 9>&-;"
	    "$G presence room; $G broadcast -v team note;"
	    "{ $G broadcast --require team note; echo $?;"
	    " $G send me note; echo $?; } 2>/dev/null",
	    "1\ndefault\n0\nreached 0 members\n1\n1\n", NULL);
}
END_TEST

START_TEST(without_the_options_there_are_no_pipes)
{
	assert_prints(ARGV("--key", "me"),
	    "echo [$GROUPER_EVENTS_FD$GROUPER_COMMANDS_FD];"
	    "(cat <&8) 2>/dev/null || echo none",
	    "[]\nnone\n", NULL);
}
END_TEST

static void
take_nine(void *arg)
{
	(void)arg;
	ck_assert_int_eq(dup2(STDIN_FILENO, 9), 9);
}

START_TEST(what_the_caller_has_open_keeps_its_number)
{
	assert_prints(ARGV("--messages"),
	    "echo $((GROUPER_EVENTS_FD > 9))"
	    " $((GROUPER_COMMANDS_FD - GROUPER_EVENTS_FD));"
	    "cmp -s /proc/self/fd/0 /proc/self/fd/9 && echo same",
	    "1 1\nsame\n", take_nine);
}
END_TEST

START_TEST(an_event_comes_as_a_signal)
{
	assert_prints(ARGV("--topic", "room", "--on-event", "reload=USR1"),
	    "trap 'echo usr1; exit 0' USR1;"
	    "$G publish room reload; while :; do sleep 0.05; done",
	    "usr1\n", NULL);
}
END_TEST

START_TEST(settings_are_there_when_the_command_starts)
{
	const char *file = support_file("settings", 0644,
	    "{\"port\": 8080, \"name\": \"of the file\"}\n");

	assert_prints(ARGV("--config-file", file, "--config", "name=later",
			  "--config", "list=[1, 2]"),
	    "$G config get port; $G config get name; $G config get list",
	    "8080\nlater\n[1,2]\n", NULL);
}
END_TEST

/* They are read before signals wait for the loop. */
START_TEST(a_file_of_settings_that_does_not_come_can_be_given_up)
{
	const char *fifo = support_path("fifo");
	struct support_command c = { .argv = ARGV(support_grouper(), "run",
					 "--config-file", fifo, "true") };
	struct support_run r;
	int fd;

	ck_assert_int_eq(mkfifo(fifo, 0600), 0);
	support_start(&r, &c);
	fd = open(fifo, O_WRONLY | O_CLOEXEC); /* until it is read */
	ck_assert_int_ne(fd, -1);
	support_signal(&r, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 128 + SIGTERM);
	close(fd);
	support_finish(&r);
}
END_TEST

START_TEST(bad_settings_and_topics_are_refused)
{
	const char *file = support_file("settings", 0644, "[1]");

	refuses("--config", "name", "expected KEY=VALUE, got 'name'");
	refuses("--config", "a b=1", "setting 'a b'");
	refuses("--config-file", "/no/such/file", "No such file");
	refuses("--config-file", "/", "run: /: Is a directory");
	refuses("--config-file", "/dev/zero", "run: /dev/zero: File too large");
	refuses("--config-file", file, "/settings:1:1: expected an object");
	refuses("--topic", "a b", "expected a topic of 1 to 255 bytes");
	refuses("--on-event", "reload", "expected EVENT=SIGNAL");
	refuses("--on-event", "reload=NOSUCH", "expected EVENT=SIGNAL");
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("run, messages");
	TCase *tc = support_case(suite, "messages");

	tcase_add_test(tc, a_subscription_holds_before_the_command_runs);
	tcase_add_test(tc, a_command_may_subscribe_and_publish_by_itself);
	tcase_add_test(tc, who_closes_its_pipes_is_not_reached_any_more);
	tcase_add_test(tc, without_the_options_there_are_no_pipes);
	tcase_add_test(tc, what_the_caller_has_open_keeps_its_number);
	tcase_add_test(tc, an_event_comes_as_a_signal);
	tc = support_case(suite, "settings");
	tcase_add_test(tc, settings_are_there_when_the_command_starts);
	tcase_add_test(tc,
	    a_file_of_settings_that_does_not_come_can_be_given_up);
	tcase_add_test(tc, bad_settings_and_topics_are_refused);
	return support_main(suite, NULL);
}
