#include "traffic/weight.h"

#include "base/str.h"

static double weight_of(const json *destination)
{
	return json_double(json_get(destination, "weight"), 0);
}

/* The canary stands right behind its stable neighbour (virtualservice_split). */
static int split_of(const json *route, const char *namespace, const struct intent *intent)
{
	const json *stable = NULL;
	json_for_each (destination, json_get(route, "route")) {
		const char *subset = json_path_text(destination, "destination", "subset", NULL);
		const char *host = json_path_text(destination, "destination", "host", NULL);
		if (str_equal(subset, CANARY_SUBSET) && stable != NULL &&
			host_is_service(host, namespace, intent)) {
			double sum = weight_of(stable) + weight_of(destination);
			return sum > 0 ? (int)(100 * weight_of(destination) / sum + 0.5) : -1;
		}
		stable = destination;
	}
	return -1;
}

int virtualservice_canary_weight(const json *virtualservice, const struct intent *intent)
{
	json_for_each (route, json_path(virtualservice, "spec", "http", NULL)) {
		int weight = split_of(route, namespace_of(virtualservice, intent), intent);
		if (weight >= 0)
			return weight;
	}
	return -1;
}
