/*
 * What else happens in a cluster while a release runs: people edit, pods die, nodes vanish. What a
 * release must not stand is taken back before it is to end; the rest is to be kept.
 */
#ifndef SIM_PEOPLE_H
#define SIM_PEOPLE_H

#include "sim/world.h"

enum deed {
	DEED_ANNOTATE, /* the Deployment gets an annotation */
	DEED_LABEL,    /* the user's route, or Service, gets a label */
	DEED_ROUTE,    /* a field of a route that is not ours */
	DEED_SCALE,    /* kubectl scale */
	DEED_TEMPLATE, /* kubectl set image */
	DEED_WEIGHT,   /* the weight of a route that is ours */
	DEED_KILL,     /* kubectl delete pod, an eviction */
	DEED_CRASH,    /* a pod is not ready for a while */
	DEED_NODE,     /* a node vanishes with its pods */
	DEED_COUNT,
};

struct people {
	struct sim *sim;
	json *before; /* the snapshot of the begin: what is to be kept gets into it */
	bool allowed[DEED_COUNT];
	bool done[DEED_COUNT]; /* since the last time that everything was taken back */
	bool disturbed;	       /* ever */
	bool rolled;	       /* ever: pods were replaced by an edit of the template */
	/* To be taken back. */
	int replicas; /* before the release */
	char *image;  /* of stable, before somebody set another one; or NULL */
	int64_t weight;
};

/* One of what is allowed, by chance. Fits struct faults. */
void people_act(void *people);
/* All but the image. */
void people_take_back(struct people *people);
/* completed: the new version is the right one by now; aborted: the old one. */
void people_take_back_image(struct people *people, bool completed, bool aborted);
/* Before the end is compared with the begin. */
void people_expect_annotations(struct people *people);
void people_release(struct people *people);

#endif
