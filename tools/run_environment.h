/* SPDX-License-Identifier: ISC */
/*
 * The environment that the command of `grouper run` gets.
 */
#ifndef TOOLS_RUN_ENVIRONMENT_H
#define TOOLS_RUN_ENVIRONMENT_H

#include "runtime/util/environment.h"
#include "tools/run_options.h"

/*
 * Applies --env-file and then --env.  0; -1 after telling on standard error
 * what is wrong.
 */
int environment_apply(struct environment *env,
    const struct run_options *options);

#endif
