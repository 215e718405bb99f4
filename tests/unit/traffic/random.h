/* Numbers for generated objects: the same seed gives the same again. */
#ifndef TESTS_UNIT_TRAFFIC_RANDOM_H
#define TESTS_UNIT_TRAFFIC_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/mem.h"

/* xorshift64*, by value where a sequence is to be repeated. */
struct random {
	uint64_t state;
};

static inline uint32_t below(struct random *random, uint32_t limit)
{
	random->state ^= random->state >> 12;
	random->state ^= random->state << 25;
	random->state ^= random->state >> 27;
	return (uint32_t)((random->state * 0x2545F4914F6CDD1DULL) >> 33) % limit;
}

static inline bool once_in(struct random *random, uint32_t times)
{
	return below(random, times) == 0;
}

static inline const char *any_of(struct random *random, const char *const *texts, size_t count)
{
	return texts[below(random, (uint32_t)count)];
}
#define ANY_OF(random, texts) any_of(random, texts, COUNT_OF(texts))

#endif
