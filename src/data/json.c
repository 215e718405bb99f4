#include "data/json.h"

#include <cjson/cJSON.h>
#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"

/* Up to here a double holds every integer (2^53). */
static const double EXACT = 9007199254740992.0;

/* As cJSON_IsObject and its like have it; asked so often that a call into the library costs. */
static int type_of(const json *node)
{
	return node == NULL ? cJSON_Invalid : node->type & 0xFF;
}

static json *or_abort(json *node)
{
	if (node == NULL) {
		(void)fputs("out of memory\n", stderr);
		abort();
	}
	return node;
}

/* What is too large for a double could not be printed again. */
static bool is_finite(const json *node)
{
	if (cJSON_IsNumber(node) && !isfinite(node->valuedouble))
		return false;
	json_for_each (member, node)
		if (!is_finite(member))
			return false;
	return true;
}

int json_parse(const char *text, size_t length, json **ret, struct err *err)
{
	/* A NUL would end the text early for cJSON, and what follows would go unread. */
	size_t readable = strnlen(text, length);
	if (readable < length)
		return err_set(err, ERR_INVALID, "not JSON: a NUL byte at offset %zu", readable);
	AUTO_STRING terminated = mem_strndup(text, length);
	const char *end = terminated;
	json *node = cJSON_ParseWithOpts(terminated, &end, 1);
	if (node == NULL)
		return err_set(err, ERR_INVALID, "not JSON: error at offset %zu",
			(size_t)(end - terminated));
	if (!is_finite(node)) {
		json_free(node);
		return err_set(
			err, ERR_INVALID, "not JSON that can be kept: a number is too large");
	}
	*ret = node;
	return 0;
}

/* Trees were parsed or made under limits of their own; their text needs none. */
#define PRINT_MAXIMUM ((size_t)1 << 40)
#define COMPACT (-1)

/* Not cJSON's: that takes numbers that differ in the 16th digit for equal, and prints 15. */
static void print_number(double number, struct buf *buf)
{
	char text[32];
	/* Integers as integers, as long as a double holds them exactly. */
	bool exact = number >= -EXACT && number <= EXACT && number == (double)(int64_t)number;
	if (exact)
		(void)snprintf(text, sizeof(text), "%" PRId64, (int64_t)number);
	for (int digits = 15; !exact && digits <= 17; digits++) {
		(void)snprintf(text, sizeof(text), "%.*g", digits, number);
		if (strtod(text, NULL) == number)
			break;
	}
	buf_add_text(buf, text);
}

static void print_text(const char *text, struct buf *buf)
{
	static const char ESCAPED[] = "\"\\\b\f\n\r\t";
	static const char LETTERS[] = "\"\\bfnrt";
	buf_add_char(buf, '"');
	for (const char *p = text; *p != '\0';) {
		const char *start = p;
		while (*p != '"' && *p != '\\' && (unsigned char)*p >= ' ')
			p++;
		buf_add(buf, start, (size_t)(p - start));
		if (*p == '\0')
			break;
		const char *escaped = strchr(ESCAPED, *p);
		if (escaped != NULL)
			buf_addf(buf, "\\%c", LETTERS[escaped - ESCAPED]);
		else
			buf_addf(buf, "\\u%04x", (unsigned)(unsigned char)*p);
		p++;
	}
	buf_add_char(buf, '"');
}

static void print_scalar(const json *node, struct buf *buf)
{
	if (cJSON_IsNumber(node))
		print_number(node->valuedouble, buf);
	else if (cJSON_IsString(node))
		print_text(node->valuestring, buf);
	else if (cJSON_IsBool(node))
		buf_add_text(buf, cJSON_IsTrue(node) ? "true" : "false");
	else if (cJSON_IsObject(node) || cJSON_IsArray(node))
		buf_add_text(buf, cJSON_IsObject(node) ? "{}" : "[]");
	else
		buf_add_text(buf, "null");
}

static void print_key(const char *key, bool compact, struct buf *buf)
{
	print_text(key, buf);
	buf_add_text(buf, compact ? ":" : ": ");
}

static void add_line_break(int depth, struct buf *buf)
{
	if (depth != COMPACT)
		buf_addf(buf, "\n%*s", depth * 4, "");
}

static void print_node(const json *node, int depth, struct buf *buf)
{
	bool object = cJSON_IsObject(node);
	if ((!object && !cJSON_IsArray(node)) || node->child == NULL) {
		print_scalar(node, buf);
		return;
	}
	int inner = depth == COMPACT ? COMPACT : depth + 1;
	buf_add_char(buf, object ? '{' : '[');
	json_for_each (member, node) {
		add_line_break(inner, buf);
		if (object)
			print_key(member->string, depth == COMPACT, buf);
		print_node(member, inner, buf);
		if (member->next != NULL)
			buf_add_char(buf, ',');
	}
	add_line_break(depth, buf);
	buf_add_char(buf, object ? '}' : ']');
}

char *json_print(const json *node)
{
	AUTO_BUF buf = BUF_INIT(PRINT_MAXIMUM);
	print_node(node, COMPACT, &buf);
	return buf_take(&buf);
}

char *json_print_pretty(const json *node)
{
	AUTO_BUF buf = BUF_INIT(PRINT_MAXIMUM);
	print_node(node, 0, &buf);
	return buf_take(&buf);
}

json *json_object(void)
{
	return or_abort(cJSON_CreateObject());
}

json *json_array(void)
{
	return or_abort(cJSON_CreateArray());
}

json *json_string(const char *text)
{
	return or_abort(cJSON_CreateString(text));
}

json *json_number(double number)
{
	return or_abort(cJSON_CreateNumber(number));
}

json *json_bool(bool value)
{
	return or_abort(cJSON_CreateBool(value));
}

json *json_null(void)
{
	return or_abort(cJSON_CreateNull());
}

json *json_copy(const json *node)
{
	if (node == NULL)
		return NULL;
	json *copy = or_abort(cJSON_Duplicate(node, 1));
	/* A duplicate of a member would keep its key; a free tree has none. */
	if (copy->string != NULL && (copy->type & cJSON_StringIsConst) == 0)
		cJSON_free(copy->string);
	copy->string = NULL;
	copy->type &= ~cJSON_StringIsConst;
	return copy;
}

void json_free(json *node)
{
	cJSON_Delete(node);
}

void json_cleanup(json **node)
{
	cJSON_Delete(*node);
}

bool json_is_object(const json *node)
{
	return type_of(node) == cJSON_Object;
}

bool json_is_array(const json *node)
{
	return type_of(node) == cJSON_Array;
}

bool json_is_string(const json *node)
{
	return type_of(node) == cJSON_String;
}

bool json_is_number(const json *node)
{
	return cJSON_IsNumber(node);
}

bool json_is_null(const json *node)
{
	return cJSON_IsNull(node);
}

bool json_is_true(const json *node)
{
	return cJSON_IsTrue(node);
}

static bool arrays_equal(const json *a, const json *b)
{
	const json *right = b->child;
	json_for_each (left, a) {
		if (right == NULL || !json_equal(left, right))
			return false;
		right = right->next;
	}
	return right == NULL;
}

/* Objects with the same keys mostly have them in the same order. */
static bool objects_equal(const json *a, const json *b)
{
	const json *beside = b->child;
	json_for_each (member, a) {
		bool same = beside != NULL && strcmp(member->string, beside->string) == 0;
		if (!json_equal(member, same ? beside : json_get(b, member->string)))
			return false;
		beside = beside == NULL ? NULL : beside->next;
	}
	return json_count(a) == json_count(b);
}

/* Not cJSON_Compare: that looks into every object twice, so that its time doubles with each level
 * of nesting, and takes numbers for equal that differ in the 16th digit. */
bool json_equal(const json *a, const json *b)
{
	if (a == NULL || b == NULL || a == b)
		return a == b;
	if (type_of(a) != type_of(b))
		return false;
	switch (type_of(a)) {
	case cJSON_Object:
		return objects_equal(a, b);
	case cJSON_Array:
		return arrays_equal(a, b);
	case cJSON_Number:
		return a->valuedouble == b->valuedouble;
	case cJSON_String:
		return strcmp(a->valuestring, b->valuestring) == 0;
	default:
		return true;
	}
}

/* What most of the time goes into: cJSON's own would call strcmp for every member. */
json *json_get(const json *object, const char *key)
{
	if (key == NULL)
		return NULL;
	for (json *member = json_is_object(object) ? object->child : NULL; member != NULL;
		member = member->next)
		if (member->string[0] == key[0] && strcmp(member->string, key) == 0)
			return member;
	return NULL;
}

static json *walk(const json *node, va_list keys)
{
	const json *place = node;
	const char *key;
	while (place != NULL && (key = va_arg(keys, const char *)) != NULL)
		place = json_get(place, key);
	/* Constness is the caller's: as with strchr, the result is as writable as the tree. */
	return (json *)(uintptr_t)place;
}

json *json_path(const json *node, ...)
{
	va_list keys;
	va_start(keys, node);
	json *found = walk(node, keys);
	va_end(keys);
	return found;
}

const char *json_path_text(const json *node, ...)
{
	va_list keys;
	va_start(keys, node);
	const json *found = walk(node, keys);
	va_end(keys);
	return json_text(found);
}

json *json_at(const json *array, size_t index)
{
	json *element = json_first(array);
	while (element != NULL && index-- > 0)
		element = element->next;
	return element;
}

size_t json_count(const json *node)
{
	size_t count = 0;
	json_for_each (element, node)
		count++;
	return count;
}

const char *json_key(const json *member)
{
	return member == NULL ? NULL : member->string;
}

const char *json_text(const json *node)
{
	return json_is_string(node) ? node->valuestring : NULL;
}

int64_t json_integer(const json *node, int64_t default_value)
{
	/* Outside of the exact range a double says nothing reliable about an integer. */
	if (!cJSON_IsNumber(node) || node->valuedouble > EXACT || node->valuedouble < -EXACT)
		return default_value;
	return (int64_t)node->valuedouble;
}

double json_double(const json *node, double default_value)
{
	return cJSON_IsNumber(node) ? node->valuedouble : default_value;
}

const char *json_get_text(const json *object, const char *key)
{
	return json_text(json_get(object, key));
}

int64_t json_get_integer(const json *object, const char *key, int64_t default_value)
{
	return json_integer(json_get(object, key), default_value);
}

int json_get_int(const json *object, const char *key, int minimum, int maximum)
{
	int64_t number = json_get_integer(object, key, -1);
	return number < minimum || number > maximum ? -1 : (int)number;
}

json *json_first(const json *node)
{
	return json_is_object(node) || json_is_array(node) ? node->child : NULL;
}

json *json_next(const json *element)
{
	return element->next;
}

void json_set(json *object, const char *key, json *value)
{
	if (value == NULL) {
		json_remove(object, key);
		return;
	}
	json *old = json_get(object, key);
	if (old == NULL) {
		if (!cJSON_AddItemToObject(object, key, value))
			(void)or_abort(NULL);
		return;
	}
	/* The key goes from one to the other. */
	cJSON_free(value->string);
	value->string = old->string;
	old->string = NULL;
	if (!cJSON_ReplaceItemViaPointer(object, old, value))
		(void)or_abort(NULL);
}

void json_set_text(json *object, const char *key, const char *text)
{
	json_set(object, key, text == NULL ? NULL : json_string(text));
}

void json_set_integer(json *object, const char *key, int64_t number)
{
	json_set(object, key, json_number((double)number));
}

void json_set_bool(json *object, const char *key, bool value)
{
	json_set(object, key, json_bool(value));
}

void json_remove(json *object, const char *key)
{
	if (cJSON_IsObject(object))
		cJSON_DeleteItemFromObjectCaseSensitive(object, key);
}

json *json_detach(json *object, const char *key)
{
	if (!cJSON_IsObject(object))
		return NULL;
	json *member = cJSON_DetachItemFromObjectCaseSensitive(object, key);
	if (member != NULL) {
		cJSON_free(member->string);
		member->string = NULL;
	}
	return member;
}

json *json_detach_at(json *array, size_t index)
{
	return cJSON_DetachItemViaPointer(array, json_at(array, index));
}

void json_append(json *array, json *value)
{
	if (!cJSON_AddItemToArray(array, value))
		(void)or_abort(NULL);
}

void json_insert(json *array, size_t index, json *value)
{
	/* This cJSON refuses to insert a node whose `prev` is not set, as if it were damaged. */
	if (value->prev == NULL)
		value->prev = value;
	if (!cJSON_InsertItemInArray(array, (int)index, value))
		(void)or_abort(NULL);
}

void json_replace_at(json *array, size_t index, json *value)
{
	if (!cJSON_ReplaceItemViaPointer(array, json_at(array, index), value))
		(void)or_abort(NULL);
}

json *json_ensure_object(json *object, const char *key)
{
	if (!cJSON_IsObject(json_get(object, key)))
		json_set(object, key, json_object());
	return json_get(object, key);
}

json *json_ensure_array(json *object, const char *key)
{
	if (!cJSON_IsArray(json_get(object, key)))
		json_set(object, key, json_array());
	return json_get(object, key);
}
