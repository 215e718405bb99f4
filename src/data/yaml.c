/* YAML text to trees, from libyaml's events. */
#include "data/yaml.h"

#include <cjson/cJSON.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/base64.h"
#include "base/str.h"
#include "data/key_set.h"
#include "data/yaml_scalar.h"

enum {
	MAXIMUM_ANCHORS = 10000,
	MAXIMUM_COPIED_BYTES = 64 << 20, /* that aliases and merges may make */
};

struct anchor {
	char *name;
	json *node; /* NULL as long as the node is not complete */
};

struct loader {
	yaml_parser_t parser;
	yaml_event_t event; /* the current one */
	size_t nodes, copied_bytes;
	struct anchor *anchors;
	size_t anchor_count;
	json *merged; /* keys and values of merge keys, kept while anchors may point into them */
	bool syntax_error; /* the fault is one of YAML itself, not of its encoding or ours */
	struct err *err;
};

/* Values are not quoted, nor what looks like an anchor or a tag: it may be a password without its
 * quotes. Keys may be. */
static int fail(const struct loader *loader, yaml_mark_t mark, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static int fail(const struct loader *loader, yaml_mark_t mark, const char *format, ...)
{
	char text[512];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	return err_set(loader->err, ERR_INVALID, "yaml: line %zu, column %zu: %s", mark.line + 1,
		mark.column + 1, text);
}

static int next_event(struct loader *loader)
{
	yaml_event_delete(&loader->event);
	if (yaml_parser_parse(&loader->parser, &loader->event))
		return 0;
	const yaml_parser_t *parser = &loader->parser;
	loader->syntax_error = parser->error != YAML_READER_ERROR;
	const char *problem = parser->problem != NULL ? parser->problem : "cannot be read";
	if (parser->error == YAML_READER_ERROR)
		return err_set(loader->err, ERR_INVALID, "yaml: byte %zu: %s",
			parser->problem_offset, problem);
	return fail(loader, parser->problem_mark, "%s%s%s", problem,
		parser->context != NULL ? " " : "", parser->context != NULL ? parser->context : "");
}

/* Counts nodes towards the limit. */
static int charge(struct loader *loader, size_t nodes, size_t bytes)
{
	loader->nodes += nodes;
	loader->copied_bytes += bytes;
	if (loader->nodes > YAML_MAXIMUM_NODES || loader->copied_bytes > MAXIMUM_COPIED_BYTES)
		return fail(loader, loader->event.start_mark,
			"too large once its aliases are resolved");
	return 0;
}

static void measure(const json *node, size_t *nodes, size_t *bytes, int *height)
{
	int deepest = 0;
	*nodes += 1;
	*bytes += json_text(node) != NULL ? strlen(json_text(node)) : 0;
	*bytes += json_key(node) != NULL ? strlen(json_key(node)) : 0;
	json_for_each (member, node) {
		int below = 0;
		measure(member, nodes, bytes, &below);
		if (below > deepest)
			deepest = below;
	}
	*height = deepest + 1;
}

/* A copy of a node for a place at the given depth, within all limits. */
static int copy_node(struct loader *loader, const json *node, int depth, json **ret)
{
	size_t nodes = 0, bytes = 0;
	int height = 0;
	measure(node, &nodes, &bytes, &height);
	int code = charge(loader, nodes, bytes);
	if (code != 0)
		return code;
	if (depth + height > YAML_MAXIMUM_DEPTH + 1)
		return fail(loader, loader->event.start_mark, "nested too deeply");
	*ret = json_copy(node);
	return 0;
}

/* Notes that a node which is being built has this anchor (NULL: none). Returns its index through
 * ret_index, for anchor_complete. */
static int anchor_begin(struct loader *loader, const yaml_char_t *name, size_t *ret_index)
{
	*ret_index = SIZE_MAX;
	if (name == NULL)
		return 0;
	if (loader->anchor_count == MAXIMUM_ANCHORS)
		return fail(loader, loader->event.start_mark, "too many anchors");
	loader->anchors =
		mem_grow(loader->anchors, loader->anchor_count + 1, sizeof(*loader->anchors));
	loader->anchors[loader->anchor_count] =
		(struct anchor){.name = mem_strdup((const char *)name)};
	*ret_index = loader->anchor_count++;
	return 0;
}

static void anchor_complete(struct loader *loader, size_t index, json *node)
{
	if (index != SIZE_MAX)
		loader->anchors[index].node = node;
}

static void forget_anchors(struct loader *loader)
{
	for (size_t i = 0; i < loader->anchor_count; i++)
		free(loader->anchors[i].name);
	free(loader->anchors);
	loader->anchors = NULL;
	loader->anchor_count = 0;
}

static int find_anchor(const struct loader *loader, const json **ret)
{
	const char *name = (const char *)loader->event.data.alias.anchor;
	yaml_mark_t mark = loader->event.start_mark;
	for (size_t i = loader->anchor_count; i-- > 0;) {
		if (!str_equal(loader->anchors[i].name, name))
			continue;
		if (loader->anchors[i].node == NULL)
			return fail(loader, mark, "an anchor that contains itself");
		*ret = loader->anchors[i].node;
		return 0;
	}
	return fail(loader, mark,
		"an alias of an unknown anchor (text that begins with * needs quotes)");
}

/* "str" of the tag "tag:yaml.org,2002:str"; "" without a tag, NULL for others. "!" asks for a
 * string. */
static const char *short_tag(const yaml_char_t *tag)
{
	static const char PREFIX[] = "tag:yaml.org,2002:";
	const char *text = (const char *)tag;
	if (text == NULL)
		return "";
	if (str_equal(text, "!"))
		return "str";
	return str_starts(text, PREFIX) ? text + strlen(PREFIX) : NULL;
}

static int build_binary(struct loader *loader, const char *text, json **ret)
{
	AUTO_STRING bytes = NULL;
	size_t length = 0;
	if (base64_decode(text, &bytes, &length, NULL) != 0 || strlen(bytes) != length)
		return fail(
			loader, loader->event.start_mark, "!!binary that is not base64 of text");
	*ret = json_string(bytes);
	return 0;
}

static int build_resolved(
	struct loader *loader, const char *text, struct yaml_scalar scalar, json **ret)
{
	switch (scalar.type) {
	case YAML_NULL:
		*ret = json_null();
		return 0;
	case YAML_BOOL:
		*ret = json_bool(scalar.truth);
		return 0;
	case YAML_INT:
	case YAML_FLOAT:
		*ret = json_number(scalar.number);
		return 0;
	case YAML_NOT_FINITE:
		return fail(
			loader, loader->event.start_mark, ".inf or .nan, which JSON does not have");
	case YAML_TOO_LARGE:
		return fail(loader, loader->event.start_mark,
			"an integer that is too large (beyond 2^53)");
	case YAML_STRING:
	case YAML_MERGE:
		break;
	}
	*ret = json_string(text);
	return 0;
}

/* Whether a tag names what the text resolves to. */
static bool tag_fits(const char *tag, struct yaml_scalar scalar)
{
	static const struct {
		const char *tag;
		enum yaml_scalar_type type;
	} FITTING[] = {{"null", YAML_NULL}, {"bool", YAML_BOOL}, {"int", YAML_INT},
		{"int", YAML_TOO_LARGE}, {"float", YAML_FLOAT}, {"float", YAML_INT},
		{"float", YAML_NOT_FINITE}, {"timestamp", YAML_STRING}, {"merge", YAML_MERGE}};
	for (size_t i = 0; i < COUNT_OF(FITTING); i++)
		if (str_equal(tag, FITTING[i].tag) && scalar.type == FITTING[i].type)
			return true;
	return false;
}

static int build_scalar(struct loader *loader, json **ret)
{
	const yaml_event_t *event = &loader->event;
	const char *text = (const char *)event->data.scalar.value;
	const char *tag = short_tag(event->data.scalar.tag);
	if (strlen(text) != event->data.scalar.length)
		return fail(loader, event->start_mark, "a NUL character in a string");
	if (tag == NULL)
		return fail(loader, event->start_mark,
			"an unknown tag (text that begins with ! needs quotes)");
	bool plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	if (str_equal(tag, "str") || (tag[0] == '\0' && !plain)) {
		*ret = json_string(text);
		return 0;
	}
	if (str_equal(tag, "binary"))
		return build_binary(loader, text, ret);
	struct yaml_scalar scalar = yaml_scalar_resolve(text);
	if (tag[0] != '\0' && !tag_fits(tag, scalar))
		return fail(loader, event->start_mark, "a value that is not what its tag says");
	return build_resolved(loader, text, scalar, ret);
}

static int build_node(struct loader *loader, int depth, json **ret);

/* The text of a key: numbers and truth values are keys by their JSON text, as in sigs.k8s.io/yaml.
 */
static int read_key(struct loader *loader, int depth, char **ret, bool *ret_merge)
{
	const yaml_event_t *event = &loader->event;
	if (event->type != YAML_SCALAR_EVENT && event->type != YAML_ALIAS_EVENT)
		return fail(loader, event->start_mark, "a key that is not a scalar");
	yaml_mark_t mark = event->start_mark;
	*ret_merge = event->type == YAML_SCALAR_EVENT &&
		     event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE &&
		     (event->data.scalar.tag == NULL ||
			     str_equal(short_tag(event->data.scalar.tag), "merge")) &&
		     str_equal((const char *)event->data.scalar.value, "<<");
	json *key = NULL;
	int code = build_node(loader, depth, &key);
	if (code != 0)
		return code;
	/* Anchors may name the key, so it has to stay. */
	json_append(loader->merged, key);
	if (json_is_null(key) || json_is_object(key) || json_is_array(key))
		return fail(loader, mark, "a key that is not a string");
	*ret = json_is_string(key) ? mem_strdup(json_text(key)) : json_print(key);
	return 0;
}

/* Adds the members of a merge key's mapping that are not there yet. */
static int merge_mapping(
	struct loader *loader, json *object, struct key_set *keys, const json *source, int depth)
{
	json_for_each (member, source) {
		if (key_set_has(keys, json_key(member)))
			continue;
		json *copy = NULL;
		int code = copy_node(loader, member, depth + 1, &copy);
		if (code != 0)
			return code;
		(void)cJSON_AddItemToObject(object, json_key(member), copy);
		key_set_add(keys, json_key(copy));
	}
	return 0;
}

static int merge_value(struct loader *loader, json *object, struct key_set *keys, const json *value,
	yaml_mark_t mark, int depth)
{
	static const char EXPECTED[] = "a merge key (<<) takes a mapping or a list of mappings";
	if (json_is_object(value))
		return merge_mapping(loader, object, keys, value, depth);
	if (!json_is_array(value))
		return fail(loader, mark, "%s", EXPECTED);
	json_for_each (source, value) {
		if (!json_is_object(source))
			return fail(loader, mark, "%s", EXPECTED);
		int code = merge_mapping(loader, object, keys, source, depth);
		if (code != 0)
			return code;
	}
	return 0;
}

/* One key and its value. Of a merge key, the value goes to ret_merge instead of into the object. */
static int build_member(
	struct loader *loader, json *object, struct key_set *keys, int depth, json **ret_merge)
{
	AUTO_STRING key = NULL;
	yaml_mark_t mark = loader->event.start_mark;
	bool merge = false;
	json *value = NULL;
	int code = read_key(loader, depth + 1, &key, &merge);
	if (code == 0 && !merge && key_set_has(keys, key))
		code = fail(loader, mark, "duplicate key \"%.200s\"", key);
	if (code == 0 && merge && *ret_merge != NULL)
		code = fail(loader, mark, "duplicate key \"<<\"");
	if (code == 0)
		code = next_event(loader);
	if (code == 0)
		code = build_node(loader, depth + 1, &value);
	if (code != 0)
		return code;
	if (merge) {
		json_append(loader->merged, value);
		*ret_merge = value;
	} else {
		/* Not json_set: that would look for the key once more, in a list. */
		(void)cJSON_AddItemToObject(object, key, value);
		key_set_add(keys, json_key(value));
	}
	return 0;
}

static int build_members(struct loader *loader, json *object, int depth)
{
	CLEANUP(key_set_release) struct key_set keys = {0};
	yaml_mark_t mark = loader->event.start_mark;
	json *merge = NULL;
	for (;;) {
		int code = next_event(loader);
		if (code == 0 && loader->event.type == YAML_MAPPING_END_EVENT)
			return merge == NULL
				       ? 0
				       : merge_value(loader, object, &keys, merge, mark, depth);
		if (code == 0)
			code = build_member(loader, object, &keys, depth, &merge);
		if (code != 0)
			return code;
	}
}

static int build_elements(struct loader *loader, json *array, int depth)
{
	for (;;) {
		json *element = NULL;
		int code = next_event(loader);
		if (code == 0 && loader->event.type == YAML_SEQUENCE_END_EVENT)
			return 0;
		if (code == 0)
			code = build_node(loader, depth + 1, &element);
		if (code != 0)
			return code;
		json_append(array, element);
	}
}

static int build_collection(struct loader *loader, int depth, json **ret)
{
	bool mapping = loader->event.type == YAML_MAPPING_START_EVENT;
	const char *tag = short_tag(mapping ? loader->event.data.mapping_start.tag
					    : loader->event.data.sequence_start.tag);
	if (tag == NULL || (tag[0] != '\0' && !str_equal(tag, mapping ? "map" : "seq")))
		return fail(loader, loader->event.start_mark, "a tag that no %s can have",
			mapping ? "mapping" : "list");
	if (depth > YAML_MAXIMUM_DEPTH)
		return fail(loader, loader->event.start_mark, "nested too deeply");
	AUTO_JSON node = mapping ? json_object() : json_array();
	int code =
		mapping ? build_members(loader, node, depth) : build_elements(loader, node, depth);
	if (code != 0)
		return code;
	*ret = node;
	node = NULL;
	return 0;
}

/* The node that begins with the current event, which is its last event afterwards. */
static int build_node(struct loader *loader, int depth, json **ret)
{
	const yaml_event_t *event = &loader->event;
	if (event->type == YAML_ALIAS_EVENT) {
		const json *target = NULL;
		int code = find_anchor(loader, &target);
		return code != 0 ? code : copy_node(loader, target, depth, ret);
	}
	const yaml_char_t *name = event->type == YAML_SCALAR_EVENT ? event->data.scalar.anchor
				  : event->type == YAML_MAPPING_START_EVENT
					  ? event->data.mapping_start.anchor
					  : event->data.sequence_start.anchor;
	size_t anchor;
	int code = anchor_begin(loader, name, &anchor);
	if (code == 0)
		code = charge(loader, 1, 0);
	if (code == 0)
		code = event->type == YAML_SCALAR_EVENT ? build_scalar(loader, ret)
							: build_collection(loader, depth, ret);
	if (code == 0)
		anchor_complete(loader, anchor, *ret);
	return code;
}

/* The document whose start is the current event; nothing is added where it is empty. */
static int build_document(struct loader *loader, json *documents)
{
	json *root = NULL;
	loader->merged = json_array();
	int code = next_event(loader);
	if (code == 0)
		code = build_node(loader, 1, &root);
	if (code == 0)
		code = next_event(loader); /* the document's end */
	forget_anchors(loader);
	json_free(loader->merged);
	loader->merged = NULL;
	if (code == 0 && !json_is_null(root))
		json_append(documents, root);
	else
		json_free(root);
	return code;
}

/* Some JSON is no YAML for libyaml, "\ud83d\ude00" in a string for one. */
static int parse_as_json(const char *text, size_t length, json *documents)
{
	size_t blank = 0;
	while (blank < length && strchr(" \t\r\n", text[blank]) != NULL && text[blank] != '\0')
		blank++;
	json *root = NULL;
	if (blank == length || (text[blank] != '{' && text[blank] != '['))
		return ERR_INVALID;
	int code = json_parse(text, length, &root, NULL);
	if (code == 0)
		json_append(documents, root);
	return code;
}

int yaml_parse(const char *text, size_t length, json **ret, struct err *err)
{
	if (length > YAML_MAXIMUM_BYTES)
		return err_set(err, ERR_INVALID, "yaml: longer than the limit of %zu bytes",
			YAML_MAXIMUM_BYTES);
	struct loader loader = {.err = err};
	if (!yaml_parser_initialize(&loader.parser))
		return err_set(err, ERR_FAILED, "libyaml cannot be initialised");
	yaml_parser_set_input_string(&loader.parser, (const yaml_char_t *)text, length);

	AUTO_JSON documents = json_array();
	int code = next_event(&loader);
	while (code == 0 && loader.event.type != YAML_STREAM_END_EVENT) {
		if (loader.event.type == YAML_DOCUMENT_START_EVENT)
			code = build_document(&loader, documents);
		if (code == 0)
			code = next_event(&loader);
	}
	yaml_event_delete(&loader.event);
	yaml_parser_delete(&loader.parser);
	if (code != 0 && loader.syntax_error && json_count(documents) == 0 &&
		parse_as_json(text, length, documents) == 0)
		code = 0;
	if (code != 0)
		return code;
	*ret = documents;
	documents = NULL;
	return 0;
}
