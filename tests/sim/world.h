/* The clusters in which releases are played, and what they must be afterwards. */
#ifndef SIM_WORLD_H
#define SIM_WORLD_H

#include "sim/client.h"

/* What the user has. */
enum world {
	WORLD_REPLICAS,	     /* no Istio */
	WORLD_ISTIO,	     /* Istio, and no objects of it for the Service */
	WORLD_ROUTED,	     /* a VirtualService without subsets, a DestinationRule for policy */
	WORLD_SUBSETS,	     /* pods labeled by version; a VirtualService to subset v1 */
	WORLD_NAMED_SUBSETS, /* the same, the subset is called prod */
	WORLD_RULES,	     /* --match and --sticky; routes and subsets in another namespace too */
	WORLD_GATEWAY,	     /* an HTTPRoute at a Gateway; sidecars, and none for the mesh */
	WORLD_SELECTED,	     /* the selector has the version, so that the copy stays */
	WORLD_PARENT, /* pods labeled by version; --match; an HTTPRoute for the mesh, and another */
	WORLD_AUTOSCALED, /* no Istio; a HorizontalPodAutoscaler, and a ScaledObject of KEDA */
	WORLD_COUNT,
};

extern const char *const WORLD_NAMES[WORLD_COUNT];

struct setting {
	enum world world;
	const char *batches;
	const char *steps;
	const char *pause;
	const char *hpa;
	int replicas;
	uint64_t seed;
	bool keep_stable;
	const char *handover;
	/* More of `start`, and members of the Deployment's spec (NULL: the usual ones). An earlier
	 * image is one that the Deployment ran before, so that it has a history. */
	bool hold;
	const char *settle;
	const char *spec;
	const char *earlier_image;
};

/* A cluster at rest, with the invariants checked from here on. */
struct sim *world_new(const struct setting *setting);

/* How many batches the release has: --match puts one in front of those that are asked for. */
int world_batches(const struct setting *setting);

/* `start` with the options of the setting. */
struct start_options world_options(const struct setting *setting);

/* All objects as they are, to be compared later. */
json *world_snapshot(const struct sim *sim);

/* Fails where the cluster is not what it was at the snapshot: everything, but for what the server
 * and the controllers count, and pods by number. finished: the release had begun to finish, so that
 * the new version is in the Deployment's history. */
void world_assert_restored(struct sim *sim, const json *snapshot, bool finished);

/* Fails where the new version is not everything that there is. */
void world_assert_completed(struct sim *sim, const json *snapshot, const struct setting *setting);

#endif
