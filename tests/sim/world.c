#include "sim/world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sim/configs.h"
#include "sim/invariants.h"

const char *const WORLD_NAMES[WORLD_COUNT] = {
	[WORLD_REPLICAS] = "replicas",
	[WORLD_ISTIO] = "istio",
	[WORLD_ROUTED] = "routed",
	[WORLD_SUBSETS] = "subsets",
	[WORLD_NAMED_SUBSETS] = "named subsets",
	[WORLD_RULES] = "rules",
	[WORLD_GATEWAY] = "gateway",
	[WORLD_SELECTED] = "selected",
	[WORLD_PARENT] = "parent",
	[WORLD_AUTOSCALED] = "autoscaled",
	[WORLD_CONFIG] = "config",
};

/* Single quotes for double ones, so that it reads in C. */
static json *parse(const struct sim *sim, const char *text)
{
	AUTO_STRING quoted = mem_strdup(text);
	for (char *c = quoted; *c != '\0'; c++)
		*c = *c == '\'' ? '"' : *c;
	json *tree = NULL;
	struct err err = {0};
	if (json_parse(quoted, strlen(quoted), &tree, &err) != 0)
		sim_fail(sim, "%s", err.message);
	return tree;
}

static struct object *add_in(struct sim *sim, const char *namespace, const struct kind *kind,
	const char *name, const char *spec)
{
	json *tree = object_new(kind, namespace, name);
	object_set_label(tree, "team", "shop");
	object_set_annotation(tree, "example.com/note", "keep me");
	json_set(tree, "spec", parse(sim, spec));
	return sim_create(sim, kind, tree);
}

static struct object *add(
	struct sim *sim, const struct kind *kind, const char *name, const char *spec)
{
	return add_in(sim, NAMESPACE, kind, name, spec);
}

/* Where the user labels pods by version. */
static bool is_labeled(enum world world)
{
	return world == WORLD_SUBSETS || world == WORLD_NAMED_SUBSETS || world == WORLD_PARENT ||
	       world == WORLD_SELECTED;
}

static bool has_rules(enum world world)
{
	return world == WORLD_RULES || world == WORLD_PARENT;
}

static void set_image(json *spec, const char *image)
{
	json_set_text(json_first(json_path(spec, "template", "spec", "containers", NULL)), "image",
		image);
}

/* With a version before in its history, unless the setting says another. */
static void add_deployment(struct sim *sim, const struct setting *setting)
{
	AUTO_JSON spec = parse(sim,
		"{'revisionHistoryLimit': 10, 'progressDeadlineSeconds': 600, "
		"'selector': {'matchLabels': {'app': 'web'}}, 'strategy': {'type': "
		"'RollingUpdate', 'rollingUpdate': {'maxSurge': '25%', 'maxUnavailable': '25%'}}, "
		"'template': {'metadata': {'labels': {'app': 'web', 'sidecar.istio.io/inject': "
		"'true'}}, 'spec': {'containers': [{'name': 'web', 'image': "
		"'registry/web:v0'}]}}}");
	json_set_integer(spec, "replicas", setting->replicas);
	if (is_labeled(setting->world))
		map_set_text(
			json_path(spec, "template", "metadata", NULL), "labels", "version", "v1");
	if (setting->world == WORLD_SELECTED)
		map_set_text(json_get(spec, "selector"), "matchLabels", "version", "v1");
	if (setting->world == WORLD_CONFIG)
		json_set(json_first(json_path(spec, "template", "spec", "containers", NULL)),
			"envFrom", parse(sim, CONFIG_REFERENCES));
	AUTO_JSON more = setting->spec == NULL ? NULL : parse(sim, setting->spec);
	json_for_each (member, more)
		json_set(spec, json_key(member), json_copy(member));
	if (setting->earlier_image != NULL)
		set_image(spec, setting->earlier_image);
	AUTO_STRING text = json_print(spec);
	struct object *deployment = add(sim, &KIND_DEPLOYMENT, "web", text);
	sim_run_for(sim, 20000);
	json *tree = json_copy(deployment->now);
	set_image(json_get(tree, "spec"), "registry/web:v1");
	if (setting->twin && !is_labeled(setting->world)) {
		json *labeled = json_copy(tree);
		map_set_text(json_path(labeled, "spec", "template", "metadata", NULL), "labels",
			"version", "v1");
		sim_put(sim, deployment, labeled);
		sim_run_for(sim, 20000);
		json_set(json_get(tree, "metadata"), "annotations",
			json_copy(json_path(deployment->now, "metadata", "annotations", NULL)));
	}
	sim_put(sim, deployment, tree);
}

static void add_routes(struct sim *sim, const char *destination)
{
	AUTO_STRING spec = mem_format(
		"{'hosts': ['web'], 'http': ["
		"{'match': [{'uri': {'prefix': '/old'}}], 'redirect': {'uri': '/new'}},"
		"{'name': 'debug', 'match': [{'headers': {'x-debug': {'exact': '1'}}}], 'timeout': "
		"'9s', 'route': [{'destination': {%s}, 'headers': {'request': {'set': {'a': "
		"'b'}}}}]},"
		"{'name': 'main', 'retries': {'attempts': 2}, 'route': [{'destination': {%s}, "
		"'weight': 90}, {'destination': {'host': 'other'}, 'weight': 10}]}]}",
		destination, destination);
	(void)add(sim, &KIND_VIRTUAL_SERVICE, "web", spec);
}

/* Clients in another namespace, with a DestinationRule of their own. */
static void add_elsewhere(struct sim *sim)
{
	(void)add_in(sim, "edge", &KIND_VIRTUAL_SERVICE, "edge",
		"{'hosts': ['shop.example'], 'gateways': ['public'], 'http': [{'match': [{'uri': "
		"{'prefix': '/a'}}, {'headers': {'x-user': {'prefix': 'te'}}}], 'route': "
		"[{'destination': {'host': 'web.shop.svc.cluster.local'}}]}]}");
	(void)add_in(sim, "edge", &KIND_DESTINATION_RULE, "edge-web",
		"{'host': 'web.shop.svc.cluster.local', 'trafficPolicy': {'loadBalancer': "
		"{'simple': 'RANDOM'}}}");
}

#define BACKEND(name) "{'group': '', 'kind': 'Service', 'name': '" name "', 'port': 80, "
#define PREFIX(path) "'path': {'type': 'PathPrefix', 'value': '" path "'}"

static void add_httproute(struct sim *sim, const char *name, const char *parent)
{
	AUTO_STRING spec = mem_format(
		"{'parentRefs': [%s], 'rules': ["
		"{'matches': [{" PREFIX(
			"/old") "}], 'filters': [{'type': 'RequestRedirect', "
				"'requestRedirect': {'hostname': 'new.example'}}]},"
				"{'name': 'debug', 'matches': [{" PREFIX(
					"/") ", 'headers': [{'type': 'Exact', "
					     "'name': 'x-debug', 'value': '1'}]}], 'timeouts': "
					     "{'request': '9s'}, 'backendRefs': "
					     "[" BACKEND(
						     "web") "'weight': 1, 'filters': [{'type': "
							    "'RequestHeaderModifier', "
							    "'requestHeaderModifier': {'set': "
							    "[{'name': 'a', 'value': 'b'}]}}]}]},"
							    "{'matches': [{" PREFIX(
								    "/") "}], 'backendRefs': "
									 "[" BACKEND(
										 "web") "'weigh"
											"t': "
											"90},"
											" " BACKEND(
												"ot"
												"he"
												"r") "'weight': 10}]}]}",
		parent);
	(void)add(sim, &KIND_HTTP_ROUTE, name, spec);
}

static void add_gateway(struct sim *sim, enum world world)
{
	static const char GATEWAY[] = "{'group': 'gateway.networking.k8s.io', 'kind': 'Gateway', "
				      "'name': 'public'}";
	static const char SERVICE[] = "{'group': '', 'kind': 'Service', 'name': 'web'}";
	(void)add(sim, &KIND_SERVICE, "other", "{'selector': {'app': 'db'}}");
	add_httproute(sim, "web", world == WORLD_PARENT ? SERVICE : GATEWAY);
	if (world == WORLD_PARENT)
		add_httproute(sim, "edge", GATEWAY);
}

static void add_istio(struct sim *sim, enum world world)
{
	(void)add(sim, &KIND_VIRTUAL_SERVICE, "other",
		"{'hosts': ['other'], 'http': [{'route': [{'destination': {'host': 'other'}}]}]}");
	(void)add(sim, &KIND_DESTINATION_RULE, "other", "{'host': 'other'}");
	if (world == WORLD_ISTIO)
		return;
	if (world == WORLD_RULES) {
		add_elsewhere(sim);
		add_routes(sim, "'host': 'web'");
		return;
	}
	if (world == WORLD_ROUTED) {
		(void)add(sim, &KIND_DESTINATION_RULE, "web",
			"{'host': 'web', 'trafficPolicy': {'connectionPool': {'tcp': "
			"{'maxConnections': 100}}}}");
		add_routes(sim, "'host': 'web'");
		return;
	}
	const char *name = world == WORLD_NAMED_SUBSETS ? "prod" : "v1";
	AUTO_STRING rules = mem_format("{'host': 'web', 'subsets': [{'name': '%s', 'labels': "
				       "{'version': 'v1'}}, {'name': 'unrelated', 'labels': "
				       "{'version': 'v0'}}]}",
		name);
	AUTO_STRING destination =
		mem_format("'host': 'web.shop.svc.cluster.local', 'subset': '%s'", name);
	(void)add(sim, &KIND_DESTINATION_RULE, "web", rules);
	add_routes(sim, destination);
}

/* Both would scale stable while it gives up pods: below the minimum, above the maximum. */
static void add_autoscalers(struct sim *sim, const struct setting *setting)
{
	AUTO_STRING autoscaler = mem_format(
		"{'scaleTargetRef': {'apiVersion': 'apps/v1', 'kind': 'Deployment', 'name': "
		"'web'}, "
		"'minReplicas': %d, 'maxReplicas': 6, 'metrics': [{'type': 'Resource', 'resource': "
		"{'name': 'cpu', 'target': {'type': 'Utilization', 'averageUtilization': 50}}}]}",
		setting->replicas < 6 ? setting->replicas : 6);
	sim->autoscaled = true;
	sim->autoscaler_period_ms = 2000;
	(void)add(sim, &KIND_HORIZONTAL_POD_AUTOSCALER, "web", autoscaler);
	(void)add(sim, &KIND_HORIZONTAL_POD_AUTOSCALER, "db",
		"{'scaleTargetRef': {'kind': 'Deployment', 'name': 'db'}, 'maxReplicas': 3}");
	(void)add(sim, &KIND_SCALED_OBJECT, "queue",
		"{'scaleTargetRef': {'name': 'web'}, 'minReplicaCount': 2, 'maxReplicaCount': 9}");
}

struct sim *world_new(const struct setting *setting)
{
	struct sim *sim = sim_new(setting->seed);
	sim->gateway = setting->world == WORLD_GATEWAY || setting->world == WORLD_PARENT;
	sim->istio = setting->world != WORLD_REPLICAS && setting->world != WORLD_AUTOSCALED &&
		     setting->world != WORLD_CONFIG && !sim->gateway;
	(void)add(sim, &KIND_SERVICE, "web",
		"{'clusterIP': '10.0.0.1', 'selector': {'app': 'web'}, 'ports': [{'name': 'http', "
		"'port': 80}]}");
	(void)add(sim, &KIND_SERVICE, "db", "{'selector': {'app': 'db'}}");
	(void)add(sim, &KIND_DEPLOYMENT, "db",
		"{'replicas': 1, 'selector': {'matchLabels': {'app': 'db'}}, 'template': "
		"{'metadata': {'labels': {'app': 'db'}}, 'spec': {'containers': [{'name': 'db', "
		"'image': 'db:1'}]}}}");
	if (setting->world == WORLD_CONFIG)
		configs_add(sim);
	add_deployment(sim, setting);
	if (sim->istio)
		add_istio(sim, setting->world);
	if (setting->world == WORLD_AUTOSCALED)
		add_autoscalers(sim, setting);
	if (sim->gateway)
		add_gateway(sim, setting->world);
	sim_run_for(sim, 20000);
	invariants_begin(sim, setting->replicas);
	return sim;
}

int world_batches(const struct setting *setting)
{
	return (has_rules(setting->world) ? 1 : 0) + (int)strtol(setting->batches, NULL, 10);
}

struct start_options world_options(const struct setting *setting)
{
	static char rule[] = "header:x-user=tester";
	static char *rules[] = {rule};
	bool with_rules = has_rules(setting->world);
	static char image[] = "registry/web:v2";
	static char *images[] = {image};
	return (struct start_options){
		.namespace = NAMESPACE,
		.service = "web",
		.images = {.items = images, .count = 1},
		.configs = setting->world == WORLD_CONFIG ? configs_documents() : NULL,
		.match = {.items = rules, .count = with_rules ? 1 : 0},
		.sticky = setting->world == WORLD_RULES,
		.batches = setting->batches,
		.steps = setting->steps,
		.pause = setting->pause,
		.hpa = setting->hpa,
		.timeout = "60s",
		.settle = setting->settle,
		.keep_stable = setting->keep_stable,
		.handover = setting->handover,
		.hold = setting->hold,
	};
}

/* --- afterwards ----------------------------------------------------------------------------- */

static const struct kind *const COMPARED[] = {&KIND_DEPLOYMENT, &KIND_REPLICA_SET, &KIND_SERVICE,
	&KIND_VIRTUAL_SERVICE, &KIND_DESTINATION_RULE, &KIND_HTTP_ROUTE,
	&KIND_HORIZONTAL_POD_AUTOSCALER, &KIND_SCALED_OBJECT, &KIND_POD, &KIND_CONFIG_MAP,
	&KIND_SECRET};

json *world_snapshot(const struct sim *sim)
{
	json *snapshot = json_object();
	for (size_t i = 0; i < COUNT_OF(COMPARED); i++)
		sim_each(object, sim, COMPARED[i])
		{
			if (object->now == NULL || is_record(object))
				continue;
			AUTO_STRING key = mem_format("%s/%s", object->kind->name, object->name);
			json *tree = json_copy(object->now);
			json_remove(tree, "status");
			json_remove(json_get(tree, "metadata"), "resourceVersion");
			json_remove(json_get(tree, "metadata"), "generation");
			json_set(snapshot, key, tree);
		}
	return snapshot;
}

/* What a Deployment that was made again has new: its identity, and ReplicaSets that are called
 * after the template that it was made with. */
static void forget_identity(json *snapshot)
{
	AUTO_JSON names = json_array();
	json_for_each (tree, snapshot) {
		json *metadata = json_get(tree, "metadata");
		if (str_starts(json_key(tree), "ReplicaSet/web-"))
			json_append(names, json_string(json_key(tree)));
		if (!str_starts(json_key(tree), "Deployment/web"))
			continue;
		json_remove(metadata, "uid");
		json_remove(metadata, "creationTimestamp");
	}
	json_for_each (name, names)
		json_remove(snapshot, json_text(name));
}

/* The revision counts up when the Deployment has been to the new version and back. */
static void forget_revisions(json *snapshot)
{
	json_for_each (tree, snapshot) {
		object_set_annotation(tree, "deployment.kubernetes.io/revision", NULL);
		object_set_annotation(tree, "deployment.kubernetes.io/revision-history", NULL);
		object_set_annotation(tree, "deployment.kubernetes.io/desired-replicas", NULL);
		object_set_annotation(tree, "deployment.kubernetes.io/max-replicas", NULL);
	}
}

/* Pods come and go with scaling: what counts is what they are like. Takes them out of the snapshot;
 * returns how many of the Service there are. */
static int take_pods(const struct sim *sim, json *snapshot, json **ret_example)
{
	int count = 0;
	AUTO_JSON names = json_array();
	json_for_each (tree, snapshot)
		if (str_starts(json_key(tree), "Pod/"))
			json_append(names, json_string(json_key(tree)));
	json_for_each (name, names) {
		AUTO_JSON pod = json_detach(snapshot, json_text(name));
		if (!str_equal(object_label(pod, "app"), "web"))
			continue;
		count++;
		json *metadata = json_get(pod, "metadata");
		json_remove(metadata, "name");
		json_remove(metadata, "uid");
		json_remove(metadata, "creationTimestamp");
		if (sim->invariants->swapped) {
			json_remove(metadata, "ownerReferences");
			object_set_label(pod, "pod-template-hash", NULL);
		}
		if (*ret_example == NULL)
			*ret_example = json_copy(pod);
		else if (!json_equal(pod, *ret_example))
			sim_fail(sim, "not all pods of the Service are alike");
	}
	return count;
}

/* Of both snapshots, which must have as many. */
static void take_all_pods(
	const struct sim *sim, json *found, json *expected, json **ret_pod, json **ret_expected_pod)
{
	int count = take_pods(sim, found, ret_pod);
	if (count != take_pods(sim, expected, ret_expected_pod))
		sim_fail(sim, "there are %d pods", count);
}

static void assert_equal(
	const struct sim *sim, const char *what, const json *found, const json *expected)
{
	if (json_equal(found, expected))
		return;
	AUTO_STRING found_text = found == NULL ? mem_strdup("absent") : json_print(found);
	AUTO_STRING expected_text = expected == NULL ? mem_strdup("absent") : json_print(expected);
	(void)fprintf(stderr, "%s\nis       %s\nexpected %s\n", what, found_text, expected_text);
	sim_fail(sim, "%s is not as it should be", what);
}

/* None carries the release any more, and none was left without whoever scales it. */
static void check_sets(const struct sim *sim, const json *snapshot)
{
	json_for_each (tree, snapshot) {
		if (!str_starts(json_key(tree), "ReplicaSet/web-"))
			continue;
		const struct object *owner = sim_find_uid(sim, object_controller_uid(tree));
		if (object_annotation(tree, RELEASE_ANNOTATION) != NULL ||
			object_label(tree, SERVICE_LABEL) != NULL)
			sim_fail(sim, "%s has a mark of the release", json_key(tree));
		if (owner == NULL || owner->now == NULL)
			sim_fail(sim, "%s has no controller", json_key(tree));
	}
}

/* Takes out what has no counterpart: the new version's ReplicaSet in the history. */
static void drop_new_sets(json *snapshot, const json *expected)
{
	AUTO_JSON names = json_array();
	json_for_each (tree, snapshot)
		if (str_starts(json_key(tree), "ReplicaSet/web-") &&
			json_get(expected, json_key(tree)) == NULL)
			json_append(names, json_string(json_key(tree)));
	json_for_each (name, names)
		json_remove(snapshot, json_text(name));
}

static void assert_trees(const struct sim *sim, const json *found, const json *expected)
{
	json_for_each (tree, expected)
		assert_equal(sim, json_key(tree), json_get(found, json_key(tree)), tree);
	json_for_each (tree, found)
		assert_equal(sim, json_key(tree), tree, json_get(expected, json_key(tree)));
}

void world_assert_restored(struct sim *sim, const json *snapshot, bool finished)
{
	sim_run_for(sim, 30000);
	AUTO_JSON found = world_snapshot(sim);
	AUTO_JSON expected = json_copy(snapshot);
	AUTO_JSON pod = NULL;
	AUTO_JSON expected_pod = NULL;
	check_sets(sim, found);
	take_all_pods(sim, found, expected, &pod, &expected_pod);
	assert_equal(sim, "the pods", pod, expected_pod);
	if (finished) {
		drop_new_sets(found, expected);
		forget_revisions(found);
		forget_revisions(expected);
		configs_forget_dropped(found);
		configs_forget_dropped(expected);
	}
	if (sim->invariants->swapped) {
		forget_identity(found);
		forget_identity(expected);
	}
	assert_trees(sim, found, expected);
}

static bool is_swapped(const struct setting *setting)
{
	return setting->world == WORLD_SELECTED || str_equal(setting->handover, "swap");
}

/* The copy has taken the Deployment's place. */
static void expect_swap(json *expected)
{
	json *deployment = json_detach(expected, "Deployment/web");
	json_set_text(json_get(deployment, "metadata"), "name", "web-v2");
	map_set_text(
		json_path(deployment, "spec", "selector", NULL), "matchLabels", "version", "v2");
	json_set(expected, "Deployment/web-v2", deployment);
	static const char *const SCALERS[] = {"HorizontalPodAutoscaler/web", "ScaledObject/queue"};
	for (size_t i = 0; i < COUNT_OF(SCALERS); i++) {
		json *target = json_path(expected, SCALERS[i], "spec", "scaleTargetRef", NULL);
		if (target != NULL)
			json_set_text(target, "name", "web-v2");
	}
	AUTO_JSON names = json_array();
	json_for_each (tree, expected)
		if (str_starts(json_key(tree), "ReplicaSet/web-"))
			json_append(names, json_string(json_key(tree)));
	json_for_each (name, names)
		json_remove(expected, json_text(name));
}

/* What the user's objects are when the new version has taken over. */
static void expect_new_version(json *expected, const struct setting *setting)
{
	json *spec = json_path(expected, "Deployment/web", "spec", NULL);
	json *container = json_first(json_path(spec, "template", "spec", "containers", NULL));
	json_set_text(container, "image", "registry/web:v2");
	/* Pods that are taken over keep the label. */
	if (is_labeled(setting->world) || !str_equal(setting->handover, "rolling"))
		map_set_text(
			json_path(spec, "template", "metadata", NULL), "labels", "version", "v2");
	if (is_swapped(setting))
		expect_swap(expected);
	if (!is_labeled(setting->world) || setting->world == WORLD_PARENT)
		return;
	json *subset =
		json_first(json_path(expected, "DestinationRule/web", "spec", "subsets", NULL));
	json_set_text(json_get(subset, "labels"), "version", "v2");
	if (setting->world == WORLD_NAMED_SUBSETS)
		return;
	json_set_text(subset, "name", "v2");
	json_for_each (route, json_path(expected, "VirtualService/web", "spec", "http", NULL))
		json_for_each (entry, json_get(route, "route"))
			if (json_path(entry, "destination", "subset", NULL) != NULL)
				json_set_text(json_get(entry, "destination"), "subset", "v2");
}

/* The old ReplicaSet is empty now. */
static void expect_empty_set(json *expected)
{
	json_for_each (tree, expected)
		if (str_starts(json_key(tree), "ReplicaSet/web-"))
			json_set_integer(json_get(tree, "spec"), "replicas", 0);
}

void world_assert_completed(struct sim *sim, const json *snapshot, const struct setting *setting)
{
	sim_run_for(sim, 30000);
	AUTO_JSON found = world_snapshot(sim);
	AUTO_JSON expected = json_copy(snapshot);
	AUTO_JSON pod = NULL;
	AUTO_JSON old_pod = NULL;
	check_sets(sim, found);
	take_all_pods(sim, found, expected, &pod, &old_pod);
	const char *image =
		json_get_text(json_first(json_path(pod, "spec", "containers", NULL)), "image");
	if (!str_equal(image, "registry/web:v2"))
		sim_fail(sim, "the pods run %s", image);
	expect_new_version(expected, setting);
	if (setting->world == WORLD_CONFIG)
		configs_expect(sim, expected, found);
	expect_empty_set(expected);
	drop_new_sets(found, expected);
	if (is_swapped(setting)) {
		forget_identity(found);
		forget_identity(expected);
	}
	forget_revisions(found);
	forget_revisions(expected);
	assert_trees(sim, found, expected);
}

void world_assert_undone(struct sim *sim, const json *snapshot, const struct setting *setting)
{
	sim_run_for(sim, 30000);
	AUTO_JSON found = world_snapshot(sim);
	AUTO_JSON expected = json_copy(snapshot);
	AUTO_JSON pod = NULL;
	AUTO_JSON old_pod = NULL;
	check_sets(sim, found);
	take_all_pods(sim, found, expected, &pod, &old_pod);
	assert_equal(sim, "the pods' spec", json_get(pod, "spec"), json_get(old_pod, "spec"));
	const char *name = is_swapped(setting) ? "Deployment/web-v1" : "Deployment/web";
	const json *deployment = json_get(found, name);
	assert_equal(sim, name, json_path(deployment, "spec", "template", "spec", NULL),
		json_path(expected, "Deployment/web", "spec", "template", "spec", NULL));
	assert_equal(sim, name, json_path(deployment, "spec", "replicas", NULL),
		json_path(expected, "Deployment/web", "spec", "replicas", NULL));
	/* Routes name the old version again. */
	static const char *const SAME[] = {
		"Service/", "VirtualService/", "DestinationRule/", "HTTPRoute/"};
	for (size_t i = 0; i < COUNT_OF(SAME); i++) {
		json_for_each (tree, expected)
			if (str_starts(json_key(tree), SAME[i]))
				assert_equal(
					sim, json_key(tree), json_get(found, json_key(tree)), tree);
		json_for_each (tree, found)
			if (str_starts(json_key(tree), SAME[i]))
				assert_equal(sim, json_key(tree), tree,
					json_get(expected, json_key(tree)));
	}
}
