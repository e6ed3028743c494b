/* SPDX-License-Identifier: ISC */
/*
 * Routes: which audiences a topic reaches, see audience.h.
 */
#include "runtime/relay/audience_private.h"

#include <stdlib.h>
#include <string.h>

/* So many topics are remembered with their audiences. */
#define ROUTES_MAX 16384

static int
compare_routes(const struct route *one, const struct route *other)
{
	return audience_compare_text(one->topic, one->length, other->topic,
	    other->length);
}

RB_PROTOTYPE(route_tree, route, entry, compare_routes)
RB_GENERATE(route_tree, route, entry, compare_routes)

void
audience_forget_routes(struct audience_index *index)
{
	struct route *route;

	RB_INIT(&index->routes);
	while ((route = SLIST_FIRST(&index->all_routes)) != NULL) {
		SLIST_REMOVE_HEAD(&index->all_routes, listed);
		free(route->audiences);
		free(route);
	}
	index->nroutes = 0;
	index->last = NULL;
}

/* The audiences that have a pattern, and that the mark does not show yet. */
static int
gather(struct audience_index *index, struct route *route,
    const struct pattern *pattern)
{
	struct audience_link *link;
	struct audience **audiences;
	size_t size;

	LIST_FOREACH(link, &pattern->links, entry) {
		if (link->audience->mark == index->mark)
			continue;
		link->audience->mark = index->mark;
		if (route->count == route->size) {
			size = route->size == 0 ? 4 : route->size * 2;
			audiences = reallocarray(route->audiences, size,
			    sizeof(*audiences));
			if (audiences == NULL)
				return -1;
			route->audiences = audiences;
			route->size = size;
		}
		route->audiences[route->count++] = link->audience;
	}
	return 0;
}

static int
fill(struct audience_index *index, struct route *route)
{
	const struct pattern *pattern;
	size_t length;

	route->count = 0;
	index->mark++;
	pattern = audience_find_text(&index->exact, route->topic,
	    route->length);
	if (pattern != NULL && gather(index, route, pattern) == -1)
		return -1;
	for (length = 0; length <= route->length; length++) {
		if (index->prefix_lengths[length] == 0)
			continue;
		pattern = audience_find_text(&index->prefixes, route->topic,
		    length);
		if (pattern != NULL && gather(index, route, pattern) == -1)
			return -1;
	}
	route->generation = index->generation;
	return 0;
}

static bool
is_route_of(const struct route *route, const char *topic, size_t length)
{
	return route != NULL && route->length == length &&
	    memcmp(route->topic, topic, length) == 0;
}

static struct route *
search_route(const struct audience_index *index, const char *topic,
    size_t length)
{
	struct route *route = RB_ROOT(&index->routes);
	int order;

	while (route != NULL) {
		order = audience_compare_text(topic, length, route->topic,
		    route->length);
		if (order == 0)
			return route;
		route = order < 0 ? RB_LEFT(route, entry) :
				    RB_RIGHT(route, entry);
	}
	return NULL;
}

/* Mostly it is the last one again, or the one that came after it before. */
static struct route *
find_route(const struct audience_index *index, const char *topic, size_t length)
{
	struct route *last = index->last, *route;

	if (is_route_of(last, topic, length))
		return last;
	if (last != NULL && is_route_of(last->follower, topic, length))
		return last->follower;
	route = search_route(index, topic, length);
	if (last != NULL && route != NULL)
		last->follower = route;
	return route;
}

static struct route *
add_route(struct audience_index *index, const char *topic, size_t length)
{
	struct route *route;

	if (index->nroutes == ROUTES_MAX)
		audience_forget_routes(index);
	route = calloc(1, sizeof(*route) + length + 1);
	if (route == NULL)
		return NULL;
	memcpy(route->topic, topic, length);
	route->length = length;
	RB_INSERT(route_tree, &index->routes, route);
	SLIST_INSERT_HEAD(&index->all_routes, route, listed);
	index->nroutes++;
	return route;
}

const struct route *
audience_route(struct audience_index *index, const char *topic, size_t length)
{
	struct route *route;

	route = find_route(index, topic, length);
	if (route == NULL)
		route = add_route(index, topic, length);
	if (route == NULL)
		return NULL;
	index->last = route;
	if (route->generation != index->generation && fill(index, route) == -1)
		return NULL;
	return route;
}
