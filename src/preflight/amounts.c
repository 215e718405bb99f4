#include "preflight/amounts.h"

#include <stdlib.h>

#include "base/str.h"

void amounts_release(struct amounts *amounts)
{
	if (amounts == NULL)
		return;
	for (size_t i = 0; i < amounts->count; i++)
		free(amounts->items[i].name);
	free(amounts->items);
	*amounts = (struct amounts){0};
}

static struct amount *find(const struct amounts *amounts, const char *name)
{
	for (size_t i = 0; i < amounts->count; i++)
		if (str_equal(amounts->items[i].name, name))
			return &amounts->items[i];
	return NULL;
}

static struct amount *find_or_make(struct amounts *amounts, const char *name)
{
	struct amount *amount = find(amounts, name);
	if (amount != NULL)
		return amount;
	amounts->items = mem_grow(amounts->items, amounts->count + 1, sizeof(*amounts->items));
	amount = &amounts->items[amounts->count++];
	*amount = (struct amount){.name = mem_strdup(name)};
	return amount;
}

const quantity *amounts_find(const struct amounts *amounts, const char *name)
{
	const struct amount *amount = find(amounts, name);
	return amount == NULL ? NULL : &amount->value;
}

quantity amounts_get(const struct amounts *amounts, const char *name)
{
	const quantity *value = amounts_find(amounts, name);
	return value == NULL ? 0 : *value;
}

void amounts_add(struct amounts *amounts, const char *name, quantity value)
{
	struct amount *amount = find_or_make(amounts, name);
	quantity sum = amount->value + value;
	amount->value = sum > QUANTITY_MAXIMUM	  ? QUANTITY_MAXIMUM
			: sum < -QUANTITY_MAXIMUM ? -QUANTITY_MAXIMUM
						  : sum;
}

void amounts_add_all(struct amounts *amounts, const struct amounts *others)
{
	for (size_t i = 0; i < others->count; i++)
		amounts_add(amounts, others->items[i].name, others->items[i].value);
}

void amounts_set(struct amounts *amounts, const char *name, quantity value)
{
	find_or_make(amounts, name)->value = value;
}

void amounts_raise(struct amounts *amounts, const struct amounts *others)
{
	for (size_t i = 0; i < others->count; i++) {
		struct amount *amount = find_or_make(amounts, others->items[i].name);
		if (amount->value < others->items[i].value)
			amount->value = others->items[i].value;
	}
}

void amounts_read(struct amounts *amounts, const json *list)
{
	quantity value;
	json_for_each (member, list)
		if (quantity_read(member, &value, NULL) == 0)
			amounts_add(amounts, json_key(member), value);
}
