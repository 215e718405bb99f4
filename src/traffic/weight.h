/* What share of the Service's requests a VirtualService sends to the canary now. */
#ifndef TRAFFIC_WEIGHT_H
#define TRAFFIC_WEIGHT_H

#include "data/json.h"

/* Percent, of the first list that is split; -1 where none is. */
int virtualservice_canary_weight(const json *virtualservice);

#endif
