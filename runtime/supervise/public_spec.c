/* SPDX-License-Identifier: ISC */
/*
 * Public values as specifications, see public_spec.h.
 */
#include "runtime/supervise/public_spec.h"

#include <stdlib.h>
#include <string.h>

#define ALL_FLAGS \
	(GROUPER_CHILD_SIGNIFICANT | GROUPER_CHILD_MANUAL | \
	    GROUPER_CHILD_MAY_FOUND)

static enum grouper_error fill_supervisor(struct spec_supervisor *spec,
    const struct grouper_supervisor_options *options, bool named,
    unsigned int depth);

static bool
copy_text(char **to, const char *from)
{
	*to = from != NULL ? strdup(from) : NULL;
	return from == NULL || *to != NULL;
}

static bool
copy_list(char ***to, char *const *from)
{
	size_t count = 0, i;

	if (from == NULL)
		return true;
	while (from[count] != NULL)
		count++;
	*to = calloc(count + 1, sizeof(**to));
	for (i = 0; *to != NULL && i < count; i++)
		if (!copy_text(&(*to)[i], from[i]))
			return false;
	return *to != NULL;
}

static bool
copy_limits(struct spec_command *command, const struct grouper_child *child)
{
	if (child->nlimits == 0)
		return true;
	command->limits = calloc(child->nlimits, sizeof(*child->limits));
	if (command->limits == NULL)
		return false;
	memcpy(command->limits, child->limits,
	    child->nlimits * sizeof(*child->limits));
	command->nlimits = child->nlimits;
	return true;
}

static const enum spec_ready readies[] = {
	[GROUPER_READY_STARTED] = SPEC_READY_STARTED,
	[GROUPER_READY_NOTIFY] = SPEC_READY_NOTIFY,
	[GROUPER_READY_FD] = SPEC_READY_FD,
	[GROUPER_READY_EXEC] = SPEC_READY_EXEC,
};

static enum grouper_error
check_command(const struct grouper_child *child, bool named)
{
	if ((unsigned int)child->ready > GROUPER_READY_EXEC ||
	    (unsigned int)child->contain > GROUPER_CONTAIN_PIDNS ||
	    (unsigned int)child->stop_target > GROUPER_STOP_TREE ||
	    child->umask < -1 || child->umask > 0777 ||
	    (child->nlimits > 0 && child->limits == NULL))
		return GROUPER_INVALID;
	/* Two hosts without a name would make the same socket for it. */
	if (child->ready == GROUPER_READY_NOTIFY && !named)
		return GROUPER_BAD_COMBINATION;
	return GROUPER_OK;
}

static enum grouper_error
fill_command(struct spec_child *spec, const struct grouper_child *child,
    bool named)
{
	enum grouper_error error = check_command(child, named);
	struct spec_command *command;

	if (error != GROUPER_OK)
		return error;
	command = spec->command = calloc(1, sizeof(*command));
	if (command == NULL)
		return GROUPER_SYSTEM;
	spec_command_init(command);
	command->worker = (child->flags & GROUPER_CHILD_MAY_FOUND) == 0;
	command->instances = child->instances;
	command->ready = readies[child->ready];
	command->ready_fd = child->ready_fd;
	command->ready_timeout_ms = child->ready_timeout_ms;
	command->min_uptime_ms = child->min_uptime_ms;
	command->contain = child->contain;
	command->stop_target = child->stop_target;
	command->umask = child->umask;
	command->nice = child->nice;
	return copy_list(&command->argv, child->argv) &&
		copy_list(&command->env, child->env) &&
		copy_list(&command->ready_argv, child->ready_argv) &&
		copy_text(&command->directory, child->directory) &&
		copy_limits(command, child) ?
	    GROUPER_OK :
	    GROUPER_SYSTEM;
}

static enum grouper_error
fill_policies(struct spec_child *spec, const struct grouper_child *child)
{
	const char *text = child->shutdown, *expected;

	if (child->size != sizeof(*child) ||
	    (child->flags & ~(unsigned int)ALL_FLAGS) != 0 ||
	    (unsigned int)child->restart > GROUPER_TEMPORARY)
		return GROUPER_INVALID;
	if ((child->argv == NULL) == (child->supervisor == NULL))
		return GROUPER_INVALID;
	/* As in OTP: it takes as long as its children take. */
	if (text == NULL && child->supervisor != NULL)
		text = "infinity";
	if (steps_parse(text, &spec->shutdown, &expected) != 0)
		return GROUPER_INVALID;
	spec->restart = child->restart == GROUPER_PERMANENT ? SPEC_PERMANENT :
	    child->restart == GROUPER_TRANSIENT		    ? SPEC_TRANSIENT :
							      SPEC_TEMPORARY;
	spec->autostart = (child->flags & GROUPER_CHILD_MANUAL) == 0;
	spec->significant = (child->flags & GROUPER_CHILD_SIGNIFICANT) != 0;
	spec->backoff.min_ms = child->backoff_min_ms;
	spec->backoff.max_ms = child->backoff_max_ms;
	return copy_text(&spec->id, child->id) ? GROUPER_OK : GROUPER_SYSTEM;
}

static enum grouper_error
fill_child(struct spec_child *spec, const struct grouper_child *child,
    bool named, unsigned int depth)
{
	enum grouper_error error = fill_policies(spec, child);

	if (error != GROUPER_OK)
		return error;
	if (child->supervisor == NULL)
		return fill_command(spec, child, named);
	spec->supervisor = calloc(1, sizeof(*spec->supervisor));
	if (spec->supervisor == NULL)
		return GROUPER_SYSTEM;
	spec_supervisor_init(spec->supervisor);
	return fill_supervisor(spec->supervisor, child->supervisor, named,
	    depth + 1);
}

static enum grouper_error
fill_supervisor(struct spec_supervisor *spec,
    const struct grouper_supervisor_options *options, bool named,
    unsigned int depth)
{
	enum grouper_error error = GROUPER_OK;
	size_t i;

	/* The depth also ends a supervisor that is its own child. */
	if (options->size != sizeof(*options) || depth > SPEC_DEPTH_MAX ||
	    (unsigned int)options->strategy > GROUPER_REST_FOR_ONE ||
	    (unsigned int)options->auto_shutdown > GROUPER_ALL_SIGNIFICANT ||
	    options->nchildren > SPEC_CHILDREN_MAX ||
	    (options->nchildren > 0 && options->children == NULL))
		return GROUPER_INVALID;
	spec->strategy = options->strategy == GROUPER_ONE_FOR_ONE ?
	    SPEC_ONE_FOR_ONE :
	    options->strategy == GROUPER_ONE_FOR_ALL ? SPEC_ONE_FOR_ALL :
						       SPEC_REST_FOR_ONE;
	spec->auto_shutdown = options->auto_shutdown == GROUPER_NEVER ?
	    SPEC_NEVER :
	    options->auto_shutdown == GROUPER_ANY_SIGNIFICANT ?
	    SPEC_ANY_SIGNIFICANT :
	    SPEC_ALL_SIGNIFICANT;
	spec->intensity = options->intensity;
	spec->period_ms = options->period_ms;
	spec->cooldown_ms = options->cooldown_ms;
	spec->children = calloc(options->nchildren + 1,
	    sizeof(*spec->children));
	if (spec->children == NULL)
		return GROUPER_SYSTEM;
	for (i = 0; error == GROUPER_OK && i < options->nchildren; i++) {
		spec_child_init(&spec->children[i]);
		spec->nchildren++;
		error = fill_child(&spec->children[i], &options->children[i],
		    named, depth);
	}
	return error;
}

enum grouper_error
public_tree(const struct grouper_supervisor_options *options, bool named,
    struct spec_tree **tree)
{
	struct spec_tree *made = calloc(1, sizeof(*made));
	const struct spec_child *at;
	enum grouper_error error;
	char *why = NULL;

	if (made == NULL)
		return GROUPER_SYSTEM;
	spec_supervisor_init(&made->root);
	error = fill_supervisor(&made->root, options, named, 1);
	if (error == GROUPER_OK)
		error = spec_check(made, &why, &at);
	free(why);
	if (error == GROUPER_OK)
		*tree = made;
	else
		spec_free(made);
	return error;
}

enum grouper_error
public_child(const struct grouper_child *child, bool named,
    struct spec_child *spec)
{
	spec_child_init(spec);
	return fill_child(spec, child, named, 1);
}
