#include "api/patch.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/parse.h"
#include "base/str.h"

/* Adds "/token" with ~ and / escaped (RFC 6901, 3). */
static void add_token(struct buf *path, const char *token)
{
	buf_add_char(path, '/');
	for (const char *p = token; *p != '\0'; p++) {
		if (*p == '~')
			buf_add_text(path, "~0");
		else if (*p == '/')
			buf_add_text(path, "~1");
		else
			buf_add_char(path, *p);
	}
}

static void cut_to(struct buf *path, size_t length)
{
	path->length = length;
	if (path->text != NULL)
		path->text[length] = '\0';
}

static void add_operation(json *patch, const char *name, const char *path, const json *value)
{
	json *operation = json_object();
	json_set_text(operation, "op", name);
	json_set_text(operation, "path", path);
	if (value != NULL)
		json_set(operation, "value", json_copy(value));
	json_append(patch, operation);
}

static void compare(json *patch, struct buf *path, const json *before, const json *after);

static void compare_objects(json *patch, struct buf *path, const json *before, const json *after)
{
	size_t length = path->length;
	json_for_each (old, before) {
		const json *new = json_get(after, json_key(old));
		add_token(path, json_key(old));
		if (new == NULL)
			add_operation(patch, "remove", buf_text(path), NULL);
		else
			compare(patch, path, old, new);
		cut_to(path, length);
	}
	json_for_each (new, after) {
		if (json_get(before, json_key(new)) != NULL)
			continue;
		add_token(path, json_key(new));
		add_operation(patch, "add", buf_text(path), new);
		cut_to(path, length);
	}
}

static void compare_arrays(json *patch, struct buf *path, const json *before, const json *after)
{
	size_t length = path->length, index = 0;
	const json *new = json_first(after);
	json_for_each (old, before) {
		buf_addf(path, "/%zu", index++);
		compare(patch, path, old, new);
		cut_to(path, length);
		new = json_next(new);
	}
}

static void compare(json *patch, struct buf *path, const json *before, const json *after)
{
	if (json_equal(before, after))
		return;
	if (json_is_object(before) && json_is_object(after))
		compare_objects(patch, path, before, after);
	else if (json_is_array(before) && json_is_array(after) &&
		 json_count(before) == json_count(after))
		compare_arrays(patch, path, before, after);
	else
		add_operation(patch, "replace", buf_text(path), after);
}

json *patch_from_difference(const json *before, const json *after)
{
	AUTO_BUF path = BUF_INIT(BUF_OWN_TEXT);
	json *patch = json_array();
	compare(patch, &path, before, after);
	return patch;
}

/* The last token of a pointer, unescaped; the caller frees. */
static char *unescape_token(const char *token, size_t length)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	for (size_t i = 0; i < length; i++) {
		if (token[i] == '~' && i + 1 < length) {
			i++;
			buf_add_char(&text, token[i] == '1' ? '/' : '~');
		} else {
			buf_add_char(&text, token[i]);
		}
	}
	return buf_take(&text);
}

/* An index of RFC 6901: digits without leading zeros. */
static int parse_index(const char *token, int64_t maximum, int64_t *ret)
{
	bool plain = token[0] != '-' && (token[0] != '0' || token[1] == '\0');
	return plain ? parse_int(token, 0, maximum, ret, NULL) : ERR_INVALID;
}

/* The parent of the place that a pointer names, and the last token of it. */
static json *find_parent(json *document, const char *path, char **ret_token)
{
	json *parent = document;
	while (*path == '/') {
		size_t length = strcspn(path + 1, "/");
		char *token = unescape_token(path + 1, length);
		path += 1 + length;
		if (*path == '\0') {
			*ret_token = token;
			return parent;
		}
		int64_t index;
		if (json_is_object(parent))
			parent = json_get(parent, token);
		else if (parse_index(token, INT32_MAX, &index) == 0)
			parent = json_at(parent, (size_t)index);
		else
			parent = NULL;
		free(token);
	}
	return NULL;
}

enum operation { ADD, REMOVE, REPLACE, TEST, OPERATION_COUNT };

static int apply_to_object(
	json *parent, const char *token, enum operation operation, const json *value)
{
	const json *old = json_get(parent, token);
	if (operation != ADD && old == NULL)
		return ERR_INVALID;
	if (operation == TEST)
		return json_equal(old, value) ? 0 : ERR_INVALID;
	json_set(parent, token, operation == REMOVE ? NULL : json_copy(value));
	return 0;
}

static int apply_to_array(
	json *parent, const char *token, enum operation operation, const json *value)
{
	int64_t count = (int64_t)json_count(parent), index = count;
	bool add = operation == ADD;
	bool end = add && str_equal(token, "-");
	if (!end && parse_index(token, add ? count : count - 1, &index) != 0)
		return ERR_INVALID;
	if (operation == TEST)
		return json_equal(json_at(parent, (size_t)index), value) ? 0 : ERR_INVALID;
	if (add && index == count)
		json_append(parent, json_copy(value));
	else if (add)
		json_insert(parent, (size_t)index, json_copy(value));
	else if (operation == REMOVE)
		json_free(json_detach_at(parent, (size_t)index));
	else
		json_replace_at(parent, (size_t)index, json_copy(value));
	return 0;
}

static int apply_to_root(json **document, enum operation operation, const json *value)
{
	if (operation == REMOVE)
		return ERR_INVALID;
	if (operation == TEST)
		return json_equal(*document, value) ? 0 : ERR_INVALID;
	json_free(*document);
	*document = json_copy(value);
	return 0;
}

static int apply_one(json **document, const char *path, enum operation operation, const json *value)
{
	if (operation != REMOVE && value == NULL)
		return ERR_INVALID;
	if (path[0] == '\0')
		return apply_to_root(document, operation, value);
	AUTO_STRING token = NULL;
	json *parent = find_parent(*document, path, &token);
	if (parent == NULL)
		return ERR_INVALID;
	if (json_is_object(parent))
		return apply_to_object(parent, token, operation, value);
	if (json_is_array(parent))
		return apply_to_array(parent, token, operation, value);
	return ERR_INVALID;
}

int patch_apply(json **document, const json *patch, struct err *err)
{
	static const char *const NAMES[OPERATION_COUNT] = {
		[ADD] = "add", [REMOVE] = "remove", [REPLACE] = "replace", [TEST] = "test"};
	json_for_each (operation, patch) {
		const char *name = json_get_text(operation, "op");
		const char *path = json_get_text(operation, "path");
		int index = str_index(NAMES, OPERATION_COUNT, name);
		if (index < 0 || path == NULL)
			return err_set(err, ERR_INVALID,
				"a patch operation without path, or with an op that is not one of "
				"add, remove, replace, test");
		int code = apply_one(
			document, path, (enum operation)index, json_get(operation, "value"));
		if (code != 0)
			return err_set(err, ERR_INVALID, "patch: %s %s does not apply", name, path);
	}
	return 0;
}
