/* SPDX-License-Identifier: ISC */
/*
 * The environment that a command gets.
 */
#ifndef TOOLS_RUN_ENVIRONMENT_H
#define TOOLS_RUN_ENVIRONMENT_H

#include "runtime/util/environment.h"
#include "tools/run_options.h"

/*
 * Applies --env-file and then --env of a verb.  0; -1 after telling on
 * standard error what is wrong.
 */
int environment_apply(struct environment *env,
    const struct run_options *options, const char *verb);

#endif
