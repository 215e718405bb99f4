#include "release/workload.h"

#include <string.h>

#include "api/object.h"
#include "base/parse.h"
#include "base/str.h"

#define POD_TEMPLATE_HASH "pod-template-hash"

json *stable_deployment(const struct observation *seen)
{
	return json_first(list_items(seen->lists[SEEN_STABLE]));
}

json *canary_deployment(const struct observation *seen)
{
	return json_first(list_items(seen->lists[SEEN_CANARY]));
}

json *template_labels(const json *workload)
{
	return json_path(workload, "spec", "template", "metadata", "labels", NULL);
}

/* A copy without the labels that do not count in a comparison. */
static json *comparable_template(const json *template, bool ignore_version)
{
	json *copy = json_copy(template);
	json *metadata = json_get(copy, "metadata");
	map_set_text(metadata, "labels", POD_TEMPLATE_HASH, NULL);
	if (ignore_version)
		map_set_text(metadata, "labels", VERSION_LABEL, NULL);
	/* The API server writes it into every template, clients leave it out. */
	json_remove(metadata, "creationTimestamp");
	return copy;
}

bool templates_equal(const json *a, const json *b, bool ignore_version)
{
	if (a == NULL || b == NULL)
		return false;
	AUTO_JSON left = comparable_template(a, ignore_version);
	AUTO_JSON right = comparable_template(b, ignore_version);
	return json_equal(left, right);
}

static int64_t revision(const json *replica_set)
{
	const char *text = object_annotation(replica_set, "deployment.kubernetes.io/revision");
	int64_t number = 0;
	if (text != NULL)
		(void)parse_int(text, 0, INT64_MAX, &number, NULL);
	return number;
}

static bool is_owned_by(const json *object, const json *owner)
{
	const char *uid = object_uid(owner);
	return uid != NULL && str_equal(object_controller_uid(object), uid);
}

json *find_replica_set(const struct observation *seen, const json *deployment, const json *template,
	bool ignore_version)
{
	json *found = NULL;
	json_for_each (candidate, list_items(seen->lists[SEEN_REPLICA_SETS]))
		if (is_owned_by(candidate, deployment) &&
			templates_equal(json_path(candidate, "spec", "template", NULL), template,
				ignore_version) &&
			(found == NULL || revision(candidate) > revision(found)))
			found = candidate;
	return found;
}

/* The ReplicaSet that owns the pod, if it belongs to the Deployment. */
static const json *replica_set_of_pod(
	const struct observation *seen, const json *pod, const json *deployment)
{
	json_for_each (candidate, list_items(seen->lists[SEEN_REPLICA_SETS]))
		if (is_owned_by(pod, candidate) && is_owned_by(candidate, deployment))
			return candidate;
	return NULL;
}

bool pod_is_of(const struct observation *seen, const json *pod, const json *deployment)
{
	return replica_set_of_pod(seen, pod, deployment) != NULL;
}

static const json *find_condition(const json *object, const char *type)
{
	json_for_each (condition, json_path(object, "status", "conditions", NULL))
		if (str_equal(json_get_text(condition, "type"), type))
			return condition;
	return NULL;
}

static bool pod_is_ready(const json *pod)
{
	return str_equal(json_get_text(find_condition(pod, "Ready"), "status"), "True");
}

/* True where the pod is an endpoint of the Service that gets requests. A missing `ready` means
 * ready (discovery/v1 EndpointConditions). */
static bool pod_is_endpoint(const struct observation *seen, const json *pod)
{
	json_for_each (slice, list_items(seen->lists[SEEN_SLICES]))
		json_for_each (endpoint, json_get(slice, "endpoints")) {
			const json *ready = json_path(endpoint, "conditions", "ready", NULL);
			if (str_equal(json_path_text(endpoint, "targetRef", "name", NULL),
				    object_name(pod)) &&
				(ready == NULL || json_is_null(ready) || json_is_true(ready)))
				return true;
		}
	return false;
}

int count_serving_pods(const struct observation *seen, const json *deployment, const json *template)
{
	int count = 0;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS])) {
		const json *owner = replica_set_of_pod(seen, pod, deployment);
		if (owner == NULL || object_is_deleting(pod) || !pod_is_ready(pod) ||
			!pod_is_endpoint(seen, pod))
			continue;
		if (template == NULL ||
			templates_equal(json_path(owner, "spec", "template", NULL), template, true))
			count++;
	}
	return count;
}

int count_endpoints(const struct observation *seen, const json *deployment)
{
	int count = 0;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS]))
		if (pod_is_of(seen, pod, deployment) && pod_is_endpoint(seen, pod))
			count++;
	return count;
}

int count_endpoints_left(
	const struct observation *seen, const char *version, const json *deployment)
{
	int count = 0;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS]))
		if (str_equal(object_label(pod, VERSION_LABEL), version) &&
			!pod_is_of(seen, pod, deployment) && pod_is_endpoint(seen, pod))
			count++;
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
	const char *reason, *message;
	json_for_each (pod, list_items(seen->lists[SEEN_PODS])) {
		if (!pod_is_of(seen, pod, deployment) || !pod_trouble(pod, &reason, &message))
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
