/* A set of strings that belong to somebody else: the keys of one mapping, the names of pods. Makes
 * linear what would compare each with each. */
#ifndef DATA_KEY_SET_H
#define DATA_KEY_SET_H

#include <stdbool.h>
#include <stddef.h>

struct key_set {
	const char **slots; /* open addressing; NULL is free */
	size_t capacity;    /* a power of two */
	size_t count;
};

bool key_set_has(const struct key_set *set, const char *key);
void key_set_add(struct key_set *set, const char *key); /* that is not there yet; borrowed */
void key_set_release(struct key_set *set);

#endif
