/* SPDX-License-Identifier: ISC */
/*
 * Topics, patterns, topic groups, settings and registered names, beside
 * models of them that are as simple as can be.
 *
 * Input: bytes that say what is done, with names between them.
 */
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/bus/words.h"
#include "runtime/relay/groups.h"
#include "runtime/relay/registry.h"
#include "runtime/relay/settings.h"
#include "runtime/relay/topic.h"
#include "tests/fuzz/fuzz.h"

#define ENTRIES_MAX 64
#define ROUNDS_MAX 400
#define NELEMS(array) (sizeof(array) / sizeof((array)[0]))

static const char *const names[] = { "a", "a:b", "a:b:c", "a:", ":a", "*", "a*",
	"a:*", "a:b*", "ab", "b", "room:1", "room:12", "room:*", "r*", "",
	"\xff\xfe", "a b" };

/* Pairs of texts: a group and its topic, a setting, a name and its holder. */
struct model {
	struct entry {
		char *name;
		char *value; /* NULL: the group itself */
	} entries[ENTRIES_MAX];
	size_t count;
};

static struct entry *
model_find(struct model *model, const char *name, const char *value)
{
	size_t i;

	for (i = 0; i < model->count; i++) {
		struct entry *at = &model->entries[i];

		if (strcmp(at->name, name) == 0 &&
		    (value == NULL ?
			    at->value == NULL :
			    at->value != NULL && strcmp(at->value, value) == 0))
			return at;
	}
	return NULL;
}

/* Whatever its value; a group's is that without. */
static struct entry *
model_key(struct model *model, const char *name)
{
	size_t i;

	for (i = 0; i < model->count; i++)
		if (strcmp(model->entries[i].name, name) == 0)
			return &model->entries[i];
	return NULL;
}

static void
model_add(struct model *model, const char *name, const char *value)
{
	struct entry *entry = &model->entries[model->count++];

	entry->name = fuzz_text(name, strlen(name));
	entry->value = value == NULL ? NULL : fuzz_text(value, strlen(value));
}

static void
model_remove(struct model *model, struct entry *entry)
{
	free(entry->name);
	free(entry->value);
	*entry = model->entries[--model->count];
}

static void
model_free(struct model *model)
{
	while (model->count > 0)
		model_remove(model, &model->entries[0]);
}

/* The words of README and design, letter by letter. */
static bool
name_ok(const char *name)
{
	size_t length = strlen(name), i;

	for (i = 0; i < length; i++)
		if ((unsigned char)name[i] <= ' ' || name[i] == 0x7f)
			return false;
	return length >= 1 && length <= 255;
}

static bool
topic_ok(const char *topic)
{
	return name_ok(topic) && topic[0] != ':' &&
	    topic[strlen(topic) - 1] != ':';
}

static bool
matches(const char *pattern, const char *topic)
{
	size_t i;

	for (i = 0; pattern[i] != '\0'; i++) {
		if (pattern[i] == '*' && pattern[i + 1] == '\0')
			return true;
		if (pattern[i] != topic[i])
			return false;
	}
	return topic[i] == '\0';
}

static void
check_words(const char *one, const char *other)
{
	char why[WORD_WHY_SIZE] = "";
	bool meet;

	FUZZ_CHECK(topic_name_valid(one, strlen(one)) == name_ok(one));
	FUZZ_CHECK(topic_word(one) == name_ok(one));
	FUZZ_CHECK(topic_valid(one, strlen(one)) == topic_ok(one));
	FUZZ_CHECK(word_valid(WORD_TOPIC, one, why) == topic_ok(one));
	FUZZ_CHECK((why[0] == '\0') == topic_ok(one));
	if (!topic_ok(one) || !topic_ok(other))
		return;
	FUZZ_CHECK(topic_matches(one, other) == matches(one, other));
	meet = topic_patterns_meet(one, other);
	FUZZ_CHECK(meet == topic_patterns_meet(other, one));
	if (topic_matches(one, other) || topic_matches(other, one))
		FUZZ_CHECK(meet);
	if (!topic_pattern_is_prefix(other, strlen(other)))
		FUZZ_CHECK(meet == matches(one, other));
}

/*
 * Topic groups
 */

static void
check_group(const struct topic_groups *groups, struct model *model,
    const char *name)
{
	enum grouper_error error;
	char *const *topics;
	size_t count = 0, i, expected = 0;

	error = topic_groups_topics(groups, name, &topics, &count);
	if (model_find(model, name, NULL) == NULL) {
		FUZZ_CHECK(error != GROUPER_OK);
		return;
	}
	FUZZ_CHECK(error == GROUPER_OK);
	for (i = 0; i < count; i++)
		FUZZ_CHECK(model_find(model, name, topics[i]) != NULL &&
		    (i == 0 || strcmp(topics[i - 1], topics[i]) < 0));
	for (i = 0; i < model->count; i++)
		expected += strcmp(model->entries[i].name, name) == 0 &&
		    model->entries[i].value != NULL;
	FUZZ_CHECK(count == expected);
}

static void
check_list(const struct topic_groups *groups, struct model *model)
{
	size_t i, n = 0, expected = 0;
	const char *name, *before = "";

	for (; (name = topic_groups_name(groups, n)) != NULL; n++) {
		FUZZ_CHECK(strcmp(before, name) < 0);
		FUZZ_CHECK(model_find(model, name, NULL) != NULL);
		before = name;
	}
	for (i = 0; i < model->count; i++)
		expected += model->entries[i].value == NULL;
	FUZZ_CHECK(n == expected);
}

static enum grouper_error
model_group(struct model *model, unsigned int verb, const char *name,
    const char *topic)
{
	struct entry *entry = model_find(model, name, NULL);

	if (!name_ok(name) || (verb >= 2 && !topic_ok(topic)))
		return GROUPER_INVALID;
	if (verb == 0 && entry != NULL)
		return GROUPER_ALREADY_EXISTS;
	if (verb != 0 && entry == NULL)
		return GROUPER_NOT_FOUND;
	if (verb == 0)
		model_add(model, name, NULL);
	while (verb == 1 && (entry = model_key(model, name)) != NULL)
		model_remove(model, entry);
	entry = verb >= 2 ? model_find(model, name, topic) : NULL;
	if (verb == 2 && entry == NULL)
		model_add(model, name, topic);
	if (verb == 3 && entry != NULL)
		model_remove(model, entry);
	return GROUPER_OK;
}

static void
group_step(struct topic_groups *groups, struct model *model, unsigned int verb,
    const char *name, const char *topic)
{
	enum grouper_error error;

	switch (verb) {
	case 0:
		error = topic_groups_create(groups, name);
		break;
	case 1:
		error = topic_groups_delete(groups, name);
		break;
	case 2:
		error = topic_groups_add(groups, name, topic);
		break;
	default:
		error = topic_groups_remove(groups, name, topic);
		break;
	}
	FUZZ_CHECK(error == model_group(model, verb, name, topic));
	check_group(groups, model, name);
	check_list(groups, model);
}

/*
 * Settings
 */

static char *
dump(const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	FUZZ_CHECK(text != NULL);
	return text;
}

/* A value and what the model says it was. */
static void
check_value(const json_t *value, const struct entry *entry)
{
	char *text;

	FUZZ_CHECK((value == NULL) == (entry == NULL));
	if (value == NULL)
		return;
	text = dump(value);
	FUZZ_CHECK(strcmp(text, entry->value) == 0);
	free(text);
}

static void
setting_step(struct settings *settings, struct model *model, bool put,
    const char *key, const char *text)
{
	json_t *value = json_loads(text, JSON_DECODE_ANY, NULL), *old;
	struct entry *entry = model_key(model, key);
	enum grouper_error error;
	char *now;

	if (value == NULL)
		value = json_string("text");
	now = dump(value);
	check_value(settings_get(settings, key), entry);
	if (put) {
		error = settings_put(settings, key, json_incref(value), &old);
		FUZZ_CHECK(error == GROUPER_OK || error == GROUPER_INVALID);
		FUZZ_CHECK(error != GROUPER_OK || name_ok(key));
		check_value(old, error == GROUPER_OK ? entry : NULL);
	} else {
		settings_delete(settings, key, &old);
		check_value(old, entry);
		error = GROUPER_OK;
	}
	if (error == GROUPER_OK && entry != NULL)
		model_remove(model, entry);
	if (error == GROUPER_OK && put)
		model_add(model, key, now);
	json_decref(old);
	json_decref(value);
	free(now);
	value = settings_list(settings);
	FUZZ_CHECK(json_object_size(value) == model->count);
	json_decref(value);
}

/*
 * Names
 */

/* Ourselves, one that lives, one that is dead, and what is none. */
static pid_t pids[] = { 0, 0, 0, -1, INT_MAX };
#define LIVING 2

static void
make_processes(void)
{
	siginfo_t info;

	if (pids[0] != 0)
		return;
	pids[0] = getpid();
	pids[1] = fork();
	if (pids[1] == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != pids[0])
			_exit(1);
		for (;;)
			pause();
	}
	pids[2] = fork();
	if (pids[2] == 0)
		_exit(0);
	FUZZ_CHECK(pids[1] != -1 && pids[2] != -1);
	FUZZ_CHECK(waitid(P_PID, (id_t)pids[2], &info, WEXITED | WNOWAIT) == 0);
}

/* Whose value is a digit, its place among the processes. */
static void
check_whereis(struct registry *registry, struct model *model, const char *name)
{
	const struct entry *entry = model_key(model, name);
	const char *key = NULL;
	pid_t pid = registry_whereis(registry, name, &key);

	FUZZ_CHECK(pid == (entry == NULL ? 0 : pids[entry->value[0] - '0']));
	FUZZ_CHECK(entry == NULL || strcmp(key, entry->value) == 0);
	FUZZ_CHECK(registry_count(registry) == model->count);
}

static void
drop(struct model *model, const char *holder)
{
	size_t i = 0;

	while (i < model->count)
		if (strcmp(model->entries[i].value, holder) == 0)
			model_remove(model, &model->entries[i]);
		else
			i++;
}

static void
name_step(struct registry *registry, struct model *model, unsigned int verb,
    const char *name, unsigned int which)
{
	char holder[] = { (char)('0' + which % NELEMS(pids)), '\0' };
	pid_t pid = pids[which % NELEMS(pids)];
	struct entry *entry = model_key(model, name);
	bool registered = false, valid = name_ok(name) && pid > 0;
	enum grouper_error error;

	switch (verb) {
	case 0:
		error = registry_register(registry, name, pid, holder,
		    &registered);
		FUZZ_CHECK((error == GROUPER_INVALID) == !valid);
		if (!valid)
			break;
		FUZZ_CHECK(error ==
		    (entry != NULL || which % NELEMS(pids) < LIVING ?
			    GROUPER_OK :
			    GROUPER_NOT_FOUND));
		FUZZ_CHECK(registered ==
		    (error == GROUPER_OK && entry == NULL));
		if (registered)
			model_add(model, name, holder);
		break;
	case 1:
		registry_unregister(registry, name);
		if (entry != NULL)
			model_remove(model, entry);
		break;
	case 2:
		registry_drop_process(registry, pid);
		drop(model, holder);
		break;
	case 3:
		registry_drop_group(registry, holder);
		drop(model, holder);
		break;
	default:
		registry_drop_dead(registry);
		break;
	}
	check_whereis(registry, model, name);
}

int
LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct fuzz_input input = { data, size };
	struct topic_groups *groups = topic_groups_new();
	struct settings *settings = settings_new();
	struct registry *registry = registry_new();
	struct model of_groups = { .count = 0 }, of_settings = of_groups,
		     of_names = of_groups;
	const char *one, *other;
	unsigned int verb, steps;

	make_processes();
	for (steps = 0; input.size > 0 && steps < ROUNDS_MAX; steps++) {
		verb = fuzz_byte(&input);
		one = fuzz_name(&input, names, NELEMS(names));
		other = fuzz_name(&input, names, NELEMS(names));
		check_words(one, other);
		check_words(other, one);
		if (verb % 3 == 0 && of_groups.count < ENTRIES_MAX)
			group_step(groups, &of_groups, verb / 3 % 4, one,
			    other);
		else if (verb % 3 == 1 && of_settings.count < ENTRIES_MAX)
			setting_step(settings, &of_settings, verb / 3 % 3 > 0,
			    one, other);
		else if (of_names.count < ENTRIES_MAX)
			name_step(registry, &of_names, verb / 3 % 5, one,
			    verb / 15);
	}
	topic_groups_free(groups);
	settings_free(settings);
	registry_free(registry);
	model_free(&of_groups);
	model_free(&of_settings);
	model_free(&of_names);
	return 0;
}
