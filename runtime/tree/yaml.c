/* SPDX-License-Identifier: ISC */
/*
 * YAML to nodes, from libfyaml's events: its own documents know neither the
 * places of repeated keys nor a limit.  See yaml.h.
 */
#include "runtime/tree/yaml.h"

#include <sys/tree.h>

#include <libfyaml.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/tree/problem.h"
#include "runtime/tree/source.h"
#include "runtime/tree/yaml_merge.h"
#include "runtime/util/bug.h"

#define CORE_TAG "tag:yaml.org,2002:"
#define NAME_MAX_BYTES 128 /* of an anchor */

struct anchor {
	RB_ENTRY(anchor) entry;
	struct anchor *next; /* of all, to be freed */
	struct yaml_node *node;
	char name[NAME_MAX_BYTES];
};

RB_HEAD(anchors, anchor);
/* The static ones need __unused, which libbsd keeps from clean C. */
RB_PROTOTYPE(anchors, anchor, entry, unused)

/* A mapping or sequence that has not ended. */
struct frame {
	struct yaml_node *node;
	struct yaml_node *key; /* that awaits its value */
	size_t room;
};

struct yaml {
	struct yaml_node *all;
	struct yaml_node *root;
};

struct composer {
	const struct source *source;
	struct tree_problems *problems;
	struct yaml *yaml;
	struct anchors anchors;
	struct anchor *all_anchors;
	struct frame stack[YAML_DEPTH_MAX];
	size_t depth;
	size_t count; /* nodes, and keys merged */
	size_t at;    /* where the last event with a place was */
	unsigned int documents;
	bool failed; /* too wrong to go on */
};

static int
anchor_compare(const struct anchor *one, const struct anchor *other)
{
	return strcmp(one->name, other->name);
}

RB_GENERATE(anchors, anchor, entry, anchor_compare)

static void __attribute__((format(printf, 3, 4)))
fail(struct composer *composer, size_t offset, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	tree_problem_vadd(composer->problems, composer->source, offset, format,
	    ap);
	va_end(ap);
	composer->failed = true;
}

static struct yaml_node *
new_node(struct composer *composer, enum yaml_kind kind, size_t offset)
{
	struct yaml_node *node;

	if (++composer->count > YAML_NODES_MAX) {
		fail(composer, offset, "expected at most %d values in a file",
		    YAML_NODES_MAX);
		return NULL;
	}
	node = calloc(1, sizeof(*node));
	if (node == NULL) {
		fail(composer, offset, "out of memory");
		return NULL;
	}
	node->kind = kind;
	node->offset = offset;
	node->next = composer->yaml->all;
	composer->yaml->all = node;
	return node;
}

/* The name of an anchor into one; false if it is too long. */
static bool
anchor_name(struct composer *composer, struct fy_token *token,
    struct anchor *anchor)
{
	const char *text;
	size_t length = 0;

	text = fy_token_get_text(token, &length);
	if (text == NULL || length >= sizeof(anchor->name)) {
		fail(composer, composer->at,
		    "expected an anchor of at most %d bytes",
		    NAME_MAX_BYTES - 1);
		return false;
	}
	memcpy(anchor->name, text, length);
	anchor->name[length] = '\0';
	return true;
}

static void
set_anchor(struct composer *composer, struct fy_token *token,
    struct yaml_node *node)
{
	struct anchor *anchor, *old;

	if (token == NULL || node == NULL)
		return;
	anchor = calloc(1, sizeof(*anchor));
	if (anchor == NULL) {
		fail(composer, node->offset, "out of memory");
		return;
	}
	anchor->node = node;
	if (!anchor_name(composer, token, anchor)) {
		free(anchor);
		return;
	}
	/* The same name again is another anchor from here on. */
	old = RB_INSERT(anchors, &composer->anchors, anchor);
	if (old != NULL) {
		old->node = node;
		free(anchor);
		return;
	}
	anchor->next = composer->all_anchors;
	composer->all_anchors = anchor;
}

/* A tag of YAML's own says what is found out anyway, but for !!str. */
static bool
take_tag(struct composer *composer, struct fy_token *token, bool *is_text)
{
	static const char core[] = CORE_TAG;
	const char *text;
	size_t length = 0;

	*is_text = false;
	if (token == NULL)
		return true;
	text = fy_token_get_text(token, &length);
	if (text != NULL && length == 1 && *text == '!') {
		*is_text = true;
		return true;
	}
	if (text == NULL || length < sizeof(core) ||
	    strncmp(text, core, sizeof(core) - 1) != 0) {
		fail(composer, composer->at, "tags such as '%.*s' are unknown",
		    length < 64 ? (int)length : 64, text != NULL ? text : "");
		return false;
	}
	*is_text = length == sizeof(core) + 2 &&
	    strncmp(text + sizeof(core) - 1, "str", 3) == 0;
	return true;
}

static bool
push_item(struct composer *composer, struct frame *frame,
    struct yaml_node *value)
{
	struct yaml_node *node = frame->node;
	struct yaml_item *grown;

	if (node->nitems == frame->room) {
		frame->room = frame->room * 2 + 4;
		grown = reallocarray(node->items, frame->room, sizeof(*grown));
		if (grown == NULL) {
			fail(composer, value->offset, "out of memory");
			return false;
		}
		node->items = grown;
	}
	node->items[node->nitems].key = frame->key;
	node->items[node->nitems].value = value;
	node->nitems++;
	frame->key = NULL;
	return true;
}

/* A node, or what an alias means, to where it stands. */
static void
attach(struct composer *composer, struct yaml_node *node)
{
	struct frame *frame;

	if (composer->depth == 0) {
		composer->yaml->root = node;
		return;
	}
	frame = &composer->stack[composer->depth - 1];
	if (frame->node->kind == YAML_MAPPING && frame->key == NULL) {
		if (node->kind != YAML_SCALAR)
			fail(composer, node->offset,
			    "expected text as a key, got %s",
			    yaml_kind_name(node));
		frame->key = node;
	} else {
		push_item(composer, frame, node);
	}
}

static void
on_scalar(struct composer *composer, const struct fy_event *event)
{
	struct fy_token *token = event->scalar.value;
	enum fy_scalar_style style = fy_token_scalar_style(token);
	struct yaml_node *node;
	const char *text;
	size_t length = 0;
	bool is_text;

	if (!take_tag(composer, event->scalar.tag, &is_text))
		return;
	/* The place of quoted text is behind its quote. */
	if ((style == FYSS_SINGLE_QUOTED || style == FYSS_DOUBLE_QUOTED) &&
	    composer->at > 0)
		composer->at--;
	node = new_node(composer, YAML_SCALAR, composer->at);
	if (node == NULL)
		return;
	node->plain = style == FYSS_PLAIN && !is_text;
	text = token != NULL ? fy_token_get_text(token, &length) : NULL;
	node->text = strndup(text != NULL ? text : "", length);
	if (node->text == NULL)
		fail(composer, node->offset, "out of memory");
	else if (strlen(node->text) != length)
		fail(composer, node->offset, "expected text, got a NUL byte");
	set_anchor(composer, event->scalar.anchor, node);
	attach(composer, node);
}

static void
on_start(struct composer *composer, enum yaml_kind kind,
    struct fy_token *anchor, struct fy_token *tag)
{
	struct yaml_node *node;
	struct frame *frame;
	bool is_text;

	if (!take_tag(composer, tag, &is_text))
		return;
	node = new_node(composer, kind, composer->at);
	if (node == NULL)
		return;
	if (composer->depth == YAML_DEPTH_MAX) {
		fail(composer, composer->at,
		    "expected at most %d levels of nesting", YAML_DEPTH_MAX);
		return;
	}
	set_anchor(composer, anchor, node);
	node->open = true;
	attach(composer, node);
	frame = &composer->stack[composer->depth++];
	frame->node = node;
	frame->key = NULL;
	frame->room = 0;
}

static void
on_end(struct composer *composer)
{
	struct yaml_node *node;

	BUG_IF(composer->depth == 0);
	node = composer->stack[--composer->depth].node;
	node->open = false;
	if (node->kind == YAML_MAPPING &&
	    yaml_merge(node, &composer->count, composer->source,
		composer->problems) != 0)
		composer->failed = true;
}

static void
on_alias(struct composer *composer, const struct fy_event *event)
{
	struct anchor wanted, *anchor;

	/* The place of an alias is behind its star. */
	if (composer->at > 0)
		composer->at--;
	if (!anchor_name(composer, event->alias.anchor, &wanted))
		return;
	anchor = RB_FIND(anchors, &composer->anchors, &wanted);
	if (anchor == NULL)
		fail(composer, composer->at, "unknown anchor '%s'",
		    wanted.name);
	else if (anchor->node->open)
		fail(composer, composer->at,
		    "alias '%s' is within what it stands for", wanted.name);
	else
		attach(composer, anchor->node);
}

static void
on_event(struct composer *composer, struct fy_event *event)
{
	const struct fy_mark *mark = fy_event_start_mark(event);

	/* A value that is not there has no place: its key's serves. */
	if (mark != NULL)
		composer->at = mark->input_pos;
	switch (event->type) {
	case FYET_DOCUMENT_START:
		if (++composer->documents > 1)
			fail(composer, composer->at,
			    "expected one document, got another");
		break;
	case FYET_SCALAR:
		on_scalar(composer, event);
		break;
	case FYET_SEQUENCE_START:
		on_start(composer, YAML_SEQUENCE, event->sequence_start.anchor,
		    event->sequence_start.tag);
		break;
	case FYET_MAPPING_START:
		on_start(composer, YAML_MAPPING, event->mapping_start.anchor,
		    event->mapping_start.tag);
		break;
	case FYET_SEQUENCE_END:
	case FYET_MAPPING_END:
		on_end(composer);
		break;
	case FYET_ALIAS:
		on_alias(composer, event);
		break;
	default:
		break;
	}
}

/* What the parser found: the first of its complaints, others follow from it. */
static void
take_diagnostics(struct composer *composer, struct fy_diag *diag)
{
	const struct fy_mark *mark = NULL;
	struct fy_diag_error *error;
	void *iterator = NULL;
	size_t offset;

	error = fy_diag_errors_iterate(diag, &iterator);
	if (error == NULL) {
		fail(composer, composer->at, "cannot be read as YAML");
		return;
	}
	if (error->fyt != NULL)
		mark = fy_token_start_mark(error->fyt);
	if (mark != NULL)
		offset = mark->input_pos;
	else if (error->line > 0 && error->column > 0)
		offset = source_offset(composer->source,
		    (unsigned int)error->line, (unsigned int)error->column);
	else
		offset = composer->at;
	fail(composer, offset, "%s",
	    error->msg != NULL ? error->msg : "cannot be read as YAML");
}

static void
parse(struct composer *composer, struct fy_parser *parser, struct fy_diag *diag)
{
	const struct source *source = composer->source;
	struct fy_event *event;

	if (fy_parser_set_string(parser, source->text, source->length) != 0) {
		fail(composer, 0, "out of memory");
		return;
	}
	while (!composer->failed) {
		event = fy_parser_parse(parser);
		if (event == NULL)
			break;
		on_event(composer, event);
		fy_parser_event_free(parser, event);
	}
	if (!composer->failed && fy_parser_get_stream_error(parser))
		take_diagnostics(composer, diag);
}

/*
 * Some directives send libfyaml 0.7 into a loop without end, and no tree file
 * needs one; nor text that continues with '%' at the start of a line.
 */
static bool
has_directive(struct composer *composer)
{
	const char *text = composer->source->text, *p;

	for (p = strchr(text, '%'); p != NULL; p = strchr(p + 1, '%')) {
		if (p == text || p[-1] == '\n' || p[-1] == '\r') {
			fail(composer, (size_t)(p - text),
			    "expected no '%%' at the start of a line: "
			    "directives are not known");
			return true;
		}
	}
	return false;
}

static void
compose(struct composer *composer)
{
	struct fy_parse_cfg config = {
		.flags = FYPCF_JSON_NONE | FYPCF_QUIET | FYPCF_COLLECT_DIAG,
	};
	struct fy_diag_cfg diag_config;
	struct fy_parser *parser;

	fy_diag_cfg_default(&diag_config);
	diag_config.fp = NULL;
	diag_config.colorize = false;
	config.diag = fy_diag_create(&diag_config);
	if (config.diag == NULL) {
		fail(composer, 0, "out of memory");
		return;
	}
	fy_diag_set_collect_errors(config.diag, true);
	parser = fy_parser_create(&config);
	if (parser != NULL)
		parse(composer, parser, config.diag);
	else
		fail(composer, 0, "out of memory");
	/* They hold tokens of the parser, and nothing else frees them. */
	fy_diag_reset_error(config.diag);
	fy_parser_destroy(parser);
	fy_diag_unref(config.diag);
}

struct yaml *
yaml_read(const struct source *source, struct tree_problems *problems)
{
	struct composer *composer;
	struct anchor *anchor;
	struct yaml *yaml;

	composer = calloc(1, sizeof(*composer));
	yaml = calloc(1, sizeof(*yaml));
	if (composer == NULL || yaml == NULL) {
		tree_problem_add(problems, source, 0, "out of memory");
		free(composer);
		free(yaml);
		return NULL;
	}
	composer->source = source;
	composer->problems = problems;
	composer->yaml = yaml;
	RB_INIT(&composer->anchors);
	if (!has_directive(composer))
		compose(composer);
	while ((anchor = composer->all_anchors) != NULL) {
		composer->all_anchors = anchor->next;
		free(anchor);
	}
	if (composer->failed) {
		yaml_free(yaml);
		yaml = NULL;
	}
	free(composer);
	return yaml;
}

void
yaml_free(struct yaml *yaml)
{
	struct yaml_node *node;

	if (yaml == NULL)
		return;
	while ((node = yaml->all) != NULL) {
		yaml->all = node->next;
		free(node->text);
		free(node->items);
		free(node);
	}
	free(yaml);
}

const struct yaml_node *
yaml_root(const struct yaml *yaml)
{
	return yaml->root;
}

const struct yaml_node *
yaml_get(const struct yaml_node *mapping, const char *key)
{
	size_t i;

	for (i = 0; i < mapping->nitems; i++)
		if (strcmp(mapping->items[i].key->text, key) == 0)
			return mapping->items[i].value;
	return NULL;
}

bool
yaml_is_null(const struct yaml_node *node)
{
	return node->kind == YAML_SCALAR && node->plain &&
	    (*node->text == '\0' || strcmp(node->text, "~") == 0 ||
		strcmp(node->text, "null") == 0 ||
		strcmp(node->text, "Null") == 0 ||
		strcmp(node->text, "NULL") == 0);
}

const char *
yaml_kind_name(const struct yaml_node *node)
{
	switch (node->kind) {
	case YAML_SEQUENCE:
		return "a list";
	case YAML_MAPPING:
		return "a mapping";
	case YAML_SCALAR:
		break;
	}
	return yaml_is_null(node) ? "nothing" : "text";
}
