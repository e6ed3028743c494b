/* SPDX-License-Identifier: ISC */
/*
 * Procfiles: "name: command line" per line, and comments.
 */
#ifndef RUNTIME_TREE_PROCFILE_H
#define RUNTIME_TREE_PROCFILE_H

#include <stddef.h>

#include "runtime/supervise/spec.h"
#include "runtime/tree/problem.h"

/*
 * Reads a Procfile into a tree with a permanent child for each line: the
 * shell runs it in the Procfile's directory, and its output has a prefix.
 * Its variables are those of a file .env there, if there is one, and those
 * that foreman gives: PORT, which is 5000 (or what .env or the environment
 * has as PORT), 100 more for each line before and 1 more for each instance
 * before; PS, its name and instance.
 *
 * formation: "web=2,worker=3", also "all=2"; NULL: one of each.  Since ports
 *     differ, several instances are children of their own, web.1 and web.2;
 *     one is just web, none is left out.
 * env: of procfile_load_text(), in place of .env; may be NULL.
 *
 * Returns a tree that passed spec_check(), for spec_free(); NULL with
 * problems added.
 */
struct spec_tree *procfile_load(const char *path, const char *formation,
    struct tree_problems *problems);
struct spec_tree *procfile_load_text(const char *path, const char *text,
    size_t length, char *const *env, const char *formation,
    struct tree_problems *problems);

/*
 * What was expected of a formation that cannot be read, else NULL.  It may be
 * about what no Procfile has.
 */
const char *procfile_formation_check(const char *formation);

#endif
