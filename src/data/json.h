/*
 * JSON trees (RFC 8259). The nodes are cJSON's; this is the only door to it, so that every access
 * is case-sensitive and NULL-safe. API objects stay such trees from the wire to the wire, edited in
 * place, so that no field that this program does not know is ever lost.
 *
 * Every getter takes a NULL node, and gives NULL (or the default) then, so that paths can be walked
 * without a check at each step. Absent, null and zero are three states: json_get gives NULL, a
 * json_is_null node, and a number node.
 *
 * Ownership: a node in a tree belongs to the tree. json_set, json_append take the value over.
 * Numbers are doubles: integers are exact up to 2^53.
 */
#ifndef DATA_JSON_H
#define DATA_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/mem.h"

typedef struct cJSON json;

/* Parses a text of the given length that must be one JSON value and nothing else. ERR_INVALID with
 * the position of the fault otherwise; nesting deeper than cJSON's limit (1000) is one. */
int json_parse(const char *text, size_t length, json **ret, struct err *err);

char *json_print(const json *node);	   /* compact; the caller frees */
char *json_print_pretty(const json *node); /* with indentation, as kubectl -o json (4 spaces) */

/* New nodes, the caller's. */
json *json_object(void);
json *json_array(void);
json *json_string(const char *text);
json *json_number(double number);
json *json_bool(bool value);
json *json_null(void);
json *json_copy(const json *node); /* deep; NULL gives NULL */

void json_free(json *node); /* NULL-safe; the node must not be in a tree */
void json_cleanup(json **node);
#define AUTO_JSON CLEANUP(json_cleanup) json *

/* What a node is. All false for NULL. */
bool json_is_object(const json *node);
bool json_is_array(const json *node);
bool json_is_string(const json *node);
bool json_is_number(const json *node);
bool json_is_null(const json *node);
bool json_is_true(const json *node);

/* Deep equality: objects without regard to the order of keys, arrays with. NULL equals NULL. */
bool json_equal(const json *a, const json *b);

/* Walking. json_path takes keys until NULL: json_path(o, "spec", "template", NULL). */
json *json_get(const json *object, const char *key);
json *json_path(const json *node, ...) __attribute__((sentinel));
json *json_at(const json *array, size_t index);
size_t json_count(const json *node);	  /* elements or members; 0 for anything else */
const char *json_key(const json *member); /* the key under which a member stands in its object */

/* The value of a node: NULL or the default where it is absent or of another type. */
const char *json_text(const json *node);
int64_t json_integer(const json *node, int64_t default_value);
double json_double(const json *node, double default_value);
/* The same with the key or path in one go. */
const char *json_get_text(const json *object, const char *key);
int64_t json_get_integer(const json *object, const char *key, int64_t default_value);
/* -1 for anything that is not a number within the limits, which must not be negative. */
int json_get_int(const json *object, const char *key, int minimum, int maximum);
const char *json_path_text(const json *node, ...) __attribute__((sentinel));

/* for (each element of an array, or member of an object) */
json *json_first(const json *node);
json *json_next(const json *element);
#define json_for_each(element, node)                                                               \
	for (json *element = json_first(node); element != NULL; element = json_next(element))

/* Editing in place. json_set replaces where it stands, or appends the key; takes value over. A NULL
 * value removes the key. */
void json_set(json *object, const char *key, json *value);
void json_set_text(json *object, const char *key, const char *text); /* NULL removes */
void json_set_integer(json *object, const char *key, int64_t number);
void json_set_bool(json *object, const char *key, bool value);
void json_remove(json *object, const char *key);
json *json_detach(json *object, const char *key); /* out of the tree, now the caller's; or NULL */
json *json_detach_at(json *array, size_t index);
void json_append(json *array, json *value);
void json_insert(json *array, size_t index, json *value);
void json_replace_at(json *array, size_t index, json *value);
/* The object (or array) under the key, made when absent, null or of another type. */
json *json_ensure_object(json *object, const char *key);
json *json_ensure_array(json *object, const char *key);

#endif
