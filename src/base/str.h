/* Questions about strings, and lists of them. */
#ifndef BASE_STR_H
#define BASE_STR_H

#include <stdbool.h>
#include <stddef.h>

bool str_equal(const char *a, const char *b); /* NULL equals NULL only */
bool str_starts(const char *text, const char *prefix);
bool str_ends(const char *text, const char *suffix);
bool str_empty(const char *text); /* NULL or "" */

/* The index of a text in a table of names (which may have NULL holes), or -1. */
int str_index(const char *const *names, size_t count, const char *text);

/* A list of owned strings. */
struct str_list {
	char **items;
	size_t count;
};

void str_list_add(struct str_list *list, const char *text);
void str_list_add_length(struct str_list *list, const char *text, size_t length);
bool str_list_has(const struct str_list *list, const char *text);
void str_list_release(struct str_list *list);

/* Splits at every separator; empty parts are kept ("a,,b" has three). */
void str_split(const char *text, char separator, struct str_list *ret);

#endif
