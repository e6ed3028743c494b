/* SPDX-License-Identifier: ISC */
/*
 * Specifications of supervisor trees: defaults, names, release.  See spec.h.
 */
#include "runtime/supervise/spec.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/util/bug.h"

#define SUCCESS_MAX 255

void
spec_supervisor_init(struct spec_supervisor *supervisor)
{
	*supervisor = (struct spec_supervisor) {
		.strategy = SPEC_ONE_FOR_ONE,
		.intensity = 1,
		.period_ms = 5000,
		.auto_shutdown = SPEC_NEVER,
		.cooldown_ms = -1,
	};
}

void
spec_child_init(struct spec_child *child)
{
	const char *error;

	*child = (struct spec_child) {
		.autostart = true,
		.restart = SPEC_PERMANENT,
		.backoff = { .max_ms = 30000, .reset_ms = 60000 },
	};
	BUG_IF(steps_parse(NULL, &child->shutdown, &error) != 0);
	spec_success_add(&child->success, 0);
}

void
spec_command_init(struct spec_command *command)
{
	*command = (struct spec_command) {
		.worker = true,
		.instances = 1,
		.ready = SPEC_READY_STARTED,
		.ready_fd = -1,
		.ready_interval_ms = 1000,
		.ready_timeout_ms = -1,
		.stop_target = GROUPER_STOP_GROUP,
		.contain = GROUPER_CONTAIN_AUTO,
		.umask = -1,
		.log_keep = 5,
	};
}

void
spec_success_add(struct spec_success *success, unsigned int status)
{
	if (status <= SUCCESS_MAX)
		success->bits[status / 32] |= (uint32_t)1 << status % 32;
}

bool
spec_success_has(const struct spec_success *success, unsigned int status)
{
	return status <= SUCCESS_MAX &&
	    (success->bits[status / 32] >> status % 32 & 1) != 0;
}

static void
free_list(char **list)
{
	size_t i;

	for (i = 0; list != NULL && list[i] != NULL; i++)
		free(list[i]);
	free(list);
}

static void
command_free(struct spec_command *command)
{
	size_t i;

	if (command == NULL)
		return;
	free_list(command->argv);
	free_list(command->ready_argv);
	free(command->ready_regex);
	free_list(command->start_pre);
	free_list(command->stop_pre);
	free_list(command->reload_command);
	free_list(command->env);
	free_list(command->env_files);
	free(command->directory);
	free(command->user);
	free(command->group);
	free(command->limits);
	free(command->input);
	free_list(command->topics);
	for (i = 0; i < command->non_event; i++)
		free(command->on_event[i].event);
	free(command->on_event);
	free(command->log_file);
	free(command);
}

void
spec_child_fini(struct spec_child *child)
{
	free(child->id);
	free_list(child->depends_on);
	command_free(child->command);
	if (child->supervisor != NULL)
		spec_supervisor_fini(child->supervisor);
	free(child->supervisor);
	*child = (struct spec_child) { .id = NULL };
}

void
spec_supervisor_fini(struct spec_supervisor *supervisor)
{
	size_t i;

	for (i = 0; i < supervisor->nchildren; i++)
		spec_child_fini(&supervisor->children[i]);
	free(supervisor->children);
	supervisor->children = NULL;
	supervisor->nchildren = 0;
}

void
spec_drop_config(struct spec_tree *tree)
{
	size_t i;

	for (i = 0; i < tree->nconfig; i++) {
		free(tree->config[i].name);
		free(tree->config[i].value);
	}
	free(tree->config);
	tree->config = NULL;
	tree->nconfig = 0;
}

void
spec_free(struct spec_tree *tree)
{
	size_t i;

	if (tree == NULL)
		return;
	free(tree->name);
	for (i = 0; i < tree->ntopic_groups; i++) {
		free(tree->topic_groups[i].name);
		free_list(tree->topic_groups[i].topics);
	}
	free(tree->topic_groups);
	spec_drop_config(tree);
	spec_supervisor_fini(&tree->root);
	free(tree);
}

const char *
spec_strategy_name(enum spec_strategy strategy)
{
	switch (strategy) {
	case SPEC_ONE_FOR_ONE:
		return "one_for_one";
	case SPEC_ONE_FOR_ALL:
		return "one_for_all";
	case SPEC_REST_FOR_ONE:
		return "rest_for_one";
	}
	return "unknown";
}

const char *
spec_restart_name(enum spec_restart restart)
{
	switch (restart) {
	case SPEC_PERMANENT:
		return "permanent";
	case SPEC_TRANSIENT:
		return "transient";
	case SPEC_TEMPORARY:
		return "temporary";
	}
	return "unknown";
}

const char *
spec_auto_shutdown_name(enum spec_auto_shutdown auto_shutdown)
{
	switch (auto_shutdown) {
	case SPEC_NEVER:
		return "never";
	case SPEC_ANY_SIGNIFICANT:
		return "any_significant";
	case SPEC_ALL_SIGNIFICANT:
		return "all_significant";
	}
	return "unknown";
}
