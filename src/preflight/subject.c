#include "preflight/subject.h"

#include <stdlib.h>

#include "base/mem.h"

void moments_add(struct moments *moments, int old_pods, int new_pods)
{
	moments->items = mem_grow(moments->items, moments->count + 1, sizeof(*moments->items));
	moments->items[moments->count++] = (struct moment){old_pods, new_pods};
}

void moments_release(struct moments *moments)
{
	free(moments->items);
	*moments = (struct moments){0};
}

struct moment moments_most(const struct moments *moments)
{
	struct moment most = {0};
	for (size_t i = 0; i < moments->count; i++)
		if (moments->items[i].old_pods + moments->items[i].new_pods >
			most.old_pods + most.new_pods)
			most = moments->items[i];
	return most;
}

void findings_release(struct findings *findings)
{
	str_list_release(&findings->refusals);
	str_list_release(&findings->notes);
}

void add_refusal(struct findings *findings, char *text)
{
	str_list_add(&findings->refusals, text);
	free(text);
}

void add_finding(struct findings *findings, char *text)
{
	str_list_add(&findings->notes, text);
	free(text);
}
