/* SPDX-License-Identifier: ISC */
/*
 * Supervisor trees that are refused, see grouper/supervisor.h.
 */
#include "trial.h"

static char program[] = "true";
static char *const command[] = { program, NULL };

static const struct grouper_child blank = GROUPER_CHILD_INIT;
static const struct grouper_supervisor_options plain =
    GROUPER_SUPERVISOR_OPTIONS_INIT;

static struct grouper_child
child_of(const char *id, char *const *argv)
{
	struct grouper_child child = blank;

	child.id = id;
	child.argv = argv;
	return child;
}

static void
refuse(struct trial *trial, const struct grouper_supervisor_options *options,
    enum grouper_error error)
{
	struct grouper_supervisor *none = NULL;

	ck_assert_int_eq(grouper_supervisor_new(trial->host, options, NULL,
			     NULL, &none),
	    error);
	ck_assert_ptr_null(none);
}

static void
refuse_child(struct trial *trial, const struct grouper_child *child,
    enum grouper_error error)
{
	struct grouper_supervisor_options options = plain;

	options.children = child;
	options.nchildren = 1;
	refuse(trial, &options, error);
}

START_TEST(bad_options_are_refused)
{
	struct grouper_supervisor_options options;
	struct trial trial;

	trial_open(&trial, "staged");
	refuse(&trial, NULL, GROUPER_INVALID);
	options = plain;
	options.size--;
	refuse(&trial, &options, GROUPER_INVALID);
	options = plain;
	options.strategy = (enum grouper_strategy)3;
	refuse(&trial, &options, GROUPER_INVALID);
	options = plain;
	options.auto_shutdown = (enum grouper_auto_shutdown)3;
	refuse(&trial, &options, GROUPER_INVALID);
	options = plain;
	options.period_ms = 0;
	refuse(&trial, &options, GROUPER_INVALID);
	options = plain;
	options.nchildren = 1;
	refuse(&trial, &options, GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

START_TEST(bad_children_are_refused)
{
	struct grouper_child child;
	struct trial trial;

	trial_open(&trial, "staged");
	child = child_of("a", command);
	child.size++;
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of("a", command);
	child.flags = 1 << 3;
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of(NULL, command);
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of("a:1", command);
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of("a", NULL);
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of("a", command);
	child.supervisor = &plain;
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of("a", command);
	child.shutdown = "TERM for long";
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of("a", command);
	child.ready = GROUPER_READY_FD;
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of("a", command);
	child.umask = 01000;
	refuse_child(&trial, &child, GROUPER_INVALID);
	child = child_of("a", command);
	child.flags = GROUPER_CHILD_SIGNIFICANT;
	refuse_child(&trial, &child, GROUPER_BAD_COMBINATION);
	trial_close(&trial);
}
END_TEST

START_TEST(a_supervisor_under_itself_is_refused)
{
	struct grouper_supervisor_options options = plain;
	struct grouper_child child = blank;
	struct trial trial;

	trial_open(&trial, "staged");
	child.id = "a";
	child.supervisor = &options;
	options.children = &child;
	options.nchildren = 1;
	refuse(&trial, &options, GROUPER_INVALID);
	trial_close(&trial);
}
END_TEST

START_TEST(an_anonymous_host_cannot_be_notified)
{
	struct grouper_child child = child_of("a", command);
	struct trial trial;

	trial_runtime_directory();
	trial_open(&trial, NULL);
	child.ready = GROUPER_READY_NOTIFY;
	refuse_child(&trial, &child, GROUPER_BAD_COMBINATION);
	trial_close(&trial);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("public_refused");
	TCase *tc;

	tc = support_case(suite, "refused");
	tcase_add_test(tc, bad_options_are_refused);
	tcase_add_test(tc, bad_children_are_refused);
	tcase_add_test(tc, a_supervisor_under_itself_is_refused);
	tcase_add_test(tc, an_anonymous_host_cannot_be_notified);
	return support_main(suite, NULL);
}
