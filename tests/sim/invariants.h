/*
 * What must hold in every state, from the moment that it is asked for: DESIGN.md, "Invariants".
 * Checked at every change of an object, and whenever proxies learn something.
 */
#ifndef SIM_INVARIANTS_H
#define SIM_INVARIANTS_H

#include "api/port.h"
#include "release/record.h"
#include "sim/routes.h"
#include "sim/sim.h"

struct invariants {
	int replicas;  /* N: never fewer pods serve */
	int minimum;   /* usually N; what a test allows */
	bool degraded; /* the test kills pods: only Istio's objects are checked */
	/* Pods die by themselves, or somebody else changes what they are: how many serve says
	 * nothing of the tool. What it does about it is checked at each of its writes (duties.c).
	 */
	bool wounded;
	bool heals;	   /* until as many serve again: only pods have died */
	size_t wounded_at; /* the end of the log after that */
	/* Where requests go in each view, and when that was looked up. */
	struct routing routing[VIEW_COUNT + 1];
	size_t routed_at[VIEW_COUNT + 1];
	char *stable_uid;
	size_t stable_sets; /* ReplicaSets that the stable Deployment may have now */
	bool unreadable;    /* somebody damages the record */
	bool unconfigured;  /* somebody deletes copies of --config */
	bool undoing;	    /* versions and names are the other way round: only N is checked */
	bool hurried;	    /* an abort --now is, or was, at work */
	/* From the record, as it is written. */
	bool begun;
	enum goal goal;
	enum handover_mode handover;
	bool swapped;	/* stable was deleted, perhaps made again */
	bool remade;	/* by an abort, after somebody deleted it */
	bool finishing; /* finish has begun once: templates change from here on */
};

/* Begins to check; the cluster is at rest. */
void invariants_begin(struct sim *sim, int replicas);
void invariants_free(struct invariants *invariants);

/* Whether it is the record of the release. */
bool is_record(const struct object *object);

void invariants_check(struct sim *sim);
void invariants_check_proxies(struct sim *sim);
/* From here on it is wounded; what does not heal, a test ends. */
void invariants_wound(struct sim *sim, bool heals);
/* Not any more, where nobody has anything to do about it, and all is as it should be. */
void invariants_heal(struct sim *sim);
/* How many ready pods the destination's share of the requests needs, of N for all of them. */
int invariants_needed(const struct sim *sim, const struct destination *destination);
/* Whether a process of the tool may write this. */
void invariants_check_write(struct sim *sim, const struct write *write);

#endif
