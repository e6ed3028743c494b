/* SPDX-License-Identifier: ISC */
/*
 * Topic groups, broadcasts and members, by the verbs.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tree.h"

#define LARGE ((size_t)1 << 20)

/* Writes every frame that it gets to a file of its name. */
#define MEMBER(id, topics) \
	"  - {id: " id ", shell: 'exec cat <&8 >>@/" id "', topics: [" topics \
	"]}\n"
#define BARE "name: t\nchildren: []\n"

/* The members are there from their start on. */
static void
open_tree(struct tree *tree, const char *text)
{
	ck_assert_int_eq(symlink(support_grouper(), support_path("grouper")),
	    0);
	tree_start(tree, text);
	tree_await_ready("");
}

/* Exactly these frames have come. */
static void
expect_heard(const char *id, const char *frames)
{
	char *heard;

	support_await_file(support_path(id), frames);
	heard = support_slurp(support_path(id));
	ck_assert_str_eq(heard, frames);
	free(heard);
}

/* Topic groups */

START_TEST(a_topic_group_is_created_once)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_prints("", ARGV("topics", "list"));
	tree_prints("", ARGV("topics", "create", "team:a"));
	tree_prints("", ARGV("topics", "show", "team:a"));
	tree_refuses(1, "there is a topic group 'team:a'",
	    ARGV("topics", "create", "team:a"));
	tree_prints("team:a\n", ARGV("topics", "list"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_deleted_topic_group_can_be_created_anew)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_expect(0, ARGV("topics", "create", "g"));
	tree_expect(0, ARGV("topics", "add", "g", "a"));
	tree_expect(0, ARGV("topics", "delete", "g"));
	tree_prints("", ARGV("topics", "list"));
	tree_expect(0, ARGV("topics", "create", "g"));
	tree_prints("", ARGV("topics", "show", "g"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(an_unknown_topic_group_is_told)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_refuses(1, "no topic group 'g'", ARGV("topics", "delete", "g"));
	tree_refuses(1, "no topic group 'g'", ARGV("topics", "add", "g", "a"));
	tree_refuses(1, "no topic group 'g'",
	    ARGV("topics", "remove", "g", "a"));
	tree_refuses(1, "no topic group 'g'", ARGV("topics", "show", "g"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_topic_that_is_added_twice_is_there_once)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_expect(0, ARGV("topics", "create", "g"));
	tree_expect(0, ARGV("topics", "add", "g", "a", "a"));
	tree_expect(0, ARGV("topics", "add", "g", "a"));
	tree_prints("a\n", ARGV("topics", "show", "g"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(to_remove_a_topic_that_is_not_there_is_fine)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_expect(0, ARGV("topics", "create", "g"));
	tree_expect(0, ARGV("topics", "add", "g", "a", "b", "c"));
	tree_expect(0, ARGV("topics", "remove", "g", "a", "none", "c"));
	tree_prints("b\n", ARGV("topics", "show", "g"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(topics_and_their_groups_are_in_byte_order)
{
	struct tree tree;

	open_tree(&tree,
	    "topic_groups: {b: [z, B, a, 'ä', 'a:b'], a: []}\n" BARE);
	tree_expect(0, ARGV("topics", "create", "C"));
	tree_prints("C\na\nb\n", ARGV("topics", "list"));
	tree_prints("B\na\na:b\nz\nä\n", ARGV("topics", "show", "b"));
	tree_prints("{\"topics\":[\"B\",\"a\",\"a:b\",\"z\",\"ä\"]}\n",
	    ARGV("topics", "--json", "show", "b"));
	tree_prints("{\"groups\":[\"C\",\"a\",\"b\"]}\n",
	    ARGV("topics", "list", "--json"));
	tree_stop(&tree, 0);
}
END_TEST

/* Broadcasts */

START_TEST(a_broadcast_to_an_unknown_group_does_nothing)
{
	struct tree tree;

	open_tree(&tree, BARE);
	tree_prints("", ARGV("broadcast", "g", "e", "x"));
	tree_prints("no such topic group: reached nobody\n",
	    ARGV("broadcast", "-v", "g", "e"));
	tree_prints("{\"known\":false,\"topics\":0,\"members\":0}\n",
	    ARGV("broadcast", "--json", "g", "e"));
	tree_refuses(1, "g: no such topic group",
	    ARGV("broadcast", "--require", "g", "e"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_broadcast_may_reach_nobody)
{
	struct tree tree;

	open_tree(&tree, "topic_groups: {none: [], g: [a, b]}\n" BARE);
	tree_prints("{\"known\":true,\"topics\":0,\"members\":0}\n",
	    ARGV("broadcast", "--json", "none", "e"));
	tree_prints("reached 0 members\n", ARGV("broadcast", "-v", "g", "e"));
	tree_refuses(1, "g: nobody is subscribed to it",
	    ARGV("broadcast", "--require", "g", "e"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_broadcast_reaches_the_members_of_its_topics)
{
	struct tree tree;

	open_tree(&tree,
	    "topic_groups: {g: [room:b, room:a]}\nchildren:\n" MEMBER("one",
		"room:a") MEMBER("other", "room:c"));
	tree_prints("reached 1 member\n",
	    ARGV("broadcast", "-v", "--require", "g", "e", "hello"));
	tree_expect(0, ARGV("publish", "room:c", "end"));
	expect_heard("one", "E 1 room:a e - 5\nhello\n");
	expect_heard("other", "E 3 room:c end - 0\n\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_member_of_two_topics_hears_both_in_byte_order)
{
	struct tree tree;

	open_tree(&tree,
	    "topic_groups: {g: [b, a]}\nchildren:\n" MEMBER("one", "b, a")
		MEMBER("other", "'*'"));
	tree_prints("{\"known\":true,\"topics\":2,\"members\":2}\n",
	    ARGV("broadcast", "--json", "g", "e", "x"));
	expect_heard("one", "E 1 a e - 1\nx\nE 2 b e - 1\nx\n");
	expect_heard("other", "E 1 a e - 1\nx\nE 2 b e - 1\nx\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(who_overlaps_with_itself_hears_an_event_once)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n" MEMBER("one", "'room:*', 'room:a', '*'"));
	tree_prints("reached 1 member\n",
	    ARGV("publish", "-v", "room:a", "e", "x"));
	tree_expect(0, ARGV("publish", "other", "end"));
	expect_heard("one", "E 1 room:a e - 1\nx\nE 2 other end - 0\n\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(publish_to_others_leaves_the_own_group_out)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n" MEMBER("b",
		"room") "  - {id: a, ready: fd:3, topics: [room], shell: '"
			"@/grouper publish --others -v room e x >@/count; "
			"echo >&3; exec 3>&-; exec cat <&8 >>@/a'}\n");
	tree_await_ready("a");
	tree_expect(0, ARGV("publish", "room", "end"));
	expect_heard("count", "reached 1 member\n");
	expect_heard("b", "E 1 room e a 1\nx\nE 2 room end - 0\n\n");
	expect_heard("a", "E 2 room end - 0\n\n");
	tree_stop(&tree, 0);
}
END_TEST

/* Publishes what is given as standard input; what it printed. */
static void
publish_input(const char *text, const char *printed, const char *const *argv)
{
	struct support_command command = { .argv = argv, .input = text };
	struct support_run r;

	ck_assert_int_eq(support_call(&r, &command), 0);
	ck_assert_str_eq(r.stdout_text.data, printed);
	support_finish(&r);
}

START_TEST(a_payload_may_come_by_standard_input)
{
	struct tree tree;

	open_tree(&tree, "children:\n" MEMBER("w", "a"));
	publish_input("one\n", "",
	    ARGV(support_grouper(), "publish", "a", "e", "-"));
	publish_input("two", "reached 1 member\n",
	    ARGV(support_grouper(), "publish", "--stdin", "-v", "a", "e"));
	publish_input("ignored", "",
	    ARGV(support_grouper(), "publish", "a", "e", "--", "--stdin"));
	expect_heard("w",
	    "E 1 a e - 4\none\n\nE 2 a e - 3\ntwo\nE 3 a e - 7\n--stdin\n");
	tree_refuses(2, "expected no more arguments, got 'x'",
	    ARGV("publish", "--stdin", "a", "e", "x"));
	tree_stop(&tree, 0);
}
END_TEST

/* Of one byte, over and over. */
static int
publish_large(size_t length, char byte)
{
	struct support_command command = {
		.argv = ARGV(support_grouper(), "publish", "--stdin", "a", "e")
	};
	char *text = malloc(length + 1);
	struct support_run r;
	int status;

	ck_assert_ptr_nonnull(text);
	memset(text, byte, length);
	text[length] = '\0';
	command.input = text;
	status = support_call(&r, &command);
	ck_assert(status == 0 || strstr(r.stderr_text.data, "1 MiB") != NULL);
	support_finish(&r);
	free(text);
	return status;
}

START_TEST(a_payload_has_a_mebibyte_at_most)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, restart: temporary, topics: [a], "
	    "shell: 'head -c 3145800 <&8 | wc -c "
	    ">@/w'}\n");
	/* Whatever a request makes of it. */
	ck_assert_int_eq(publish_large(LARGE, 'x'), 0);
	ck_assert_int_eq(publish_large(LARGE, '\n'), 0);
	ck_assert_int_eq(publish_large(LARGE, '\377'), 0);
	ck_assert_int_eq(publish_large(LARGE + 1, 'x'), 1);
	tree_expect(0,
	    ARGV("publish", "a", "end",
		"0123456789012345678901234567890123456789"));
	expect_heard("w", "3145800\n");
	tree_stop(&tree, 0);
}
END_TEST

/* Members */

START_TEST(presence_tells_who_is_subscribed)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n" MEMBER("one", "room:a") MEMBER("two", "'room:*'"));
	tree_prints("2\none\ntwo\n", ARGV("presence", "room:a"));
	tree_prints("1\ntwo\n", ARGV("presence", "room:b"));
	tree_prints("0\n", ARGV("presence", "none"));
	tree_prints("{\"count\":1,\"members\":[\"two\"],\"counters\":["
		    "{\"key\":\"two\",\"delivered\":0,\"lost\":0,"
		    "\"published\":0,\"queued\":0}]}\n",
	    ARGV("presence", "--json", "room:b"));
	tree_expect(0, ARGV("stop", "two"));
	tree_prints("1\none\n", ARGV("presence", "room:a"));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(presence_follows_who_joins_and_leaves)
{
	struct support_command command = { .argv = ARGV(support_grouper(),
					       "presence", "-f", "room:a") };
	struct support_run r;
	struct tree tree;

	open_tree(&tree,
	    "children:\n" MEMBER("one", "room:a") MEMBER("two", "'room:*'")
		MEMBER("three", "room:b"));
	support_start(&r, &command);
	support_await_stdout(&r, "2\none\ntwo\n");
	tree_expect(0, ARGV("stop", "three"));
	tree_expect(0, ARGV("stop", "two"));
	support_await_stdout(&r, "leave\troom:*\ttwo\n");
	tree_expect(0, ARGV("start", "two"));
	support_await_stdout(&r, "join\troom:*\ttwo\n");
	support_signal(&tree.host, SIGTERM);
	ck_assert_int_eq(support_wait(&r), 1);
	ck_assert_ptr_null(strstr(r.stdout_text.data, "three"));
	support_finish(&r);
	tree_end(&tree, 0);
}
END_TEST

START_TEST(every_incarnation_has_pipes_of_its_own)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - {id: w, topics: [a], shell: 'echo new >>@/w; "
	    "exec cat <&8 >>@/w'}\n");
	tree_expect(0, ARGV("publish", "a", "one"));
	expect_heard("w", "new\nE 1 a one - 0\n\n");
	tree_expect(0, ARGV("stop", "w"));
	tree_prints("reached 0 members\n", ARGV("publish", "-v", "a", "two"));
	tree_expect(0, ARGV("start", "w"));
	tree_expect(0, ARGV("publish", "a", "three"));
	expect_heard("w", "new\nE 1 a one - 0\n\nnew\nE 3 a three - 0\n\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(a_shell_subscribes_and_publishes_by_its_pipes)
{
	struct tree tree;

	open_tree(&tree,
	    "children:\n"
	    "  - id: w\n    messages: true\n    ready: fd:3\n    shell: |\n"
	    "      printf 'S room:*\\n' >&9\n"
	    "      read -r confirmed <&8\n"
	    "      echo \"$confirmed\" >>@/w\n"
	    "      echo >&3; exec 3>&-\n"
	    "      printf 'P room:w hello 3\\nabc\\n' >&9\n"
	    "      while read -r e seq topic event from length <&8; do\n"
	    "        read -r payload <&8\n"
	    "        echo \"$topic $event $from $payload\" >>@/w\n"
	    "      done\n");
	tree_await_ready("w");
	support_await_file(support_path("w"), "R room:*\nroom:w hello w abc\n");
	tree_expect(0, ARGV("publish", "room:x", "e", "x y"));
	expect_heard("w", "R room:*\nroom:w hello w abc\nroom:x e - x y\n");
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(an_event_becomes_a_signal)
{
	struct tree tree;

	open_tree(&tree,
	    "topic_groups: {g: [x, room]}\n"
	    "children:\n"
	    "  - id: w\n    topics: [room]\n    ready: fd:3\n"
	    "    on_event: {reload: HUP, room: USR1}\n    shell: |\n"
	    "      trap 'echo hup >>@/w' HUP\n"
	    "      trap 'echo usr1 >>@/w' USR1\n"
	    "      [ -z \"$GROUPER_EVENTS_FD\" ] && echo none >>@/w\n"
	    "      echo >&3; exec 3>&-\n"
	    "      while :; do sleep 0.05; done\n");
	tree_await_ready("w");
	tree_prints("reached 1 member\n", ARGV("publish", "-v", "room", "e"));
	expect_heard("w", "none\nusr1\n");
	tree_expect(0, ARGV("broadcast", "g", "reload"));
	support_await_file(support_path("w"), "hup\n");
	tree_stop(&tree, 0);
}
END_TEST

/* Words */

static const struct {
	const char *const argv[6];
	const char *told;
} bad_words[] = {
	{ { "topics", "create", "" }, "topic group: expected 1 to 255 bytes" },
	{ { "topics", "create", "a b" }, "got 'a b'" },
	{ { "topics", "add", "g", "ok", "a:" }, "topic: expected" },
	{ { "topics", "add", "g", ":a" }, "no ':' at either end, got ':a'" },
	{ { "topics", "add", "g" }, "expected a TOPIC" },
	{ { "topics", "show" }, "expected a GROUP" },
	{ { "topics", "list", "g" }, "no more arguments, got 'g'" },
	{ { "topics", "make", "g" }, "expected create, delete," },
	{ { "topics" }, "expected create, delete," },
	{ { "broadcast", "g\n", "e" }, "topic group: expected" },
	{ { "broadcast", "g", "e e" }, "event: expected" },
	{ { "broadcast", "g" }, "expected an EVENT" },
	{ { "broadcast", "--others", "g", "e" }, "'--others'" },
	{ { "publish" }, "expected a TOPIC" },
	{ { "publish", "a", "e\t" }, "event: expected" },
	{ { "publish", "a\377", "e" }, "UTF-8" },
	{ { "publish", "a", "e", "x", "y" }, "no more arguments, got 'y'" },
	{ { "publish", "--require", "a", "e" }, "'--require'" },
	{ { "presence", ":" }, "topic: expected" },
	{ { "presence" }, "expected a TOPIC" },
	{ { "presence", "a", "b" }, "no more arguments, got 'b'" },
	{ { "listen", "a*", "b:" }, "pattern: expected" },
	{ { "listen", "--count", "0", "a" }, "--count: expected" },
	{ { "listen", "--timeout", "soon", "a" }, "--timeout: expected" },
	{ { "listen", "--ready-fd", "77", "a" }, "no descriptor 77" },
	{ { "listen", "--exit", "a" }, "--exec" },
	{ { "listen", "--exec", "true", "--json", "a" }, "exclude" },
	{ { "listen", "--member", "--presence", "a" }, "exclude" },
	{ { "listen", "--member", "--host", "t", "a" }, "exclude" },
	{ { "register", "a b" }, "name: expected" },
	{ { "register" }, "expected a NAME" },
	{ { "register", "a", "0" }, "process id, got '0'" },
	{ { "register", "a", "1", "2" }, "no more arguments, got '2'" },
	{ { "unregister", "" }, "name: expected" },
	{ { "whereis", "a", "1" }, "no more arguments, got '1'" },
	{ { "send", "a", "" }, "event: expected" },
	{ { "config", "get", "a b" }, "key: expected" },
	{ { "config", "put", "a" }, "expected a VALUE" },
	{ { "config", "put", "a", "\377" }, "UTF-8" },
	{ { "config", "list", "a" }, "no more arguments, got 'a'" },
	{ { "config", "set", "a" }, "expected get, put," },
};

/* Without asking a host. */
START_TEST(bad_words_are_told)
{
	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	tree_refuses(2, bad_words[_i].told, bad_words[_i].argv);
}
END_TEST

START_TEST(a_word_may_have_255_bytes)
{
	struct tree tree;
	char word[257];

	memset(word, 'x', sizeof(word));
	word[256] = '\0';
	open_tree(&tree, BARE);
	tree_refuses(2, "xxxx...'", ARGV("topics", "create", word));
	word[255] = '\0';
	tree_expect(0, ARGV("topics", "create", word));
	tree_expect(0, ARGV("topics", "add", word, word));
	tree_expect(0, ARGV("broadcast", word, word));
	tree_expect(0, ARGV("register", word));
	tree_expect(0, ARGV("config", "put", word, word));
	tree_stop(&tree, 0);
}
END_TEST

START_TEST(without_a_host_each_verb_says_so)
{
	static const char *const calls[][4] = {
		{ "topics", "list" },
		{ "broadcast", "g", "e" },
		{ "publish", "a", "e" },
		{ "listen", "a" },
		{ "presence", "a" },
		{ "register", "a" },
		{ "unregister", "a" },
		{ "whereis", "a" },
		{ "send", "a", "e" },
		{ "config", "list" },
	};
	size_t i;

	setenv("GROUPER_RUNTIME_DIR", support_path("runtime"), 1);
	for (i = 0; i < sizeof(calls) / sizeof(calls[0]); i++)
		tree_refuses(1, "no host is running", calls[i]);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("messages");
	TCase *tc;

	tc = support_case(suite, "topic groups");
	tcase_add_test(tc, a_topic_group_is_created_once);
	tcase_add_test(tc, a_deleted_topic_group_can_be_created_anew);
	tcase_add_test(tc, an_unknown_topic_group_is_told);
	tcase_add_test(tc, a_topic_that_is_added_twice_is_there_once);
	tcase_add_test(tc, to_remove_a_topic_that_is_not_there_is_fine);
	tcase_add_test(tc, topics_and_their_groups_are_in_byte_order);
	tc = support_case(suite, "events");
	tcase_add_test(tc, a_broadcast_to_an_unknown_group_does_nothing);
	tcase_add_test(tc, a_broadcast_may_reach_nobody);
	tcase_add_test(tc, a_broadcast_reaches_the_members_of_its_topics);
	tcase_add_test(tc, a_member_of_two_topics_hears_both_in_byte_order);
	tcase_add_test(tc, who_overlaps_with_itself_hears_an_event_once);
	tcase_add_test(tc, publish_to_others_leaves_the_own_group_out);
	tcase_add_test(tc, a_payload_may_come_by_standard_input);
	tcase_add_test(tc, a_payload_has_a_mebibyte_at_most);
	tc = support_case(suite, "members");
	tcase_add_test(tc, presence_tells_who_is_subscribed);
	tcase_add_test(tc, presence_follows_who_joins_and_leaves);
	tcase_add_test(tc, every_incarnation_has_pipes_of_its_own);
	tcase_add_test(tc, a_shell_subscribes_and_publishes_by_its_pipes);
	tcase_add_test(tc, an_event_becomes_a_signal);
	tc = support_case(suite, "words");
	tcase_add_loop_test(tc, bad_words_are_told, 0,
	    (int)(sizeof(bad_words) / sizeof(bad_words[0])));
	tcase_add_test(tc, a_word_may_have_255_bytes);
	tcase_add_test(tc, without_a_host_each_verb_says_so);
	return support_main(suite, NULL);
}
