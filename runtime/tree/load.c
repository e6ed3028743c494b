/* SPDX-License-Identifier: ISC */
/*
 * Values of every kind: see load.h.
 */
#include "runtime/tree/load.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/tree/expand.h"
#include "runtime/tree/suggest.h"
#include "runtime/util/parse.h"

#define SHOWN 40 /* bytes of a value in a message */
#define VARIABLE_MAX 256

void
load_problem(struct loader *loader, const struct yaml_node *node,
    const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tree_problem_vadd(loader->problems, loader->source, node->offset,
	    format, ap);
	va_end(ap);
}

void
load_expected(struct loader *loader, const struct yaml_node *node,
    const char *what)
{
	if (node->kind == YAML_SCALAR && !yaml_is_null(node))
		load_problem(loader, node, "expected %s, got '%.*s%s'", what,
		    SHOWN, node->text, strlen(node->text) > SHOWN ? "..." : "");
	else
		load_problem(loader, node, "expected %s, got %s", what,
		    yaml_kind_name(node));
}

void
load_no_memory(struct loader *loader, const struct yaml_node *node)
{
	loader->exhausted = true;
	load_problem(loader, node, "out of memory");
}

bool
load_visit(struct loader *loader, const struct yaml_node *node)
{
	if (loader->exhausted)
		return false;
	if (++loader->visits <= LOAD_VISITS_MAX)
		return true;
	loader->exhausted = true;
	load_problem(loader, node,
	    "expected at most %d values, aliases counted each time",
	    LOAD_VISITS_MAX);
	return false;
}

/* Whether this is text of which so much more may be had. */
static bool
check_text(struct loader *loader, const struct yaml_node *node,
    const char *what)
{
	if (!load_visit(loader, node))
		return false;
	if (node->kind != YAML_SCALAR || yaml_is_null(node)) {
		load_expected(loader, node, what);
		return false;
	}
	return true;
}

static bool
count_text(struct loader *loader, const struct yaml_node *node, size_t length)
{
	loader->text += length + 1;
	if (loader->text <= LOAD_TEXT_MAX)
		return true;
	loader->exhausted = true;
	load_problem(loader, node,
	    "expected at most %zu MiB of text, aliases counted each time",
	    LOAD_TEXT_MAX >> 20);
	return false;
}

char *
load_raw(struct loader *loader, const struct yaml_node *node, const char *what)
{
	char *text;

	if (!check_text(loader, node, what) ||
	    !count_text(loader, node, strlen(node->text)))
		return NULL;
	text = strdup(node->text);
	if (text == NULL)
		load_no_memory(loader, node);
	return text;
}

/* The place of a byte of a scalar: only known within one plain line. */
static size_t
place_within(const struct loader *loader, const struct yaml_node *node,
    size_t at)
{
	const struct source *source = loader->source;
	size_t length = strlen(node->text), start = node->offset;

	if (start < source->length && strchr("'\"", source->text[start]))
		start++;
	if (start + length <= source->length &&
	    memcmp(source->text + start, node->text, length) == 0)
		return start + at;
	return node->offset;
}

char *
load_string(struct loader *loader, const struct yaml_node *node,
    const char *what)
{
	char name[VARIABLE_MAX], *text;
	const char *why;
	size_t at;

	if (!check_text(loader, node, what))
		return NULL;
	text = expand(node->text, LOAD_TEXT_MAX, &at, &why, name, sizeof(name));
	if (text == NULL) {
		at = place_within(loader, node, at);
		if (why != NULL)
			tree_problem_add(loader->problems, loader->source, at,
			    "%s", why);
		else
			tree_problem_add(loader->problems, loader->source, at,
			    "the variable %.64s is not set: "
			    "${%.64s:-default} would give it a default",
			    name, name);
		return NULL;
	}
	if (!count_text(loader, node, strlen(text))) {
		free(text);
		return NULL;
	}
	return text;
}

static const struct tree_key *
find_key(const struct tree_level *level, const char *name)
{
	size_t i;

	for (i = 0; i < level->nkeys; i++)
		if (strcmp(level->keys[i].name, name) == 0)
			return &level->keys[i];
	return NULL;
}

static void
unknown_key(struct loader *loader, const struct tree_level *level,
    const struct yaml_node *node)
{
	struct suggestion nearest = { .word = NULL };
	size_t i;

	for (i = 0; i < level->nkeys; i++)
		suggest(&nearest, node->text, level->keys[i].name);
	if (nearest.word != NULL)
		load_problem(loader, node,
		    "unknown key '%.*s', did you mean '%s'?", SHOWN, node->text,
		    nearest.word);
	else
		load_problem(loader, node, "unknown key '%.*s' in a %s", SHOWN,
		    node->text, level->name);
}

void
load_mapping(struct loader *loader, const struct tree_level *level,
    const struct yaml_node *node, void *base, void *command)
{
	const struct yaml_item *item;
	const struct tree_key *key;
	size_t i;

	for (i = 0; i < node->nitems && !loader->exhausted; i++) {
		item = &node->items[i];
		if (strncmp(item->key->text, "x-", 2) == 0)
			continue;
		if (!load_visit(loader, item->key))
			return;
		key = find_key(level, item->key->text);
		if (key == NULL)
			unknown_key(loader, level, item->key);
		else if (key->of_command && command == NULL)
			load_problem(loader, item->key,
			    "'%s' is for a child with a command, not for a "
			    "supervisor",
			    key->name);
		else
			key->load(loader, key, item->value,
			    key->of_command ? command : base);
	}
}

void
load_strings_free(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

char **
load_strings(struct loader *loader, const struct yaml_node *node,
    const char *what, size_t *count)
{
	bool ok = true;
	char **list;
	size_t i;

	if (!load_visit(loader, node))
		return NULL;
	if (node->kind != YAML_SEQUENCE) {
		load_expected(loader, node, what);
		return NULL;
	}
	/* Room for an alias to many is less than what they stand for. */
	if (node->nitems > LOAD_VISITS_MAX - loader->visits) {
		loader->visits = LOAD_VISITS_MAX;
		load_visit(loader, node);
		return NULL;
	}
	list = calloc(node->nitems + 1, sizeof(*list));
	if (list == NULL) {
		load_no_memory(loader, node);
		return NULL;
	}
	*count = 0;
	for (i = 0; i < node->nitems && !loader->exhausted; i++) {
		list[*count] = load_string(loader, node->items[i].value,
		    "text");
		if (list[*count] != NULL)
			(*count)++;
		else
			ok = false;
	}
	if (!ok || loader->exhausted) {
		load_strings_free(list);
		return NULL;
	}
	return list;
}

static void *
member(void *base, const struct tree_key *key)
{
	return (char *)base + key->offset;
}

/* Keys are unique, but shell and command go to the same place. */
static void
replace_text(char **at, char *text)
{
	free(*at);
	*at = text;
}

void
load_text(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	char *text = load_string(loader, value, "text");

	if (text != NULL && *text == '\0') {
		load_expected(loader, value, "text");
		free(text);
	} else if (text != NULL) {
		replace_text(member(base, key), text);
	}
}

void
load_boolean(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	char *text = load_string(loader, value, "true or false");

	if (text == NULL)
		return;
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		*(bool *)member(base, key) = *text == 't';
	else
		load_expected(loader, value, "true or false");
	free(text);
}

static bool
read_number(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, int64_t *number)
{
	char what[64], *text;
	bool ok;

	snprintf(what, sizeof(what), "a whole number from %lld to %lld",
	    (long long)key->min, (long long)key->max);
	text = load_string(loader, value, what);
	if (text == NULL)
		return false;
	ok = parse_int(text, key->min, key->max, number) == 0;
	if (!ok)
		load_expected(loader, value, what);
	free(text);
	return ok;
}

void
load_int(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	int64_t number;

	if (read_number(loader, key, value, &number))
		*(int *)member(base, key) = (int)number;
}

void
load_unsigned(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	int64_t number;

	if (read_number(loader, key, value, &number))
		*(unsigned int *)member(base, key) = (unsigned int)number;
}

static void
read_time(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base, bool timeout)
{
	const char *what = key->min > 0 ?
	    "a time above 0 such as 500ms, 5s or 2m" :
	    "a time such as 500ms, 5s or 2m";
	int64_t ms;
	char *text;

	if (timeout)
		what = "a time such as 500ms, 5s or 2m, or infinity";
	text = load_string(loader, value, what);
	if (text == NULL)
		return;
	if (timeout && strcmp(text, "infinity") == 0)
		*(int64_t *)member(base, key) = -1;
	else if (parse_time(text, &ms) == 0 && ms >= key->min)
		*(int64_t *)member(base, key) = ms;
	else
		load_expected(loader, value, what);
	free(text);
}

void
load_time(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	read_time(loader, key, value, base, false);
}

void
load_timeout(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	read_time(loader, key, value, base, true);
}

void
load_size(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	static const char what[] = "a size such as 4096, 64K or 10M";
	char *text = load_string(loader, value, what);

	if (text == NULL)
		return;
	if (parse_size(text, member(base, key)) != 0)
		load_expected(loader, value, what);
	free(text);
}

/* "never, any_significant or all_significant" */
static void
list_words(const struct tree_word *words, char *buffer, size_t size)
{
	size_t i;

	*buffer = '\0';
	for (i = 0; words[i].name != NULL; i++) {
		if (i > 0)
			strlcat(buffer,
			    words[i + 1].name == NULL ? " or " : ", ", size);
		strlcat(buffer, words[i].name, size);
	}
}

bool
load_choice(struct loader *loader, const struct yaml_node *node,
    const struct tree_word *words, int *value)
{
	struct suggestion nearest = { .word = NULL };
	char what[256], *text;
	size_t i;

	list_words(words, what, sizeof(what));
	text = load_string(loader, node, what);
	if (text == NULL)
		return false;
	for (i = 0; words[i].name != NULL; i++) {
		if (strcmp(words[i].name, text) == 0) {
			*value = words[i].value;
			free(text);
			return true;
		}
		suggest(&nearest, text, words[i].name);
	}
	if (nearest.word != NULL)
		load_problem(loader, node,
		    "expected %s, got '%.*s', did you mean '%s'?", what, SHOWN,
		    text, nearest.word);
	else
		load_problem(loader, node, "expected %s, got '%.*s'", what,
		    SHOWN, text);
	free(text);
	return false;
}

void
load_word(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	int chosen;

	/* Enums of these values have the size of an int. */
	if (load_choice(loader, value, key->words, &chosen))
		memcpy(member(base, key), &chosen, sizeof(chosen));
}

void
load_argv(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	static const char what[] =
	    "a list: the program and its arguments (shell: takes text)";
	char ***at = member(base, key), **list;
	size_t count;

	list = load_strings(loader, value, what, &count);
	if (list == NULL)
		return;
	if (count == 0 || *list[0] == '\0') {
		load_problem(loader, value, "expected a program to run");
		load_strings_free(list);
		return;
	}
	load_strings_free(*at);
	*at = list;
}

void
load_list(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	char ***at = member(base, key), **list;
	size_t count = 0;

	if (value->kind == YAML_SCALAR) {
		list = calloc(2, sizeof(*list));
		if (list == NULL) {
			load_no_memory(loader, value);
			return;
		}
		list[0] = load_string(loader, value, "text or a list of it");
		if (list[0] == NULL) {
			free(list);
			return;
		}
		count = 1;
	} else {
		list = load_strings(loader, value, "text or a list of it",
		    &count);
	}
	while (list != NULL && count > 0) {
		if (*list[--count] == '\0') {
			load_problem(loader, value, "expected no empty text");
			load_strings_free(list);
			return;
		}
	}
	if (list != NULL) {
		load_strings_free(*at);
		*at = list;
	}
}
