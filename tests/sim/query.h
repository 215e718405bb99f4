/* Queries of the API port, as the simulated server answers them. */
#ifndef SIM_QUERY_H
#define SIM_QUERY_H

#include "api/port.h"

bool query_matches(const struct query *query, const json *tree);
/* With strings of its own. */
struct query query_copy(const struct query *query);
void query_release(struct query *query);

#endif
