/* SPDX-License-Identifier: ISC */
/*
 * What fuzz targets share.  A target is a function that takes any bytes and
 * aborts where something is not as it must be.  libFuzzer drives it in a build
 * with --enable-fuzzers; in any other one replay.c gives it its corpus.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stddef.h>
#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Tells what does not hold, and aborts. */
#define FUZZ_CHECK(condition) \
	do { \
		if (!(condition)) \
			fuzz_broken(__FILE__, __LINE__, #condition); \
	} while (0)

_Noreturn void fuzz_broken(const char *file, int line, const char *what);

/* Bytes of an input that are not used yet. */
struct fuzz_input {
	const uint8_t *data;
	size_t size;
};

/* The next byte; 0 behind the last. */
uint8_t fuzz_byte(struct fuzz_input *input);

/* So many of the next bytes, or as many as there are. */
const char *fuzz_bytes(struct fuzz_input *input, size_t *length);

/* A copy with a NUL behind it, to be freed. */
char *fuzz_text(const void *data, size_t size);

/*
 * Of a byte, one of these names, which are few, so that they meet; or, rarely,
 * what comes next in the input.  Valid until the next call but one.
 */
const char *fuzz_name(struct fuzz_input *input, const char *const *names,
    size_t count);

/*
 * Sends to a socket, with standard input so many times, four at most, as
 * descriptors.  What is not taken at once is lost: a peer may do as it likes.
 */
void fuzz_send(int fd, const char *bytes, size_t length, size_t nfds);

/*
 * A directory of this process's own: $FUZZ_DIRECTORY, which run makes, since
 * no libFuzzer removes any, or one that is gone at the end.
 */
const char *fuzz_directory(void);

#endif
