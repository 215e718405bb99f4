#include "sim/faults.h"

#include <stdio.h>

#include "sim/crowd.h"

#define STOPPED_MS 40000
/* Between the last look at the record and a write, less than what others wait for (drive.c): a
 * request that is under way for longer is a known limit. */
#define HELD_UP_MS 900

const char *const FAULT_NAMES[FAULT_COUNT] = {
	[FAULT_NONE] = "nothing",
	[FAULT_DEATH_BEFORE] = "death before",
	[FAULT_DEATH_AFTER] = "death after",
	[FAULT_REFUSED] = "no server",
	[FAULT_LOST] = "lost answer",
	[FAULT_CONFLICT] = "conflict",
	[FAULT_INTERRUPT] = "Ctrl-C",
	[FAULT_INTERRUPT_AFTER] = "Ctrl-C after",
	[FAULT_STOP] = "stopped",
};

static enum fault choose(struct sim *sim, const struct faults *faults)
{
	size_t number = sim_random(sim, 1000);
	for (enum fault fault = 0; fault < FAULT_COUNT; fault++) {
		if (number < faults->rates[fault])
			return fault;
		number -= faults->rates[fault];
	}
	return FAULT_NONE;
}

/* Seen by whoever looks at the trace. */
static void show(const struct client *client, enum fault fault)
{
	if (client->sim->trace)
		(void)fprintf(stderr, "%6lld %s: FAULT %s\n", (long long)client->sim->now_ms,
			client->id, FAULT_NAMES[fault]);
}

enum fault faults_choose(struct client *client, bool writes)
{
	const struct faults *faults = client->faults;
	struct sim *sim = client->sim;
	if (faults == NULL || client->interrupted)
		return FAULT_NONE;
	if (faults->visits > 0 && sim_random(sim, 1000) < faults->visits)
		faults->visit(faults->visit_context);
	enum fault fault = choose(sim, faults);
	if (fault == FAULT_CONFLICT && !writes)
		fault = FAULT_NONE;
	if (fault == FAULT_NONE)
		return fault;
	show(client, fault);
	if (fault != FAULT_STOP)
		return fault;
	int64_t end = sim->now_ms + (int64_t)sim_random(sim, writes ? HELD_UP_MS : STOPPED_MS);
	while (sim->now_ms < end)
		crowd_wait(sim, end, false);
	return FAULT_NONE;
}
