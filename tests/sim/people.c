#include "sim/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/invariants.h"

#define FOREIGN_IMAGE "registry/web:v9"
#define FOREIGN_WEIGHT 77
#define NOTE "example.com/other"
#define NODES 3

static void show(const struct people *people, const char *what)
{
	if (people->sim->trace)
		(void)fprintf(stderr, "%6lld somebody %s\n", (long long)people->sim->now_ms, what);
}

/* --- edits ---------------------------------------------------------------------------------- */

/* The user's route, whatever it is; or NULL. */
static struct object *find_route(struct sim *sim)
{
	struct object *route = sim_find(sim, &KIND_VIRTUAL_SERVICE, NAMESPACE, "web");
	return route != NULL ? route : sim_find(sim, &KIND_HTTP_ROUTE, NAMESPACE, "web");
}

/* The user's Deployment, by the name that it has now. */
static struct object *find_stable(struct sim *sim)
{
	struct object *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web");
	return stable != NULL ? stable : sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web-v2");
}

static json *expected(struct people *people, const struct object *object)
{
	AUTO_STRING key = mem_format("%s/%s", object->kind->name, object->name);
	return json_get(people->before, key);
}

/* A number that was not there before. */
static void next_text(struct sim *sim, char ret[16])
{
	(void)snprintf(ret, 16, "%zu", sim->event_count);
}

static bool annotate(struct people *people)
{
	struct object *stable = find_stable(people->sim);
	json *tree = json_copy(stable->now);
	char text[16];
	next_text(people->sim, text);
	object_set_annotation(tree, NOTE, text);
	object_set_annotation(json_get(people->before, "Deployment/web"), NOTE, text);
	sim_put(people->sim, stable, tree);
	return true;
}

static bool label(struct people *people)
{
	struct object *object = find_route(people->sim);
	if (object == NULL || sim_random(people->sim, 2) == 0)
		object = sim_find(people->sim, &KIND_SERVICE, NAMESPACE, "web");
	json *tree = json_copy(object->now);
	char text[16];
	next_text(people->sim, text);
	object_set_label(tree, NOTE, text);
	object_set_label(expected(people, object), NOTE, text);
	sim_put(people->sim, object, tree);
	return true;
}

/* Behind what the release puts in front of it, the last one is always the same. */
static json *last_route(const json *tree)
{
	const json *routes = json_path(tree, "spec", "http", NULL);
	if (routes == NULL)
		routes = json_path(tree, "spec", "rules", NULL);
	return json_at(routes, json_count(routes) - 1);
}

static bool edit_route(struct people *people)
{
	struct object *object = find_route(people->sim);
	if (object == NULL)
		return false;
	bool istio = object->kind == &KIND_VIRTUAL_SERVICE;
	json *tree = json_copy(object->now);
	json *routes[] = {last_route(tree), last_route(expected(people, object))};
	AUTO_STRING text = mem_format("%zus", people->sim->event_count);
	for (size_t i = 0; i < COUNT_OF(routes); i++)
		json_set_text(istio ? routes[i] : json_ensure_object(routes[i], "timeouts"),
			istio ? "timeout" : "request", text);
	sim_put(people->sim, object, tree);
	return true;
}

static bool set_replicas(struct people *people, int replicas)
{
	struct object *stable = find_stable(people->sim);
	json *tree = json_copy(stable->now);
	json_set_integer(json_get(tree, "spec"), "replicas", replicas);
	sim_put(people->sim, stable, tree);
	return true;
}

static bool scale(struct people *people)
{
	return set_replicas(people, (int)sim_random(people->sim, 9));
}

static json *container_of(const json *deployment)
{
	return json_first(json_path(deployment, "spec", "template", "spec", "containers", NULL));
}

static bool set_image(struct people *people, const char *image)
{
	struct object *stable = find_stable(people->sim);
	json *tree = json_copy(stable->now);
	json_set_text(container_of(tree), "image", image);
	sim_put(people->sim, stable, tree);
	return true;
}

static bool edit_template(struct people *people)
{
	if (people->image != NULL)
		return false;
	people->image =
		mem_strdup(json_get_text(container_of(find_stable(people->sim)->now), "image"));
	return set_image(people, FOREIGN_IMAGE);
}

static struct object *find_copy(struct sim *sim)
{
	return sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web-v2");
}

static bool set_copy_image(struct people *people, const char *from, const char *to)
{
	struct object *copy = find_copy(people->sim);
	if (copy == NULL || !str_equal(json_get_text(container_of(copy->now), "image"), from))
		return false;
	json *tree = json_copy(copy->now);
	json_set_text(container_of(tree), "image", to);
	sim_put(people->sim, copy, tree);
	return true;
}

static bool edit_copy(struct people *people)
{
	return set_copy_image(people, "registry/web:v2", FOREIGN_IMAGE);
}

/* The first destination of the last route that has this weight (-1: that has one). */
static json *find_weight(const json *tree, int64_t weight)
{
	const json *route = last_route(tree);
	const json *list = json_get(route, "route");
	if (list == NULL)
		list = json_get(route, "backendRefs");
	json_for_each (entry, list) {
		int64_t found = json_get_integer(entry, "weight", -1);
		if (found >= 0 && (weight < 0 || found == weight))
			return entry;
	}
	return NULL;
}

static bool change_weight(struct people *people, int64_t from, int64_t to)
{
	struct object *object = find_route(people->sim);
	json *tree = object == NULL ? NULL : json_copy(object->now);
	json *entry = find_weight(tree, from);
	if (entry == NULL) {
		json_free(tree);
		return false;
	}
	people->weight = json_get_integer(entry, "weight", 0);
	json_set_integer(entry, "weight", to);
	sim_put(people->sim, object, tree);
	return true;
}

static bool edit_weight(struct people *people)
{
	return !people->done[DEED_WEIGHT] && change_weight(people, -1, FOREIGN_WEIGHT);
}

/* --- pods ----------------------------------------------------------------------------------- */

static bool is_alive(const struct object *pod)
{
	return pod->now != NULL && !pod->deleting && str_starts(pod->name, "web-");
}

static struct object *choose_pod(struct sim *sim)
{
	size_t count = 0;
	sim_each(pod, sim, &KIND_POD) count += is_alive(pod);
	size_t chosen = sim_random(sim, count);
	sim_each(pod, sim, &KIND_POD) if (is_alive(pod) && chosen-- == 0) return pod;
	return NULL;
}

static bool kill_pod(struct people *people)
{
	struct object *pod = choose_pod(people->sim);
	if (pod == NULL)
		return false;
	pod->doomed = true;
	sim_delete(people->sim, pod, NULL);
	return true;
}

static bool crash_pod(struct people *people)
{
	struct object *pod = choose_pod(people->sim);
	return pod != NULL && pods_crash(people->sim, pod);
}

/* Its pods are not ready at once, and evicted later; which means here, soon. */
static bool lose_node(struct people *people)
{
	size_t node = sim_random(people->sim, NODES);
	bool lost = false;
	sim_each(pod, people->sim, &KIND_POD)
	{
		if (!is_alive(pod) || pod->doomed || pod->number % NODES != node)
			continue;
		pods_lose(people->sim, pod);
		lost = true;
	}
	return lost;
}

/* --- all of it ------------------------------------------------------------------------------ */

static const struct {
	const char *said;
	bool (*act)(struct people *people);
	/* Not while nothing is released: the next release would begin with it. */
	bool disturbs;
	bool wounds; /* pods are not what the tool has made them any more */
	bool of_template;
} DEEDS[DEED_COUNT] = {
	[DEED_ANNOTATE] = {"annotates deployment/web", annotate, .disturbs = false},
	[DEED_LABEL] = {"labels a route or service", label, .disturbs = false},
	[DEED_ROUTE] = {"edits a route's timeout", edit_route, .disturbs = false},
	[DEED_SCALE] = {"scales deployment/web", scale, true, true, false},
	[DEED_TEMPLATE] = {"sets an image of deployment/web", edit_template, true, true, true},
	[DEED_COPY] = {"sets an image of deployment/web-v2", edit_copy, true, true, true},
	[DEED_WEIGHT] = {"edits a route's weight", edit_weight, true, true, false},
	[DEED_KILL] = {"deletes a pod", kill_pod, .wounds = true},
	[DEED_CRASH] = {"sees a pod crash", crash_pod, .wounds = true},
	[DEED_NODE] = {"loses a node", lose_node, .wounds = true},
};

static bool is_releasing(struct sim *sim)
{
	CLEANUP(record_release) struct record record = {0};
	if (sim_find(sim, &KIND_CONFIG_MAP, NAMESPACE, "batchrollout-web") == NULL)
		return false;
	load_record(sim, &record);
	return !phase_has_ended(record.phase);
}

static bool may_happen(const struct people *people, enum deed deed)
{
	struct sim *sim = people->sim;
	/* In the middle of a handover abort does not know what to do with another template. */
	if (DEEDS[deed].of_template && sim->invariants->finishing)
		return false;
	return people->allowed[deed] && (!DEEDS[deed].disturbs || is_releasing(sim));
}

void people_act(void *context)
{
	struct people *people = context;
	struct sim *sim = people->sim;
	enum deed deed = (enum deed)sim_random(sim, DEED_COUNT);
	if (!may_happen(people, deed))
		return;
	show(people, DEEDS[deed].said);
	struct invariants before = *sim->invariants;
	/* Already while it is done. */
	if (DEEDS[deed].wounds)
		invariants_wound(sim, !DEEDS[deed].disturbs);
	if (!DEEDS[deed].act(people)) {
		*sim->invariants = before;
		return;
	}
	if (DEEDS[deed].wounds)
		invariants_wound(sim, !DEEDS[deed].disturbs);
	people->done[deed] = true;
	people->disturbed = people->disturbed || DEEDS[deed].disturbs;
	/* A takeover takes that ReplicaSet over, too. */
	sim->invariants->stable_sets += deed == DEED_COPY;
	if (deed != DEED_TEMPLATE)
		return;
	people->rolled = true;
	sim->invariants->stable_sets++;
}

/* Only what is still as it was done. */
void people_take_back_image(struct people *people, bool completed, bool aborted)
{
	const json *stable = find_stable(people->sim)->now;
	const char *image = json_get_text(container_of(stable), "image");
	if (people->image == NULL || !str_equal(image, FOREIGN_IMAGE))
		return;
	show(people, "takes the image back");
	invariants_wound(people->sim, false);
	people->sim->invariants->stable_sets++;
	(void)set_image(people, completed ? "registry/web:v2"
				: aborted ? "registry/web:v1"
					  : people->image);
	free(people->image);
	people->image = NULL;
}

void people_take_back(struct people *people)
{
	show(people, "takes everything but an image back");
	if (people->done[DEED_SCALE])
		(void)set_replicas(people, people->replicas);
	if (people->done[DEED_COPY])
		(void)set_copy_image(people, FOREIGN_IMAGE, "registry/web:v2");
	if (people->done[DEED_WEIGHT])
		(void)change_weight(people, FOREIGN_WEIGHT, people->weight);
	memset(people->done, 0, sizeof(people->done));
}

void people_expect_annotations(struct people *people)
{
	/* The controller copies the annotation to one ReplicaSet or another. */
	json_for_each (tree, people->before) {
		const struct object *set =
			sim_find(people->sim, &KIND_REPLICA_SET, NAMESPACE, object_name(tree));
		if (set != NULL && str_starts(json_key(tree), "ReplicaSet/"))
			object_set_annotation(tree, NOTE, object_annotation(set->now, NOTE));
	}
}

void people_release(struct people *people)
{
	free(people->image);
	json_free(people->before);
}
