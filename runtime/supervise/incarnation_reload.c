/* SPDX-License-Identifier: ISC */
/*
 * What a reload changes of an incarnation that goes on.
 */
#include "runtime/supervise/incarnation_private.h"
#include "runtime/util/log.h"

int
incarnation_change(struct incarnation *run, const struct spec_child *child)
{
	struct spec_child copy;

	/* Another command takes its place: it ends as it was to. */
	if (!spec_command_same_run(run->child.command, child->command))
		return 0;
	if (spec_child_copy(&copy, child) == -1)
		return -1;
	spec_child_fini(&run->child);
	run->child = copy;
	run->changed = true;
	return 0;
}

void
incarnation_begin_reload(struct incarnation *run)
{
	const struct spec_command *command = run->child.command;

	/* One that runs may have read what was there before. */
	if (!run->reload_due || run->phase != PHASE_UP ||
	    run->aux[AUX_RELOAD].live ||
	    (!run->is_ready && command->ready != SPEC_READY_STARTED))
		return;
	run->reload_due = false;
	if (command->reload_command != NULL &&
	    !incarnation_start_aux(run, AUX_RELOAD, command->reload_command))
		log_warnx("%s: reload_command cannot be started", run->key);
}

void
incarnation_reload(struct incarnation *run)
{
	/* One that is only about to start reads what is there now. */
	run->reload_due = run->phase == PHASE_UP;
	incarnation_begin_reload(run);
}
