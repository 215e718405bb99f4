/*
 * What was seen of the cluster: the lists that a ladder looks at, as the API gave them, and kept up
 * to date by watch events while a rung waits.
 */
#ifndef RELEASE_OBSERVATION_H
#define RELEASE_OBSERVATION_H

#include "base/str.h"
#include "release/record.h"

enum source {
	SEEN_STABLE,		/* the stable Deployment: a list of one or none */
	SEEN_CANARY,		/* the canary Deployment, likewise */
	SEEN_REPLICA_SETS,	/* of both */
	SEEN_RELEASED_SETS,	/* those that stable has let go of for a takeover */
	SEEN_PODS,		/* of both */
	SEEN_SLICES,		/* EndpointSlices of the Service */
	SEEN_VIRTUAL_SERVICES,	/* of the namespaces that the release touches; empty in other
				   modes than Istio */
	SEEN_DESTINATION_RULES, /* likewise */
	SEEN_HTTP_ROUTES,	/* likewise; these three are empty in other modes than gateway */
	SEEN_VERSION_SERVICES,	/* the Services of the release's own, by name */
	SEEN_VERSION_SLICES,	/* their EndpointSlices */
	SEEN_AUTOSCALERS,	/* HorizontalPodAutoscalers, where the release froze any */
	SEEN_SCALED_OBJECTS,	/* KEDA's ScaledObjects, likewise */
	SEEN_RECORD,		/* last: what is decided is decided on the newest record */
	SEEN_COUNT,
};

struct observation {
	json *lists[SEEN_COUNT];
	enum source watched[SEEN_COUNT]; /* by the watch's index */
};

void observation_release(struct observation *seen);

/* The lists of several namespaces (at least one) as one. The caller frees. */
int list_namespaces(const struct api_port *api, const struct query *query,
	const struct str_list *namespaces, json **ret, struct err *err);

/* Reads all of it. */
int observe(const struct api_port *api, const struct record *record, struct observation *ret,
	struct err *err);

/* Opens a watch on everything that can change while a rung waits, from where `seen` was read. */
int observation_watch(const struct api_port *api, const struct record *record,
	struct observation *seen, struct watch **ret, struct err *err);

/* Takes one event of that watch in. Returns the source that changed. */
enum source observation_apply(struct observation *seen, size_t watch_index, json *event);

#endif
