/* The tests, by file. */
#ifndef SIM_SCENARIOS_H
#define SIM_SCENARIOS_H

#include "sim/world.h"

/* How many seeds to play: SIM_SEEDS, or the number given; from SIM_SEED or 1. */
uint64_t first_seed(void);
uint64_t seed_count(uint64_t usual);

/* releases.c */
void whole_releases_end_completed(void **state);
void whole_releases_end_aborted(void **state);

/* cuts.c */
void death_at_each_write_is_recovered(void **state);
void unanswered_writes_are_repeated(void **state);

#endif
