/*
 * The engine: observe, find the first rung that does not hold, do its one action or wait for it,
 * observe again; until the record says that the goal is reached.
 */
#ifndef RELEASE_ENGINE_H
#define RELEASE_ENGINE_H

#include "release/rung.h"

/* How often a waiting process shows in the record that it is alive, and how long others wait for
 * such a sign before they take over. */
#define RENEW_MS 5000
#define LEASE_MS 15000

/* Where the user is told what happens. Texts may hold what a server said: escape them. */
struct observer {
	void *context;
	/* A write was done: "deployment.apps/web scaled to 5". */
	void (*done)(void *context, const char *text);
	/* Something that the user should know: a pod that cannot start, a conflict. */
	void (*note)(void *context, const char *text);
	/* The situation while a rung is waited for: at the begin and after each change. text: what
	 * is waited for. */
	void (*waiting)(void *context, const struct situation *situation, const char *text);
};

struct ports {
	struct api_port api;
	struct host_port host;
	struct observer observer;
};

/* Drives the release to the record's goal, and on where the plan has no pause. The record must name
 * us as its holder (drive.h); afterwards nobody holds it. On failure the record says so too, where
 * that can still be written. ERR_TIMED_OUT, ERR_BUSY (somebody took over), ERR_FOREIGN,
 * ERR_INTERRUPTED, or what the API said. */
int engine_run(const struct ports *ports, struct record *record, bool now, struct err *err);

#endif
