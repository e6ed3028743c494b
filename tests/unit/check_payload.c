/* SPDX-License-Identifier: ISC */
/*
 * Payloads in JSON.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/control/payload.h"
#include "runtime/control/rpc.h"
#include "support.h"

static const struct {
	const char *bytes;
	size_t length;
	const char *json;
} payloads[] = {
	{ "", 0, "{\"payload\":\"\"}" },
	{ "hello", 5, "{\"payload\":\"hello\"}" },
	{ "\303\244\n", 3, "{\"payload\":\"\303\244\\n\"}" },
	/* RFC 4648, section 10, with a NUL in front. */
	{ "\0", 1, "{\"payload_base64\":\"AA==\"}" },
	{ "\0f", 2, "{\"payload_base64\":\"AGY=\"}" },
	{ "\0fo", 3, "{\"payload_base64\":\"AGZv\"}" },
	{ "\0foo", 4, "{\"payload_base64\":\"AGZvbw==\"}" },
	{ "\377\376\375", 3, "{\"payload_base64\":\"//79\"}" },
	{ "\373\357\276", 3, "{\"payload_base64\":\"++++\"}" },
	{ "\355\240\200", 3, "{\"payload_base64\":\"7aCA\"}" },
};
#define PAYLOADS (int)(sizeof(payloads) / sizeof(payloads[0]))

START_TEST(any_bytes_go_through_json)
{
	json_t *object = json_object();
	size_t length;
	char *text, *bytes;

	ck_assert_int_eq(payload_put(object, payloads[_i].bytes,
			     payloads[_i].length),
	    0);
	text = json_dumps(object, JSON_COMPACT);
	ck_assert_str_eq(text, payloads[_i].json);
	ck_assert_int_eq(payload_take(object, &bytes, &length), 0);
	ck_assert_uint_eq(length, payloads[_i].length);
	ck_assert_mem_eq(bytes, payloads[_i].bytes, length + 1);
	free(bytes);
	free(text);
	json_decref(object);
}
END_TEST

START_TEST(every_length_and_byte_goes_through_base64)
{
	json_t *object = json_object();
	size_t length = (size_t)_i, got, i;
	char bytes[300], *back;

	for (i = 0; i < length; i++)
		bytes[i] = (char)(i * 7 + length);
	bytes[0] = '\0';
	ck_assert_int_eq(payload_put(object, bytes, length), 0);
	ck_assert_ptr_nonnull(json_object_get(object, "payload_base64"));
	ck_assert_int_eq(payload_take(object, &back, &got), 0);
	ck_assert_uint_eq(got, length);
	ck_assert_mem_eq(back, bytes, length);
	free(back);
	json_decref(object);
}
END_TEST

/* Of a mebibyte: what each of its bytes is, and whether it stays a string. */
static const struct {
	char byte;
	bool is_string;
} long_ones[] = {
	{ 'x', true },
	{ '"', false },
	{ '\n', false },
	{ '\001', false },
};
#define LONG_ONES (int)(sizeof(long_ones) / sizeof(long_ones[0]))

START_TEST(the_longest_payload_fits_into_a_request)
{
	json_t *object = json_object();
	size_t length = (size_t)1 << 20, got;
	char *bytes = malloc(length), *text, *back;

	ck_assert_ptr_nonnull(bytes);
	memset(bytes, long_ones[_i].byte, length);
	ck_assert_int_eq(payload_put(object, bytes, length), 0);
	ck_assert_int_eq(json_object_get(object, "payload") != NULL,
	    long_ones[_i].is_string);
	text = json_dumps(object, JSON_COMPACT);
	ck_assert_uint_lt(strlen(text), RPC_LINE_MAX - 2048);
	ck_assert_int_eq(payload_take(object, &back, &got), 0);
	ck_assert_uint_eq(got, length);
	ck_assert_mem_eq(back, bytes, length);
	free(back);
	free(text);
	free(bytes);
	json_decref(object);
}
END_TEST

START_TEST(no_payload_is_an_empty_one)
{
	json_t *object = json_object();
	size_t length;
	char *bytes;

	ck_assert_int_eq(payload_take(object, &bytes, &length), 0);
	ck_assert_uint_eq(length, 0);
	ck_assert_str_eq(bytes, "");
	free(bytes);
	json_decref(object);
}
END_TEST

static const char *const wrong[] = {
	"{\"payload\":1}",
	"{\"payload\":null}",
	"{\"payload_base64\":[]}",
	"{\"payload\":\"\",\"payload_base64\":\"\"}",
	"{\"payload_base64\":\"A\"}",
	"{\"payload_base64\":\"AA\"}",
	"{\"payload_base64\":\"AAA\"}",
	"{\"payload_base64\":\"A===\"}",
	"{\"payload_base64\":\"====\"}",
	"{\"payload_base64\":\"AA==AAAA\"}",
	"{\"payload_base64\":\"AB==\"}",
	"{\"payload_base64\":\"AAB=\"}",
	"{\"payload_base64\":\"AA=A\"}",
	"{\"payload_base64\":\"AA-_\"}",
	"{\"payload_base64\":\"AAA\\n\"}",
	"{\"payload_base64\":\"AA A\"}",
	"{\"payload_base64\":\"AAA\303\244\"}",
};
#define WRONG (int)(sizeof(wrong) / sizeof(wrong[0]))

START_TEST(what_is_no_payload_is_refused)
{
	json_t *object = json_loads(wrong[_i], 0, NULL);
	size_t length;
	char *bytes;

	ck_assert_ptr_nonnull(object);
	ck_assert_int_eq(payload_take(object, &bytes, &length), -1);
	ck_assert_int_eq(errno, EINVAL);
	json_decref(object);
}
END_TEST

int
main(void)
{
	Suite *s = suite_create("payload");
	TCase *tc = support_case(s, "payload");

	tcase_add_loop_test(tc, any_bytes_go_through_json, 0, PAYLOADS);
	tcase_add_loop_test(tc, every_length_and_byte_goes_through_base64, 1,
	    300);
	tcase_add_loop_test(tc, the_longest_payload_fits_into_a_request, 0,
	    LONG_ONES);
	tcase_add_test(tc, no_payload_is_an_empty_one);
	tcase_add_loop_test(tc, what_is_no_payload_is_refused, 0, WRONG);
	return support_main(s, NULL);
}
