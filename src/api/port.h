/*
 * The port through which a release sees and changes a cluster. kube/ implements it over HTTP, the
 * simulation (tests/sim) over an API server in memory. Nothing above it knows which.
 *
 * The operations are those of the Kubernetes API conventions, no more: list, write with a
 * resourceVersion as precondition, watch from a list.
 * https://github.com/kubernetes/community/blob/master/contributors/devel/sig-architecture/api-conventions.md
 */
#ifndef API_PORT_H
#define API_PORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "api/kind.h"
#include "base/err.h"
#include "data/json.h"

/* Which objects are meant. */
struct query {
	const struct kind *kind;
	const char *namespace;	    /* NULL: all namespaces, or a kind that has none */
	const char *name;	    /* that object only, or NULL */
	const char *label_selector; /* as in the API's labelSelector, or NULL */
};

enum write_verb { WRITE_CREATE, WRITE_UPDATE, WRITE_DELETE };

/* One change to one object. */
struct write {
	enum write_verb verb;
	const struct kind *kind;
	const char *namespace;
	const char *name;
	/* UPDATE: the object as it was read. The write fails with ERR_CONFLICT when the object is
	 * not at this resourceVersion any more, also where the difference does not fit any more.
	 * DELETE: the uid and resourceVersion that must still hold, when given. CREATE: NULL. */
	const json *before;
	/* CREATE: the object. UPDATE: before with the edits; only the difference is sent (a JSON
	 * patch, RFC 6902), so that nothing else can be touched. DELETE: NULL. */
	const json *after;
	/* DELETE: "Background", "Foreground" or "Orphan". */
	const char *propagation;
	/* CREATE, UPDATE: the server does everything but store the object (admission, defaults). */
	bool dry_run;
};

struct watch; /* an open watch over several lists */

struct api_port {
	void *context;

	/* The list object as the API gives it: {"metadata":{"resourceVersion":…},"items":[…]},
	 * complete (chunks are joined) and consistent. A query with a name gives a list of one
	 * or none. ERR_NOT_FOUND: the kind itself is not served. The caller frees ret. */
	int (*list)(void *context, const struct query *query, json **ret, struct err *err);

	/* Does the write. ret_object (may be NULL) gets the object as the server has it now; not
	 * for DELETE. Errors: ERR_CONFLICT, ERR_EXISTS, ERR_NOT_FOUND, ERR_FORBIDDEN,
	 * ERR_INVALID, ERR_UNAVAILABLE (then it may have taken effect all the same). */
	int (*write)(void *context, const struct write *write, json **ret_object, struct err *err);

	/* Opens one watch over all queries, each from the resourceVersion of its list, as `list`
	 * gave it. */
	int (*watch_open)(void *context, const struct query *queries, const json *const *lists,
		size_t count, struct watch **ret, struct err *err);

	/* Waits for one event of any of the queries, at most timeout_ms.
	 * Returns 1 and the event {"type":"ADDED|MODIFIED|DELETED","object":…} with the index of
	 * its query, 0 when the time has passed, or a code: ERR_INTERRUPTED, ERR_EXPIRED (list
	 * again, open again), ERR_UNAVAILABLE (the same). Bookmarks are not given. */
	int (*watch_next)(struct watch *watch, int64_t timeout_ms, size_t *ret_index,
		json **ret_event, struct err *err);

	void (*watch_close)(struct watch *watch); /* NULL-safe */
};

/* Time and what else is not the cluster's. */
struct host_port {
	void *context;
	int64_t (*monotonic_ms)(void *context); /* only differences mean anything */
	/* The wall clock as RFC 3339 in UTC, "2026-01-31T12:00:00Z". */
	void (*wall_time)(void *context, char ret[32]);
	/* Sleeps; ERR_INTERRUPTED when a signal came. */
	int (*sleep)(void *context, int64_t ms, struct err *err);
	/* Whether a process that named itself so in a record is still there: 1, 0, or -1 when that
	 * cannot be told from here (another machine). */
	int (*is_alive)(void *context, const char *machine, const char *process);
	/* After ERR_INTERRUPTED: lets requests through again, so that the record can be left in
	 * order. NULL where there is nothing to do. */
	void (*clear_interrupt)(void *context);
};

#endif
