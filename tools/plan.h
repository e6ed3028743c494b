/* SPDX-License-Identifier: ISC */
/*
 * What a reload would do, as `grouper plan` and the host it asks tell it.
 */
#ifndef TOOLS_PLAN_H
#define TOOLS_PLAN_H

#include <jansson.h>

#include "runtime/supervise/machine.h"
#include "runtime/supervise/spec.h"
#include "tools/supervise.h"

/*
 * {"steps": [{"change": "scale", "key": "w", "from": 2, "to": 4}, ...],
 * "ignored": [TEXT, ...]}, or {"problems": TEXT} where a reload would be
 * refused.  NULL without memory.
 */
json_t *plan_describe(const struct spec_tree *from, const struct spec_tree *to);

/*
 * A list of lines, what a reload takes no account of, NULL without memory; and
 * each of these on standard error.
 */
json_t *plan_ignored(const struct spec_tree *from, const struct spec_tree *to);
void plan_tell_ignored(const char *verb, const json_t *lines);

/* Of a running host. */
struct plan_source {
	const struct supervise_options *options;
	const struct spec_tree *tree; /* that it loaded last */
	const struct machine *machine;
};

/* The same for a reload with the file at path, an absolute one. */
json_t *plan_answer(const struct plan_source *source, const char *path);

#endif
