/* SPDX-License-Identifier: ISC */
/*
 * What clients put into JSON: payloads, texts of any bytes, and the children
 * that `spawn` is asked for.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/json_text.h"
#include "runtime/control/payload.h"
#include "runtime/control/rpc.h"
#include "runtime/supervise/spawn_params.h"
#include "runtime/supervise/spawn_text.h"
#include "tests/fuzz/fuzz.h"

/* Any bytes come back as they were. */
static void
check_round_trips(const char *text, size_t size)
{
	json_t *object = json_object(), *value;
	char *payload, *again;
	size_t length;

	FUZZ_CHECK(payload_put(object, text, size) == 0);
	FUZZ_CHECK(payload_take(object, &payload, &length) == 0);
	FUZZ_CHECK(length == size && memcmp(payload, text, size) == 0);
	free(payload);
	json_decref(object);

	value = spawn_text(text);
	again = spawn_text_of(value);
	FUZZ_CHECK(again != NULL && strcmp(again, text) == 0);
	free(again);
	json_decref(value);

	/* Replaced where it is no text, and then that is its own. */
	value = json_textn(text, size);
	FUZZ_CHECK(value != NULL);
	object = json_text(json_string_value(value));
	FUZZ_CHECK(json_equal(value, object) &&
	    strlen(json_string_value(value)) == json_string_length(value));
	json_decref(object);
	json_decref(value);
}

static void
check_error(const json_t *id, const char *text)
{
	char *line = rpc_error(id, RPC_PARSE_ERROR, text);
	json_t *answer = json_loads(line, JSON_REJECT_DUPLICATES, NULL);

	FUZZ_CHECK(json_is_object(answer));
	FUZZ_CHECK(strchr(line, '\n') == line + strlen(line) - 1);
	FUZZ_CHECK(json_equal(json_object_get(answer, "id"),
	    id != NULL ? id : json_null()));
	json_decref(answer);
	free(line);
}

static void
check_payload(const json_t *object)
{
	json_t *again = json_object();
	char *payload, *other;
	size_t length, other_length;

	if (payload_take(object, &payload, &length) == 0) {
		FUZZ_CHECK(payload[length] == '\0');
		FUZZ_CHECK(payload_put(again, payload, length) == 0);
		FUZZ_CHECK(payload_take(again, &other, &other_length) == 0);
		FUZZ_CHECK(length == other_length &&
		    memcmp(payload, other, length) == 0);
		free(other);
		free(payload);
	} else {
		FUZZ_CHECK(errno == EINVAL);
	}
	json_decref(again);
}

static void
check_spawn(const json_t *params)
{
	struct spec_child child;
	const char *expected;

	expected = spawn_params_read(&child, params);
	if (expected == NULL) {
		FUZZ_CHECK(child.command != NULL);
		FUZZ_CHECK(child.command->argv != NULL &&
		    child.command->argv[0] != NULL);
		FUZZ_CHECK(child.shutdown.count > 0);
	} else {
		FUZZ_CHECK(*expected != '\0');
	}
	spec_child_fini(&child);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	json_t *value;

	check_round_trips(text, size);
	value = json_loadb(text, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY,
	    NULL);
	check_error(value, text);
	if (json_is_object(value)) {
		check_payload(value);
		check_spawn(value);
	}
	json_decref(value);
	free(text);
	return 0;
}
