/* The three ladders; each is a table in a file of its own. docs/design.md explains the orders. */
#ifndef RELEASE_LADDERS_H
#define RELEASE_LADDERS_H

#include "release/rung.h"

extern const struct rung FORWARD_LADDER[]; /* forward.c: to a batch */
extern const struct rung FINISH_LADDER[];  /* finish.c: stable takes the new version over */
extern const struct rung ABORT_LADDER[];   /* abort.c: everything as it was before */

#endif
