/*
 * Taking a release on. One process at a time drives a release; its name stands in the record as the
 * holder. It shows there every RENEW_MS that it is alive. Whoever finds a holder that has not shown
 * itself for LEASE_MS (by the finder's own clock, so that no two clocks need agree), or whose
 * process is gone on this machine, takes over. `abort` takes over at once.
 */
#ifndef RELEASE_DRIVE_H
#define RELEASE_DRIVE_H

#include "release/engine.h"

struct claim {
	const char *namespace;
	const char *service;
	struct holder self;
	bool take_over; /* do not wait for a living holder to end */
	bool recovers;	/* go by what the release's objects carry where the record is lost */
	/* Refuses by what there is in the cluster; or NULL. */
	int (*check)(const struct api_port *api, const struct record *record, struct err *err);
	/* Sets the record's new goal; refuses with an error. Called again when somebody else wrote
	 * in between. 1: nothing is to do, the record stays as it is. */
	int (*change)(struct record *record, void *context, struct err *err);
	void *context;
};

/* Loads the record, changes it and makes us its holder. ERR_BUSY with the holder's name when it is
 * alive, ERR_NOT_FOUND when there is no release. 1 when `change` said that nothing is to do. The
 * caller releases ret in both cases. */
int claim_release(
	const struct ports *ports, const struct claim *claim, struct record *ret, struct err *err);

/* Writes a record of which this process has just become the holder. Where no answer comes,
 * finds out whether it was stored, or else nobody would drive a release that has a holder. */
int hold_release(struct record *record, const struct api_port *api, struct err *err);

#endif
