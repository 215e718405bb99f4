/*
 * Random releases: a seed chooses the cluster, the release, who runs which command when, and what
 * goes wrong; when all of that is over, a person ends the release, and it must end as it should.
 */
#ifndef SIM_CHANCE_H
#define SIM_CHANCE_H

#include <setjmp.h>
#include <stdint.h>

/* workers.c: plays so many releases on all processors, from this seed on. The number of those that
 * failed, and 1 more where too many were refused by `start` at once; each is told on stderr with
 * what plays it again. */
uint64_t play_releases(uint64_t first, uint64_t count);

/* chance.c: one of them, in this process. What it ended as, for the statistics. Failures go to
 * escape. */
enum outcome {
	OUTCOME_REFUSED,
	OUTCOME_COMPLETED,
	OUTCOME_ABORTED,
	OUTCOME_UNDONE, /* aborted after it was completed */
	OUTCOME_COUNT,
};
enum outcome play_release(uint64_t seed, jmp_buf *escape);

#endif
