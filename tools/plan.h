/* SPDX-License-Identifier: ISC */
/*
 * What a reload would do, as `grouper plan` and the host it asks tell it.
 */
#ifndef TOOLS_PLAN_H
#define TOOLS_PLAN_H

#include <jansson.h>

#include "runtime/supervise/spec.h"
#include "runtime/supervise/supervisor.h"
#include "tools/supervise.h"

/*
 * {"steps": [{"change": "scale", "key": "w", "from": 2, "to": 4}, ...],
 * "ignored": [TEXT, ...]}, or {"problems": TEXT} where a reload would be
 * refused.  NULL without memory.  host: see runtime/tree/plan.h, also below.
 */
json_t *plan_describe(const struct spec_tree *from, const struct spec_tree *to,
    const struct grouper_host *host);

/*
 * A list of lines, what a reload takes no account of, NULL without memory; and
 * each of these on standard error.
 */
json_t *plan_ignored(const struct spec_tree *from, const struct spec_tree *to,
    const struct grouper_host *host);
void plan_tell_ignored(const char *verb, const json_t *lines);

/* Of a running host. */
struct plan_source {
	const struct supervise_options *options;
	const struct spec_tree *tree; /* that it loaded last */
	struct supervisor *supervisor;
};

/* The same for a reload with the file at path, an absolute one. */
json_t *plan_answer(const struct plan_source *source, const char *path);

#endif
