/* SPDX-License-Identifier: ISC */
/*
 * Payloads, any bytes, as members of a JSON object: `payload`, a string, for
 * UTF-8 without NUL, else `payload_base64`; so too for long ones that escapes
 * would make longer than that, so that each fits into a line of a request.
 */
#ifndef RUNTIME_CONTROL_PAYLOAD_H
#define RUNTIME_CONTROL_PAYLOAD_H

#include <stddef.h>

#include <jansson.h>

/* Adds one to an object; 0, or -1 without memory. */
int payload_put(json_t *object, const void *payload, size_t length);

/*
 * The one that an object has, a NUL behind it, to be freed; empty if it has
 * none.  0; -1 with errno: EINVAL if it has both, or what is no string or no
 * base64 of RFC 4648, section 4; ENOMEM.
 */
int payload_take(const json_t *object, char **payload, size_t *length);

#endif
