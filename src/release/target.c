#include "release/target.h"

#include "api/object.h"
#include "api/selector.h"
#include "base/buf.h"
#include "base/str.h"
#include "release/record.h"
#include "release/workload.h"
#include "traffic/intent.h"

void target_release(struct target *target)
{
	if (target == NULL)
		return;
	json_free(target->service);
	json_free(target->deployment);
	json_free(target->managers);
	*target = (struct target){0};
}

static int find_service(const struct api_port *api, const char *namespace, const char *name,
	json **ret, struct err *err)
{
	AUTO_JSON list = NULL;
	struct query query = {.kind = &KIND_SERVICE, .namespace = namespace, .name = name};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	const json *service = list_find(list, name);
	if (service == NULL)
		return err_set(err, ERR_NOT_FOUND, "service \"%s\" not found in namespace \"%s\"",
			name, namespace);
	if (str_equal(json_path_text(service, "spec", "type", NULL), "ExternalName"))
		return err_set(err, ERR_FAILED,
			"service \"%s\" is of type ExternalName: there are no pods behind it",
			name);
	if (json_count(json_path(service, "spec", "selector", NULL)) == 0)
		return err_set(err, ERR_FAILED,
			"service \"%s\" has no selector: its Deployment cannot be found", name);
	if (json_path(service, "spec", "selector", VERSION_LABEL, NULL) != NULL)
		return err_set(err, ERR_FAILED,
			"service \"%s\" selects its pods by the label \"%s\": pods of a new "
			"version "
			"would never be behind it; take the label out of its selector",
			name, VERSION_LABEL);
	*ret = json_copy(service);
	return 0;
}

static bool is_behind(const json *deployment, const json *service)
{
	return selector_map_matches(json_path(service, "spec", "selector", NULL),
		json_path(deployment, "spec", "template", "metadata", "labels", NULL));
}

int check_no_copy(const json *deployment, struct err *err)
{
	if (!str_equal(object_label(deployment, MANAGED_BY_LABEL), MANAGED_BY))
		return 0;
	const char *service = object_label(deployment, SERVICE_LABEL);
	const char *namespace = object_namespace(deployment);
	service = service == NULL ? "" : service;
	return err_set(err, ERR_BUSY,
		"deployment.apps/%s is the copy of a release of service \"%s\" that has not ended: "
		"finish that one first with `kubectl batchrollout next %s -n %s`, or take it back "
		"with `kubectl batchrollout abort %s -n %s`",
		object_name(deployment), service, service, namespace, service, namespace);
}

/* The Deployment of the list that is meant. */
static int choose(const json *list, const json *service, const char *wanted, const json **ret,
	bool *ret_shared, struct err *err)
{
	AUTO_BUF names = BUF_INIT(BUF_OWN_TEXT);
	const json *found = NULL;
	size_t count = 0;
	json_for_each (deployment, list_items(list)) {
		if (!is_behind(deployment, service))
			continue;
		int code = check_no_copy(deployment, err);
		if (code != 0)
			return code;
		buf_addf(&names, "%s%s", count++ > 0 ? ", " : "", object_name(deployment));
		if (wanted == NULL || str_equal(object_name(deployment), wanted))
			found = deployment;
	}
	const char *name = object_name(service);
	if (count == 0)
		return err_set(err, ERR_FAILED, "no Deployment is behind service \"%s\"", name);
	if (wanted == NULL && count > 1)
		return err_set(err, ERR_FAILED,
			"%zu Deployments are behind service \"%s\" (%s): choose one with "
			"--deployment",
			count, name, buf_text(&names));
	if (found == NULL)
		return err_set(err, ERR_FAILED,
			"deployment \"%s\" is not behind service \"%s\"; there is: %s", wanted,
			name, buf_text(&names));
	*ret = found;
	*ret_shared = count > 1;
	return 0;
}

static int check_spec(const json *deployment, struct err *err)
{
	const char *name = object_name(deployment);
	if (object_is_deleting(deployment))
		return err_set(err, ERR_FAILED, "deployment \"%s\" is being deleted", name);
	json_for_each (owner, json_path(deployment, "metadata", "ownerReferences", NULL))
		if (json_is_true(json_get(owner, "controller")))
			return err_set(err, ERR_FAILED,
				"deployment \"%s\" is owned by %s/%s, which would undo what a "
				"release changes",
				name, json_get_text(owner, "kind"), json_get_text(owner, "name"));
	if (json_is_true(json_path(deployment, "spec", "paused", NULL)))
		return err_set(err, ERR_FAILED,
			"deployment \"%s\" is paused: `kubectl rollout resume deployment/%s` first",
			name, name);
	if (wanted_replicas(deployment) == 0)
		return err_set(err, ERR_FAILED,
			"deployment \"%s\" has 0 replicas: nothing serves, there is nothing to "
			"release in batches",
			name);
	return 0;
}

static int check_rollout(const json *deployment, struct err *err)
{
	const char *name = object_name(deployment);
	const json *status = json_get(deployment, "status");
	int64_t wanted = wanted_replicas(deployment);
	int64_t generation = json_integer(json_path(deployment, "metadata", "generation", NULL), 0);
	if (json_get_integer(status, "observedGeneration", 0) < generation ||
		json_get_integer(status, "updatedReplicas", 0) != wanted ||
		json_get_integer(status, "replicas", 0) != wanted)
		return err_set(err, ERR_FAILED,
			"deployment \"%s\" is in the middle of a rollout: wait for `kubectl "
			"rollout "
			"status deployment/%s`",
			name, name);
	int64_t available = json_get_integer(status, "availableReplicas", 0);
	if (available < wanted)
		return err_set(err, ERR_FAILED,
			"deployment \"%s\" has %d of %d pods available: what runs now must be "
			"healthy "
			"before a release",
			name, (int)available, (int)wanted);
	return 0;
}

int target_find(const struct api_port *api, const char *namespace, const char *service,
	const char *deployment, struct target *ret, struct err *err)
{
	CLEANUP(target_release) struct target target = {0};
	AUTO_JSON list = NULL;
	const json *chosen = NULL;
	struct query query = {.kind = &KIND_DEPLOYMENT, .namespace = namespace};
	int code = find_service(api, namespace, service, &target.service, err);
	if (code == 0)
		code = api->list(api->context, &query, &list, err);
	if (code == 0)
		code = choose(list, target.service, deployment, &chosen, &target.shared, err);
	if (code == 0)
		code = check_spec(chosen, err);
	if (code == 0)
		code = check_rollout(chosen, err);
	if (code != 0)
		return code;
	target.deployment = json_copy(chosen);
	json_remove(target.deployment, "status");
	target.managers = json_detach(json_get(target.deployment, "metadata"), "managedFields");
	*ret = target;
	target = (struct target){0};
	return 0;
}
