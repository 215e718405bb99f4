/* What share of the Service's requests a VirtualService sends to the canary now. */
#ifndef TRAFFIC_WEIGHT_H
#define TRAFFIC_WEIGHT_H

#include "traffic/intent.h"

/* Percent, of the first list in which the Service is split; -1 where there is none. Lists of other
 * Services, whose releases may be under way too, and the rules in front of routes do not count. */
int virtualservice_canary_weight(
	const json *virtualservice, const json *destinationrules, const struct intent *intent);

#endif
