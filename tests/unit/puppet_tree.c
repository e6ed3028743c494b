/* SPDX-License-Identifier: ISC */
/*
 * Trees from short texts, and by chance: see puppet.h.  Without libcheck,
 * since not only its suites use them.
 */
#include "puppet.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/util/bug.h"

#define DEPENDS_MAX 8
#define TEXT_MAX 2048

static bool
take(const char **at, const char *word)
{
	size_t n = strlen(word);

	if (strncmp(*at, word, n) != 0 || ((*at)[n] != ' ' && (*at)[n] != '\0'))
		return false;
	*at += n;
	return true;
}

static bool
take_setting(const char **at, struct spec_supervisor *spec)
{
	char *end;

	if (take(at, "one"))
		spec->strategy = SPEC_ONE_FOR_ONE;
	else if (take(at, "all"))
		spec->strategy = SPEC_ONE_FOR_ALL;
	else if (take(at, "rest"))
		spec->strategy = SPEC_REST_FOR_ONE;
	else if (take(at, "any"))
		spec->auto_shutdown = SPEC_ANY_SIGNIFICANT;
	else if (take(at, "every"))
		spec->auto_shutdown = SPEC_ALL_SIGNIFICANT;
	else if (isdigit((unsigned char)**at)) {
		spec->intensity = (unsigned int)strtoul(*at, &end, 10);
		BUG_IF(*end != '/');
		spec->period_ms = strtol(end + 1, &end, 10);
		*at = end;
	} else if (strncmp(*at, "cool=", 5) == 0) {
		spec->cooldown_ms = strtol(*at + 5, &end, 10);
		*at = end;
	} else {
		return false;
	}
	return true;
}

static char *
take_name(const char **at)
{
	size_t n = strspn(*at, "abcdefghijklmnopqrstuvwxyz0123456789._");
	char *name = strndup(*at, n);

	BUG_IF(n == 0);
	*at += n;
	return name;
}

static void
take_depends(const char **at, struct spec_child *child)
{
	size_t n = 0;

	child->parallel = true;
	child->depends_on = calloc(DEPENDS_MAX, sizeof(char *));
	while (isalnum((unsigned char)**at)) {
		BUG_IF(n >= DEPENDS_MAX - 1);
		child->depends_on[n++] = take_name(at);
		if (**at == ',')
			++*at;
	}
}

static void
take_command(const char **at, struct spec_child *child)
{
	struct spec_command *command = child->command;
	char *end;

	command->argv = calloc(2, sizeof(char *));
	command->argv[0] = strdup("command");
	if (**at == '?') {
		command->ready = SPEC_READY_NOTIFY;
		++*at;
	}
	if (**at == '*') {
		command->instances = (unsigned int)strtoul(*at + 1, &end, 10);
		*at = end;
	}
}

static void take_children(const char **at, struct spec_supervisor *spec);

static void
take_child(const char **at, struct spec_child *child)
{
	char *end;

	spec_child_init(child);
	child->id = take_name(at);
	if (**at == ':') {
		child->restart = (*at)[1] == 't' ? SPEC_TRANSIENT :
		    (*at)[1] == 'x'		 ? SPEC_TEMPORARY :
						   SPEC_PERMANENT;
		*at += 2;
	}
	if (**at == '!') {
		child->significant = true;
		++*at;
	}
	if (**at == '-') {
		child->autostart = false;
		++*at;
	}
	child->command = calloc(1, sizeof(*child->command));
	spec_command_init(child->command);
	take_command(at, child);
	if (**at == '=') {
		child->backoff.min_ms = strtol(*at + 1, &end, 10);
		*at = end;
	}
	if (**at == '<') {
		++*at;
		take_depends(at, child);
	}
	if (**at != '{')
		return;
	++*at;
	free(child->command->argv[0]);
	free(child->command->argv);
	free(child->command);
	child->command = NULL;
	child->shutdown.count = 1;
	child->shutdown.step[0].ms = STEPS_FOREVER;
	child->supervisor = calloc(1, sizeof(*child->supervisor));
	spec_supervisor_init(child->supervisor);
	take_children(at, child->supervisor);
	BUG_IF(**at != '}');
	++*at;
}

static void
take_children(const char **at, struct spec_supervisor *spec)
{
	for (;;) {
		while (**at == ' ')
			++*at;
		if (**at == '\0' || **at == '}')
			return;
		if (take_setting(at, spec))
			continue;
		spec->children = realloc(spec->children,
		    (spec->nchildren + 1) * sizeof(*spec->children));
		take_child(at, &spec->children[spec->nchildren++]);
	}
}

struct spec_tree *
puppet_tree(const char *text)
{
	struct spec_tree *tree = calloc(1, sizeof(*tree));

	spec_supervisor_init(&tree->root);
	take_children(&text, &tree->root);
	BUG_IF(*text != '\0');
	return tree;
}

/*
 * By chance
 */

struct text {
	puppet_chance_fn *chance;
	void *arg;
	char data[TEXT_MAX];
	size_t used;
};

unsigned int
puppet_chance(unsigned int below, void *arg)
{
	uint64_t *random = arg;

	*random ^= *random << 13;
	*random ^= *random >> 7;
	*random ^= *random << 17;
	return (unsigned int)((*random >> 16) % below);
}

static unsigned int
chance(struct text *text, unsigned int below)
{
	return text->chance(below, text->arg);
}

static void __attribute__((format(printf, 2, 3)))
add(struct text *text, const char *format, ...)
{
	va_list ap;
	int n;

	va_start(ap, format);
	n = vsnprintf(text->data + text->used, TEXT_MAX - text->used, format,
	    ap);
	va_end(ap);
	BUG_IF(n < 0 || (size_t)n >= TEXT_MAX - text->used);
	text->used += (size_t)n;
}

static void add_children(struct text *text, unsigned int depth);

/* Ids are few, so that reloads meet children that are there already. */
static void
add_child(struct text *text, unsigned int index, bool shutdown,
    unsigned int depth)
{
	static const char *const policies[] = { "", ":p", ":t", ":x" };
	bool nested = depth < 3 && index % 3 == 2;
	unsigned int policy = chance(text, 4), i;

	add(text, " %c%u%s", nested ? 's' : 'c', index, policies[policy]);
	if (shutdown && policy >= 2 && chance(text, 2) == 0)
		add(text, "!%s", chance(text, 8) == 0 ? "-" : "");
	else if (!nested)
		add(text, "%s%s", chance(text, 8) == 0 ? "-" : "",
		    chance(text, 3) == 0 ? "?*2" : "?");
	if (!nested && chance(text, 3) == 0)
		add(text, "=%u", 10 + chance(text, 100));
	if (index > 0 && chance(text, 3) == 0) {
		add(text, "<");
		for (i = 0; i < index; i++)
			if (chance(text, 3) == 0 && (i % 3 != 2 || depth >= 3))
				add(text, "c%u,", i);
	}
	if (!nested)
		return;
	add(text, "{");
	add_children(text, depth + 1);
	add(text, "}");
}

static void
add_children(struct text *text, unsigned int depth)
{
	static const char *const strategies[] = { "one", "all", "rest" };
	static const char *const shutdowns[] = { "", " any", " every" };
	unsigned int shutdown = chance(text, 3),
		     n = depth == 0 ? 3 + chance(text, 3) : chance(text, 6), i;

	add(text, "%s %u/%u%s", strategies[chance(text, 3)],
	    chance(text, depth == 0 ? 60 : 6), 50 + chance(text, 2000),
	    shutdowns[shutdown]);
	if (chance(text, 6) == 0)
		add(text, " cool=%u", chance(text, 500));
	for (i = 0; i < n; i++)
		if (chance(text, 8) != 0)
			add_child(text, i, shutdown > 0, depth);
}

/* So that reloads meet children at other places. */
static void
shuffle(struct text *text, struct spec_supervisor *spec)
{
	struct spec_child moved;
	size_t i, k;

	for (i = spec->nchildren; i > 1; i--) {
		k = chance(text, (unsigned int)i);
		moved = spec->children[i - 1];
		spec->children[i - 1] = spec->children[k];
		spec->children[k] = moved;
	}
	for (i = 0; i < spec->nchildren; i++)
		if (spec->children[i].supervisor != NULL)
			shuffle(text, spec->children[i].supervisor);
}

/* Edges to what was left out, or comes later, make it invalid: try again. */
struct spec_tree *
puppet_random_tree(puppet_chance_fn *fn, void *arg)
{
	const struct spec_child *at;
	struct spec_tree *tree;
	enum grouper_error error;
	struct text text = { .chance = fn, .arg = arg };
	char *why;

	for (;;) {
		text.used = 0;
		add_children(&text, 0);
		tree = puppet_tree(text.data);
		if (chance(&text, 2) != 0)
			shuffle(&text, &tree->root);
		error = spec_check(tree, &why, &at);
		free(why);
		if (error == GROUPER_OK)
			return tree;
		spec_free(tree);
	}
}
