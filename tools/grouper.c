/* SPDX-License-Identifier: ISC */
/*
 * The command: finds the verb and calls it.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/tree/suggest.h"
#include "runtime/util/fd.h"
#include "tools/run_report.h"
#include "tools/tool.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "unknown"
#endif

static tool_verb_fn help_main;

static const struct verb {
	const char *name;
	tool_verb_fn *main;
	const char *text;
} verbs[] = {
	{ "run", run_main,
	    "run a command as a group, and end with its status" },
	{ "supervise", supervise_main,
	    "run a tree of daemons from a tree file or a Procfile" },
	{ "up", supervise_main, "the same" },
	{ "host", host_main, "run an empty host, for spawn" },
	{ "check", check_main, "tell what is wrong with a tree file" },
	{ "plan", plan_main, "tell what a reload would do" },
	{ "status", status_main, "draw the tree of a running host" },
	{ "ps", ps_main, "list every process of a running host" },
	{ "spawn", spawn_main, "start a command as one more group" },
	{ "start", act_main, "start children of a running host" },
	{ "stop", act_main, "stop children" },
	{ "restart", act_main, "stop children and start them again" },
	{ "signal", act_main, "send a signal to children" },
	{ "scale", act_main, "run so many instances of a child" },
	{ "reset", act_main, "clear the mark of a leader that died" },
	{ "delete", act_main, "forget children that do not run" },
	{ "reopen", act_main, "open the log files anew" },
	{ "reload", act_main, "read the tree file again" },
	{ "wait", wait_main, "wait until children ended, are ready or empty" },
	{ "logs", logs_main, "print what children wrote" },
	{ "events", events_main, "print what happens in a running host" },
	{ "hosts", hosts_main, "list the running hosts" },
	{ "topics", topics_main, "make topic groups, change and list them" },
	{ "broadcast", broadcast_main, "publish an event to a topic group" },
	{ "publish", publish_main, "publish an event to a topic" },
	{ "listen", listen_main, "print events, or run a command for each" },
	{ "presence", presence_main, "tell who is subscribed to a topic" },
	{ "register", names_main, "give a name to a process" },
	{ "unregister", names_main, "take a name away" },
	{ "whereis", names_main, "tell which process has a name" },
	{ "send", send_main, "send an event to whoever has a name" },
	{ "config", config_main, "print and change settings" },
	{ "doctor", doctor_main, "tell what this machine can guarantee" },
	{ "ident", ident_main, "tell which group a process belongs to" },
	{ "help", help_main, "this text, or the help of a verb" },
};

#define NVERBS (sizeof(verbs) / sizeof(verbs[0]))

static const struct verb *
find(const char *name)
{
	size_t i;

	for (i = 0; i < NVERBS; i++)
		if (strcmp(name, verbs[i].name) == 0)
			return &verbs[i];
	return NULL;
}

static void
usage(FILE *stream)
{
	size_t i;

	fputs("Usage: grouper [-h|-V] VERB [OPTION...] [--] [ARGUMENT...]\n\n"
	      "Runs commands as groups that are proven empty when they end.\n\n"
	      "Verbs:\n",
	    stream);
	for (i = 0; i < NVERBS; i++)
		fprintf(stream, "  %-10s %s\n", verbs[i].name, verbs[i].text);
	fputs("\nOptions:\n"
	      "  -h, --help     this text\n"
	      "  -V, --version  the version\n"
	      "\n'grouper VERB --help' tells the options of a verb; see also "
	      "grouper(1).\n",
	    stream);
}

static int
unknown_verb(const char *name)
{
	struct suggestion meant = { NULL, 0 };
	size_t i;

	for (i = 0; i < NVERBS; i++)
		suggest(&meant, name, verbs[i].name);
	if (meant.word != NULL)
		tool_error(NULL,
		    "unknown verb '%s', did you mean '%s'? 'grouper help' "
		    "lists them",
		    name, meant.word);
	else
		tool_error(NULL, "unknown verb '%s': 'grouper help' lists them",
		    name);
	return TOOL_USAGE;
}

static int
help_main(int argc, char **argv)
{
	char *words[] = { NULL, NULL, NULL };
	char option[] = "--help";
	const struct verb *verb;

	if (argc < 2 || argv[1][0] == '-' || strcmp(argv[1], "help") == 0) {
		usage(stdout);
		return tool_printed(NULL);
	}
	verb = find(argv[1]);
	if (verb == NULL)
		return unknown_verb(argv[1]);
	words[0] = argv[1];
	words[1] = option;
	return verb->main(2, words);
}

/* Nothing that a verb opens may land on a standard descriptor. */
static int
call(const struct verb *verb, int argc, char **argv)
{
	if (fd_hold_standard() == 0)
		return verb->main(argc, argv);
	tool_error(verb->name, "standard descriptors: %s", strerror(errno));
	return verb->main == run_main ? RUN_FAILED : TOOL_NO;
}

int
main(int argc, char **argv)
{
	const struct verb *verb;
	const char *word;

	if (argc < 2) {
		usage(stderr);
		return TOOL_USAGE;
	}
	word = argv[1];
	verb = find(word);
	if (verb != NULL)
		return call(verb, argc - 1, argv + 1);
	if (strcmp(word, "-h") == 0 || strcmp(word, "--help") == 0) {
		usage(stdout);
		return tool_printed(NULL);
	}
	if (strcmp(word, "-V") == 0 || strcmp(word, "--version") == 0) {
		puts("grouper " PACKAGE_VERSION);
		return tool_printed(NULL);
	}
	if (word[0] != '-')
		return unknown_verb(word);
	tool_error(NULL, "unknown option '%s': expected -h, -V or a verb",
	    word);
	return TOOL_USAGE;
}
