#include "release/workload.h"

#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "api/selector.h"
#include "base/str.h"
#include "data/key_set.h"

json *stable_deployment(const struct observation *seen)
{
	return json_first(list_items(seen->lists[SEEN_STABLE]));
}

json *canary_deployment(const struct observation *seen)
{
	return json_first(list_items(seen->lists[SEEN_CANARY]));
}

json *pod_template(const json *workload)
{
	return json_path(workload, "spec", "template", NULL);
}

int wanted_replicas(const json *workload)
{
	return (int)json_integer(json_path(workload, "spec", "replicas", NULL), 1);
}

json *template_labels(const json *workload)
{
	return json_path(workload, "spec", "template", "metadata", "labels", NULL);
}

/* Whether two maps are equal, but for up to two members (NULL: none). */
static bool maps_equal_but(const json *a, const json *b, const char *but, const char *but_too)
{
	size_t left = 0, right = 0;
	json_for_each (member, a) {
		const char *key = json_key(member);
		if (str_equal(key, but) || str_equal(key, but_too))
			continue;
		if (!json_equal(member, json_get(b, key)))
			return false;
		left++;
	}
	json_for_each (member, b)
		right += !str_equal(json_key(member), but) && !str_equal(json_key(member), but_too);
	return left == right;
}

bool templates_equal(const json *a, const json *b, bool ignore_version)
{
	if (a == NULL || b == NULL)
		return false;
	const json *left = json_get(a, "metadata");
	const json *right = json_get(b, "metadata");
	/* The API server writes creationTimestamp into every template, clients leave it out. */
	return maps_equal_but(a, b, "metadata", NULL) &&
	       maps_equal_but(left, right, "labels", "creationTimestamp") &&
	       maps_equal_but(json_get(left, "labels"), json_get(right, "labels"),
		       POD_TEMPLATE_HASH, ignore_version ? VERSION_LABEL : NULL);
}

static bool is_owned_by(const json *object, const json *owner)
{
	const char *uid = object_uid(owner);
	return uid != NULL && str_equal(object_controller_uid(object), uid);
}

bool is_stables_set(const struct observation *seen, const json *set)
{
	return is_owned_by(set, stable_deployment(seen));
}

int surge_of(const json *deployment)
{
	const json *strategy = json_path(deployment, "spec", "strategy", NULL);
	const json *surge = json_path(strategy, "rollingUpdate", "maxSurge", NULL);
	const char *percent = json_text(surge);
	if (str_equal(json_get_text(strategy, "type"), "Recreate"))
		return 0;
	if (json_is_number(surge))
		return (int)json_integer(surge, 0);
	long share = percent == NULL ? 25 : strtol(percent, NULL, 10);
	return (int)((wanted_replicas(deployment) * share + 99) / 100);
}

bool is_paused(const json *deployment)
{
	return json_is_true(json_path(deployment, "spec", "paused", NULL));
}

static const json *find_condition(const json *object, const char *type)
{
	json_for_each (condition, json_path(object, "status", "conditions", NULL))
		if (str_equal(json_get_text(condition, "type"), type))
			return condition;
	return NULL;
}

bool pod_is_ready(const json *pod)
{
	return str_equal(json_get_text(find_condition(pod, "Ready"), "status"), "True");
}

/* Releases have hundreds of pods, and are looked at after each event: what follows takes time in
 * proportion to pods and endpoints, not to their product. */

/* Adds the names of pods that are endpoints and get requests. A missing `ready` means ready
 * (discovery/v1 EndpointConditions). Dual-stack Services have each pod in two slices. */
static void add_ready_endpoints(struct key_set *names, const json *slice)
{
	json_for_each (endpoint, json_get(slice, "endpoints")) {
		const json *ready = json_path(endpoint, "conditions", "ready", NULL);
		const char *name = json_path_text(endpoint, "targetRef", "name", NULL);
		bool serves = ready == NULL || json_is_null(ready) || json_is_true(ready);
		if (serves && name != NULL && !key_set_has(names, name))
			key_set_add(names, name);
	}
}

/* Of the user's Service. */
static struct key_set ready_endpoints(const struct observation *seen)
{
	struct key_set names = {0};
	json_for_each (slice, list_items(seen->lists[SEEN_SLICES]))
		add_ready_endpoints(&names, slice);
	return names;
}

/* Of the user's Service, and of the release's own. */
static struct key_set endpoints_anywhere(const struct observation *seen)
{
	struct key_set names = ready_endpoints(seen);
	json_for_each (slice, list_items(seen->lists[SEEN_VERSION_SLICES]))
		add_ready_endpoints(&names, slice);
	return names;
}

/* The release's own Services; none in other modes than gateway. */
struct own_services {
	struct own_service {
		const json *selector;
		struct key_set endpoints;
	} items[2];
	size_t count;
};

static void own_services_release(struct own_services *services)
{
	for (size_t i = 0; i < services->count; i++)
		key_set_release(&services->items[i].endpoints);
}

static struct own_services find_own_services(const struct observation *seen)
{
	struct own_services services = {0};
	json_for_each (service, list_items(seen->lists[SEEN_VERSION_SERVICES])) {
		if (services.count == COUNT_OF(services.items))
			break;
		struct own_service *own = &services.items[services.count++];
		own->selector = json_path(service, "spec", "selector", NULL);
		json_for_each (slice, list_items(seen->lists[SEEN_VERSION_SLICES]))
			if (str_equal(object_label(slice, "kubernetes.io/service-name"),
				    object_name(service)))
				add_ready_endpoints(&own->endpoints, slice);
	}
	return services;
}

/* The uids of the Deployment's ReplicaSets; template (may be NULL): of those with this one. */
static struct key_set sets_of(
	const struct observation *seen, const json *deployment, const json *template)
{
	struct key_set uids = {0};
	json_for_each (set, list_items(seen->lists[SEEN_REPLICA_SETS]))
		if (is_owned_by(set, deployment) && object_uid(set) != NULL &&
			!key_set_has(&uids, object_uid(set)) &&
			(template == NULL || templates_equal(pod_template(set), template, true)))
			key_set_add(&uids, object_uid(set));
	return uids;
}

static bool is_in_sets(const json *pod, const struct key_set *uids)
{
	const char *owner = object_controller_uid(pod);
	return owner != NULL && key_set_has(uids, owner);
}

static bool is_endpoint(const json *pod, const struct key_set *endpoints)
{
	const char *name = object_name(pod);
	return name != NULL && key_set_has(endpoints, name);
}

/* Whether a pod gets the requests of each own Service that selects it. */
static bool is_behind_own(const json *pod, const struct own_services *services)
{
	const json *labels = json_path(pod, "metadata", "labels", NULL);
	for (size_t i = 0; i < services->count; i++)
		if (selector_map_matches(services->items[i].selector, labels) &&
			!is_endpoint(pod, &services->items[i].endpoints))
			return false;
	return true;
}

int count_serving_pods(const struct observation *seen, const json *deployment, const json *template)
{
	CLEANUP(key_set_release) struct key_set sets = sets_of(seen, deployment, template);
	CLEANUP(key_set_release) struct key_set endpoints = ready_endpoints(seen);
	CLEANUP(own_services_release) struct own_services services = find_own_services(seen);
	int count = 0;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS]))
		if (is_in_sets(pod, &sets) && !object_is_deleting(pod) && pod_is_ready(pod) &&
			is_endpoint(pod, &endpoints) && is_behind_own(pod, &services))
			count++;
	return count;
}

bool wants_only(const struct observation *seen, const json *deployment, const json *template)
{
	json_for_each (set, list_items(seen->lists[SEEN_REPLICA_SETS]))
		if (is_owned_by(set, deployment) && wanted_replicas(set) > 0 &&
			!templates_equal(pod_template(set), template, true))
			return false;
	return true;
}

int count_endpoints(const struct observation *seen, const json *deployment)
{
	CLEANUP(key_set_release) struct key_set sets = sets_of(seen, deployment, NULL);
	CLEANUP(key_set_release) struct key_set endpoints = endpoints_anywhere(seen);
	int count = 0;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS]))
		if (is_in_sets(pod, &sets) && is_endpoint(pod, &endpoints))
			count++;
	return count;
}

/* By its name, "<Deployment>-<hash>": the ReplicaSet itself is not there to be asked. A hash has no
 * '-', or the ReplicaSets of "web-v2-worker" would pass for those of "web-v2". */
static bool is_named_after(const json *pod, const char *deployment)
{
	const json *controller = object_controller(pod);
	const char *set = json_get_text(controller, "name");
	size_t length = strlen(deployment);
	return str_equal(json_get_text(controller, "kind"), KIND_REPLICA_SET.name) &&
	       str_starts(set, deployment) && set[length] == '-' &&
	       strchr(set + length + 1, '-') == NULL;
}

static bool has_ended(const json *pod)
{
	const char *phase = json_path_text(pod, "status", "phase", NULL);
	return str_equal(phase, "Succeeded") || str_equal(phase, "Failed");
}

int count_endpoints_left(const struct observation *seen, const char *deployment)
{
	CLEANUP(key_set_release) struct key_set sets = {0};
	json_for_each (set, list_items(seen->lists[SEEN_REPLICA_SETS]))
		if (object_uid(set) != NULL && !key_set_has(&sets, object_uid(set)))
			key_set_add(&sets, object_uid(set));
	CLEANUP(key_set_release) struct key_set endpoints = endpoints_anywhere(seen);
	int count = 0;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS]))
		if (is_named_after(pod, deployment) && !is_in_sets(pod, &sets) &&
			(is_endpoint(pod, &endpoints) ||
				(!object_is_deleting(pod) && !has_ended(pod))))
			count++;
	return count;
}

int count_endpoints_of_one(const struct observation *seen, const json *deployment)
{
	CLEANUP(key_set_release) struct key_set sets = sets_of(seen, deployment, NULL);
	CLEANUP(key_set_release) struct key_set endpoints = ready_endpoints(seen);
	CLEANUP(own_services_release) struct own_services services = find_own_services(seen);
	int count = 0;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS])) {
		bool own = false;
		for (size_t i = 0; i < services.count; i++)
			own = own || is_endpoint(pod, &services.items[i].endpoints);
		if (is_in_sets(pod, &sets) && is_endpoint(pod, &endpoints) && !own)
			count++;
	}
	return count;
}

bool is_observed(const json *object)
{
	return json_integer(json_path(object, "status", "observedGeneration", NULL), 0) >=
	       json_integer(json_path(object, "metadata", "generation", NULL), 0);
}

/* The reason and message of what keeps a pod from being Ready, or false. */
static bool pod_trouble(const json *pod, const char **ret_reason, const char **ret_message)
{
	static const char *const STATUSES[] = {"initContainerStatuses", "containerStatuses"};
	for (size_t i = 0; i < COUNT_OF(STATUSES); i++)
		json_for_each (status, json_path(pod, "status", STATUSES[i], NULL)) {
			const json *waiting = json_path(status, "state", "waiting", NULL);
			const char *reason = json_get_text(waiting, "reason");
			/* The two that every healthy pod goes through. */
			if (reason == NULL || str_equal(reason, "ContainerCreating") ||
				str_equal(reason, "PodInitializing"))
				continue;
			*ret_reason = reason;
			*ret_message = json_get_text(waiting, "message");
			return true;
		}
	const json *scheduled = find_condition(pod, "PodScheduled");
	if (str_equal(json_get_text(scheduled, "status"), "False")) {
		*ret_reason = json_get_text(scheduled, "reason");
		*ret_message = json_get_text(scheduled, "message");
		return *ret_reason != NULL;
	}
	return false;
}

/* Whether a line for this reason is already there. */
static bool has_reason(const struct buf *buf, const char *reason)
{
	AUTO_STRING start = mem_format("%s: ", reason);
	const char *found = strstr(buf_text(buf), start);
	return found != NULL && (found == buf->text || found[-1] == '\n');
}

static void add_line(struct buf *buf, const char *reason, const char *where, const char *message)
{
	if (has_reason(buf, reason))
		return;
	if (buf->length > 0)
		buf_add_char(buf, '\n');
	buf_addf(buf, "%s: %s", reason, where);
	if (!str_empty(message))
		buf_addf(buf, ": %s", message);
}

void explain_pods(const struct observation *seen, const json *deployment, struct buf *buf)
{
	CLEANUP(key_set_release) struct key_set sets = sets_of(seen, deployment, NULL);
	const char *reason, *message;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS])) {
		if (!is_in_sets(pod, &sets) || !pod_trouble(pod, &reason, &message))
			continue;
		AUTO_STRING where = mem_format("pod/%s", object_name(pod));
		add_line(buf, reason, where, message);
	}
	json_for_each (set, list_items(seen->lists[SEEN_REPLICA_SETS])) {
		const json *failure = find_condition(set, "ReplicaFailure");
		if (!is_owned_by(set, deployment) ||
			!str_equal(json_get_text(failure, "status"), "True"))
			continue;
		AUTO_STRING where = mem_format("replicaset.apps/%s", object_name(set));
		add_line(buf, json_get_text(failure, "reason"), where,
			json_get_text(failure, "message"));
	}
}
