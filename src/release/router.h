/*
 * What splits the requests of a release: the two kinds of objects that a traffic mode knows, routes
 * and what tells the versions apart for them. A row for each mode that has them; the rungs
 * (routes.c) know no others.
 */
#ifndef RELEASE_ROUTER_H
#define RELEASE_ROUTER_H

#include "release/rungs.h"

struct router {
	/* The users' routes, as they were before the release, and in the states of rungs.h; keyed
	 * (merge.h). For ROUTES_BATCH, of that batch. */
	const struct kind *kind;
	enum source source;
	const json *(*users)(const struct record *record);
	json *(*routed)(const struct record *record, const json *snapshot, enum routes routes,
		const struct batch *batch);
	/* Those of our own that are there while requests are split, before they are; NULL at the
	 * end. */
	const json *(*own)(const struct record *record, size_t index);
	/* Percent of the requests that a route sends to the canary now, -1 where it says nothing.
	 */
	int (*canary_weight)(const struct record *record, const json *route);

	/* What of our own tells the versions apart: an array. */
	const struct kind *versions_kind;
	enum source versions_source;
	json *(*versions_new)(const struct record *record);
	/* Adds what takes all that tells them apart there, the users' too. */
	int (*versions_change)(const struct situation *situation, enum rules rules,
		struct action *action, struct err *err);
	/* Whether the users' objects name versions, so that finish edits them. */
	bool (*users_name_versions)(const struct record *record);
	void (*versions_describe)(const struct record *record, enum rules rules, struct buf *buf);
	const char *versions_called; /* "the subsets" */
};

extern const struct router ISTIO_ROUTER;   /* istio_routes.c */
extern const struct router GATEWAY_ROUTER; /* gateway_routes.c */

/* NULL in replicas mode. */
const struct router *router_of(const struct record *record);

#endif
