/* The ladders. docs/design.md explains the orders. */
#ifndef RELEASE_LADDERS_H
#define RELEASE_LADDERS_H

#include "release/rung.h"

extern const struct rung FORWARD_LADDER[];  /* forward.c: to a batch */
extern const struct rung TAKEOVER_LADDER[]; /* finish.c: to the end, by each of the handovers */
extern const struct rung SWAP_LADDER[];
extern const struct rung ROLLING_LADDER[];
extern const struct rung ABORT_LADDER[]; /* abort.c: everything as it was before */

#endif
