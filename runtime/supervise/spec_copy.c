/* SPDX-License-Identifier: ISC */
/*
 * Specifications of supervisor trees: deep copies and comparison.  A copy
 * that runs out of memory releases what it made.
 */
#include "runtime/supervise/spec.h"

#include <stdlib.h>
#include <string.h>

/* Each copies into *to, which is NULL on failure; false without memory. */
static bool
copy_text(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static size_t
list_length(char *const *list)
{
	size_t n = 0;

	while (list != NULL && list[n] != NULL)
		n++;
	return n;
}

static bool
copy_list(char ***to, char *const *from)
{
	size_t n = list_length(from), i;

	*to = NULL;
	if (from == NULL)
		return true;
	if ((*to = calloc(n + 1, sizeof(**to))) == NULL)
		return false;
	for (i = 0; i < n; i++)
		if (!copy_text(&(*to)[i], from[i]))
			return false;
	return true;
}

static bool
copy_limits(struct spec_command *to, const struct spec_command *from)
{
	to->limits = NULL;
	if (from->nlimits == 0)
		return true;
	to->limits = calloc(from->nlimits, sizeof(*to->limits));
	if (to->limits == NULL)
		return false;
	memcpy(to->limits, from->limits, from->nlimits * sizeof(*to->limits));
	return true;
}

static bool
copy_reactions(struct spec_command *to, const struct spec_command *from)
{
	size_t i;

	to->on_event = NULL;
	to->non_event = 0;
	if (from->non_event == 0)
		return true;
	to->on_event = calloc(from->non_event, sizeof(*to->on_event));
	if (to->on_event == NULL)
		return false;
	to->non_event = from->non_event;
	for (i = 0; i < from->non_event; i++) {
		to->on_event[i].signum = from->on_event[i].signum;
		if (!copy_text(&to->on_event[i].event, from->on_event[i].event))
			return false;
	}
	return true;
}

/* Every member is set even after a failure, so that the copy can be freed. */
static bool
copy_command(struct spec_command **to, const struct spec_command *from)
{
	struct spec_command *copy;
	bool ok = true;

	*to = NULL;
	if (from == NULL)
		return true;
	if ((copy = malloc(sizeof(*copy))) == NULL)
		return false;
	*copy = *from;
	ok &= copy_list(&copy->argv, from->argv);
	ok &= copy_list(&copy->ready_argv, from->ready_argv);
	ok &= copy_text(&copy->ready_regex, from->ready_regex);
	ok &= copy_list(&copy->start_pre, from->start_pre);
	ok &= copy_list(&copy->stop_pre, from->stop_pre);
	ok &= copy_list(&copy->reload_command, from->reload_command);
	ok &= copy_list(&copy->env, from->env);
	ok &= copy_list(&copy->env_files, from->env_files);
	ok &= copy_text(&copy->directory, from->directory);
	ok &= copy_text(&copy->user, from->user);
	ok &= copy_text(&copy->group, from->group);
	ok &= copy_limits(copy, from);
	ok &= copy_text(&copy->input, from->input);
	ok &= copy_list(&copy->topics, from->topics);
	ok &= copy_reactions(copy, from);
	ok &= copy_text(&copy->log_file, from->log_file);
	*to = copy;
	return ok;
}

static bool copy_supervisor(struct spec_supervisor *to,
    const struct spec_supervisor *from);

static bool
copy_child(struct spec_child *to, const struct spec_child *from)
{
	bool ok = true;

	*to = *from;
	to->supervisor = NULL;
	ok &= copy_text(&to->id, from->id);
	ok &= copy_list(&to->depends_on, from->depends_on);
	ok &= copy_command(&to->command, from->command);
	if (from->supervisor == NULL)
		return ok;
	to->supervisor = malloc(sizeof(*to->supervisor));
	return to->supervisor != NULL &&
	    copy_supervisor(to->supervisor, from->supervisor) && ok;
}

static bool
copy_supervisor(struct spec_supervisor *to, const struct spec_supervisor *from)
{
	*to = *from;
	to->children = NULL;
	to->nchildren = 0;
	if (from->nchildren == 0)
		return true;
	to->children = calloc(from->nchildren, sizeof(*to->children));
	if (to->children == NULL)
		return false;
	while (to->nchildren < from->nchildren) {
		to->nchildren++;
		if (!copy_child(&to->children[to->nchildren - 1],
			&from->children[to->nchildren - 1]))
			return false;
	}
	return true;
}

static bool
copy_topics(struct spec_tree *to, const struct spec_tree *from)
{
	size_t i;

	if (from->ntopic_groups == 0)
		return true;
	to->topic_groups = calloc(from->ntopic_groups,
	    sizeof(*to->topic_groups));
	if (to->topic_groups == NULL)
		return false;
	to->ntopic_groups = from->ntopic_groups;
	for (i = 0; i < from->ntopic_groups; i++)
		if (!copy_text(&to->topic_groups[i].name,
			from->topic_groups[i].name) ||
		    !copy_list(&to->topic_groups[i].topics,
			from->topic_groups[i].topics))
			return false;
	return true;
}

static bool
copy_config(struct spec_tree *to, const struct spec_tree *from)
{
	size_t i;

	if (from->nconfig == 0)
		return true;
	to->config = calloc(from->nconfig, sizeof(*to->config));
	if (to->config == NULL)
		return false;
	to->nconfig = from->nconfig;
	for (i = 0; i < from->nconfig; i++)
		if (!copy_text(&to->config[i].name, from->config[i].name) ||
		    !copy_text(&to->config[i].value, from->config[i].value))
			return false;
	return true;
}

struct spec_tree *
spec_copy(const struct spec_tree *tree)
{
	struct spec_tree *copy;

	if ((copy = calloc(1, sizeof(*copy))) == NULL)
		return NULL;
	copy->named = tree->named;
	if (copy_text(&copy->name, tree->name) && copy_topics(copy, tree) &&
	    copy_config(copy, tree) &&
	    copy_supervisor(&copy->root, &tree->root))
		return copy;
	spec_free(copy);
	return NULL;
}

int
spec_child_copy(struct spec_child *to, const struct spec_child *from)
{
	if (copy_child(to, from))
		return 0;
	spec_child_fini(to);
	return -1;
}

static bool
same_text(const char *one, const char *other)
{
	if (one == NULL || other == NULL)
		return one == other;
	return strcmp(one, other) == 0;
}

static bool
same_list(char *const *one, char *const *other)
{
	size_t n = list_length(one), i;

	if (list_length(other) != n)
		return false;
	for (i = 0; i < n; i++)
		if (strcmp(one[i], other[i]) != 0)
			return false;
	return true;
}

static bool
same_limits(const struct spec_command *one, const struct spec_command *other)
{
	size_t i;

	if (one->nlimits != other->nlimits)
		return false;
	for (i = 0; i < one->nlimits; i++)
		if (one->limits[i].resource != other->limits[i].resource ||
		    one->limits[i].soft != other->limits[i].soft ||
		    one->limits[i].hard != other->limits[i].hard)
			return false;
	return true;
}

static bool
same_reactions(const struct spec_command *one, const struct spec_command *other)
{
	size_t i;

	if (one->non_event != other->non_event)
		return false;
	for (i = 0; i < one->non_event; i++)
		if (one->on_event[i].signum != other->on_event[i].signum ||
		    !same_text(one->on_event[i].event,
			other->on_event[i].event))
			return false;
	return true;
}

static bool
same_ready(const struct spec_command *one, const struct spec_command *other)
{
	return one->ready == other->ready && one->ready_fd == other->ready_fd &&
	    same_list(one->ready_argv, other->ready_argv) &&
	    one->ready_interval_ms == other->ready_interval_ms &&
	    same_text(one->ready_regex, other->ready_regex);
}

static bool
same_log(const struct spec_command *one, const struct spec_command *other)
{
	return one->log == other->log &&
	    same_text(one->log_file, other->log_file);
}

const char *
spec_command_change(const struct spec_command *one,
    const struct spec_command *other)
{
	const struct {
		const char *key;
		bool same;
	} parts[] = {
		{ "command", same_list(one->argv, other->argv) },
		{ "type", one->worker == other->worker },
		{ "force", one->force == other->force },
		{ "ready", same_ready(one, other) },
		{ "watchdog", one->watchdog_ms == other->watchdog_ms },
		{ "stop_target", one->stop_target == other->stop_target },
		{ "contain", one->contain == other->contain },
		{ "start_pre", same_list(one->start_pre, other->start_pre) },
		{ "env", same_list(one->env, other->env) },
		{ "env_file", same_list(one->env_files, other->env_files) },
		{ "cwd", same_text(one->directory, other->directory) },
		{ "uid", same_text(one->user, other->user) },
		{ "gid", same_text(one->group, other->group) },
		{ "umask", one->umask == other->umask },
		{ "nice", one->nice == other->nice },
		{ "limits", same_limits(one, other) },
		{ "stdin", same_text(one->input, other->input) },
		{ "topics", same_list(one->topics, other->topics) },
		{ "messages", one->messages == other->messages },
		{ "on_event", same_reactions(one, other) },
		{ "log", same_log(one, other) },
	};
	size_t i;

	for (i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (!parts[i].same)
			return parts[i].key;
	return NULL;
}

bool
spec_command_same_run(const struct spec_command *one,
    const struct spec_command *other)
{
	return spec_command_change(one, other) == NULL;
}

bool
spec_command_equal(const struct spec_command *one,
    const struct spec_command *other)
{
	return spec_command_same_run(one, other) &&
	    one->instances == other->instances &&
	    one->ready_timeout_ms == other->ready_timeout_ms &&
	    one->min_uptime_ms == other->min_uptime_ms &&
	    one->log_max_size == other->log_max_size &&
	    one->log_keep == other->log_keep &&
	    same_list(one->stop_pre, other->stop_pre) &&
	    same_list(one->reload_command, other->reload_command);
}
