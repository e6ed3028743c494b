/* SPDX-License-Identifier: ISC */
/*
 * The ring of events and its readers.
 */
#include <string.h>

#include "runtime/control/events.h"
#include "support.h"

static void
add(struct events *events, const char *type)
{
	events_add(events, json_pack("{s:s}", "type", type));
}

static void
expect(struct events *events, struct events_reader *reader, int seq)
{
	json_t *event = events_read(events, reader);

	ck_assert_ptr_nonnull(event);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "seq")),
	    seq);
	ck_assert(json_is_real(json_object_get(event, "time")));
	json_decref(event);
}

static void
expect_gap(struct events *events, struct events_reader *reader, int from,
    int to)
{
	json_t *event = events_read(events, reader);

	ck_assert_str_eq(json_string_value(json_object_get(event, "type")),
	    "gap");
	ck_assert_int_eq(json_integer_value(json_object_get(event, "from")),
	    from);
	ck_assert_int_eq(json_integer_value(json_object_get(event, "to")), to);
	json_decref(event);
}

START_TEST(events_are_read_in_order_from_any_number)
{
	struct events_reader reader = { .next = 2 };
	struct events *events = events_new(4);

	ck_assert_uint_eq(events_end(events), 1);
	add(events, "a");
	ck_assert_ptr_null(events_read(events, &reader));
	add(events, "b");
	add(events, "c");
	ck_assert_uint_eq(events_end(events), 4);
	expect(events, &reader, 2);
	expect(events, &reader, 3);
	ck_assert_ptr_null(events_read(events, &reader));
	add(events, "d");
	expect(events, &reader, 4);
	events_free(events);
}
END_TEST

START_TEST(what_was_dropped_is_told_as_a_gap)
{
	struct events_reader reader = { .next = 1 };
	struct events *events = events_new(3);
	int i;

	for (i = 0; i < 10; i++)
		add(events, "x");
	expect_gap(events, &reader, 1, 7);
	expect(events, &reader, 8);
	expect(events, &reader, 9);
	expect(events, &reader, 10);
	ck_assert_ptr_null(events_read(events, &reader));
	events_free(events);
}
END_TEST

/* From numbers that are gone, kept, or to come. */
START_TEST(the_text_is_what_a_reader_reads)
{
	struct events_reader reader;
	struct events *events = events_new(3);
	json_t *all, *event;
	uint64_t since;
	char *text;
	size_t i;

	for (i = 0; i < 10; i++)
		add(events, i == 8 ? NULL : "x");
	for (since = 1; since < 14; since++) {
		text = events_text(events, since);
		ck_assert_ptr_nonnull(text);
		all = json_loads(text, 0, NULL);
		ck_assert(json_is_array(all));
		reader.next = since;
		for (i = 0; i < json_array_size(all); i++) {
			event = events_read(events, &reader);
			ck_assert(json_equal(event, json_array_get(all, i)));
			json_decref(event);
		}
		ck_assert_ptr_null(events_read(events, &reader));
		json_decref(all);
		free(text);
	}
	events_free(events);
}
END_TEST

START_TEST(an_event_without_memory_is_a_gap)
{
	struct events_reader reader = { .next = 1 };
	struct events *events = events_new(3);

	add(events, "x");
	events_add(events, NULL);
	add(events, "y");
	expect(events, &reader, 1);
	expect_gap(events, &reader, 2, 2);
	expect(events, &reader, 3);
	events_free(events);
}
END_TEST

static void
count_up(void *arg)
{
	++*(int *)arg;
}

START_TEST(readers_are_woken_while_they_are_there)
{
	struct events *events = events_new(3);
	int woken = 0;
	struct events_reader reader = { .next = 1,
		.wake = count_up,
		.arg = &woken };

	events_join(events, &reader);
	add(events, "x");
	add(events, "y");
	ck_assert_int_eq(woken, 2);
	events_leave(events, &reader);
	add(events, "z");
	ck_assert_int_eq(woken, 2);
	events_free(events);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("events");
	TCase *tc;

	tc = support_case(suite, "ring");
	tcase_add_test(tc, events_are_read_in_order_from_any_number);
	tcase_add_test(tc, what_was_dropped_is_told_as_a_gap);
	tcase_add_test(tc, the_text_is_what_a_reader_reads);
	tcase_add_test(tc, an_event_without_memory_is_a_gap);
	tcase_add_test(tc, readers_are_woken_while_they_are_there);
	return support_main(suite, NULL);
}
