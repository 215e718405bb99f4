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

int moment_pods(const struct moment *moment, bool old_too)
{
	return moment->new_pods + (old_too ? moment->old_pods : 0);
}

struct moment moments_most(const struct moments *moments, bool old_too)
{
	struct moment most = {0};
	for (size_t i = 0; i < moments->count; i++)
		if (moment_pods(&moments->items[i], old_too) > moment_pods(&most, old_too))
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
