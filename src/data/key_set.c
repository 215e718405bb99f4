#include "data/key_set.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

/* FNV-1a. */
static size_t hash(const char *key)
{
	uint64_t value = 14695981039346656037U;
	for (const char *p = key; *p != '\0'; p++)
		value = (value ^ (unsigned char)*p) * 1099511628211U;
	return (size_t)value;
}

/* The slot of the key, or the free one where it belongs. There is always a free one. */
static size_t find_slot(const struct key_set *set, const char *key)
{
	size_t slot = hash(key) & (set->capacity - 1);
	while (set->slots[slot] != NULL && strcmp(set->slots[slot], key) != 0)
		slot = (slot + 1) & (set->capacity - 1);
	return slot;
}

bool key_set_has(const struct key_set *set, const char *key)
{
	return set->capacity > 0 && set->slots[find_slot(set, key)] != NULL;
}

static void grow(struct key_set *set)
{
	struct key_set larger = {.capacity = set->capacity > 0 ? set->capacity * 2 : 16};
	larger.slots = mem_alloc(larger.capacity, sizeof(*larger.slots));
	for (size_t i = 0; i < set->capacity; i++)
		if (set->slots[i] != NULL)
			larger.slots[find_slot(&larger, set->slots[i])] = set->slots[i];
	larger.count = set->count;
	free(set->slots);
	*set = larger;
}

void key_set_add(struct key_set *set, const char *key)
{
	/* At most half full, so that a search stays short. */
	if (2 * (set->count + 1) > set->capacity)
		grow(set);
	set->slots[find_slot(set, key)] = key;
	set->count++;
}

void key_set_release(struct key_set *set)
{
	free(set->slots);
	*set = (struct key_set){0};
}
