/*
 * Several processes of the tool at the same time, in one thread: each has a stack of its own, and
 * another goes on wherever one of them speaks to the server or waits. Who, the seed decides.
 */
#ifndef SIM_CROWD_H
#define SIM_CROWD_H

#include "sim/sim.h"

#define CROWD_MAXIMUM 4

struct crowd;

/* Runs these until all have returned. One alone needs no stack of its own. */
void crowd_run(struct sim *sim, void (*work)(void *context), void *const *contexts, size_t count);

/* Called by those who run. Somebody else may go on here. */
void crowd_pass(struct sim *sim);
/* Time passes: at most until then, for somebody who looks at what happens a little only. */
void crowd_wait(struct sim *sim, int64_t until, bool looking);

/* Out of whatever runs, back to whoever called crowd_run, which does not return then but goes on at
 * sim->escape. */
void crowd_escape(const struct sim *sim) __attribute__((noreturn));

#endif
