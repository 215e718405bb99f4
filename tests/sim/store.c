/* The API server's objects, their versions, and the log of their changes. */
#include "sim/sim.h"

#include <inttypes.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/crowd.h"
#include "sim/invariants.h"

struct sim *sim_new(uint64_t seed)
{
	struct sim *sim = mem_alloc(1, sizeof(*sim));
	sim->seed = seed;
	sim->random = seed * 0x9E3779B97F4A7C15U + 1;
	sim->trace = getenv("SIM_TRACE") != NULL;
	for (size_t i = 0; i < XDS_COUNT; i++)
		sim->proxy_lags_ms[i] = (int64_t)sim_random(sim, PROXY_LAG_MS);
	sim->pace = sim_random(sim, 4);
	return sim;
}

void sim_free(struct sim *sim)
{
	if (sim == NULL)
		return;
	for (size_t i = 0; i < sim->event_count; i++)
		json_free(sim->events[i].tree);
	for (size_t i = 0; i < sim->object_count; i++) {
		free(sim->objects[i]->namespace);
		free(sim->objects[i]->name);
		free(sim->objects[i]->uid);
		free(sim->objects[i]);
	}
	free(sim->events);
	free(sim->objects);
	invariants_free(sim->invariants);
	free(sim);
}

void sim_cleanup(struct sim **sim)
{
	sim_free(*sim);
}

void sim_fail(const struct sim *sim, const char *format, ...)
{
	char text[2048];
	va_list arguments;
	va_start(arguments, format);
	(void)vsnprintf(text, sizeof(text), format, arguments);
	va_end(arguments);
	AUTO_STRING whole = mem_format("%s: %s (at %" PRId64
				       " ms, version %zu; play it again with SIM_SEED=%" PRIu64
				       " SIM_ONLY='%s' SIM_TRACE=1)",
		sim->title, text, sim->now_ms, sim->event_count, sim->seed, sim->title);
	if (sim->child) {
		(void)fprintf(stderr, "%s\n", whole);
		_exit(1);
	}
	if (sim->escape != NULL) {
		(void)fprintf(stderr, "%s: %s (at %" PRId64 " ms, version %zu)\n", sim->title, text,
			sim->now_ms, sim->event_count);
		crowd_escape(sim);
	}
	fail_msg("%s", whole);
	abort();
}

/* splitmix64 */
size_t random_below(uint64_t *state, size_t limit)
{
	uint64_t z = *state += 0x9E3779B97F4A7C15U;
	z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9U;
	z = (z ^ (z >> 27)) * 0x94D049BB133111EBU;
	z ^= z >> 31;
	return limit == 0 ? 0 : (size_t)(z % limit);
}

size_t sim_random(struct sim *sim, size_t limit)
{
	return random_below(&sim->random, limit);
}

void sim_wall_time(const struct sim *sim, char ret[32])
{
	static const time_t BEGIN = 1767225600; /* 2026-01-01 */
	time_t at = BEGIN + (time_t)(sim->now_ms / 1000);
	struct tm parts;
	(void)gmtime_r(&at, &parts);
	(void)strftime(ret, 32, "%Y-%m-%dT%H:%M:%SZ", &parts);
}

struct object *sim_find(
	const struct sim *sim, const struct kind *kind, const char *namespace, const char *name)
{
	sim_each(object, sim, kind) if (object->now != NULL && str_equal(object->name, name) &&
					str_equal(object->namespace, namespace)) return object;
	return NULL;
}

struct object *sim_find_uid(const struct sim *sim, const char *uid)
{
	/* "uid-<number of the object>" */
	if (!str_starts(uid, "uid-"))
		return NULL;
	size_t number = strtoul(uid + 4, NULL, 10);
	return number >= 1 && number <= sim->object_count ? sim->objects[number - 1] : NULL;
}

bool sim_is_current(const struct object *object, enum view view)
{
	return object->now != NULL && object->now == object->views[view];
}

bool sim_pod_is_ready(const json *pod)
{
	json_for_each (condition, json_path(pod, "status", "conditions", NULL))
		if (str_equal(json_get_text(condition, "type"), "Ready"))
			return str_equal(json_get_text(condition, "status"), "True");
	return false;
}

bool sim_is_owned(const json *tree, const char *uid)
{
	json_for_each (owner, json_path(tree, "metadata", "ownerReferences", NULL))
		if (str_equal(json_get_text(owner, "uid"), uid))
			return true;
	return false;
}

/* A line for each change, to read what the controllers did. */
static void trace_event(
	const struct sim *sim, const struct object *object, const char *type, const json *tree)
{
	const json *replicas = json_path(tree, "spec", "replicas", NULL);
	const json *available = json_path(tree, "status", "availableReplicas", NULL);
	(void)fprintf(stderr, "%6" PRId64 " %zu %s %s/%s", sim->now_ms, sim->event_count, type,
		object->kind->singular, object->name);
	if (replicas != NULL)
		(void)fprintf(stderr, " replicas %d, available %d", (int)json_integer(replicas, 0),
			(int)json_integer(available, 0));
	if (object->kind == &KIND_POD)
		(void)fprintf(stderr, " %s%s", object->ready ? "ready" : "not ready",
			object->deleting ? ", going" : "");
	(void)fputc('\n', stderr);
}

bool sim_pod_has_ended(const json *pod)
{
	const char *phase = json_path_text(pod, "status", "phase", NULL);
	return str_equal(phase, "Succeeded") || str_equal(phase, "Failed");
}

bool sim_is_of_routes(const struct kind *kind)
{
	return kind == &KIND_VIRTUAL_SERVICE || kind == &KIND_DESTINATION_RULE ||
	       kind == &KIND_HTTP_ROUTE || kind == &KIND_SERVICE;
}

int64_t sim_generation(const json *tree)
{
	return json_integer(json_path(tree, "metadata", "generation", NULL), 0);
}

static void log_event(struct sim *sim, struct object *object, const char *type, json *tree)
{
	AUTO_STRING version = mem_format("%zu", sim->event_count + 1);
	json_set_text(json_get(tree, "metadata"), "resourceVersion", version);
	if (sim->event_count == sim->event_room) {
		sim->event_room = sim->event_room * 2 + 256;
		sim->events = mem_grow(sim->events, sim->event_room, sizeof(*sim->events));
	}
	sim->events[sim->event_count++] = (struct event){object, type, tree, sim->now_ms};
	bool deleted = str_equal(type, "DELETED");
	object->now = deleted ? NULL : tree;
	sim->route_changes[VIEW_COUNT] += sim_is_of_routes(object->kind);
	if (object->kind == &KIND_POD) {
		object->ready = !deleted && sim_pod_is_ready(tree);
		object->deleting = deleted || object_is_deleting(tree);
	}
	if (sim->trace)
		trace_event(sim, object, type, tree);
	invariants_check(sim);
}

struct object *sim_first(const struct sim *sim, const struct kind *kind)
{
	for (size_t i = 0; i < KINDS_MAXIMUM && sim->kinds[i].kind != NULL; i++)
		if (sim->kinds[i].kind == kind)
			return sim->kinds[i].first;
	return NULL;
}

static void add_of_kind(struct sim *sim, struct object *object)
{
	size_t i = 0;
	while (sim->kinds[i].kind != NULL && sim->kinds[i].kind != object->kind)
		i++;
	struct of_kind *place = &sim->kinds[i];
	place->kind = object->kind;
	if (place->first == NULL)
		place->first = object;
	else
		place->last->next = object;
	place->last = object;
}

struct object *sim_create(struct sim *sim, const struct kind *kind, json *tree_taken)
{
	struct object *object = mem_alloc(1, sizeof(*object));
	object->kind = kind;
	object->namespace = mem_strdup(object_namespace(tree_taken));
	object->name = mem_strdup(object_name(tree_taken));
	object->number = sim->object_count;
	object->uid = mem_format("uid-%zu", sim->object_count + 1);
	object->ready_at = object->gone_at = object->wake_at = object->evicted_at = -1;
	sim->objects = mem_grow(sim->objects, sim->object_count + 1, sizeof(struct object *));
	sim->objects[sim->object_count++] = object;
	add_of_kind(sim, object);

	char now[32];
	sim_wall_time(sim, now);
	json *metadata = json_ensure_object(tree_taken, "metadata");
	json_set_text(metadata, "uid", object->uid);
	json_set_text(metadata, "creationTimestamp", now);
	if (json_get(tree_taken, "spec") != NULL)
		json_set_integer(metadata, "generation", 1);
	log_event(sim, object, "ADDED", tree_taken);
	return object;
}

void sim_put_status(struct sim *sim, struct object *object, json *tree_taken)
{
	/* What changes nothing is no event. */
	if (json_equal(tree_taken, object->now)) {
		json_free(tree_taken);
		return;
	}
	log_event(sim, object, "MODIFIED", tree_taken);
}

static void count_generation(json *tree)
{
	json_set_integer(json_get(tree, "metadata"), "generation", sim_generation(tree) + 1);
}

/* The controller copies a Deployment's annotations to its ReplicaSet, so they count for it. */
static bool makes_generation(const struct object *object, const json *tree)
{
	return !json_equal(json_get(object->now, "spec"), json_get(tree, "spec")) ||
	       (object->kind == &KIND_DEPLOYMENT &&
		       !json_equal(json_path(object->now, "metadata", "annotations", NULL),
			       json_path(tree, "metadata", "annotations", NULL)));
}

void sim_put(struct sim *sim, struct object *object, json *tree_taken)
{
	if (makes_generation(object, tree_taken))
		count_generation(tree_taken);
	sim_put_status(sim, object, tree_taken);
}

void sim_add_owner(json *tree, const struct object *owner)
{
	json *reference = json_object();
	json_set_text(reference, "apiVersion", owner->kind->version);
	json_set_text(reference, "kind", owner->kind->name);
	json_set_text(reference, "name", owner->name);
	json_set_text(reference, "uid", owner->uid);
	json_set_bool(reference, "controller", true);
	json_set_bool(reference, "blockOwnerDeletion", true);
	json_append(json_ensure_array(json_ensure_object(tree, "metadata"), "ownerReferences"),
		reference);
}

void sim_release_from(struct sim *sim, struct object *object, const char *uid)
{
	if (object->now == NULL)
		return;
	json *tree = json_copy(object->now);
	json *metadata = json_get(tree, "metadata");
	json *owners = json_get(metadata, "ownerReferences");
	for (size_t i = json_count(owners); i-- > 0;)
		if (str_equal(json_get_text(json_at(owners, i), "uid"), uid))
			json_free(json_detach_at(owners, i));
	if (json_count(owners) == 0)
		json_remove(metadata, "ownerReferences");
	sim_put(sim, object, tree);
}

void sim_remove(struct sim *sim, struct object *object)
{
	log_event(sim, object, "DELETED", json_copy(object->now));
	sim->garbage = true;
}

static void add_finalizer(json *tree, const char *finalizer)
{
	json_append(json_ensure_array(json_get(tree, "metadata"), "finalizers"),
		json_string(finalizer));
}

void sim_delete(struct sim *sim, struct object *object, const char *propagation)
{
	bool pod = object->kind == &KIND_POD;
	bool orphan = str_equal(propagation, "Orphan");
	bool foreground = str_equal(propagation, "Foreground");
	if (!pod && !orphan && !foreground) {
		sim_remove(sim, object);
		return;
	}
	if (object_is_deleting(object->now))
		return;
	char now[32];
	sim_wall_time(sim, now);
	json *tree = json_copy(object->now);
	json_set_text(json_get(tree, "metadata"), "deletionTimestamp", now);
	if (sim_generation(tree) > 0)
		count_generation(tree);
	if (orphan || foreground)
		add_finalizer(tree, orphan ? "orphan" : "foregroundDeletion");
	sim_put(sim, object, tree);
	object->ready_at = -1;
	if (pod && !object->lost)
		object->gone_at = sim->now_ms + GRACE_MS;
	sim->garbage = true;
}
