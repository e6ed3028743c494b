/* SPDX-License-Identifier: ISC */
/*
 * The table of interest: what publishers are told, and what they cannot do.
 */
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "runtime/relay/interest.h"
#include "support.h"

/* Some hundred milliseconds. */
#define CHANGES 2000000

static struct interest *interest;
static const struct interest_table *table;

static void
open_table(void)
{
	interest = interest_new();
	ck_assert_ptr_nonnull(interest);
	table = interest_map(interest_fd(interest));
	ck_assert_ptr_nonnull(table);
}

static void
close_table(void)
{
	interest_unmap(table);
	interest_free(interest);
}

static void
add(const char *text, bool prefix)
{
	interest_add(interest, text, strlen(text), prefix);
}

static void
take(const char *text, bool prefix)
{
	interest_remove(interest, text, strlen(text), prefix);
}

static bool
has(const char *topic)
{
	return interest_has(table, topic, strlen(topic));
}

START_TEST(a_topic_is_wanted_while_it_is_there)
{
	open_table();
	ck_assert(!has("room:a"));
	add("room:a", false);
	ck_assert(has("room:a"));
	ck_assert(!has("room:b") && !has("room:ab") && !has("room"));
	add("room:b", false);
	take("room:a", false);
	ck_assert(!has("room:a"));
	ck_assert(has("room:b"));
	close_table();
}
END_TEST

START_TEST(a_prefix_wants_all_that_begins_with_it)
{
	open_table();
	add("room:", true);
	ck_assert(has("room:a") && has("room:"));
	ck_assert(!has("room") && !has("rooms:a"));
	add("", true);
	ck_assert(has("room") && has("x"));
	take("", true);
	ck_assert(!has("room") && has("room:a"));
	take("room:", true);
	ck_assert(!has("room:a"));
	close_table();
}
END_TEST

START_TEST(a_topic_is_no_prefix)
{
	open_table();
	add("ab", true);
	add("a", false);
	ck_assert(has("a") && has("abc"));
	ck_assert(!has("ac"));
	take("ab", true);
	ck_assert(has("a"));
	ck_assert(!has("ab"));
	close_table();
}
END_TEST

START_TEST(the_longest_topics_have_their_place)
{
	char text[255];

	open_table();
	memset(text, 'x', sizeof(text));
	interest_add(interest, text, 254, true);
	ck_assert(interest_has(table, text, 255));
	ck_assert(!interest_has(table, text, 253));
	interest_remove(interest, text, 254, true);
	interest_add(interest, text, 255, false);
	ck_assert(interest_has(table, text, 255));
	close_table();
}
END_TEST

/* Of a thousand topics nobody wants, how many are taken for wanted ones. */
START_TEST(few_topics_are_mistaken_for_others)
{
	unsigned int i, mistaken = 0;
	char text[32];

	open_table();
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "room:%u", i);
		add(text, false);
		ck_assert(has(text));
	}
	for (i = 0; i < 1000; i++) {
		snprintf(text, sizeof(text), "other:%u", i);
		mistaken += has(text);
	}
	ck_assert_uint_le(mistaken, 100);
	close_table();
}
END_TEST

START_TEST(readers_cannot_change_it)
{
	int fd;
	char *path;

	open_table();
	fd = interest_fd(interest);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_int_eq(ftruncate(fd, 0), -1);
	ck_assert_int_eq(errno, EPERM);
	ck_assert_ptr_eq(mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			     fd, 0),
	    MAP_FAILED);
	ck_assert_int_eq(mprotect((void *)(uintptr_t)table, 4096,
			     PROT_READ | PROT_WRITE),
	    -1);
	/* Nor by another way to the same memory. */
	ck_assert_int_gt(asprintf(&path, "/proc/self/fd/%d", fd), 0);
	fd = open(path, O_RDWR | O_CLOEXEC);
	free(path);
	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(write(fd, "x", 1), -1);
	close(fd);
	close_table();
}
END_TEST

/*
 * A subscriber that goes from one pattern to another and back has one of them
 * at each moment; who looks at both does so one after the other.
 */
START_TEST(who_changes_patterns_is_never_missed)
{
	pid_t reader;
	int status, i;

	open_table();
	add("a", true);
	reader = fork();
	ck_assert_int_ne(reader, -1);
	if (reader == 0)
		for (;;)
			if (!has("ab"))
				_exit(1);
	for (i = 0; i < CHANGES; i++) {
		add("ab", false);
		take("a", true);
		add("a", true);
		take("ab", false);
	}
	kill(reader, SIGKILL);
	ck_assert_int_eq(waitpid(reader, &status, 0), reader);
	ck_assert(WIFSIGNALED(status));
	close_table();
}
END_TEST

/* A fork shares the memory, but not the subscriptions. */
START_TEST(only_its_owner_changes_it)
{
	pid_t child;
	int status;

	open_table();
	add("a", false);
	child = fork();
	ck_assert_int_ne(child, -1);
	if (child == 0) {
		take("a", false);
		add("b", false);
		close_table();
		_exit(0);
	}
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert(has("a"));
	ck_assert(!has("b"));
	close_table();
}
END_TEST

/* SIGXFSZ would end the program. */
START_TEST(a_limit_of_file_sizes_is_no_signal)
{
	const struct rlimit limit = { 4096, RLIM_INFINITY };

	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
	errno = 0;
	ck_assert_ptr_null(interest_new());
	ck_assert_int_eq(errno, EFBIG);
}
END_TEST

static int
make_file(off_t size, int seals)
{
	int fd = memfd_create("test", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_ne(fd, -1);
	ck_assert_int_eq(ftruncate(fd, size), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, seals), 0);
	return fd;
}

static void
refuse(int fd)
{
	errno = 0;
	ck_assert_ptr_null(interest_map(fd));
	ck_assert_int_eq(errno, EPROTO);
	close(fd);
}

START_TEST(what_is_no_table_is_not_read)
{
	int ends[2];

	ck_assert_int_eq(pipe(ends), 0);
	close(ends[1]);
	refuse(ends[0]);
	refuse(make_file(66564, 0));
	refuse(make_file(66564, F_SEAL_SHRINK));
	refuse(make_file(4096, F_SEAL_SHRINK | F_SEAL_GROW | 0x10));
	refuse(make_file(0, F_SEAL_SHRINK | F_SEAL_GROW | 0x10));
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("interest");
	TCase *tc = support_case(suite, "interest");

	tcase_add_test(tc, a_topic_is_wanted_while_it_is_there);
	tcase_add_test(tc, a_prefix_wants_all_that_begins_with_it);
	tcase_add_test(tc, a_topic_is_no_prefix);
	tcase_add_test(tc, the_longest_topics_have_their_place);
	tcase_add_test(tc, few_topics_are_mistaken_for_others);
	tcase_add_test(tc, who_changes_patterns_is_never_missed);
	tcase_add_test(tc, readers_cannot_change_it);
	tcase_add_test(tc, only_its_owner_changes_it);
	tcase_add_test(tc, a_limit_of_file_sizes_is_no_signal);
	tcase_add_test(tc, what_is_no_table_is_not_read);
	return support_main(suite, NULL);
}
