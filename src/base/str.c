#include "base/str.h"

#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

bool str_equal(const char *a, const char *b)
{
	return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

bool str_starts(const char *text, const char *prefix)
{
	return text != NULL && strncmp(text, prefix, strlen(prefix)) == 0;
}

bool str_ends(const char *text, const char *suffix)
{
	if (text == NULL)
		return false;
	size_t length = strlen(text), suffix_length = strlen(suffix);
	return length >= suffix_length && strcmp(text + length - suffix_length, suffix) == 0;
}

bool str_empty(const char *text)
{
	return text == NULL || text[0] == '\0';
}

int str_index(const char *const *names, size_t count, const char *text)
{
	for (size_t i = 0; i < count; i++)
		if (names[i] != NULL && str_equal(names[i], text))
			return (int)i;
	return -1;
}

void str_list_add(struct str_list *list, const char *text)
{
	str_list_add_length(list, text, strlen(text));
}

void str_list_add_length(struct str_list *list, const char *text, size_t length)
{
	list->items = mem_grow(list->items, list->count + 1, sizeof(char *));
	list->items[list->count++] = mem_strndup(text, length);
}

bool str_list_has(const struct str_list *list, const char *text)
{
	for (size_t i = 0; i < list->count; i++)
		if (str_equal(list->items[i], text))
			return true;
	return false;
}

void str_list_release(struct str_list *list)
{
	if (list == NULL)
		return;
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct str_list){0};
}

void str_split(const char *text, char separator, struct str_list *ret)
{
	*ret = (struct str_list){0};
	for (;;) {
		const char *end = strchrnul(text, separator);
		str_list_add_length(ret, text, (size_t)(end - text));
		if (*end == '\0')
			return;
		text = end + 1;
	}
}
