/*
 * One process of the tool in the simulated cluster: its ports, and what goes wrong for it. A
 * process can be cut at any of its writes, as by kill -9 or a lost network.
 */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include "release/engine.h"
#include "release/prepare.h"
#include "sim/sim.h"

struct faults;
struct next_options;

enum cut {
	CUT_NONE,
	CUT_BEFORE,	 /* dies before the write */
	CUT_AFTER,	 /* dies after the write took effect */
	CUT_UNAVAILABLE, /* lives; the write did not take effect, the server was not there */
	CUT_LOST_ANSWER, /* lives; the write took effect, the answer was lost */
};

struct client {
	struct sim *sim;
	const char *id;
	const char *machine;
	const char *process; /* "dead" or "alive", as others on the machine find it */
	struct ports ports;
	bool ended; /* dead, or has returned */
	bool dead;
	size_t writes; /* so far */
	size_t cut_at; /* the write, from 1 */
	enum cut cut;
	/* Called before each write, which is counted already; as if somebody else were faster. */
	void (*interlude)(struct client *client, void *context);
	void *interlude_context;
	/* Called when it has read the record, and at each wait on a watch. */
	void (*looked)(struct client *client, void *context);
	void *looked_context;
	void (*waiting)(struct client *client, void *context);
	void *waiting_context;
	/* What goes wrong by chance (NULL: nothing), and whether Ctrl-C was pressed. */
	const struct faults *faults;
	bool interrupted;
	/* Whether a process of this machine runs; NULL: the one called "alive" does. */
	bool (*runs)(void *context, const char *process);
	void *runs_context;
	size_t pods_at; /* the end of the log when it last listed pods */
	char *notes;	/* what the observer was told, line by line */
	struct err err;
};

void client_init(struct client *client, struct sim *sim, const char *id);
void client_release(struct client *client);

/* The verbs, as cmd/ has them. Return what engine_run (or what comes before it) returned. */
int run_start(struct client *client, const struct start_options *options);
int run_next(struct client *client);
int run_next_all(struct client *client);
int run_next_with(struct client *client, const struct next_options *options);
int run_abort(struct client *client);
int run_abort_now(struct client *client);

/* The record as it is in the cluster. */
void load_record(struct sim *sim, struct record *ret);

#endif
