#include "base/clock.h"

#include <time.h>

/* Leases and deadlines go on while a laptop sleeps; CLOCK_MONOTONIC would stand still on Linux. */
#ifdef CLOCK_BOOTTIME
#define CLOCK CLOCK_BOOTTIME
#else
#define CLOCK CLOCK_MONOTONIC
#endif

int64_t clock_monotonic_ms(void)
{
	struct timespec now;
	(void)clock_gettime(CLOCK, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}
