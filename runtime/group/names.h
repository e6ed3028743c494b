/* SPDX-License-Identifier: ISC */
/*
 * The files of a named host in the runtime directory: `<name>.lock`, which
 * it and its leaders hold, and `<name>.sock`, its control socket.
 *
 * The lock is inherited by leaders, not by commands: a new host of the name
 * gets it when the last group of the dead one is empty.
 */
#ifndef RUNTIME_GROUP_NAMES_H
#define RUNTIME_GROUP_NAMES_H

#include <sys/types.h>

#include <stdbool.h>
#include <stddef.h>

#define NAMES_HOST_MAX 32
/* The name of a transient host: format of its pid. */
#define NAMES_TRANSIENT "run-%d"

struct names {
	char name[NAMES_HOST_MAX + 1];
	char *lock_path;
	char *socket_path;
	dev_t device; /* of the runtime directory, with its inode: */
	ino_t inode;
	int lock;
	int listener;
};
#define NAMES_INIT \
	{ \
		.lock = -1, .listener = -1 \
	}

/*
 * The runtime directory: $GROUPER_RUNTIME_DIR, else $XDG_RUNTIME_DIR/grouper
 * where XDG_RUNTIME_DIR is a directory of this user's, else /run/grouper for
 * root, else /tmp/grouper-UID.  Writes its path, makes it where it is missing
 * and refuses one that others may write to.
 *
 * Returns 0, or -1 with errno (ENAMETOOLONG, EPERM for a wrong owner or
 * mode).
 */
int names_directory(char *path, size_t size);

/* For people, what such an errno means. */
const char *names_error(int error);

/*
 * Whether the runtime directory is the reason of a failure.  why receives a
 * line for people then, with room for size bytes.  Keeps errno.
 */
bool names_why(char *why, size_t size);

/*
 * Takes the lock, waiting for it with the signals unblocked that end a
 * program by default.  A transient name, which holds the pid, needs no lock:
 * nobody will wait for it.  0; -1 with errno: EINVAL for a bad name,
 * ENAMETOOLONG where the socket's path exceeds 107 bytes.
 */
int names_claim(struct names *names, const char *name, bool transient);

/* Listens on the socket of a claimed name, once.  0, or -1 with errno. */
int names_listen(struct names *names);

/* Removes the socket and closes it; does nothing if there is none. */
void names_unlisten(struct names *names);

/* Whether a file of the runtime directory is a host's socket by its name. */
bool names_is_socket(const char *name);

/*
 * Whether no process has the socket at path any more; false where it cannot
 * be told.  Async-signal-safe, keeps errno.
 */
bool names_is_dead(const char *path);

/*
 * Whether the runtime directory holds no living host's socket but this one's.
 * Removes what transient hosts left there that were killed.  False where it
 * cannot be told.
 */
bool names_alone(const struct names *names);

/*
 * Removes the files and closes the descriptors.  keep_lock: a group still
 * lives, whose leader holds the lock: the file must stay, since a new host
 * waits on the file that has the name.
 */
void names_release(struct names *names, bool keep_lock);

#endif
