#include "traffic/share.h"

#include "base/str.h"
#include "traffic/portion.h"
#include "traffic/sticky.h"

static int64_t weight_of(const json *entry, const json *list)
{
	bool alone = json_next(json_first(list)) == NULL;
	return alone ? 100 : json_get_integer(entry, "weight", 0);
}

int64_t weights_total(const json *list)
{
	int64_t total = 0;
	json_for_each (entry, list)
		total += weight_of(entry, list);
	return total;
}

static struct parts make_parts(const struct intent *intent, const struct split *split)
{
	if (!split->rules || intent->sticky_step_count == 0)
		return parts_of_versions(split->weight);
	struct parts parts = {0};
	int before = 0;
	for (int i = 0; i < intent->sticky_step_count; i++) {
		int until = intent->sticky_steps[i];
		if (until > before)
			parts.items[parts.count++] = (struct part){
				.percent = until - before,
				.canary = until <= split->weight,
				.step = i + 1,
			};
		before = until;
	}
	return parts;
}

static bool is_ours(const json *entry, const void *scope)
{
	return destination_is_ours(json_get(entry, "destination"), scope);
}

/* The user's entry with a version's subset; the user's own name for the stable one stays. */
static json *point(const json *entry, bool canary)
{
	json *share = json_copy(entry);
	json *destination = json_get(share, "destination");
	if (canary)
		json_set_text(destination, "subset", CANARY_SUBSET);
	else if (destination_subset(destination) == NULL)
		json_set_text(destination, "subset", STABLE_SUBSET);
	return share;
}

static json *make_share(const json *entry, const struct part *part, const void *scope)
{
	json *share = point(entry, part->canary);
	if (part->step > 0)
		sticky_set_cookie(share, part->step, ((const struct scope *)scope)->intent);
	return share;
}

static const struct entry_kind DESTINATIONS = {weight_of, is_ours, make_share};

json *split_list(const json *list, const struct scope *scope, const struct split *split)
{
	struct parts parts = make_parts(scope->intent, split);
	return portion_list(list, &parts, &DESTINATIONS, scope);
}

json *pointed_list(const json *list, const struct scope *scope, bool canary)
{
	return portion_pointed(list, canary, &DESTINATIONS, scope);
}
