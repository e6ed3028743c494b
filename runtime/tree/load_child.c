/* SPDX-License-Identifier: ISC */
/*
 * Supervisors and children of the tree file: see load.h.
 */
#include <stdlib.h>
#include <string.h>

#include "runtime/tree/load.h"
#include "runtime/util/parse.h"

static tree_load_fn load_id;
static tree_load_fn load_depends_on;
static tree_load_fn load_backoff;
static tree_load_fn load_shutdown;
static tree_load_fn load_success;
static tree_load_fn load_supervisor;
static tree_load_fn load_type;
static tree_load_fn load_shell;
static tree_load_fn load_umask;
static tree_load_fn load_stdin;
static tree_load_fn load_names;
static tree_load_fn load_name;

static const struct tree_word strategies[] = {
	{ "one_for_one", SPEC_ONE_FOR_ONE },
	{ "one_for_all", SPEC_ONE_FOR_ALL },
	{ "rest_for_one", SPEC_REST_FOR_ONE },
	{ NULL, 0 },
};

static const struct tree_word restarts[] = {
	{ "permanent", SPEC_PERMANENT },
	{ "transient", SPEC_TRANSIENT },
	{ "temporary", SPEC_TEMPORARY },
	{ NULL, 0 },
};

static const struct tree_word auto_shutdowns[] = {
	{ "never", SPEC_NEVER },
	{ "any_significant", SPEC_ANY_SIGNIFICANT },
	{ "all_significant", SPEC_ALL_SIGNIFICANT },
	{ NULL, 0 },
};

static const struct tree_word types[] = {
	{ "worker", true },
	{ "supervisor", false },
	{ NULL, 0 },
};

static const struct tree_word names[] = {
	{ "host", 0 },
	{ "own", 1 },
	{ NULL, 0 },
};

static const struct tree_word stop_targets[] = {
	{ "group", GROUPER_STOP_GROUP },
	{ "command", GROUPER_STOP_COMMAND },
	{ "tree", GROUPER_STOP_TREE },
	{ NULL, 0 },
};

static const struct tree_word containments[] = {
	{ "auto", GROUPER_CONTAIN_AUTO },
	{ "reaper", GROUPER_CONTAIN_REAPER },
	{ "cgroup", GROUPER_CONTAIN_CGROUP },
	{ "pidns", GROUPER_CONTAIN_PIDNS },
	{ NULL, 0 },
};

static const struct tree_word logs[] = {
	{ "inherit", SPEC_LOG_INHERIT },
	{ "prefix", SPEC_LOG_PREFIX },
	{ "discard", SPEC_LOG_DISCARD },
	{ "syslog", SPEC_LOG_SYSLOG },
	{ NULL, 0 },
};

#define KEY(word, function, ...) \
	{ \
		.name = word, .load = function, __VA_ARGS__ \
	}
#define AT(type, member) .offset = offsetof(struct type, member)
#define RANGE(from, to) .min = (from), .max = (to)

/* Of a struct spec_supervisor at an offset. */
#define SUPERVISOR_AT(base, member) \
	.offset = (base) + offsetof(struct spec_supervisor, member)
#define SUPERVISOR_KEYS(base) \
	KEY("strategy", load_word, SUPERVISOR_AT(base, strategy), \
	    .words = strategies), \
	    KEY("intensity", load_unsigned, SUPERVISOR_AT(base, intensity), \
		RANGE(0, INT32_MAX)), \
	    KEY("period", load_time, SUPERVISOR_AT(base, period_ms), \
		RANGE(1, INT64_MAX)), \
	    KEY("auto_shutdown", load_word, \
		SUPERVISOR_AT(base, auto_shutdown), .words = auto_shutdowns), \
	    KEY("on_limit", load_on_limit, SUPERVISOR_AT(base, cooldown_ms)), \
	    KEY("names", load_names, SUPERVISOR_AT(base, own_names), \
		.words = names), \
	    KEY("children", load_children, .offset = (base))

static const struct tree_key supervisor_keys[] = {
	SUPERVISOR_KEYS(0),
};

static const struct tree_key root_keys[] = {
	KEY("name", load_name, AT(spec_tree, name)),
	KEY("topic_groups", load_topic_groups),
	KEY("config", load_config),
	SUPERVISOR_KEYS(offsetof(struct spec_tree, root)),
};

#define COMMAND(member) AT(spec_command, member), .of_command = true

static const struct tree_key child_keys[] = {
	KEY("id", load_id, AT(spec_child, id)),
	KEY("autostart", load_boolean, AT(spec_child, autostart)),
	KEY("restart", load_word, AT(spec_child, restart), .words = restarts),
	KEY("significant", load_boolean, AT(spec_child, significant)),
	KEY("depends_on", load_depends_on, AT(spec_child, depends_on)),
	KEY("backoff", load_backoff, AT(spec_child, backoff)),
	KEY("shutdown", load_shutdown, AT(spec_child, shutdown)),
	KEY("success", load_success, AT(spec_child, success)),
	KEY("supervisor", load_supervisor, AT(spec_child, supervisor)),
	KEY("command", load_argv, COMMAND(argv)),
	KEY("shell", load_shell, COMMAND(argv)),
	KEY("type", load_type, COMMAND(worker), .words = types),
	KEY("force", load_boolean, COMMAND(force)),
	KEY("instances", load_unsigned, COMMAND(instances),
	    RANGE(0, SPEC_CHILDREN_MAX)),
	KEY("ready", load_ready, COMMAND(ready)),
	KEY("ready_timeout", load_timeout, COMMAND(ready_timeout_ms)),
	KEY("min_uptime", load_time, COMMAND(min_uptime_ms)),
	KEY("watchdog", load_time, COMMAND(watchdog_ms)),
	KEY("stop_target", load_word, COMMAND(stop_target),
	    .words = stop_targets),
	KEY("contain", load_word, COMMAND(contain), .words = containments),
	KEY("start_pre", load_argv, COMMAND(start_pre)),
	KEY("stop_pre", load_argv, COMMAND(stop_pre)),
	KEY("reload_command", load_argv, COMMAND(reload_command)),
	KEY("env", load_env, COMMAND(env)),
	KEY("env_file", load_list, COMMAND(env_files)),
	KEY("cwd", load_text, COMMAND(directory)),
	KEY("uid", load_text, COMMAND(user)),
	KEY("gid", load_text, COMMAND(group)),
	KEY("umask", load_umask, COMMAND(umask)),
	KEY("nice", load_int, COMMAND(nice), RANGE(-40, 40)),
	KEY("limits", load_limits, COMMAND(limits)),
	KEY("stdin", load_stdin, COMMAND(input)),
	KEY("topics", load_topics, COMMAND(topics)),
	KEY("messages", load_boolean, COMMAND(messages)),
	KEY("on_event", load_on_event, COMMAND(on_event)),
	KEY("log", load_log, COMMAND(log), .words = logs),
};

static const struct tree_key backoff_keys[] = {
	KEY("min", load_time, AT(spec_backoff, min_ms)),
	KEY("max", load_time, AT(spec_backoff, max_ms)),
	KEY("reset", load_time, AT(spec_backoff, reset_ms)),
};

#define LEVEL(word, list) \
	{ \
		.name = (word), .keys = (list), .nkeys = NELEMS(list) \
	}

const struct tree_level tree_level_root = LEVEL("tree", root_keys);
const struct tree_level tree_level_supervisor = LEVEL("supervisor",
    supervisor_keys);
const struct tree_level tree_level_child = LEVEL("child", child_keys);
const struct tree_level tree_level_backoff = LEVEL("backoff", backoff_keys);

static void *
member(void *base, const struct tree_key *key)
{
	return (char *)base + key->offset;
}

/* A host's name: the tree's. */
static void
load_name(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	static const char what[] =
	    "a name of 1 to 32 bytes without blanks, '/' and ':'";
	char **at = member(base, key), *text;

	text = load_string(loader, value, what);
	if (text == NULL)
		return;
	if (name_valid(text, 32, false)) {
		*at = text;
		return;
	}
	load_expected(loader, value, what);
	free(text);
}

static void
load_id(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	static const char what[] =
	    "an id of 1 to 64 bytes without blanks, '/' and ':'";
	char **at = member(base, key), *text;

	text = load_string(loader, value, what);
	if (text == NULL)
		return;
	if (name_valid(text, SPEC_ID_MAX, false)) {
		*at = text;
		return;
	}
	load_expected(loader, value, what);
	free(text);
}

static void
load_names(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	int chosen;

	if (load_choice(loader, value, key->words, &chosen))
		*(bool *)member(base, key) = chosen != 0;
}

static void
load_depends_on(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_child *child = base;

	child->parallel = true;
	load_list(loader, key, value, base);
}

static void
load_backoff(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_backoff *backoff = member(base, key);
	size_t before = loader->problems->count;

	if (value->kind != YAML_MAPPING) {
		load_expected(loader, value,
		    "a mapping such as {min: 100ms, max: 30s, reset: 60s}");
		return;
	}
	load_mapping(loader, &tree_level_backoff, value, backoff, NULL);
	if (yaml_get(value, "max") == NULL && backoff->max_ms < backoff->min_ms)
		backoff->max_ms = backoff->min_ms;
	if (loader->problems->count == before &&
	    backoff->max_ms < backoff->min_ms)
		load_problem(loader, value,
		    "expected max not to be less than min");
}

/* "TERM 5s, KILL", or its steps as a list. */
static void
load_shutdown(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	char text[STEPS_TEXT_MAX] = "", **list = NULL, *word = NULL;
	const char *error, *what = "stop steps such as 'TERM 5s, KILL'";
	size_t count = 0, i;

	if (value->kind == YAML_SCALAR) {
		word = load_string(loader, value, what);
		if (word == NULL)
			return;
	} else {
		list = load_strings(loader, value, what, &count);
		if (list == NULL)
			return;
	}
	for (i = 0; i < count; i++) {
		if (i > 0)
			strlcat(text, ", ", sizeof(text));
		/* One item that holds commas would be steps of its own. */
		if (strchr(list[i], ',') != NULL ||
		    strlcat(text, list[i], sizeof(text)) >= sizeof(text)) {
			load_expected(loader, value->items[i].value,
			    "one step such as 'TERM 5s'");
			load_strings_free(list);
			return;
		}
	}
	if (steps_parse(word != NULL ? word : text, member(base, key),
		&error) != 0)
		load_problem(loader, value, "%s", error);
	load_strings_free(list);
	free(word);
}

static bool
load_status(struct loader *loader, const struct yaml_node *value,
    struct spec_success *success)
{
	static const char what[] =
	    "an exit status from 0 to 255, or a list of them";
	int64_t status;
	char *text;
	bool ok;

	text = load_string(loader, value, what);
	if (text == NULL)
		return false;
	ok = parse_int(text, 0, 255, &status) == 0;
	if (ok)
		spec_success_add(success, (unsigned int)status);
	else
		load_expected(loader, value, what);
	free(text);
	return ok;
}

static void
load_success(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_success success = { .bits = { 0 } };
	bool ok = true;
	size_t i;

	if (value->kind != YAML_SEQUENCE)
		ok = load_status(loader, value, &success);
	for (i = 0; i < value->nitems && value->kind == YAML_SEQUENCE; i++)
		if (!load_status(loader, value->items[i].value, &success))
			ok = false;
	if (ok)
		memcpy(member(base, key), &success, sizeof(success));
}

static void
load_type(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	int chosen;

	if (load_choice(loader, value, key->words, &chosen))
		*(bool *)member(base, key) = chosen != 0;
}

/* Text for /bin/sh, whose own variables it may hold. */
static void
load_shell(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	static const char what[] = "a command for /bin/sh";
	char ***at = member(base, key), **argv, *text;

	text = load_raw(loader, value, what);
	if (text == NULL)
		return;
	if (text[strspn(text, " \t\n")] == '\0') {
		load_expected(loader, value, what);
		free(text);
		return;
	}
	argv = calloc(4, sizeof(*argv));
	if (argv != NULL) {
		argv[0] = strdup("/bin/sh");
		argv[1] = strdup("-c");
		argv[2] = text;
	}
	if (argv == NULL || argv[0] == NULL || argv[1] == NULL) {
		load_no_memory(loader, value);
		free(argv != NULL ? argv[0] : NULL);
		free(argv != NULL ? argv[1] : NULL);
		free(argv);
		free(text);
		return;
	}
	load_strings_free(*at);
	*at = argv;
}

static void
load_umask(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	static const char what[] = "an octal number from 0 to 777";
	char *text, *end;
	unsigned long mask;

	text = load_string(loader, value, what);
	if (text == NULL)
		return;
	mask = *text >= '0' && *text <= '7' ? strtoul(text, &end, 8) : 01000;
	if (mask <= 0777 && *end == '\0')
		*(int *)member(base, key) = (int)mask;
	else
		load_expected(loader, value, what);
	free(text);
}

/* The name of a file; null is what a child has without one. */
static void
load_stdin(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	char **at = member(base, key);

	if (yaml_is_null(value))
		return;
	load_text(loader, key, value, base);
	if (*at != NULL && strcmp(*at, "null") == 0) {
		free(*at);
		*at = NULL;
	} else if (*at != NULL && strcmp(*at, "inherit") == 0) {
		load_expected(loader, value,
		    "the name of a file, or null: children have no terminal");
	}
}

/* "fail", or "cooldown 30s" */
void
load_on_limit(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	static const char what[] = "fail, or cooldown and a time above 0";
	int64_t *at = member(base, key), ms;
	char *text, *time;

	text = load_string(loader, value, what);
	if (text == NULL)
		return;
	time = text + strcspn(text, " \t");
	if (*time != '\0')
		*time++ = '\0';
	time += strspn(time, " \t");
	if (strcmp(text, "fail") == 0 && *time == '\0')
		*at = -1;
	else if (strcmp(text, "cooldown") == 0 && parse_time(time, &ms) == 0 &&
	    ms > 0)
		*at = ms;
	else
		load_expected(loader, value, what);
	free(text);
}

static void
load_supervisor(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_supervisor **at = member(base, key);

	if (!load_visit(loader, value))
		return;
	if (value->kind != YAML_MAPPING) {
		load_expected(loader, value, "a mapping with children");
		return;
	}
	if (++loader->depth >= SPEC_DEPTH_MAX) {
		load_problem(loader, value,
		    "expected at most %d supervisors within each other",
		    SPEC_DEPTH_MAX);
		loader->depth--;
		return;
	}
	*at = calloc(1, sizeof(**at));
	if (*at == NULL) {
		load_no_memory(loader, value);
	} else {
		spec_supervisor_init(*at);
		load_mapping(loader, &tree_level_supervisor, value, *at, NULL);
		if (yaml_get(value, "children") == NULL)
			load_problem(loader, value, "expected children");
	}
	loader->depth--;
}

/* What belongs together, or not at all. */
static void
check_child(struct loader *loader, const struct yaml_node *node,
    const struct spec_child *child)
{
	const struct yaml_node *command = yaml_get(node, "command"),
			       *shell = yaml_get(node, "shell"),
			       *success = yaml_get(node, "success");

	if (yaml_get(node, "id") == NULL)
		load_problem(loader, node, "expected an id");
	if (child->command == NULL) {
		if (success != NULL)
			load_problem(loader, success,
			    "'success' is for a child with a command, not "
			    "for a supervisor");
		return;
	}
	if (command != NULL && shell != NULL)
		load_problem(loader, shell,
		    "expected command or shell, got both");
	else if (command == NULL && shell == NULL)
		load_problem(loader, node,
		    "expected command, shell or supervisor");
	if (child->command->ready == SPEC_READY_LOG &&
	    child->command->log == SPEC_LOG_INHERIT)
		load_problem(loader, yaml_get(node, "ready"), "ready: %s",
		    SPEC_READY_LOG_INHERIT);
}

static void
load_child(struct loader *loader, const struct yaml_node *node,
    struct spec_child *child)
{
	const char *error;

	spec_child_init(child);
	if (!load_visit(loader, node))
		return;
	if (node->kind != YAML_MAPPING) {
		load_expected(loader, node, "a mapping with an id");
		return;
	}
	if (yaml_get(node, "supervisor") != NULL) {
		steps_parse("infinity", &child->shutdown, &error);
	} else {
		child->command = calloc(1, sizeof(*child->command));
		if (child->command == NULL) {
			load_no_memory(loader, node);
			return;
		}
		spec_command_init(child->command);
	}
	load_mapping(loader, &tree_level_child, node, child, child->command);
	if (!loader->exhausted)
		check_child(loader, node, child);
}

void
load_children(struct loader *loader, const struct tree_key *key,
    const struct yaml_node *value, void *base)
{
	struct spec_supervisor *supervisor = member(base, key);
	size_t i;

	if (!load_visit(loader, value))
		return;
	if (value->kind != YAML_SEQUENCE) {
		load_expected(loader, value, "a list of children");
		return;
	}
	if (value->nitems > SPEC_CHILDREN_MAX - loader->children) {
		load_problem(loader, value, "expected at most %d children",
		    SPEC_CHILDREN_MAX);
		loader->exhausted = true;
		return;
	}
	loader->children += value->nitems;
	supervisor->children = calloc(value->nitems + 1,
	    sizeof(*supervisor->children));
	if (supervisor->children == NULL) {
		load_no_memory(loader, value);
		return;
	}
	for (i = 0; i < value->nitems && !loader->exhausted; i++) {
		supervisor->nchildren++;
		load_child(loader, value->items[i].value,
		    &supervisor->children[i]);
	}
}
