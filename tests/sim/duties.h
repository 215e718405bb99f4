/*
 * What the tool must not do, seen from what it knew when it did it: take pods or requests away from
 * where they are served while, as of its last look, not enough pods serve without them. Holds
 * whatever pods do by themselves meanwhile.
 */
#ifndef SIM_DUTIES_H
#define SIM_DUTIES_H

#include "sim/client.h"
#include "sim/routes.h"

/* Where requests went before a write. */
struct duty {
	bool routes;
	struct routing before;
	int ready; /* pods of the destination that got most of them, as seen */
};

void duty_begin(struct client *client, const struct write *write, struct duty *ret);
void duty_check(struct client *client, const struct write *write, const struct duty *duty);

#endif
