#include "traffic/weight.h"

#include "base/str.h"
#include "traffic/intent.h"

static double weight_of(const json *destination)
{
	return json_double(json_get(destination, "weight"), 0);
}

/* The canary stands right behind its stable neighbour (virtualservice_split). */
static int split_of(const json *route)
{
	const json *stable = NULL;
	json_for_each (destination, json_get(route, "route")) {
		const char *subset = json_path_text(destination, "destination", "subset", NULL);
		if (str_equal(subset, CANARY_SUBSET) && stable != NULL) {
			double sum = weight_of(stable) + weight_of(destination);
			return sum > 0 ? (int)(100 * weight_of(destination) / sum + 0.5) : -1;
		}
		stable = destination;
	}
	return -1;
}

int virtualservice_canary_weight(const json *virtualservice)
{
	json_for_each (route, json_path(virtualservice, "spec", "http", NULL)) {
		int weight = split_of(route);
		if (weight >= 0)
			return weight;
	}
	return -1;
}
