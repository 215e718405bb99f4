#include "traffic/portion.h"

static int64_t common_divisor(int64_t a, int64_t b)
{
	while (b != 0) {
		int64_t rest = a % b;
		a = b;
		b = rest;
	}
	return a;
}

struct parts parts_of_versions(int canary_percent)
{
	return (struct parts){
		.items = {{.percent = 100 - canary_percent},
			{.percent = canary_percent, .canary = true}},
		.count = 2,
	};
}

int64_t portion_scale(const json *list, const struct parts *parts, const struct entry_kind *kind,
	const void *scope)
{
	int64_t divisor = 100;
	json_for_each (entry, list) {
		if (!kind->is_ours(entry, scope))
			continue;
		for (size_t i = 0; i < parts->count; i++)
			divisor = common_divisor(
				divisor, kind->weight_of(entry, list) * parts->items[i].percent);
	}
	return 100 / divisor;
}

json *portion_list(const json *list, const struct parts *parts, const struct entry_kind *kind,
	const void *scope)
{
	int64_t scale = portion_scale(list, parts, kind, scope);
	json *result = json_array();
	json_for_each (entry, list) {
		int64_t weight = kind->weight_of(entry, list) * scale;
		if (!kind->is_ours(entry, scope)) {
			json *foreign = json_copy(entry);
			if (scale > 1 && weight != 0)
				json_set_integer(foreign, "weight", weight);
			json_append(result, foreign);
			continue;
		}
		for (size_t i = 0; i < parts->count; i++) {
			const struct part *part = &parts->items[i];
			json *share = kind->make_share(entry, part, scope);
			json_set_integer(share, "weight", weight * part->percent / 100);
			json_append(result, share);
		}
	}
	return result;
}

json *portion_pointed(
	const json *list, bool canary, const struct entry_kind *kind, const void *scope)
{
	const struct part all = {.percent = 100, .canary = canary};
	json *result = json_array();
	json_for_each (entry, list)
		json_append(result, kind->is_ours(entry, scope)
					    ? kind->make_share(entry, &all, scope)
					    : json_copy(entry));
	return result;
}
