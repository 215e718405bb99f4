#include "release/routing.h"

#include "api/object.h"
#include "base/parse.h"
#include "release/canary.h"
#include "release/gateway.h"
#include "release/gateway_check.h"
#include "release/istio.h"
#include "release/mesh.h"
#include "release/router.h"
#include "release/users.h"

/* What there is that can split requests. */
struct survey {
	struct istio istio;
	struct gateway gateway;
};

static void survey_release(struct survey *survey)
{
	istio_release(&survey->istio);
	gateway_release(&survey->gateway);
}

/* Who may not read HTTPRoutes does without them, unless that is what was asked for. */
static int look(const struct api_port *api, const struct record *record, bool gateway_is_wanted,
	struct survey *survey, struct str_list *notes, struct err *err)
{
	int code = istio_look(api, &record->plan, &survey->istio, notes, err);
	if (code != 0)
		return code;
	struct err refused = {0};
	CLEANUP(str_list_release) struct str_list seen = {0};
	code = gateway_look(api, &record->plan, &survey->gateway, &seen, &refused);
	if (code == ERR_FORBIDDEN && !gateway_is_wanted) {
		add_note(notes, mem_format("cannot see whether HTTPRoutes route to the Service: %s",
					refused.message));
		return 0;
	}
	for (size_t i = 0; i < seen.count; i++)
		str_list_add(notes, seen.items[i]);
	return code == 0 ? 0 : err_set(err, code, "%s", refused.message);
}

/* Istio's sidecar in the pods, or why it does not count. */
static bool has_sidecar(const struct api_port *api, const struct survey *survey,
	const struct record *record, char **ret_reason)
{
	if (!survey->istio.served) {
		*ret_reason = mem_strdup(survey->gateway.served
						 ? "the cluster does not serve Istio's API, and no "
						   "HTTPRoute routes to the Service"
						 : "the cluster does not serve Istio's API");
		return false;
	}
	AUTO_JSON labels = namespace_labels(api, record->plan.namespace);
	const char *sign = sign_of_sidecar(record->stable, labels);
	*ret_reason = mem_strdup(
		sign != NULL
			? sign
			: "no sidecar in the pods, and no VirtualService routes to the Service");
	return sign != NULL;
}

/* "auto": what has routes to the Service, Istio first; Istio too where the pods have its sidecar. A
 * sidecar alone counts less than an HTTPRoute, whose requests would reach both versions. */
static enum traffic_mode detect(const struct api_port *api, const struct survey *survey,
	const struct record *record, char **ret_reason)
{
	const json *virtualservice = istio_route(&survey->istio, &record->plan);
	const json *httproute = gateway_route(&survey->gateway, &record->plan);
	if (virtualservice != NULL) {
		*ret_reason = mem_format(
			"virtualservice/%s routes to the Service", object_name(virtualservice));
		return TRAFFIC_ISTIO;
	}
	if (httproute != NULL) {
		*ret_reason =
			mem_format("httproute/%s routes to the Service", object_name(httproute));
		return TRAFFIC_GATEWAY;
	}
	return has_sidecar(api, survey, record, ret_reason) ? TRAFFIC_ISTIO : TRAFFIC_REPLICAS;
}

/* What routes to the Service in the other way is not split. */
static void note_left_alone(
	struct str_list *notes, const struct kind *kind, const json *route, const char *mode)
{
	if (route != NULL)
		add_note(notes,
			mem_format("%s \"%s\" in namespace \"%s\" routes to the Service too and "
				   "is left alone: its requests reach pods of both versions, by "
				   "their number (--traffic %s splits those, and not the others)",
				kind->singular, object_name(route), object_namespace(route), mode));
}

static int use_istio(const struct api_port *api, const struct survey *survey,
	const struct target *target, struct record *record, struct str_list *notes, struct err *err)
{
	const struct istio *istio = &survey->istio;
	const json *service = target->service;
	if (!istio->served)
		return err_set(err, ERR_FAILED,
			"--traffic istio: the cluster does not serve Istio's API (%s)",
			KIND_VIRTUAL_SERVICE.version);
	if (str_equal(json_path_text(service, "spec", "clusterIP", NULL), "None"))
		return err_set(err, ERR_FAILED,
			"service \"%s\" is headless: Istio cannot split its requests by weight; "
			"use --traffic replicas",
			object_name(service));
	note_left_alone(
		notes, &KIND_HTTP_ROUTE, gateway_route(&survey->gateway, &record->plan), "gateway");
	int code = check_ambient(api, target, record, err);
	return code == 0 ? istio_take(istio, target, record, notes, err) : code;
}

static int use_gateway(const struct api_port *api, const struct survey *survey,
	const struct target *target, struct record *record, struct str_list *notes, struct err *err)
{
	if (!survey->gateway.served)
		return err_set(err, ERR_FAILED,
			"--traffic gateway: the cluster does not serve the Gateway API (%s)",
			KIND_HTTP_ROUTE.version);
	note_left_alone(
		notes, &KIND_VIRTUAL_SERVICE, istio_route(&survey->istio, &record->plan), "istio");
	int code = gateway_check_istio(survey->istio.destinationrules, record, notes, err);
	return code == 0 ? gateway_take(api, &survey->gateway, target, record, notes, err) : code;
}

static int use_replicas(struct record *record)
{
	record->virtualservices = json_array();
	record->destinationrules = json_array();
	return 0;
}

/* What not every mode can do: why not, or NULL where it can. */
static int check_options(
	const struct start_options *options, enum traffic_mode mode, struct err *err)
{
	const struct {
		const char *option;
		bool given;
		const char *reasons[TRAFFIC_MODE_COUNT];
	} rows[] = {
		{"--match", options->match.count > 0,
			{[TRAFFIC_REPLICAS] = "needs Istio or the Gateway API: where the ratio of "
					      "replicas splits the traffic, a connection goes to "
					      "any pod and nobody looks at its requests"}},
		{"--sticky", options->sticky,
			{[TRAFFIC_REPLICAS] = "needs Istio: where the ratio of replicas splits the "
					      "traffic, a connection goes to any pod and nobody "
					      "looks at its requests",
				[TRAFFIC_GATEWAY] =
					"needs Istio: it sets a cookie for each version, and the "
					"Gateway API leaves it to implementations whether a "
					"backendRef has filters"}},
		{"--virtualservice", options->virtualservices.count > 0,
			{[TRAFFIC_REPLICAS] = "needs Istio: the ratio of replicas splits all "
					      "requests",
				[TRAFFIC_GATEWAY] = "needs Istio: HTTPRoutes split the traffic"}},
	};
	for (size_t i = 0; i < COUNT_OF(rows); i++)
		if (rows[i].given && rows[i].reasons[mode] != NULL)
			return err_set(err, ERR_USAGE,
				"%s %s; use --traffic istio, or leave it out", rows[i].option,
				rows[i].reasons[mode]);
	return 0;
}

/* The domain that the Service's full name ends with. */
static int find_domain(const struct start_options *options, const struct istio *istio,
	struct plan *plan, struct err *err)
{
	if (options->cluster_domain != NULL) {
		if (check_object_name(options->cluster_domain, 253, err) != 0)
			return err_wrap(err, "--cluster-domain");
		plan->cluster_domain = mem_strdup(options->cluster_domain);
		return 0;
	}
	return find_cluster_domain(list_items(istio->virtualservices),
		list_items(istio->destinationrules), plan->service, plan->namespace,
		&plan->cluster_domain, err);
}

/* Decides the mode, and says why. */
static int choose(const struct api_port *api, const struct start_options *options,
	struct survey *survey, struct record *record, struct str_list *notes, struct err *err)
{
	static const char *const CALLED[TRAFFIC_MODE_COUNT] = {
		[TRAFFIC_REPLICAS] = "the ratio of replicas",
		[TRAFFIC_ISTIO] = "Istio weights",
		[TRAFFIC_GATEWAY] = "HTTPRoute weights",
	};
	const char *wanted = options->traffic == NULL ? "auto" : options->traffic;
	bool decided = !str_equal(wanted, "auto");
	int mode = traffic_mode_parse(wanted);
	if (decided && mode < 0)
		return err_set(err, ERR_USAGE,
			"--traffic: \"%s\" is not one of auto, istio, gateway, replicas", wanted);
	int code = 0;
	if (mode != TRAFFIC_REPLICAS)
		code = look(api, record, mode == TRAFFIC_GATEWAY, survey, notes, err);
	if (code == 0)
		code = find_domain(options, &survey->istio, &record->plan, err);
	if (code != 0)
		return code;
	AUTO_STRING reason = NULL;
	record->plan.traffic =
		decided ? (enum traffic_mode)mode : detect(api, survey, record, &reason);
	add_note(notes, mem_format("traffic is split by %s: %s", CALLED[record->plan.traffic],
				reason != NULL ? reason : "as --traffic says"));
	return 0;
}

int routing_choose(const struct api_port *api, const struct start_options *options,
	const struct target *target, struct record *record, struct str_list *notes, struct err *err)
{
	CLEANUP(survey_release) struct survey survey = {0};
	int code = choose(api, options, &survey, record, notes, err);
	if (code == 0)
		code = check_options(options, record->plan.traffic, err);
	if (code != 0)
		return code;
	if (record->plan.traffic == TRAFFIC_ISTIO)
		return use_istio(api, &survey, target, record, notes, err);
	if (record->plan.traffic == TRAFFIC_GATEWAY)
		return use_gateway(api, &survey, target, record, notes, err);
	return use_replicas(record);
}

/* --- the rehearsal -------------------------------------------------------------------------- */

static int rehearse_own(const struct api_port *api, const struct kind *kind, json *own_taken,
	const struct record *record, struct err *err)
{
	mark_as_own(own_taken, record);
	return rehearse(api, kind, NULL, own_taken, err);
}

int routing_rehearse(const struct api_port *api, const struct record *record, struct err *err)
{
	const struct router *router = router_of(record);
	const struct batch *batch = &record->plan.batches[0];
	if (router == NULL)
		return 0;
	AUTO_JSON versions = router->versions_new(record);
	int code = 0;
	json_for_each (own, versions)
		if (code == 0)
			code = rehearse_own(
				api, router->versions_kind, json_copy(own), record, err);
	json_for_each (snapshot, router->users(record))
		if (code == 0)
			code = rehearse(api, router->kind, snapshot,
				router->routed(record, snapshot, ROUTES_BATCH, batch), err);
	for (size_t i = 0; code == 0 && router->own(record, i) != NULL; i++)
		code = rehearse_own(api, router->kind,
			router->routed(record, router->own(record, i), ROUTES_BATCH, batch), record,
			err);
	return code;
}
