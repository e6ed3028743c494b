/* SPDX-License-Identifier: ISC */
/*
 * The JSON schema for editors and the loader know the same keys and words.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/tree/load.h"
#include "runtime/util/limit.h"
#include "support.h"

static const struct tree_level *const levels[] = {
	&tree_level_root,
	&tree_level_supervisor,
	&tree_level_child,
	&tree_level_backoff,
	&tree_level_log,
	&tree_level_ready_exec,
	&tree_level_ready_log,
};

static json_t *
read_schema(void)
{
	const char *top = getenv("srcdir");
	json_error_t error;
	char path[1024];
	json_t *schema;

	ck_assert_ptr_nonnull(top);
	snprintf(path, sizeof(path), "%s/runtime/tree/grouper.schema.json",
	    top);
	schema = json_load_file(path, JSON_REJECT_DUPLICATES, &error);
	ck_assert_msg(schema != NULL, "%d:%d: %s", error.line, error.column,
	    error.text);
	return schema;
}

static json_t *
properties_of(json_t *schema, const char *level)
{
	json_t *object = json_object_get(json_object_get(schema, "$defs"),
	    level);

	ck_assert_msg(json_is_object(object), "%s", level);
	ck_assert_msg(json_is_false(json_object_get(object,
			  "additionalProperties")),
	    "%s", level);
	object = json_object_get(object, "properties");
	ck_assert_msg(json_is_object(object), "%s", level);
	return object;
}

/* All words of a property, "enum" of itself and of its alternatives. */
static void
collect_words(const json_t *property, json_t *words)
{
	json_t *value;
	size_t i;

	json_array_foreach(json_object_get(property, "enum"), i, value)
		json_object_set_new(words, json_string_value(value),
		    json_true());
	json_array_foreach(json_object_get(property, "anyOf"), i, value)
		collect_words(value, words);
}

static void
assert_words(const struct tree_key *key, const json_t *property)
{
	json_t *words = json_object();
	size_t count = 0;

	collect_words(property, words);
	for (; key->words[count].name != NULL; count++)
		ck_assert_msg(json_object_get(words, key->words[count].name) !=
			NULL,
		    "%s: %s", key->name, key->words[count].name);
	ck_assert_msg(json_object_size(words) == count, "%s: %zu words",
	    key->name, json_object_size(words));
	json_decref(words);
}

START_TEST(schema_has_the_keys_of_the_loader)
{
	json_t *schema = read_schema(), *properties;
	size_t i, k;

	for (i = 0; i < NELEMS(levels); i++) {
		properties = properties_of(schema, levels[i]->name);
		for (k = 0; k < levels[i]->nkeys; k++)
			ck_assert_msg(json_object_get(properties,
					  levels[i]->keys[k].name) != NULL,
			    "%s: %s is not in the schema", levels[i]->name,
			    levels[i]->keys[k].name);
		ck_assert_msg(json_object_size(properties) == levels[i]->nkeys,
		    "%s: the schema has more", levels[i]->name);
	}
	json_decref(schema);
}
END_TEST

START_TEST(schema_has_the_words_of_the_loader)
{
	json_t *schema = read_schema(), *properties;
	const struct tree_key *key;
	size_t i, k;

	for (i = 0; i < NELEMS(levels); i++) {
		properties = properties_of(schema, levels[i]->name);
		for (k = 0; k < levels[i]->nkeys; k++) {
			key = &levels[i]->keys[k];
			if (key->words != NULL)
				assert_words(key,
				    json_object_get(properties, key->name));
		}
	}
	json_decref(schema);
}
END_TEST

START_TEST(schema_has_the_limits_of_the_loader)
{
	json_t *schema = read_schema(), *properties;
	size_t i;

	properties = properties_of(schema, "limits");
	for (i = 0; limit_name(i) != NULL; i++)
		ck_assert_msg(json_object_get(properties, limit_name(i)) !=
			NULL,
		    "%s", limit_name(i));
	ck_assert_uint_eq(json_object_size(properties), i);
	json_decref(schema);
}
END_TEST

/* Every "#/$defs/..." leads somewhere. */
static void
assert_references(const json_t *defs, const json_t *node)
{
	static const char prefix[] = "#/$defs/";
	const char *key;
	json_t *value;
	size_t i;

	if (json_is_array(node)) {
		json_array_foreach(node, i, value)
			assert_references(defs, value);
		return;
	}
	for (void *at = json_object_iter((json_t *)(uintptr_t)node); at != NULL;
	     at = json_object_iter_next((json_t *)(uintptr_t)node, at)) {
		key = json_object_iter_key(at);
		value = json_object_iter_value(at);
		if (strcmp(key, "$ref") != 0) {
			assert_references(defs, value);
			continue;
		}
		key = json_string_value(value);
		ck_assert_int_eq(strncmp(key, prefix, strlen(prefix)), 0);
		ck_assert_msg(json_object_get(defs, key + strlen(prefix)) !=
			NULL,
		    "%s", key);
	}
}

START_TEST(schema_refers_to_what_is_there)
{
	json_t *schema = read_schema();

	assert_references(json_object_get(schema, "$defs"), schema);
	json_decref(schema);
}
END_TEST

int
main(void)
{
	Suite *suite = suite_create("tree_schema");
	TCase *tc;

	tc = support_case(suite, "schema");
	tcase_add_test(tc, schema_has_the_keys_of_the_loader);
	tcase_add_test(tc, schema_has_the_words_of_the_loader);
	tcase_add_test(tc, schema_has_the_limits_of_the_loader);
	tcase_add_test(tc, schema_refers_to_what_is_there);
	return support_main(suite, NULL);
}
