/* What goes wrong for a process at its calls of the API, by chance. */
#ifndef SIM_FAULTS_H
#define SIM_FAULTS_H

#include "sim/client.h"

enum fault {
	FAULT_NONE,
	FAULT_DEATH_BEFORE,    /* the process dies, the call is not made */
	FAULT_DEATH_AFTER,     /* it dies before it gets the answer */
	FAULT_REFUSED,	       /* 429, 500, 503, no network: not done */
	FAULT_LOST,	       /* 500, 504, a broken connection: done, and no answer */
	FAULT_CONFLICT,	       /* 409 although nobody else wrote; of a write, not done */
	FAULT_INTERRUPT,       /* Ctrl-C, before the call */
	FAULT_INTERRUPT_AFTER, /* Ctrl-C, before it gets the answer */
	FAULT_STOP,	       /* stopped for a while, as by a laptop that was closed */
	FAULT_COUNT,
};

extern const char *const FAULT_NAMES[FAULT_COUNT];

struct faults {
	/* Of a thousand calls, so many; all of them together less than a thousand. */
	size_t rates[FAULT_COUNT];
	size_t broken_watches;	/* of a thousand looks at a watch: 410, or the connection breaks */
	size_t repeated_events; /* and so many times it tells again what it told before */
	/* Somebody else does something, at so many calls of a thousand. */
	size_t visits;
	void (*visit)(void *context);
	void *visit_context;
};

/* Chooses for one call, and lets the visitors come. */
enum fault faults_choose(struct client *client, bool writes);

#endif
