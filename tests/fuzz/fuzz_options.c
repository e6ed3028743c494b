/* SPDX-License-Identifier: ISC */
/*
 * The command line of `grouper run`: what is accepted can be acted on.
 *
 * Input: the arguments, a NUL between two.
 */
#include <getopt.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/topic.h"
#include "runtime/util/parse.h"
#include "tests/fuzz/fuzz.h"
#include "tools/run_options.h"

#define WORDS_MAX 64

static void
check_lists(const struct run_options *options)
{
	size_t i;

	for (i = 0; i < options->nenv; i++)
		FUZZ_CHECK(options->env[i][0] != '=' &&
		    strchr(options->env[i], '=') != NULL);
	for (i = 0; i < options->ntopics; i++)
		FUZZ_CHECK(topic_pattern_valid(options->topics[i],
		    strlen(options->topics[i])));
	FUZZ_CHECK(options->ntopics == 0 ||
	    options->topics[options->ntopics] == NULL);
	for (i = 0; i < options->nreactions; i++)
		FUZZ_CHECK(topic_word(options->reactions[i].event) &&
		    options->reactions[i].signum > 0 &&
		    options->reactions[i].signum <= SIGRTMAX);
	for (i = 0; i < options->nlimits; i++)
		FUZZ_CHECK(options->limits[i].resource >= 0 &&
		    options->limits[i].resource < (int)RLIM_NLIMITS);
	for (i = 0; i < options->config.count; i++)
		FUZZ_CHECK(options->config.items[i].text != NULL);
}

static void
check_options(const struct run_options *options)
{
	FUZZ_CHECK(options->argv[0] != NULL);
	FUZZ_CHECK(name_valid(options->key, 255, true));
	FUZZ_CHECK(options->name == NULL ||
	    name_valid(options->name, 32, false));
	FUZZ_CHECK(options->steps.count > 0 &&
	    options->steps.count <= STEPS_MAX);
	FUZZ_CHECK(options->timeout_ms >= -1);
	FUZZ_CHECK(options->umask >= -1 && options->umask <= 0777);
	FUZZ_CHECK(options->nlimits <= RLIM_NLIMITS);
	check_lists(options);
}

/* getopt(3) may stand in the middle of a word of the last input. */
static void
forget_last(void)
{
	static char name[] = "run";
	char *argv[] = { name, NULL };

	optind = 0;
	(void)getopt(1, argv, "");
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *argv[WORDS_MAX + 2], *text = fuzz_text(data, size), *at = text;
	static char name[] = "run";
	struct run_options options;
	int argc = 0;

	argv[argc++] = name;
	while (argc <= WORDS_MAX && at <= text + size && size > 0) {
		argv[argc++] = at;
		at += strlen(at) + 1;
	}
	argv[argc] = NULL;
	forget_last();
	if (run_options_parse(&options, argc, argv) == RUN_PARSED)
		check_options(&options);
	run_options_fini(&options);
	free(text);
	return 0;
}
