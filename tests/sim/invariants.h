/*
 * What must hold in every state, from the moment that it is asked for: DESIGN.md, "Invariants".
 * Checked at every change of an object, and whenever proxies learn something.
 */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "api/port.h"
#include "release/record.h"
#include "sim/sim.h"

struct invariants {
	int replicas;  /* N: never fewer pods serve */
	int minimum;   /* usually N; what a test allows */
	bool degraded; /* the test kills pods: only Istio's objects are checked */
	/* Pods die by themselves, or somebody else changes what they are: how many serve says
	 * nothing of the tool. What it does about it is checked at each of its writes (duties.c).
	 */
	bool wounded;
	char *stable_uid;
	size_t stable_sets; /* ReplicaSets that the stable Deployment may have now */
	bool unreadable;    /* somebody damages the record */
	bool hurried;	    /* somebody said abort --now */
	/* From the record, as it is written. */
	bool begun;
	enum goal goal;
	enum handover_mode handover;
	bool swapped;	/* stable was deleted, perhaps made again */
	bool finishing; /* finish has begun once: templates change from here on */
};

/* Begins to check; the cluster is at rest. */
void invariants_begin(struct sim *sim, int replicas);
void invariants_free(struct invariants *invariants);

void invariants_check(struct sim *sim);
void invariants_check_proxies(struct sim *sim);
struct destination;
/* How many ready pods the destination's share of the requests needs, of N for all of them. */
int invariants_needed(const struct sim *sim, const struct destination *destination);
/* Whether a process of the tool may write this. */
void invariants_check_write(struct sim *sim, const struct write *write);

#endif
