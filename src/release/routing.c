#include "release/routing.h"

#include <string.h>

#include "api/object.h"
#include "base/buf.h"
#include "release/workload.h"
#include "traffic/destinationrule.h"
#include "traffic/virtualservice.h"

/* Where Istio looks last for DestinationRules, unless its installation says otherwise. */
#define ROOT_NAMESPACE "istio-system"

static void add_note(struct str_list *notes, char *text)
{
	str_list_add(notes, text);
	mem_cleanup(&text);
}

/* What there is of Istio: served says whether its API is. */
struct istio {
	bool served;
	json *virtualservices; /* lists; of all namespaces where that is allowed */
	json *destinationrules;
};

static void istio_release(struct istio *istio)
{
	json_free(istio->virtualservices);
	json_free(istio->destinationrules);
}

/* Lists in all namespaces, or in the Service's own where the user may not see more. */
static int list_widely(const struct api_port *api, const struct kind *kind, const char *namespace,
	json **ret, struct str_list *notes, struct err *err)
{
	struct err refused = {0};
	struct query query = {.kind = kind};
	int code = api->list(api->context, &query, ret, &refused);
	if (code == ERR_FORBIDDEN) {
		add_note(notes,
			mem_format(
				"may not list %s in all namespaces: only those in \"%s\" are seen",
				kind->plural, namespace));
		query.namespace = namespace;
		return api->list(api->context, &query, ret, err);
	}
	return code == 0 ? 0 : err_set(err, code, "%s", refused.message);
}

static int look_for_istio(const struct api_port *api, const char *namespace, struct istio *ret,
	struct str_list *notes, struct err *err)
{
	int code = list_widely(
		api, &KIND_VIRTUAL_SERVICE, namespace, &ret->virtualservices, notes, err);
	if (code == ERR_NOT_FOUND)
		return 0;
	if (code == 0)
		code = list_widely(
			api, &KIND_DESTINATION_RULE, namespace, &ret->destinationrules, notes, err);
	ret->served = code == 0;
	return code;
}

/* Whether the pods have a sidecar, and by what that is known; NULL where they have none. */
static const char *sign_of_sidecar(const json *deployment, const json *namespace_labels)
{
	const json *template = pod_template(deployment);
	const char *label =
		json_path_text(template, "metadata", "labels", "sidecar.istio.io/inject", NULL);
	if (label == NULL)
		label = json_path_text(
			template, "metadata", "annotations", "sidecar.istio.io/inject", NULL);
	if (str_equal(label, "false"))
		return NULL;
	if (str_equal(label, "true"))
		return "the pods are labeled sidecar.istio.io/inject=true";
	static const char *const LISTS[] = {"containers", "initContainers"};
	for (size_t i = 0; i < COUNT_OF(LISTS); i++)
		json_for_each (container, json_path(template, "spec", LISTS[i], NULL))
			if (str_equal(json_get_text(container, "name"), "istio-proxy"))
				return "the pods have a container istio-proxy";
	if (str_equal(json_get_text(namespace_labels, "istio-injection"), "enabled"))
		return "the namespace is labeled istio-injection=enabled";
	if (json_get(namespace_labels, "istio.io/rev") != NULL)
		return "the namespace is labeled istio.io/rev";
	return NULL;
}

/* The labels of the namespace; NULL where it may not be read, which is common. */
static json *namespace_labels(const struct api_port *api, const char *namespace)
{
	AUTO_JSON list = NULL;
	struct query query = {.kind = &KIND_NAMESPACE, .name = namespace};
	if (api->list(api->context, &query, &list, NULL) != 0)
		return NULL;
	return json_copy(json_path(list_find(list, namespace), "metadata", "labels", NULL));
}

static const json *route_to_service(const struct istio *istio, const struct intent *intent)
{
	json_for_each (virtualservice, list_items(istio->virtualservices))
		if (virtualservice_routes_to(virtualservice, intent))
			return virtualservice;
	return NULL;
}

/* "auto": Istio when it is served and there is a sign that it carries the requests. */
static void detect(const struct api_port *api, const struct istio *istio,
	const struct record *record, enum traffic_mode *ret, char **ret_reason)
{
	struct intent intent = plan_intent(&record->plan);
	*ret = TRAFFIC_REPLICAS;
	if (!istio->served) {
		*ret_reason = mem_strdup("the cluster does not serve Istio's API");
		return;
	}
	const json *route = route_to_service(istio, &intent);
	if (route != NULL) {
		*ret = TRAFFIC_ISTIO;
		*ret_reason =
			mem_format("virtualservice/%s routes to the Service", object_name(route));
		return;
	}
	AUTO_JSON labels = namespace_labels(api, record->plan.namespace);
	const char *sign = sign_of_sidecar(record->stable, labels);
	if (sign != NULL)
		*ret = TRAFFIC_ISTIO;
	*ret_reason = mem_strdup(
		sign != NULL
			? sign
			: "no sidecar in the pods, and no VirtualService routes to the Service");
}

/* A copy for the record, without what the server only adds. */
static json *snapshot(const json *object)
{
	json *copy = json_copy(object);
	json_remove(copy, "status");
	json_remove(json_get(copy, "metadata"), "managedFields");
	return copy;
}

static bool is_in(const json *object, const char *namespace)
{
	return str_equal(object_namespace(object), namespace);
}

static int take_destinationrules(const struct istio *istio, struct record *record, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	AUTO_STRING own = own_object_name(record->plan.service);
	record->destinationrules = json_array();
	json_for_each (rule, list_items(istio->destinationrules)) {
		bool near = is_in(rule, intent.namespace);
		bool covers = destinationrule_covers(rule, &intent);
		if ((near && str_equal(object_name(rule), own)) ||
			(!covers && !destinationrule_is_for(rule, &intent)))
			continue;
		if (covers && !near && !is_in(rule, ROOT_NAMESPACE))
			return err_set(err, ERR_FAILED,
				"destinationrule.networking.istio.io/%s in namespace \"%s\" is for "
				"a "
				"wildcard host that covers the Service: clients in that namespace "
				"would not see the subsets of the release; this is not supported "
				"yet",
				object_name(rule), object_namespace(rule));
		json_append(record->destinationrules, snapshot(rule));
	}
	return destinationrules_check(record->destinationrules, &intent, err);
}

static int take_virtualservices(const struct istio *istio, struct record *record, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	AUTO_STRING own = own_object_name(record->plan.service);
	record->virtualservices = json_array();
	record->own_virtualservice = true;
	json_for_each (virtualservice, list_items(istio->virtualservices)) {
		bool near = is_in(virtualservice, intent.namespace);
		bool routes = virtualservice_routes_to(virtualservice, &intent);
		bool serves = virtualservice_serves_mesh(virtualservice, &intent);
		if ((near && str_equal(object_name(virtualservice), own)) || (!routes && !serves))
			continue;
		if (!near || !routes)
			return err_set(err, ERR_FAILED,
				"virtualservice.networking.istio.io/%s in namespace \"%s\" %s; "
				"this is "
				"not supported yet",
				object_name(virtualservice), object_namespace(virtualservice),
				routes ? "routes to the Service from another namespace"
				       : "is for the Service's host and does not route to it");
		if (serves)
			record->own_virtualservice = false;
		int code = virtualservice_check(
			virtualservice, record->destinationrules, &intent, err);
		if (code != 0)
			return code;
		json_append(record->virtualservices, snapshot(virtualservice));
	}
	return 0;
}

/* Ports whose requests no http route sees. */
static void note_other_ports(const json *service, struct str_list *notes)
{
	static const char *const PROTOCOLS[] = {
		"tcp", "tls", "https", "udp", "mongo", "mysql", "redis"};
	json_for_each (port, json_path(service, "spec", "ports", NULL)) {
		const char *protocol = json_get_text(port, "appProtocol");
		if (protocol == NULL)
			protocol = json_get_text(port, "name");
		if (protocol == NULL)
			continue;
		AUTO_STRING first = mem_strndup(protocol, strcspn(protocol, "-"));
		if (str_index(PROTOCOLS, COUNT_OF(PROTOCOLS), first) >= 0)
			add_note(notes,
				mem_format(
					"port %d of the Service is not HTTP (%s): its connections "
					"follow the ratio of replicas, not the weights",
					(int)json_get_integer(port, "port", 0), protocol));
	}
}

/* While routes name the versions of one Deployment, pods of others behind the Service get requests
 * only where the user's routes name those pods' subsets. */
static int check_others(const struct target *target, const struct record *record, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	bool open = record->own_virtualservice;
	json_for_each (virtualservice, record->virtualservices)
		open = open || virtualservice_is_open(virtualservice, &intent);
	if (!target->shared || !open)
		return 0;
	return err_set(err, ERR_FAILED,
		"other Deployments than \"%s\" are behind service \"%s\" too, and would get none "
		"of "
		"its requests during the release: route to them by subsets, or use --traffic "
		"replicas",
		record->plan.deployment, record->plan.service);
}

static int use_istio(const struct istio *istio, const struct target *target, struct record *record,
	struct str_list *notes, struct err *err)
{
	const json *service = target->service;
	if (!istio->served)
		return err_set(err, ERR_FAILED,
			"--traffic istio: the cluster does not serve Istio's API (%s)",
			KIND_VIRTUAL_SERVICE.version);
	if (str_equal(json_path_text(service, "spec", "clusterIP", NULL), "None"))
		return err_set(err, ERR_FAILED,
			"service \"%s\" is headless: Istio cannot split its requests by weight; "
			"use "
			"--traffic replicas",
			object_name(service));
	int code = take_destinationrules(istio, record, err);
	if (code == 0)
		code = take_virtualservices(istio, record, err);
	if (code == 0)
		code = check_others(target, record, err);
	if (code == 0)
		note_other_ports(service, notes);
	return code;
}

int routing_choose(const struct api_port *api, const struct start_options *options,
	const struct target *target, struct record *record, struct str_list *notes, struct err *err)
{
	static const char *const MODES[] = {
		[TRAFFIC_REPLICAS] = "replicas", [TRAFFIC_ISTIO] = "istio", "auto"};
	const char *wanted = options->traffic == NULL ? "auto" : options->traffic;
	int mode = str_index(MODES, COUNT_OF(MODES), wanted);
	if (mode < 0)
		return err_set(err, ERR_USAGE,
			"--traffic: \"%s\" is not one of auto, istio, replicas", wanted);

	CLEANUP(istio_release) struct istio istio = {0};
	AUTO_STRING reason = NULL;
	int code = 0;
	record->plan.traffic = (enum traffic_mode)mode;
	if (mode != TRAFFIC_REPLICAS)
		code = look_for_istio(api, record->plan.namespace, &istio, notes, err);
	if (code != 0)
		return code;
	if (str_equal(wanted, "auto"))
		detect(api, &istio, record, &record->plan.traffic, &reason);
	add_note(notes, mem_format("traffic is split by %s: %s",
				record->plan.traffic == TRAFFIC_ISTIO ? "Istio weights"
								      : "the ratio of replicas",
				reason != NULL ? reason : "as --traffic says"));
	if (record->plan.traffic == TRAFFIC_ISTIO)
		return use_istio(&istio, target, record, notes, err);
	record->virtualservices = json_array();
	record->destinationrules = json_array();
	return 0;
}
