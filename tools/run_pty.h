/* SPDX-License-Identifier: ISC */
/*
 * A pseudo-terminal for a command: what it prints is copied to our standard
 * output, what is typed at our standard input to it.
 */
#ifndef TOOLS_RUN_PTY_H
#define TOOLS_RUN_PTY_H

#include <sys/types.h>

#include <stdbool.h>

#include "runtime/util/loop.h"

struct pty;

/*
 * Opens one and begins to copy.  Where input is a terminal, the new one gets
 * its size, and its settings if we begin in its foreground, and it is put into
 * raw mode as long as we are there; else the command does not see its input
 * echoed.
 *
 * input: what is typed, such as standard input; copied.
 * on_gone: called when what is printed cannot be written any more, from then
 *     on it is dropped: with 0 if nobody reads it, else with an errno.
 *
 * Returns NULL with errno.
 */
struct pty *pty_new(struct loop *loop, int input, void (*on_gone)(int, void *),
    void *arg);

/* Gives the outer terminal its mode back and closes; NULL is fine. */
void pty_free(struct pty *pty);

/* The end for the command; stays open until pty_free(). */
int pty_slave(const struct pty *pty);

/* The process group in its foreground; -1 if there is none. */
pid_t pty_foreground(const struct pty *pty);

/* Whether a terminal is at the other end, where a user may be. */
bool pty_is_interactive(const struct pty *pty);

/* Before we are stopped, and after we are continued. */
void pty_suspend(struct pty *pty);
void pty_resume(struct pty *pty);

/* The outer terminal has another size. */
void pty_resize(struct pty *pty);

/*
 * Nothing will be printed any more: writes out what there is and then calls
 * fn with the arg of pty_new(), at once if there is nothing.  Never waits for
 * an end of file, since a process elsewhere might hold the terminal open.
 */
void pty_drain(struct pty *pty, void (*fn)(void *));

#endif
