/* SPDX-License-Identifier: ISC */
/*
 * Settings, see settings.h.
 */
#include "runtime/relay/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/tree.h>
#include <unistd.h>

#include "runtime/relay/topic.h"
#include "runtime/util/fd.h"

#define FILE_MAX ((size_t)16 << 20)

struct setting {
	RB_ENTRY(setting) entry;
	char *key;
	json_t *value;
	size_t size; /* of both */
};
RB_HEAD(setting_tree, setting);

struct settings {
	struct setting_tree tree;
	size_t count;
	size_t size;
};

static int
compare(const struct setting *a, const struct setting *b)
{
	return strcmp(a->key, b->key);
}

RB_PROTOTYPE(setting_tree, setting, entry, compare)
RB_GENERATE(setting_tree, setting, entry, compare)

struct settings *
settings_new(void)
{
	struct settings *settings = calloc(1, sizeof(*settings));

	if (settings != NULL)
		RB_INIT(&settings->tree);
	return settings;
}

static void
free_setting(struct setting *setting)
{
	json_decref(setting->value);
	free(setting->key);
	free(setting);
}

void
settings_free(struct settings *settings)
{
	struct setting *setting, *next;

	if (settings == NULL)
		return;
	RB_FOREACH_SAFE(setting, setting_tree, &settings->tree, next) {
		RB_REMOVE(setting_tree, &settings->tree, setting);
		free_setting(setting);
	}
	free(settings);
}

static struct setting *
find(const struct settings *settings, const char *key)
{
	struct setting wanted = { .key = (char *)(uintptr_t)key };

	return RB_FIND(setting_tree,
	    (struct setting_tree *)(uintptr_t)&settings->tree, &wanted);
}

json_t *
settings_get(const struct settings *settings, const char *key)
{
	const struct setting *setting = find(settings, key);

	return setting == NULL ? NULL : setting->value;
}

static bool
is_key(const char *key)
{
	json_t *probe;

	if (!topic_name_valid(key, strlen(key)))
		return false;
	probe = json_string(key); /* NULL unless it is UTF-8 */
	json_decref(probe);
	return probe != NULL;
}

static struct setting *
new_setting(const char *key, json_t *value)
{
	struct setting *setting = calloc(1, sizeof(*setting));

	if (setting == NULL)
		return NULL;
	setting->key = strdup(key);
	if (setting->key == NULL) {
		free(setting);
		return NULL;
	}
	setting->value = json_incref(value);
	/* Without a buffer it counts. */
	setting->size = strlen(key) +
	    json_dumpb(value, NULL, 0, JSON_COMPACT | JSON_ENCODE_ANY);
	return setting;
}

static enum grouper_error
put(struct settings *settings, const char *key, json_t *value, json_t **old)
{
	struct setting *before, *setting;
	size_t count, size;

	if (!is_key(key))
		return GROUPER_INVALID;
	setting = new_setting(key, value);
	if (setting == NULL)
		return GROUPER_SYSTEM;
	before = find(settings, key);
	count = settings->count + (before == NULL);
	size = settings->size + setting->size -
	    (before == NULL ? 0 : before->size);
	if (count > SETTINGS_COUNT_MAX || size > SETTINGS_BYTES_MAX) {
		free_setting(setting);
		errno = ENOSPC;
		return GROUPER_SYSTEM;
	}
	settings_delete(settings, key, old);
	RB_INSERT(setting_tree, &settings->tree, setting);
	/* The analyzer does not see that the tree has it. */
	/* NOLINTBEGIN(clang-analyzer-unix.Malloc) */
	settings->count = count;
	settings->size = size;
	return GROUPER_OK;
	/* NOLINTEND(clang-analyzer-unix.Malloc) */
}

enum grouper_error
settings_put(struct settings *settings, const char *key, json_t *value,
    json_t **old)
{
	enum grouper_error error = GROUPER_SYSTEM;

	if (old != NULL)
		*old = NULL;
	if (value == NULL)
		errno = ENOMEM;
	else
		error = put(settings, key, value, old);
	json_decref(value);
	return error;
}

void
settings_delete(struct settings *settings, const char *key, json_t **old)
{
	struct setting *setting = find(settings, key);

	if (old != NULL)
		*old = setting == NULL ? NULL : json_incref(setting->value);
	if (setting == NULL)
		return;
	RB_REMOVE(setting_tree, &settings->tree, setting);
	settings->count--;
	settings->size -= setting->size;
	free_setting(setting);
}

json_t *
settings_list(const struct settings *settings)
{
	struct settings *all = (struct settings *)(uintptr_t)settings;
	json_t *list = json_object();
	struct setting *setting;

	/* An object keeps the order in which it was filled. */
	RB_FOREACH(setting, setting_tree, &all->tree) {
		if (json_object_set(list, setting->key, setting->value) == -1) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

/* Why a key could not be set. */
static const char *
reason(enum grouper_error error)
{
	if (error == GROUPER_INVALID)
		return "a key has 1 to 255 bytes, no white space and no "
		       "control characters";
	return errno == ENOSPC ? "the settings are too many or too long" :
				 strerror(errno);
}

static int
load(struct settings *settings, const char *key, json_t *value, char *error,
    size_t size)
{
	enum grouper_error number = settings_put(settings, key, value, NULL);

	if (number == GROUPER_OK)
		return 0;
	snprintf(error, size, "setting '%.64s': %s", key, reason(number));
	return -1;
}

int
settings_load_object(struct settings *settings, const json_t *object,
    char *error, size_t size)
{
	json_t *all = (json_t *)(uintptr_t)object, *value;
	const char *key;

	json_object_foreach(all, key, value) {
		if (load(settings, key, json_incref(value), error, size) == -1)
			return -1;
	}
	return 0;
}

json_t *
settings_value(const char *text)
{
	json_t *value;

	errno = 0;
	value = json_loads(text, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES,
	    NULL);
	if (value == NULL && errno != ENOMEM)
		value = json_string(text);
	if (value == NULL && errno != ENOMEM)
		errno = EILSEQ;
	return value;
}

int
settings_load_text(struct settings *settings, const char *text, char *error,
    size_t size)
{
	const char *equals = strchr(text, '=');
	json_t *value;
	char *key;
	int result;

	if (equals == NULL) {
		snprintf(error, size, "expected KEY=VALUE, found '%.64s'",
		    text);
		return -1;
	}
	key = strndup(text, (size_t)(equals - text));
	if (key == NULL) {
		snprintf(error, size, "%s", strerror(errno));
		return -1;
	}
	value = settings_value(equals + 1);
	result = -1;
	if (value == NULL)
		snprintf(error, size, "setting '%.64s': %s", key,
		    errno == EILSEQ ? "the value is neither JSON nor UTF-8" :
				      strerror(errno));
	else
		result = load(settings, key, value, error, size);
	free(key);
	return result;
}

static json_t *
read_object(const char *path, char *error, size_t size)
{
	char *text = NULL;
	json_error_t fault;
	json_t *object;
	size_t length;
	int fd;

	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd != -1)
		text = fd_read_all(fd, FILE_MAX, &length);
	if (text == NULL) {
		snprintf(error, size, "%s: %s", path, strerror(errno));
		fd_close(&fd);
		return NULL;
	}
	fd_close(&fd);
	object = json_loadb(text, length, JSON_REJECT_DUPLICATES, &fault);
	free(text);
	if (object == NULL) {
		snprintf(error, size, "%s:%d:%d: %s", path, fault.line,
		    fault.column, fault.text);
	} else if (!json_is_object(object)) {
		snprintf(error, size, "%s:1:1: expected an object of settings",
		    path);
		json_decref(object);
		object = NULL;
	}
	return object;
}

int
settings_load_file(struct settings *settings, const char *path, char *error,
    size_t size)
{
	json_t *object = read_object(path, error, size);
	char why[256];
	int result;

	if (object == NULL)
		return -1;
	result = settings_load_object(settings, object, why, sizeof(why));
	if (result == -1)
		snprintf(error, size, "%s: %s", path, why);
	json_decref(object);
	return result;
}
