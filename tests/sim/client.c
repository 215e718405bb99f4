/* The API port and the host port over the simulated cluster. */
#include "sim/client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "api/patch.h"
#include "sim/crowd.h"
#include "sim/duties.h"
#include "sim/faults.h"
#include "sim/invariants.h"
#include "sim/query.h"

#define CALLS_MAXIMUM 100000

static int interrupted(struct err *err)
{
	return err_set(err, ERR_INTERRUPTED, "the process is gone");
}

/* What every call begins with; it does not come to the server when this is not 0. */
static int begin_call(struct client *client, bool writes, enum fault *ret_fault, struct err *err)
{
	if (client->dead || client->interrupted)
		return interrupted(err);
	/* Whatever goes wrong, a release comes to an end. */
	if (++client->sim->calls > CALLS_MAXIMUM)
		sim_fail(client->sim, "%d calls, and no end", CALLS_MAXIMUM);
	crowd_pass(client->sim);
	*ret_fault = faults_choose(client, writes);
	client->dead = *ret_fault == FAULT_DEATH_BEFORE;
	client->interrupted = *ret_fault == FAULT_INTERRUPT;
	if (client->dead || client->interrupted)
		return interrupted(err);
	if (*ret_fault == FAULT_REFUSED)
		return err_set(err, ERR_UNAVAILABLE, "the server is not there");
	if (*ret_fault == FAULT_CONFLICT)
		return err_set(err, ERR_CONFLICT, "the object has been modified");
	return 0;
}

/* What becomes of the server's answer. A refusal is never lost: nothing is unclear then. */
static int end_call(struct client *client, enum fault fault, int code, struct err *err)
{
	client->dead = client->dead || fault == FAULT_DEATH_AFTER;
	client->interrupted = client->interrupted || fault == FAULT_INTERRUPT_AFTER;
	if (client->dead || client->interrupted)
		return interrupted(err);
	if (code == 0 && fault == FAULT_LOST)
		return err_set(err, ERR_UNAVAILABLE, "the server did not answer");
	return code;
}

/* One that does nothing in the cluster. */
static int call(struct client *client, struct err *err)
{
	enum fault fault;
	int code = begin_call(client, false, &fault, err);
	return code != 0 ? code : end_call(client, fault, 0, err);
}

/* --- reading -------------------------------------------------------------------------------- */

static bool is_served(const struct sim *sim, const struct kind *kind)
{
	if (kind == &KIND_VIRTUAL_SERVICE || kind == &KIND_DESTINATION_RULE)
		return sim->istio;
	if (kind == &KIND_HTTP_ROUTE)
		return sim->gateway;
	return kind != &KIND_SCALED_OBJECT || sim->autoscaled;
}

static int sim_list(void *context, const struct query *query, json **ret, struct err *err)
{
	struct client *client = context;
	struct sim *sim = client->sim;
	enum fault fault;
	int code = begin_call(client, false, &fault, err);
	/* Nothing is at work meanwhile in a cluster without KEDA, so that seeds play what they did.
	 */
	if (query->kind != &KIND_SCALED_OBJECT || sim->autoscaled)
		sim_steps(sim, sim->pace);
	if (code != 0)
		return code;
	if (!is_served(sim, query->kind))
		return err_set(err, ERR_NOT_FOUND, "%s are not served", query->kind->plural);
	AUTO_JSON list = json_object();
	AUTO_STRING version = mem_format("%zu", sim->event_count);
	json_set_text(json_ensure_object(list, "metadata"), "resourceVersion", version);
	json *items = json_ensure_array(list, "items");
	sim_each(object, sim,
		query->kind) if (object->now != NULL && query_matches(query, object->now))
		json_append(items, sim_borrow(object->now));
	if (query->kind == &KIND_POD)
		client->pods_at = sim->event_count;
	if (query->kind == &KIND_CONFIG_MAP && str_equal(query->name, "batchrollout-web") &&
		client->looked != NULL)
		client->looked(client, client->looked_context);
	code = end_call(client, fault, 0, err);
	if (code == 0)
		*ret = TAKE(list);
	return code;
}

/* --- writing -------------------------------------------------------------------------------- */

static bool precondition_holds(const struct object *object, const json *before)
{
	return before == NULL ||
	       (str_equal(object_uid(before), object->uid) &&
		       str_equal(object_version(before), object_version(object->now)));
}

static int conflict(const struct write *write, struct err *err)
{
	return err_set(
		err, ERR_CONFLICT, "%s \"%s\" has been modified", write->kind->plural, write->name);
}

static int create(struct sim *sim, const struct write *write, json **ret, struct err *err)
{
	if (sim_find(sim, write->kind, write->namespace, write->name) != NULL)
		return err_set(err, ERR_EXISTS, "%s \"%s\" already exists", write->kind->plural,
			write->name);
	json *tree = json_copy(write->after);
	/* What the server adds must not be taken for somebody's change. */
	if (write->kind == &KIND_SERVICE)
		json_set_text(json_get(tree, "spec"), "clusterIP", "10.0.0.9");
	if (!write->dry_run)
		tree = sim_borrow(sim_create(sim, write->kind, tree)->now);
	*ret = tree;
	return 0;
}

/* The API server applies a patch first, and compares versions then: the port asks what the object
 * is now when the patch does not fit (kube/write.c). */
static int refused(
	struct client *client, const struct write *write, struct object *object, struct err *err)
{
	if (precondition_holds(object, write->before))
		return ERR_INVALID;
	int code = call(client, err);
	if (code != 0)
		return code;
	if (object->now == NULL)
		return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", write->kind->plural,
			write->name);
	return conflict(write, err);
}

static int update(struct client *client, const struct write *write, struct object *object,
	json **ret, struct err *err)
{
	AUTO_JSON patch = patch_from_difference(write->before, write->after);
	if (json_count(patch) == 0) {
		*ret = json_copy(write->before);
		return 0;
	}
	AUTO_JSON tree = json_copy(object->now);
	if (patch_apply(&tree, patch, err) != 0)
		return refused(client, write, object, err);
	if (!precondition_holds(object, write->before))
		return conflict(write, err);
	if (write->dry_run) {
		*ret = TAKE(tree);
		return 0;
	}
	if (!json_equal(tree, object->now))
		sim_put(client->sim, object, TAKE(tree));
	*ret = sim_borrow(object->now);
	return 0;
}

static int perform_in(struct client *client, const struct write *write, json **ret, struct err *err)
{
	struct sim *sim = client->sim;
	if (write->verb == WRITE_CREATE)
		return create(sim, write, ret, err);
	struct object *object = sim_find(sim, write->kind, write->namespace, write->name);
	if (object == NULL)
		return err_set(err, ERR_NOT_FOUND, "%s \"%s\" not found", write->kind->plural,
			write->name);
	if (write->verb == WRITE_UPDATE)
		return update(client, write, object, ret, err);
	if (!precondition_holds(object, write->before))
		return conflict(write, err);
	sim_delete(sim, object, write->propagation);
	return 0;
}

static int perform(struct client *client, const struct write *write, json **ret, struct err *err)
{
	struct duty duty;
	struct invariants *invariants = client->sim->invariants;
	/* What it is about to do follows from what was before pods died. */
	if (client->pods_at < invariants->wounded_at && !write->dry_run &&
		write->kind != &KIND_CONFIG_MAP)
		invariants->wounded = true;
	invariants_check_write(client->sim, write);
	duty_begin(client, write, &duty);
	int code = perform_in(client, write, ret, err);
	if (code == 0)
		duty_check(client, write, &duty);
	return code;
}

static void trace_write(const struct client *client, const struct write *write, int code)
{
	static const char *const VERBS[] = {"create", "update", "delete"};
	AUTO_JSON patch = write->verb == WRITE_UPDATE
				  ? patch_from_difference(write->before, write->after)
				  : json_array();
	/* The record's text is long, and says little in one line. */
	if (write->kind == &KIND_CONFIG_MAP)
		json_for_each (operation, patch)
			json_remove(operation, "value");
	AUTO_STRING text = json_print(patch);
	(void)fprintf(stderr, "%6lld %s: write %zu: %s %s/%s %.300s: %d\n",
		(long long)client->sim->now_ms, client->id, client->writes, VERBS[write->verb],
		write->kind->singular, write->name, text, code);
}

static int cut_write(struct client *client, const struct write *write, json **ret, struct err *err)
{
	bool dies = client->cut == CUT_BEFORE || client->cut == CUT_AFTER;
	int code = 0;
	if (client->cut == CUT_AFTER || client->cut == CUT_LOST_ANSWER)
		code = perform(client, write, ret, err);
	client->dead = dies;
	if (client->sim->trace)
		(void)fprintf(
			stderr, "%6lld %s: CUT\n", (long long)client->sim->now_ms, client->id);
	/* An answer that refuses is never lost: nothing is unclear then. */
	if (dies)
		return interrupted(err);
	return code != 0 ? code : err_set(err, ERR_UNAVAILABLE, "the server is not there");
}

static int sim_write(void *context, const struct write *write, json **ret_object, struct err *err)
{
	struct client *client = context;
	AUTO_JSON object = NULL;
	enum fault fault;
	int code = begin_call(client, true, &fault, err);
	sim_steps(client->sim, client->sim->pace);
	if (code != 0)
		return code;
	if (!write->dry_run)
		client->writes++;
	if (client->interlude != NULL && !write->dry_run)
		client->interlude(client, client->interlude_context);
	bool cut = client->cut != CUT_NONE && client->writes == client->cut_at;
	code = cut && !write->dry_run ? cut_write(client, write, &object, err)
				      : perform(client, write, &object, err);
	if (client->sim->trace)
		trace_write(client, write, code);
	if (!cut)
		code = end_call(client, fault, code, err);
	if (code == 0 && ret_object != NULL)
		*ret_object = TAKE(object);
	return code;
}

/* --- watching ------------------------------------------------------------------------------- */

struct watch {
	struct client *client;
	struct query *queries;
	size_t *positions, *starts;
	size_t count;
};

static int watch_open(void *context, const struct query *queries, const json *const *lists,
	size_t count, struct watch **ret, struct err *err)
{
	struct client *client = context;
	int code = call(client, err);
	if (code != 0)
		return code;
	struct watch *watch = mem_alloc(1, sizeof(*watch));
	watch->client = client;
	watch->count = count;
	watch->queries = mem_alloc(count, sizeof(*watch->queries));
	watch->positions = mem_alloc(count, sizeof(*watch->positions));
	watch->starts = mem_alloc(count, sizeof(*watch->starts));
	for (size_t i = 0; i < count; i++) {
		const char *version = json_path_text(lists[i], "metadata", "resourceVersion", NULL);
		watch->queries[i] = query_copy(&queries[i]);
		watch->starts[i] = watch->positions[i] = strtoul(version, NULL, 10);
	}
	*ret = watch;
	return 0;
}

static void watch_close(struct watch *watch)
{
	if (watch == NULL)
		return;
	for (size_t i = 0; i < watch->count; i++)
		query_release(&watch->queries[i]);
	free(watch->queries);
	free(watch->positions);
	free(watch->starts);
	free(watch);
}

static json *make_event(const char *type, const json *tree)
{
	json *event = json_object();
	json_set_text(event, "type", type);
	json_set(event, "object", sim_borrow(tree));
	return event;
}

/* The next event that a query has to tell, or NULL. */
static json *next_event(struct watch *watch, size_t index)
{
	const struct sim *sim = watch->client->sim;
	const struct query *query = &watch->queries[index];
	while (watch->positions[index] < sim->event_count) {
		size_t place = watch->positions[index]++;
		const struct event *event = &sim->events[place];
		if (event->object->kind != query->kind)
			continue;
		if (query_matches(query, event->tree))
			return make_event(event->type, event->tree);
		/* What matched before and does not any more is gone for this watch. */
		while (place-- > 0 && sim->events[place].object != event->object)
			continue;
		if (place != (size_t)-1 && query_matches(query, sim->events[place].tree))
			return make_event("DELETED", event->tree);
	}
	return NULL;
}

static bool take_event(struct watch *watch, size_t *ret_index, json **ret_event)
{
	size_t start = sim_random(watch->client->sim, watch->count);
	for (size_t i = 0; i < watch->count; i++) {
		size_t index = (start + i) % watch->count;
		json *event = next_event(watch, index);
		if (event == NULL)
			continue;
		*ret_index = index;
		*ret_event = event;
		return true;
	}
	return false;
}

/* Breaks by chance; or tells again what it told before, from some point on. */
static int disturb(struct watch *watch, struct err *err)
{
	const struct faults *faults = watch->client->faults;
	struct sim *sim = watch->client->sim;
	if (sim_random(sim, 300) == 0)
		return err_set(err, ERR_EXPIRED, "too old resource version");
	if (faults == NULL)
		return 0;
	if (sim_random(sim, 1000) < faults->repeated_events) {
		size_t index = sim_random(sim, watch->count);
		size_t told = watch->positions[index] - watch->starts[index];
		watch->positions[index] -= sim_random(sim, told + 1);
	}
	if (sim_random(sim, 1000) >= faults->broken_watches)
		return 0;
	return sim_random(sim, 2) == 0 ? err_set(err, ERR_EXPIRED, "too old resource version")
				       : err_set(err, ERR_UNAVAILABLE, "the watch was broken off");
}

static int watch_next(struct watch *watch, int64_t timeout_ms, size_t *ret_index, json **ret_event,
	struct err *err)
{
	struct client *client = watch->client;
	struct sim *sim = client->sim;
	int64_t end = sim->now_ms + timeout_ms;
	int code = call(client, err);
	if (code != 0)
		return code;
	if (client->waiting != NULL)
		client->waiting(client, client->waiting_context);
	for (;;) {
		/* Watches lag, and break now and then. */
		if ((code = disturb(watch, err)) != 0)
			return code;
		if (sim_random(sim, 3) == 0 && take_event(watch, ret_index, ret_event))
			return 1;
		if (sim->now_ms >= end)
			return take_event(watch, ret_index, ret_event) ? 1 : 0;
		/* Before nothing happens for a while, what has happened gets here. */
		if (sim_is_idle(sim) && take_event(watch, ret_index, ret_event))
			return 1;
		crowd_wait(sim, end, true);
	}
}

/* --- the host ------------------------------------------------------------------------------- */

static int64_t monotonic_ms(void *context)
{
	const struct client *client = context;
	return client->sim->now_ms;
}

static void wall_time(void *context, char ret[32])
{
	const struct client *client = context;
	sim_wall_time(client->sim, ret);
}

static int sim_sleep(void *context, int64_t ms, struct err *err)
{
	struct client *client = context;
	int64_t end = client->sim->now_ms + ms;
	if (client->dead || client->interrupted)
		return interrupted(err);
	while (client->sim->now_ms < end)
		crowd_wait(client->sim, end, false);
	return 0;
}

static void clear_interrupt(void *context)
{
	struct client *client = context;
	client->interrupted = false;
}

static int is_alive(void *context, const char *machine, const char *process)
{
	const struct client *client = context;
	if (!str_equal(machine, client->machine))
		return -1;
	return client->runs != NULL ? client->runs(client->runs_context, process)
				    : str_equal(process, "alive");
}

/* --- the observer --------------------------------------------------------------------------- */

static void observe_text(void *context, const char *text)
{
	struct client *client = context;
	char *notes = mem_format("%s%s\n", client->notes == NULL ? "" : client->notes, text);
	free(client->notes);
	client->notes = notes;
	if (client->sim->trace)
		(void)fprintf(
			stderr, "%6lld %s: %s\n", (long long)client->sim->now_ms, client->id, text);
}

static void observe_waiting(void *context, const struct situation *situation, const char *text)
{
	const struct client *client = context;
	(void)situation;
	if (client->sim->trace)
		(void)fprintf(stderr, "%6lld %s: waiting until %s\n",
			(long long)client->sim->now_ms, client->id, text);
}

void client_init(struct client *client, struct sim *sim, const char *id)
{
	*client = (struct client){
		.sim = sim,
		.id = id,
		.machine = sim_random(sim, 2) == 0 ? "here" : "there",
		.process = "dead",
		.ports =
			{
				.api = {.list = sim_list,
					.write = sim_write,
					.watch_open = watch_open,
					.watch_next = watch_next,
					.watch_close = watch_close},
				.host = {.monotonic_ms = monotonic_ms,
					.wall_time = wall_time,
					.sleep = sim_sleep,
					.is_alive = is_alive,
					.clear_interrupt = clear_interrupt},
				.observer = {.done = observe_text,
					.note = observe_text,
					.waiting = observe_waiting},
			},
	};
	client->ports.api.context = client;
	client->ports.host.context = client;
	client->ports.observer.context = client;
}

void client_release(struct client *client)
{
	free(client->notes);
	client->notes = NULL;
}
