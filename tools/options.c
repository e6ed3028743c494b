/* SPDX-License-Identifier: ISC */
/*
 * Options of verbs, see options.h.
 */
#include "tools/options.h"

#include <stdio.h>
#include <string.h>

#include "tools/json.h"
#include "tools/tool.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

#define LETTERS_MAX 32

static int
take(struct options *options, int opt, char **argv, options_own_fn *own,
    void *arg)
{
	switch (opt) {
	case 's':
		options->socket = optarg;
		return -1;
	case OPTIONS_HOST_VALUE:
		options->host = optarg;
		return -1;
	case OPTIONS_JSON_VALUE:
		options->json = true;
		return -1;
	case 'h':
		if (options->help == NULL)
			return own(opt, NULL, arg);
		fputs(options->help, stdout);
		return tool_printed(options->verb);
	case 'V':
		puts("grouper " PACKAGE_VERSION);
		return tool_printed(options->verb);
	case '?':
	case ':':
		tool_bad_option(options->verb, opt, argv);
		return TOOL_USAGE;
	default:
		if (own == NULL) {
			options->quiet = options->quiet || opt == 'q';
			return -1;
		}
		return own(opt, optarg, arg);
	}
}

int
options_read(struct options *options, int argc, char **argv,
    const char *letters, const struct option *table, options_own_fn *own,
    void *arg)
{
	char all[LETTERS_MAX];
	int opt, status;

	snprintf(all, sizeof(all), "%shV", letters);
	opterr = 0;
	while ((opt = getopt_long(argc, argv, all, table, NULL)) != -1) {
		status = take(options, opt, argv, own, arg);
		if (status != -1)
			return status;
	}
	if (options->socket == NULL || options->host == NULL)
		return -1;
	tool_error(options->verb, "--host and --socket exclude each other");
	return TOOL_USAGE;
}

static int
check_word(const char *verb, enum word_kind kind, const char *text)
{
	json_t *probe = json_string(text);
	char why[WORD_WHY_SIZE];

	json_decref(probe);
	if (!word_valid(kind, text, why))
		tool_error(verb, "%s", why);
	else if (probe == NULL)
		tool_error(verb, "expected UTF-8, got '%s'", text);
	else
		return TOOL_OK;
	return TOOL_USAGE;
}

const char *
options_word(const char *verb, char **argv, enum word_kind kind,
    const char *title)
{
	const char *text = argv[optind];

	if (text == NULL) {
		tool_error(verb, "expected %s: see 'grouper %s --help'", title,
		    verb);
		return NULL;
	}
	if (check_word(verb, kind, text) != TOOL_OK)
		return NULL;
	optind++;
	return text;
}

static const char *
action_name(const void *table, size_t size, size_t i)
{
	return *(const char *const *)((const char *)table + i * size);
}

const void *
options_action(const char *verb, char **argv, const void *table, size_t size,
    size_t count)
{
	const char *given = argv[optind];
	char names[256] = "";
	size_t i;

	for (i = 0; i < count; i++) {
		if (given != NULL &&
		    strcmp(action_name(table, size, i), given) == 0) {
			optind++;
			return (const char *)table + i * size;
		}
		if (i > 0)
			strlcat(names, i + 1 < count ? ", " : " or ",
			    sizeof(names));
		strlcat(names, action_name(table, size, i), sizeof(names));
	}
	if (given == NULL)
		tool_error(verb, "expected %s", names);
	else
		tool_error(verb, "expected %s, got '%s'", names, given);
	return NULL;
}

int
options_no_more(const char *verb, char **argv)
{
	if (argv[optind] == NULL)
		return TOOL_OK;
	tool_error(verb, "expected no more arguments, got '%s'", argv[optind]);
	return TOOL_USAGE;
}
