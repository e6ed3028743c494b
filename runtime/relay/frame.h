/* SPDX-License-Identifier: ISC */
/*
 * Frames: what host and member write to each other's pipe.  Pure: no
 * descriptor, no clock.
 *
 *	down	E <seq> <topic> <event> <from> <length>\n<payload>\n
 *		L <count>\n
 *		R <pattern>\n
 *	up	S <pattern>\n
 *		U <pattern>\n
 *		P <topic> <event> <length>\n<payload>\n
 *		O <topic> <event> <length>\n<payload>\n
 *		B <topic group> <event> <length>\n<payload>\n
 *
 * One blank between two fields, numbers in decimal.  The payload may hold any
 * bytes.  <from> is a key, or - for a sender that is no group.
 */
#ifndef RUNTIME_RELAY_FRAME_H
#define RUNTIME_RELAY_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define FRAME_PAYLOAD_MAX ((size_t)1 << 20)

/* The longest header, its newline included, has fewer bytes. */
#define FRAME_HEADER_MAX ((size_t)1024)

/* No frame is longer: header, payload, newline. */
#define FRAME_MAX (FRAME_HEADER_MAX + FRAME_PAYLOAD_MAX + 1)

enum frame_direction {
	FRAME_DOWN, /* to a member */
	FRAME_UP,   /* to the host */
};

enum frame_type {
	FRAME_EVENT = 'E',
	FRAME_LOST = 'L',
	FRAME_READY = 'R', /* a pattern holds now, or no longer */
	FRAME_SUBSCRIBE = 'S',
	FRAME_UNSUBSCRIBE = 'U',
	FRAME_PUBLISH = 'P',
	FRAME_OTHERS = 'O', /* to all but the sender */
	FRAME_BROADCAST = 'B',
};

/* Lengths are those of the texts, which are also terminated. */
struct frame {
	enum frame_type type;
	uint64_t number;     /* E: seq; L: how many */
	const char *name;    /* a topic, a topic group or a pattern */
	const char *event;   /* E P O B */
	const char *from;    /* E: NULL for nobody */
	const char *payload; /* E P O B: any bytes, then a NUL */
	size_t name_length;
	size_t event_length;
	size_t from_length;
	size_t payload_length;
};

/* Whether a payload and a newline follow the header. */
bool frame_has_payload(enum frame_type type);

/*
 * Writes the header of a frame, newline included, and returns its length.
 * What must follow it, frame_has_payload(), is payload_length bytes of
 * payload and a newline.  The names must be valid (see topic.h), the payload
 * of FRAME_PAYLOAD_MAX at most, and to of FRAME_HEADER_MAX bytes; only the
 * lengths count, not the terminators.
 */
size_t frame_header(char *to, const struct frame *frame);

/*
 * Bytes to frames, however they arrive.  Whoever sends them may be hostile:
 * memory grows with what came, never with what was announced, and holds one
 * frame and what was read beyond it at most.
 */
struct frame_parser {
	enum frame_direction direction;
	char *buffer;
	size_t size;
	size_t begin; /* what is held: from here */
	size_t end;
	size_t need; /* so many bytes held, before there can be a frame */
	bool broken;
	bool lent; /* the memory is somebody else's */
};

void frame_parser_init(struct frame_parser *parser,
    enum frame_direction direction);
void frame_parser_fini(struct frame_parser *parser);

/*
 * Where the next bytes go, for a read(2): at least `least` of them, *room is
 * how many.  Then frame_parser_add() tells how many came.  NULL with ENOMEM.
 */
char *frame_parser_room(struct frame_parser *parser, size_t least,
    size_t *room);
void frame_parser_add(struct frame_parser *parser, size_t length);

/*
 * The next frame: 1; 0 if it is not complete, or there is none; or -1 with
 * EPROTO if what came is no frame of this direction, then and for ever.  The
 * frame's texts are in the parser's memory and stay valid over further calls
 * of this function, until any other one is called.
 */
int frame_parser_next(struct frame_parser *parser, struct frame *frame);

/* How many bytes are held: at end of file, half a frame if not 0. */
size_t frame_parser_held(const struct frame_parser *parser);

/* Gives back memory that what is held does not need. */
void frame_parser_trim(struct frame_parser *parser);

/*
 * For who has many parsers and reads to one after another: memory, larger
 * than what is held, to be used in place of the parser's own until
 * frame_parser_return().  That returns 0; or -1 with ENOMEM, and the parser
 * can only be finished then.
 */
void frame_parser_lend(struct frame_parser *parser, char *buffer, size_t size);
int frame_parser_return(struct frame_parser *parser);

#endif
