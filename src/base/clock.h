/* The clock for what waits on the network itself; everything above gets its time handed in. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdint.h>

/* Milliseconds since a moment that does not matter: only differences mean anything. */
int64_t clock_monotonic_ms(void);

#endif
