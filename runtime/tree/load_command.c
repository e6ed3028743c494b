/* SPDX-License-Identifier: ISC */
/*
 * Keys of commands that hold more than one value: see load.h.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/ready/ready_log.h"
#include "runtime/relay/topic.h"
#include "runtime/tree/load.h"
#include "runtime/tree/suggest.h"
#include "runtime/util/limit.h"
#include "runtime/util/parse.h"

#define CONFIG_DEPTH 64

static tree_load_fn load_regex;

#define AT(member) .offset = offsetof(struct spec_command, member)

static const struct tree_key log_keys[] = {
	{ .name = "file", .load = load_text, AT(log_file) },
	{ .name = "max_size", .load = load_size, AT(log_max_size) },
	{ .name = "keep", .load = load_unsigned, AT(log_keep), .max = 1000 },
};

static const struct tree_key ready_exec_keys[] = {
	{ .name = "exec", .load = load_argv, AT(ready_argv) },
	{ .name = "interval",
	    .load = load_time,
	    AT(ready_interval_ms),
	    .min = 1 },
};

static const struct tree_key ready_log_keys[] = {
	{ .name = "log", .load = load_regex, AT(ready_regex) },
};

const struct tree_level tree_level_log = {
	.name = "log",
	.keys = log_keys,
	.nkeys = NELEMS(log_keys),
};
const struct tree_level tree_level_ready_exec = {
	.name = "ready_exec",
	.keys = ready_exec_keys,
	.nkeys = NELEMS(ready_exec_keys),
};
const struct tree_level tree_level_ready_log = {
	.name = "ready_log",
	.keys = ready_log_keys,
	.nkeys = NELEMS(ready_log_keys),
};

/* Room for a list that a node with items fills; NULL with a problem. */
static void *
new_list(struct loader *loader, const struct yaml_node *node, size_t size)
{
	void *list;

	if (node->nitems > LOAD_VISITS_MAX - loader->visits) {
		loader->visits = LOAD_VISITS_MAX;
		load_visit(loader, node);
		return NULL;
	}
	list = calloc(node->nitems + 1, size);
	if (list == NULL)
		load_no_memory(loader, node);
	return list;
}

/* Topics, or patterns, each at its place. */
static bool
check_topics(struct loader *loader, const struct yaml_node *node, char **list,
    bool pattern)
{
	bool ok = true;
	size_t i;

	for (i = 0; list[i] != NULL; i++) {
		if ((pattern ? topic_pattern_valid : topic_valid)(list[i],
			strlen(list[i])))
			continue;
		load_expected(loader,
		    node->kind == YAML_SEQUENCE ? node->items[i].value : node,
		    "a topic of 1 to 255 bytes, without blanks and without "
		    "':' at either end");
		ok = false;
	}
	return ok;
}

void
load_topics(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_command *command = base;

	load_list(loader, key, value, base);
	if (command->topics != NULL)
		check_topics(loader, value, command->topics, true);
}

void
load_topic_groups(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_tree *tree = base;
	struct spec_topics *group;
	const struct yaml_item *item;
	size_t i, count;

	(void)key;
	if (value->kind != YAML_MAPPING) {
		load_expected(loader, value,
		    "a mapping from names to lists of topics");
		return;
	}
	tree->topic_groups = new_list(loader, value, sizeof(*group));
	if (tree->topic_groups == NULL)
		return;
	for (i = 0; i < value->nitems && !loader->exhausted; i++) {
		item = &value->items[i];
		group = &tree->topic_groups[tree->ntopic_groups++];
		group->name = load_raw(loader, item->key, "a name");
		group->topics = load_strings(loader, item->value,
		    "a list of topics", &count);
		if (group->name != NULL && !topic_word(group->name))
			load_expected(loader, item->key,
			    "a name of 1 to 255 bytes without blanks");
		if (group->topics != NULL)
			check_topics(loader, item->value, group->topics, false);
	}
}

/* Plain text may be a number, true, false or null. */
static json_t *
scalar_json(const struct yaml_node *node, const char *text)
{
	json_t *number;

	if (!node->plain)
		return json_string(text);
	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return json_boolean(*text == 't');
	if (*text == '-' || (*text >= '0' && *text <= '9')) {
		number = json_loads(text, JSON_DECODE_ANY, NULL);
		if (number != NULL)
			return number;
	}
	return json_string(text);
}

/* NULL with a problem. */
static json_t *
node_json(struct loader *loader, const struct yaml_node *node,
    unsigned int depth)
{
	json_t *json, *value;
	char *text;
	size_t i;

	if (depth > CONFIG_DEPTH) {
		load_problem(loader, node, "expected at most %d levels",
		    CONFIG_DEPTH);
		loader->exhausted = true;
		return NULL;
	}
	if (yaml_is_null(node))
		return load_visit(loader, node) ? json_null() : NULL;
	if (node->kind == YAML_SCALAR) {
		text = load_string(loader, node, "a value");
		if (text == NULL)
			return NULL;
		json = scalar_json(node, text);
		free(text);
		return json;
	}
	if (!load_visit(loader, node))
		return NULL;
	json = node->kind == YAML_SEQUENCE ? json_array() : json_object();
	for (i = 0; i < node->nitems && json != NULL; i++) {
		value = node_json(loader, node->items[i].value, depth + 1);
		if (value == NULL ||
		    (node->kind == YAML_SEQUENCE ?
			    json_array_append_new(json, value) :
			    json_object_set_new(json, node->items[i].key->text,
				value)) != 0) {
			json_decref(json);
			return NULL;
		}
	}
	return json;
}

/* Settings, each kept as JSON text. */
void
load_config(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_tree *tree = base;
	struct spec_pair *pair;
	json_t *json;
	size_t i;

	(void)key;
	if (value->kind != YAML_MAPPING) {
		load_expected(loader, value, "a mapping from names to values");
		return;
	}
	tree->config = new_list(loader, value, sizeof(*pair));
	if (tree->config == NULL)
		return;
	for (i = 0; i < value->nitems && !loader->exhausted; i++) {
		pair = &tree->config[tree->nconfig++];
		pair->name = load_raw(loader, value->items[i].key, "a name");
		if (pair->name != NULL && !topic_word(pair->name))
			load_expected(loader, value->items[i].key,
			    "a name of 1 to 255 bytes without blanks");
		json = node_json(loader, value->items[i].value, 0);
		if (json != NULL)
			pair->value = json_dumps(json,
			    JSON_ENCODE_ANY | JSON_COMPACT);
		json_decref(json);
		/* A variable may bring bytes that are no UTF-8. */
		if (pair->value == NULL && !tree_problems_any(loader->problems))
			load_expected(loader, value->items[i].value,
			    "a value that JSON has");
	}
}

static bool
variable_valid(const char *variable)
{
	return *variable != '=' && strchr(variable, '=') != NULL;
}

/* "NAME=VALUE" of a key and its value. */
static char *
join_variable(struct loader *loader, const struct yaml_item *item)
{
	char *value, *variable = NULL;

	if (*item->key->text == '\0' || strchr(item->key->text, '=') != NULL) {
		load_expected(loader, item->key, "the name of a variable");
		return NULL;
	}
	value = load_string(loader, item->value,
	    "text ('' for an empty variable)");
	if (value != NULL &&
	    asprintf(&variable, "%s=%s", item->key->text, value) == -1) {
		load_no_memory(loader, item->value);
		variable = NULL;
	}
	free(value);
	return variable;
}

void
load_env(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_command *command = base;
	char **list = NULL;
	size_t count = 0, i;

	(void)key;
	if (value->kind == YAML_MAPPING) {
		list = new_list(loader, value, sizeof(*list));
		for (i = 0;
		     list != NULL && i < value->nitems && !loader->exhausted;
		     i++) {
			list[count] = join_variable(loader, &value->items[i]);
			count += list[count] != NULL;
		}
		command->env = list;
		return;
	}
	list = load_strings(loader, value, "a mapping, or a list of NAME=VALUE",
	    &count);
	for (i = 0; i < count && list != NULL; i++)
		if (!variable_valid(list[i]))
			load_expected(loader, value->items[i].value,
			    "NAME=VALUE");
	command->env = list;
}

static void
unknown_limit(struct loader *loader, const struct yaml_node *node)
{
	struct suggestion nearest = { .word = NULL };
	size_t i;

	for (i = 0; limit_name(i) != NULL; i++)
		suggest(&nearest, node->text, limit_name(i));
	if (nearest.word != NULL)
		load_problem(loader, node,
		    "unknown limit '%.40s', did you mean '%s'?", node->text,
		    nearest.word);
	else
		load_problem(loader, node, "unknown limit '%.40s'", node->text);
}

void
load_limits(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	static const char what[] =
	    "a number, a size such as 512M, a time for cpu, or unlimited, or "
	    "two with a ':' between, soft and hard";
	struct spec_command *command = base;
	struct grouper_limit limit;
	size_t i;
	char *text;

	(void)key;
	if (value->kind != YAML_MAPPING) {
		load_expected(loader, value,
		    "a mapping such as {nofile: 1024}");
		return;
	}
	command->limits = new_list(loader, value, sizeof(*command->limits));
	for (i = 0; i < value->nitems && command->limits != NULL; i++) {
		if (limit_resource(value->items[i].key->text) == -1) {
			unknown_limit(loader, value->items[i].key);
			continue;
		}
		text = load_string(loader, value->items[i].value, what);
		if (text == NULL)
			continue;
		if (limit_parse(value->items[i].key->text, text,
			&limit.resource, &limit.soft, &limit.hard) == 0)
			command->limits[command->nlimits++] = limit;
		else
			load_expected(loader, value->items[i].value, what);
		free(text);
	}
}

static void
load_reaction(struct loader *loader, const struct yaml_item *item,
    struct spec_reaction *reaction)
{
	char *text;

	reaction->event = load_raw(loader, item->key, "an event");
	if (reaction->event != NULL && !topic_word(reaction->event))
		load_expected(loader, item->key,
		    "the name of an event, or a topic");
	text = load_string(loader, item->value, "a signal such as HUP");
	if (text != NULL && parse_signal(text, &reaction->signum) != 0)
		load_expected(loader, item->value, "a signal such as HUP");
	free(text);
}

void
load_on_event(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_command *command = base;
	size_t i;

	(void)key;
	if (value->kind != YAML_MAPPING) {
		load_expected(loader, value, "a mapping such as {reload: HUP}");
		return;
	}
	command->on_event = new_list(loader, value, sizeof(*command->on_event));
	if (command->on_event == NULL)
		return;
	for (i = 0; i < value->nitems && !loader->exhausted; i++)
		load_reaction(loader, &value->items[i],
		    &command->on_event[command->non_event++]);
}

static void
load_regex(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_command *command = base;
	struct ready_log *ready;
	char why[128], *text;

	(void)key;
	text = load_string(loader, value, "a regular expression");
	if (text == NULL)
		return;
	ready = ready_log_new(text, why, sizeof(why));
	if (ready == NULL) {
		load_problem(loader, value, "expected a regular expression: %s",
		    why);
		free(text);
		return;
	}
	ready_log_free(ready);
	command->ready_regex = text;
}

static const char ready_what[] =
    "started, notify, fd:N, {exec: [...]} or {log: REGEX}";

static void
load_ready_word(struct loader *loader, const struct yaml_node *value,
    struct spec_command *command)
{
	char *text = load_string(loader, value, ready_what);
	int64_t fd;

	if (text == NULL)
		return;
	if (strcmp(text, "started") == 0) {
		command->ready = SPEC_READY_STARTED;
	} else if (strcmp(text, "notify") == 0) {
		command->ready = SPEC_READY_NOTIFY;
	} else if (strncmp(text, "fd:", 3) == 0) {
		command->ready = SPEC_READY_FD;
		if (parse_int(text + 3, 3, 1023, &fd) == 0)
			command->ready_fd = (int)fd;
		else
			load_expected(loader, value,
			    "fd: and a number from 3 to 1023");
	} else {
		load_expected(loader, value, ready_what);
	}
	free(text);
}

void
load_ready(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_command *command = base;
	bool exec, log;

	(void)key;
	if (value->kind != YAML_MAPPING) {
		load_ready_word(loader, value, command);
		return;
	}
	exec = yaml_get(value, "exec") != NULL;
	log = yaml_get(value, "log") != NULL;
	if (exec == log) {
		load_problem(loader, value, "expected %s", ready_what);
		return;
	}
	command->ready = exec ? SPEC_READY_EXEC : SPEC_READY_LOG;
	load_mapping(loader,
	    exec ? &tree_level_ready_exec : &tree_level_ready_log, value,
	    command, NULL);
}

void
load_log(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_command *command = base;
	int chosen;

	if (value->kind != YAML_MAPPING) {
		if (load_choice(loader, value, key->words, &chosen))
			command->log = (enum spec_log)chosen;
		return;
	}
	command->log = SPEC_LOG_FILE;
	load_mapping(loader, &tree_level_log, value, command, NULL);
	if (yaml_get(value, "file") == NULL)
		load_problem(loader, value, "expected a file");
}
