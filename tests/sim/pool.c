#include "sim/pool.h"

#include <cjson/cJSON.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#define GRAIN ((size_t)16)
#define CLASSES ((size_t)17) /* up to 256 bytes */
#define SLAB_SIZE ((size_t)1 << 20)

/* In front of each piece, which it keeps aligned. */
union head {
	size_t class; /* CLASSES: from malloc */
	max_align_t alignment;
};

struct piece {
	struct piece *next;
};

static struct piece *pieces[CLASSES];
static char *slab, *slab_end;

static void *cut(size_t class)
{
	size_t size = sizeof(union head) + class * GRAIN;
	if (slab == NULL || (size_t)(slab_end - slab) < size) {
		slab = malloc(SLAB_SIZE);
		if (slab == NULL)
			return NULL;
		slab_end = slab + SLAB_SIZE;
	}
	union head *head = (union head *)(void *)slab;
	slab += size;
	head->class = class;
	return head + 1;
}

static void *allocate(size_t size)
{
	size_t class = (size + GRAIN - 1) / GRAIN;
	if (class >= CLASSES) {
		union head *head = malloc(sizeof(*head) + size);
		if (head == NULL)
			return NULL;
		head->class = CLASSES;
		return head + 1;
	}
	struct piece *piece = pieces[class];
	if (piece == NULL)
		return cut(class > 0 ? class : 1);
	pieces[class] = piece->next;
	return piece;
}

static void release(void *memory)
{
	if (memory == NULL)
		return;
	union head *head = (union head *)memory - 1;
	if (head->class == CLASSES) {
		free(head);
		return;
	}
	struct piece *piece = memory;
	piece->next = pieces[head->class];
	pieces[head->class] = piece;
}

void pool_install(void)
{
#ifndef __SANITIZE_ADDRESS__
	cJSON_Hooks hooks = {.malloc_fn = allocate, .free_fn = release};
	cJSON_InitHooks(&hooks);
#endif
}
