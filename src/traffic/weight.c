#include "traffic/weight.h"

#include "base/str.h"
#include "traffic/clone.h"
#include "traffic/destination.h"

static int split_of(const json *route, const struct scope *scope)
{
	double stable = 0, canary = 0;
	bool split = false;
	json_for_each (entry, json_get(route, "route")) {
		const json *destination = json_get(entry, "destination");
		const char *subset = destination_subset(destination);
		double weight = json_double(json_get(entry, "weight"), 0);
		if (!destination_is_service(destination, scope))
			continue;
		if (str_equal(subset, CANARY_SUBSET)) {
			canary += weight;
			split = true;
		} else if (str_equal(subset, STABLE_SUBSET)) {
			stable += weight;
			split = true;
		} else if (destination_is_ours(destination, scope)) {
			stable += weight;
		}
	}
	if (!split || stable + canary <= 0)
		return -1;
	return (int)(100 * canary / (stable + canary) + 0.5);
}

int virtualservice_canary_weight(
	const json *virtualservice, const json *destinationrules, const struct intent *intent)
{
	struct scope scope = scope_of(virtualservice, destinationrules, intent);
	for (size_t i = 0; i < PROTOCOL_COUNT; i++) {
		json_for_each (route, routes_of(virtualservice, PROTOCOLS[i])) {
			int weight = route_is_clone(route) ? -1 : split_of(route, &scope);
			if (weight >= 0)
				return weight;
		}
	}
	return -1;
}
