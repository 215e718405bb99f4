#include "cmd/route_cluster.h"

#include <stdlib.h>

#include "api/object.h"
#include "api/selector.h"
#include "base/mem.h"
#include "release/preview.h"
#include "simulate/version_share.h"
#include "traffic/intent.h"

#define SERVICE_OF_SLICE "kubernetes.io/service-name"

void route_cluster_release(struct route_cluster *cluster)
{
	json_free(cluster->virtualservices);
	json_free(cluster->destinationrules);
	json_free(cluster->services);
	json_free(cluster->gateways);
	free(cluster->cluster_domain);
	record_release(&cluster->record);
	*cluster = (struct route_cluster){0};
}

static void note(const struct session *session, const char *text)
{
	session->ports.observer.note(session->ports.observer.context, text);
}

static int list(struct session *session, const struct query *query, json **ret, struct err *err)
{
	const struct api_port *api = &session->ports.api;
	return api->list(api->context, query, ret, err);
}

/* Of all namespaces, or of the Service's own where the user may not see more. */
static int list_widely(
	struct session *session, const struct kind *kind, json **ret, struct err *err)
{
	struct err refused = {0};
	struct query query = {.kind = kind};
	int code = list(session, &query, ret, &refused);
	if (code != ERR_FORBIDDEN)
		return code == 0 ? 0 : err_set(err, code, "%s", refused.message);
	AUTO_STRING text =
		mem_format("note: may not list %s in all namespaces: only those in \"%s\" are seen",
			kind->plural, session->namespace);
	note(session, text);
	query.namespace = session->namespace;
	return list(session, &query, ret, err);
}

/* The VirtualServices as they are now. */
static int read_virtualservices(struct session *session, json **ret, struct err *err)
{
	return list_widely(session, &KIND_VIRTUAL_SERVICE, ret, err);
}

static int read_istio(
	struct session *session, bool gateways, struct route_cluster *ret, struct err *err)
{
	struct err missing = {0};
	int code = read_virtualservices(session, &ret->virtualservices, &missing);
	if (code == ERR_NOT_FOUND)
		return 0;
	if (code != 0)
		return err_set(err, code, "%s", missing.message);
	ret->has_istio = true;
	code = list_widely(session, &KIND_DESTINATION_RULE, &ret->destinationrules, err);
	if (code != 0 || !gateways)
		return code;
	return list_widely(session, &KIND_GATEWAY, &ret->gateways, err);
}

/* Puts items in the place of those of a list. Takes them over. */
static void set_items(json *list, json *items_taken)
{
	json_set(list, "items", items_taken);
}

/* Makes of what is there now what will be there at that batch. */
static int go_to_batch(struct session *session, const char *service, int batch,
	struct route_cluster *cluster, struct err *err)
{
	int code = record_load(
		&session->ports.api, session->namespace, service, &cluster->record, err);
	if (code != 0)
		return code;
	const struct plan *plan = &cluster->record.plan;
	if (phase_has_ended(cluster->record.phase))
		return err_set(err, ERR_FAILED,
			"--at-batch: no release of service \"%s\" is under way", service);
	if (plan->traffic != TRAFFIC_ISTIO)
		return err_set(err, ERR_FAILED,
			"--at-batch: the release of service \"%s\" does not split requests by "
			"Istio's routes",
			service);
	if (batch > plan->batch_count)
		return err_set(err, ERR_USAGE, "--at-batch: the release has %d batches",
			plan->batch_count);
	json *virtualservices, *destinationrules;
	code = preview_routes(&cluster->record, batch, cluster->virtualservices,
		cluster->destinationrules, &virtualservices, &destinationrules, err);
	if (code != 0)
		return err_wrap(err, "--at-batch");
	set_items(cluster->virtualservices, virtualservices);
	set_items(cluster->destinationrules, destinationrules);
	cluster->at_batch = &plan->batches[batch - 1];
	return 0;
}

static int find_domain(const char *service, struct session *session, struct route_cluster *cluster,
	struct err *err)
{
	const char *of_release = cluster->record.plan.cluster_domain;
	if (of_release != NULL) {
		cluster->cluster_domain = mem_strdup(of_release);
		return 0;
	}
	return find_cluster_domain(list_items(cluster->virtualservices),
		list_items(cluster->destinationrules), service, session->namespace,
		&cluster->cluster_domain, err);
}

int route_cluster_read(struct session *session, const char *service, bool gateways, int at_batch,
	struct route_cluster *ret, struct err *err)
{
	CLEANUP(route_cluster_release) struct route_cluster cluster = {0};
	int code = list_widely(session, &KIND_SERVICE, &cluster.services, err);
	if (code == 0)
		code = read_istio(session, gateways, &cluster, err);
	if (code != 0)
		return code;
	if (mesh_object(list_items(cluster.services), session->namespace, service) == NULL)
		return err_set(err, ERR_NOT_FOUND, "service \"%s\" not found in namespace \"%s\"",
			service, session->namespace);
	if (at_batch > 0)
		code = go_to_batch(session, service, at_batch, &cluster, err);
	if (code == 0)
		code = find_domain(service, session, &cluster, err);
	if (code != 0)
		return code;
	cluster.mesh = (struct mesh){
		.virtualservices = list_items(cluster.virtualservices),
		.destinationrules = list_items(cluster.destinationrules),
		.services = list_items(cluster.services),
		.gateways = list_items(cluster.gateways),
		.cluster_domain = cluster.cluster_domain,
		.root_namespace = ROOT_NAMESPACE,
	};
	*ret = cluster;
	if (at_batch > 0)
		ret->at_batch = &ret->record.plan.batches[at_batch - 1];
	cluster = (struct route_cluster){0};
	return 0;
}

json *route_cluster_gateway_pod(struct session *session, const json *gateway)
{
	const json *selector = json_path(gateway, "spec", "selector", NULL);
	if (json_count(selector) == 0)
		return NULL;
	AUTO_STRING labels = selector_map_text(selector);
	AUTO_JSON pods = NULL;
	struct query query = {.kind = &KIND_POD, .label_selector = labels};
	if (list(session, &query, &pods, NULL) != 0)
		return NULL;
	return json_copy(json_first(list_items(pods)));
}

/* --- versions ------------------------------------------------------------------------------- */

/* The shares of a Service's ready pods with the labels; NULL where they cannot be seen. */
static json *shares_of(struct session *session, const json *service, const json *labels)
{
	const json *selector = json_path(service, "spec", "selector", NULL);
	if (json_count(selector) == 0)
		return NULL;
	AUTO_STRING pods_selector = selector_map_text(selector);
	AUTO_STRING slices_selector = mem_format(SERVICE_OF_SLICE "=%s", object_name(service));
	AUTO_JSON pods = NULL;
	AUTO_JSON slices = NULL;
	struct query pods_query = {.kind = &KIND_POD,
		.namespace = object_namespace(service),
		.label_selector = pods_selector};
	struct query slices_query = {.kind = &KIND_ENDPOINT_SLICE,
		.namespace = object_namespace(service),
		.label_selector = slices_selector};
	struct err err = {0};
	if (list(session, &pods_query, &pods, &err) != 0 ||
		list(session, &slices_query, &slices, &err) != 0) {
		AUTO_STRING text = mem_format("note: the pods behind service %s are not seen: %s",
			object_name(service), err.message);
		note(session, text);
		return NULL;
	}
	return version_shares(list_items(pods), list_items(slices), labels);
}

static json *version_entry(json *versions, const char *version)
{
	json_for_each (entry, versions)
		if (str_equal(json_get_text(entry, "version"), version))
			return entry;
	json *entry = json_object();
	json_set_text(entry, "version", version);
	json_append(versions, entry);
	return entry;
}

static void add_probability(json *versions, const char *version, double probability)
{
	json *entry = version_entry(versions, version);
	double before = json_double(json_get(entry, "probability"), 0);
	json_set(entry, "probability", json_number(before + probability));
}

/* What a batch says of a destination of the release's Service: the version of its subset, or the
 * ratio of replicas. False for other Services. */
static bool add_at_batch(
	const struct route_cluster *cluster, const json *destination, double probability, json *all)
{
	if (cluster->at_batch == NULL)
		return false;
	const struct plan *plan = &cluster->record.plan;
	struct intent intent = plan_intent(plan);
	if (!host_is_service(json_get_text(destination, "host"), plan->namespace, &intent))
		return false;
	const char *version = json_path_text(destination, "labels", VERSION_LABEL, NULL);
	if (version != NULL) {
		add_probability(all, version, probability);
		return true;
	}
	double stable = cluster->at_batch->stable, canary = cluster->at_batch->canary;
	add_probability(all, plan->stable_version, probability * stable / (stable + canary));
	add_probability(all, plan->canary_version, probability * canary / (stable + canary));
	return true;
}

static void add_to_destination(
	struct session *session, const struct route_cluster *cluster, json *destination, json *all)
{
	double probability = json_double(json_get(destination, "probability"), 0);
	if (json_get(destination, "problem") != NULL ||
		add_at_batch(cluster, destination, probability, all))
		return;
	const json *service = mesh_service(&cluster->mesh, json_get_text(destination, "host"));
	json *shares = shares_of(session, service, json_get(destination, "labels"));
	if (shares == NULL) {
		add_probability(all, json_get_text(destination, "version"), probability);
		return;
	}
	json_set(destination, "versions", shares);
	if (json_count(shares) == 0)
		json_set_text(destination, "problem", "no pod of it is ready");
	json_for_each (share, shares)
		add_probability(all, json_get_text(share, "version"),
			probability * json_double(json_get(share, "share"), 0));
}

void route_cluster_add_versions(
	struct session *session, const struct route_cluster *cluster, json *answer)
{
	json *all = json_array();
	json_for_each (destination, json_get(answer, "destinations"))
		add_to_destination(session, cluster, destination, all);
	json_set(answer, "versions", all);
}
