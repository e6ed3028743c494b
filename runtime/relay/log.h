/* SPDX-License-Identifier: ISC */
/*
 * Logs of frames, all within the budget of one store, and the readers'
 * places in them.
 *
 * A log is a queue of chunks, in which no frame is broken: smaller frames are
 * copied to memory of the chunk's own, so that many are written as one piece;
 * larger ones may stand in memory that several logs refer to.  A span
 * is one reader's place: all frames that come from when it was opened until
 * it is closed.  A chunk goes once every span has passed it; or else when it
 * is the oldest of all logs and the store is full: then it is counted what
 * each span loses.  A frame of which a span has taken the beginning is
 * pinned: its memory stays until the rest is taken.
 *
 * Bytes, once written to a chunk, do not change while anybody may refer to
 * them: memory that was lent to a pipe, see span_take(), is never used again.
 */
#ifndef RUNTIME_RELAY_LOG_H
#define RUNTIME_RELAY_LOG_H

#include <sys/queue.h>
#include <sys/uio.h>

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "runtime/relay/store.h"

struct block;
struct chunk;
struct log;
struct skip;

STAILQ_HEAD(skip_list, skip);

struct span {
	struct log *log;
	struct chunk *chunk; /* where it stands */
	LIST_ENTRY(span) here;
	uint64_t at;	  /* position in the log */
	uint64_t to;	  /* SPAN_OPEN, or where it ends */
	uint64_t first;	  /* number of its first frame */
	uint64_t end;	  /* once closed: and of the first behind it */
	uint64_t lost;	  /* frames */
	uint64_t untold;  /* of them, not yet told to the reader */
	uint64_t skipped; /* frames */
	struct skip_list skips;
	struct block *pin; /* holds the rest of a frame, which goes first */
	const char *rest;
	size_t rest_length;
};

#define SPAN_OPEN UINT64_MAX

/* More pieces than most pipes have places. */
#define VIEW_MAX 32

/* What is next for a reader. */
struct view {
	struct iovec pieces[VIEW_MAX];
	size_t count;
	size_t length; /* of all */
	bool shared;   /* all of it is in memory that is not used again */
};

/* Returns NULL with errno.  A log that is dropped lives on for its spans. */
struct log *log_new(struct store *store);
void log_drop(struct log *log);

/*
 * Whether a frame fits where the last one ended, and nothing has to be
 * allocated for it.  Full: it needs a chunk of its own, and so what is there
 * had better be taken first.
 */
bool log_fits(const struct log *log, size_t length);
bool log_full(const struct log *log, size_t length);

/*
 * Makes room for a frame, at the cost of the oldest frames of all logs.  0;
 * or -1 with ENOMEM: there is no memory, or all of it is pinned.
 */
int log_renew(struct log *log, size_t length);

/*
 * Appends a frame that fits: a head, a body and a newline.  Returns its
 * position.
 */
uint64_t log_append(struct log *log, const char *head, size_t head_length,
    const char *body, size_t body_length);

/*
 * A frame that several logs refer to: it stays while one of them, a reader, or
 * who made it keeps it.  0; or -1 with ENOMEM, as log_renew().
 */
struct shared {
	struct block *block;
	const char *bytes;
	size_t length;
};

int shared_init(struct shared *shared, struct store *store, const char *head,
    size_t head_length, const char *body, size_t body_length);
void shared_fini(struct shared *shared);

/* As those above. */
bool log_fits_shared(const struct log *log, size_t length);
bool log_full_shared(const struct log *log, size_t length);
int log_renew_shared(struct log *log, size_t length);
uint64_t log_append_shared(struct log *log, const struct shared *shared);

/*
 * Appends a frame that got no room: it is lost to all open spans but one
 * (may be NULL), and so is what is still in the log.
 */
void log_lose(struct log *log, struct span *except);

/* After spans were advanced: notes whether all of them took everything. */
void log_rest(struct log *log);

/* Whether its bytes are to be lent to pipes rather than copied. */
void log_set_lends(struct log *log, bool on);
bool log_lends(const struct log *log);

/* Opens a span at the end of a log. */
void span_open(struct span *span, struct log *log);

/* It ends where the log ends now. */
void span_close(struct span *span);

/* Lets go of the log, whatever was not taken. */
void span_drop(struct span *span);

/*
 * The open span's reader is not to see the frame that was just appended.
 * 0, or -1 with ENOMEM: it will.
 */
int span_skip(struct span *span, uint64_t at, size_t length);

/*
 * The next bytes for the reader; no piece if there are none at present.
 * Frames that were lost stood before them, unless they are the rest of a
 * frame.
 */
void span_peek(struct span *span, struct view *view);

/*
 * So many of the bytes have been taken; lent: and a pipe refers to them.  That
 * is for what is shared, or stands in one piece.
 */
void span_take(struct span *span, size_t length, bool lent);

/* Everything was taken and told. */
bool span_done(const struct span *span);

/* Whether a frame was taken in part. */
bool span_in_frame(const struct span *span);

/* Frames that were taken, the last one perhaps in part. */
uint64_t span_taken(const struct span *span);

/* Bytes that can be taken. */
size_t span_queued(const struct span *span);

#endif
