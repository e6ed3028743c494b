/* SPDX-License-Identifier: ISC */
/*
 * Audiences: see audience.h.  Each pattern is held once; a link ties it to an
 * audience that has it.
 */
#include "runtime/relay/audience_private.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/relay/interest.h"
#include "runtime/relay/log.h"
#include "runtime/relay/relay.h"
#include "runtime/relay/topic.h"
#include "runtime/util/bug.h"

int
audience_compare_text(const char *one, size_t one_length, const char *other,
    size_t other_length)
{
	if (one_length != other_length)
		return one_length < other_length ? -1 : 1;
	return memcmp(one, other, one_length);
}

static int
compare_patterns(const struct pattern *one, const struct pattern *other)
{
	return audience_compare_text(one->text, one->length, other->text,
	    other->length);
}

static int
compare_audiences(const struct audience *one, const struct audience *other)
{
	uint64_t number, other_number;
	size_t i;

	if (one->nlinks != other->nlinks)
		return one->nlinks < other->nlinks ? -1 : 1;
	for (i = 0; i < one->nlinks; i++) {
		number = one->links[i]->pattern->number;
		other_number = other->links[i]->pattern->number;
		if (number != other_number)
			return number < other_number ? -1 : 1;
	}
	return 0;
}

RB_PROTOTYPE(pattern_tree, pattern, entry, compare_patterns)
RB_GENERATE(pattern_tree, pattern, entry, compare_patterns)
RB_PROTOTYPE(audience_tree, audience, entry, compare_audiences)
RB_GENERATE(audience_tree, audience, entry, compare_audiences)

/*
 * Patterns
 */

static struct pattern_tree *
tree_of(struct audience_index *index, bool prefix)
{
	return prefix ? &index->prefixes : &index->exact;
}

struct pattern *
audience_find_text(const struct pattern_tree *tree, const char *text,
    size_t length)
{
	struct pattern *pattern = RB_ROOT(tree);
	int order;

	while (pattern != NULL) {
		order = audience_compare_text(text, length, pattern->text,
		    pattern->length);
		if (order == 0)
			return pattern;
		pattern = order < 0 ? RB_LEFT(pattern, entry) :
				      RB_RIGHT(pattern, entry);
	}
	return NULL;
}

static struct pattern *
pattern_find(const struct audience_index *index, const char *text,
    size_t length)
{
	if (topic_pattern_is_prefix(text, length))
		return audience_find_text(&index->prefixes, text, length - 1);
	return audience_find_text(&index->exact, text, length);
}

static struct pattern *
pattern_new(struct audience_index *index, const char *text, size_t length)
{
	struct pattern *pattern;

	pattern = calloc(1, sizeof(*pattern) + length + 1);
	if (pattern == NULL)
		return NULL;
	memcpy(pattern->text, text, length);
	pattern->prefix = topic_pattern_is_prefix(text, length);
	pattern->length = length - (pattern->prefix ? 1 : 0);
	pattern->number = index->next_pattern++;
	LIST_INIT(&pattern->links);
	RB_INSERT(pattern_tree, tree_of(index, pattern->prefix), pattern);
	if (pattern->prefix)
		index->prefix_lengths[pattern->length]++;
	interest_add(index->interest, pattern->text, pattern->length,
	    pattern->prefix);
	return pattern;
}

static void
pattern_put(struct audience_index *index, struct pattern *pattern)
{
	if (!LIST_EMPTY(&pattern->links))
		return;
	if (pattern->prefix)
		index->prefix_lengths[pattern->length]--;
	interest_remove(index->interest, pattern->text, pattern->length,
	    pattern->prefix);
	RB_REMOVE(pattern_tree, tree_of(index, pattern->prefix), pattern);
	free(pattern);
}

static void
count_interest(struct interest *interest, struct pattern_tree *tree)
{
	struct pattern *pattern;

	RB_FOREACH(pattern, pattern_tree, tree)
		interest_add(interest, pattern->text, pattern->length,
		    pattern->prefix);
}

const struct interest *
audience_interest(struct audience_index *index)
{
	if (index->interest != NULL)
		return index->interest;
	index->interest = interest_new();
	if (index->interest == NULL)
		return NULL;
	count_interest(index->interest, &index->exact);
	count_interest(index->interest, &index->prefixes);
	return index->interest;
}

/*
 * The index
 */

void
audience_index_init(struct audience_index *index, struct store *store)
{
	memset(index, 0, sizeof(*index));
	index->store = store;
	index->generation = 1;
	RB_INIT(&index->exact);
	RB_INIT(&index->prefixes);
	RB_INIT(&index->settled);
	TAILQ_INIT(&index->unsettled);
	RB_INIT(&index->routes);
	SLIST_INIT(&index->all_routes);
}

void
audience_index_fini(struct audience_index *index)
{
	audience_forget_routes(index);
	BUG_IF(!RB_EMPTY(&index->settled) || !TAILQ_EMPTY(&index->unsettled));
	BUG_IF(!RB_EMPTY(&index->exact) || !RB_EMPTY(&index->prefixes));
	interest_free(index->interest);
}

/*
 * Audiences
 */

static void
unsettle(struct audience_index *index, struct audience *audience)
{
	index->generation++;
	if (!audience->settled)
		return;
	RB_REMOVE(audience_tree, &index->settled, audience);
	audience->settled = false;
	TAILQ_INSERT_TAIL(&index->unsettled, audience, unsettled_entry);
}

static struct audience *
audience_new(struct audience_index *index)
{
	struct audience *audience;

	audience = calloc(1, sizeof(*audience));
	if (audience == NULL)
		return NULL;
	TAILQ_INIT(&audience->ready);
	TAILQ_INIT(&audience->resting);
	TAILQ_INIT(&audience->listeners);
	audience->log = log_new(index->store);
	if (audience->log == NULL) {
		free(audience);
		return NULL;
	}
	TAILQ_INSERT_TAIL(&index->unsettled, audience, unsettled_entry);
	return audience;
}

static void
drop_link(struct audience_index *index, struct audience_link *link)
{
	struct pattern *pattern = link->pattern;

	LIST_REMOVE(link, entry);
	free(link);
	index->nlinks--;
	pattern_put(index, pattern);
}

void
audience_put(struct audience_index *index, struct audience *audience)
{
	size_t i;

	if (audience == NULL || audience->nmembers > 0 ||
	    !TAILQ_EMPTY(&audience->listeners))
		return;
	unsettle(index, audience);
	TAILQ_REMOVE(&index->unsettled, audience, unsettled_entry);
	for (i = 0; i < audience->nlinks; i++)
		drop_link(index, audience->links[i]);
	free(audience->links);
	log_drop(audience->log);
	free(audience);
}

/* Where the link to a pattern of that number is, or would have to be. */
static bool
find_link(const struct audience *audience, uint64_t number, size_t *at)
{
	size_t low = 0, high = audience->nlinks, middle;
	uint64_t other;

	/* Mostly the newest. */
	if (high > 0 && audience->links[high - 1]->pattern->number < number)
		low = high;
	while (low < high) {
		middle = low + (high - low) / 2;
		other = audience->links[middle]->pattern->number;
		if (other == number) {
			*at = middle;
			return true;
		}
		if (number < other)
			high = middle;
		else
			low = middle + 1;
	}
	*at = low;
	return false;
}

bool
audience_has(const struct audience_index *index,
    const struct audience *audience, const char *pattern, size_t length)
{
	const struct pattern *found = pattern_find(index, pattern, length);
	size_t at;

	return found != NULL && find_link(audience, found->number, &at);
}

/* All from one place on, to another one. */
static void
move_links(struct audience_index *index, struct audience *audience, size_t to,
    size_t from)
{
	size_t length = (audience->nlinks - from) * sizeof(*audience->links);

	memmove(audience->links + to, audience->links + from, length);
	index->moved += length;
}

static int
add_link(struct audience_index *index, struct audience *audience,
    struct pattern *pattern, size_t at)
{
	size_t size = audience->size == 0 ? 4 : audience->size * 2;
	struct audience_link *link, **links;

	if (index->nlinks >= RELAY_SUBSCRIPTIONS_MAX) {
		errno = ENOSPC;
		return -1;
	}
	if (audience->nlinks == audience->size) {
		links = reallocarray(audience->links, size, sizeof(*links));
		if (links == NULL)
			return -1;
		audience->links = links;
		audience->size = size;
	}
	link = calloc(1, sizeof(*link));
	if (link == NULL)
		return -1;
	link->pattern = pattern;
	link->audience = audience;
	LIST_INSERT_HEAD(&pattern->links, link, entry);
	index->moved += sizeof(*link);
	move_links(index, audience, at + 1, at);
	audience->links[at] = link;
	audience->nlinks++;
	index->nlinks++;
	return 0;
}

/*
 * Looks a pattern up.  1 if the audience has it, its link at *at; 0 if not;
 * -1 with EINVAL if it is none.
 */
static int
look_up(const struct audience_index *index, const struct audience *audience,
    const char *pattern, size_t length, struct pattern **found, size_t *at)
{
	if (!topic_pattern_valid(pattern, length)) {
		errno = EINVAL;
		return -1;
	}
	*found = pattern_find(index, pattern, length);
	return *found != NULL && find_link(audience, (*found)->number, at);
}

int
audience_add(struct audience_index *index, struct audience *audience,
    const char *pattern, size_t length)
{
	struct pattern *found;
	size_t at;
	int had = look_up(index, audience, pattern, length, &found, &at);

	if (had != 0)
		return had == 1 ? 0 : -1;
	if (found == NULL)
		found = pattern_new(index, pattern, length);
	if (found == NULL)
		return -1;
	find_link(audience, found->number, &at);
	unsettle(index, audience);
	if (add_link(index, audience, found, at) == -1) {
		pattern_put(index, found);
		return -1;
	}
	return 1;
}

int
audience_remove(struct audience_index *index, struct audience *audience,
    const char *pattern, size_t length)
{
	struct pattern *found;
	size_t at;
	int had = look_up(index, audience, pattern, length, &found, &at);

	if (had != 1)
		return had;
	unsettle(index, audience);
	drop_link(index, audience->links[at]);
	move_links(index, audience, at, at + 1);
	audience->nlinks--;
	return 1;
}

struct audience *
audience_copy(struct audience_index *index, const struct audience *from)
{
	struct audience *audience;
	size_t i;

	audience = audience_new(index);
	if (audience == NULL)
		return NULL;
	for (i = 0; i < from->nlinks; i++) {
		if (add_link(index, audience, from->links[i]->pattern, i) ==
		    -1) {
			audience_put(index, audience);
			return NULL;
		}
	}
	index->generation++;
	return audience;
}

struct audience *
audience_get(struct audience_index *index, const char *const *patterns,
    size_t count)
{
	struct audience *audience, *same;
	size_t i;

	audience = audience_new(index);
	if (audience == NULL)
		return NULL;
	for (i = 0; i < count; i++) {
		if (audience_add(index, audience, patterns[i],
			strnlen(patterns[i], TOPIC_MAX + 1)) == -1) {
			audience_put(index, audience);
			return NULL;
		}
	}
	same = RB_FIND(audience_tree, &index->settled, audience);
	if (same == NULL)
		return audience;
	audience_put(index, audience);
	return same;
}

struct audience *
audience_settle(struct audience_index *index, struct audience **same)
{
	struct audience *audience = TAILQ_FIRST(&index->unsettled);

	if (audience == NULL)
		return NULL;
	*same = RB_INSERT(audience_tree, &index->settled, audience);
	if (*same == NULL) {
		TAILQ_REMOVE(&index->unsettled, audience, unsettled_entry);
		audience->settled = true;
	}
	return audience;
}

const char *
audience_pattern(const struct audience *audience, size_t i)
{
	return i < audience->nlinks ? audience->links[i]->pattern->text : NULL;
}
