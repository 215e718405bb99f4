#include "release/istio.h"

#include "api/object.h"
#include "release/mesh.h"
#include "release/users.h"
#include "traffic/check.h"
#include "traffic/destination.h"
#include "traffic/destinationrule.h"
#include "traffic/virtualservice.h"

void istio_release(struct istio *istio)
{
	if (istio == NULL)
		return;
	json_free(istio->virtualservices);
	json_free(istio->destinationrules);
	*istio = (struct istio){0};
}

int istio_look(const struct api_port *api, const struct plan *plan, struct istio *ret,
	struct str_list *notes, struct err *err)
{
	int code = list_widely(api, &KIND_VIRTUAL_SERVICE, plan, &ret->virtualservices, notes, err);
	if (code == ERR_NOT_FOUND)
		return 0;
	if (code == 0)
		code = list_widely(
			api, &KIND_DESTINATION_RULE, plan, &ret->destinationrules, notes, err);
	ret->served = code == 0;
	return code;
}

const json *istio_route(const struct istio *istio, const struct plan *plan)
{
	struct intent intent = plan_intent(plan);
	json_for_each (virtualservice, list_items(istio->virtualservices))
		if (virtualservice_routes_to(virtualservice, &intent) && !is_own(virtualservice))
			return virtualservice;
	return NULL;
}

/* --- DestinationRules ----------------------------------------------------------------------- */

static int take_destinationrules(const struct istio *istio, struct record *record, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	record->destinationrules = json_array();
	json_for_each (rule, list_items(istio->destinationrules))
		if (!is_own(rule) && (destinationrule_covers(rule, &intent) ||
					     destinationrule_is_for(rule, &intent)))
			json_append(record->destinationrules, snapshot_of(rule));
	return destinationrules_check(record->destinationrules, &intent, err);
}

/* --- the VirtualServices that the user chose ------------------------------------------------ */

static bool has_split_route(const json *virtualservice, const char *name, const struct scope *scope)
{
	json_for_each (route, routes_of(virtualservice, "http"))
		if (str_equal(json_get_text(route, "name"), name) && route_has_ours(route, scope))
			return true;
	return false;
}

static int check_selected(
	const json *selected, const json *all, const struct record *record, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	const char *namespace = json_get_text(selected, "namespace");
	const char *name = json_get_text(selected, "name");
	const json *virtualservice = list_find_in(all, namespace, name);
	if (virtualservice == NULL)
		return err_set(err, ERR_NOT_FOUND,
			"--virtualservice: virtualservice \"%s\" not found in namespace \"%s\"",
			name, namespace);
	if (!virtualservice_routes_to(virtualservice, &intent))
		return err_set(err, ERR_FAILED,
			"--virtualservice: virtualservice \"%s\" in namespace \"%s\" does not "
			"route to service \"%s\"",
			name, namespace, record->plan.service);
	struct scope scope = scope_of(virtualservice, record->destinationrules, &intent);
	json_for_each (route, json_get(selected, "routes"))
		if (!has_split_route(virtualservice, json_text(route), &scope))
			return err_set(err, ERR_FAILED,
				"--virtualservice: virtualservice \"%s\" in namespace \"%s\" has "
				"no http route with the name \"%s\" to service \"%s\"",
				name, namespace, json_text(route), record->plan.service);
	return 0;
}

/* --- VirtualServices ------------------------------------------------------------------------ */

/* Whether requests for a VirtualService's host come to the Service: itself, or by a delegate. */
static bool leads_to_service(
	const json *virtualservice, const json *all, const struct intent *intent)
{
	if (virtualservice_routes_to(virtualservice, intent))
		return true;
	json_for_each (delegate, list_items(all))
		if (virtualservice_delegates_to(virtualservice, delegate, intent) &&
			virtualservice_routes_to(delegate, intent))
			return true;
	return false;
}

/* Whether all clients in the mesh have this VirtualService for the Service. */
static int serves_everybody(const json *virtualservice, const struct istio *istio,
	const struct intent *intent, struct str_list *notes, struct err *err)
{
	if (!virtualservice_serves_mesh(virtualservice, intent))
		return 0;
	if (!leads_to_service(virtualservice, istio->virtualservices, intent))
		return err_set(err, ERR_FAILED,
			"virtualservice.networking.istio.io \"%s\" in namespace \"%s\" is for the "
			"Service's host and does not route to it, so that there is nothing to "
			"split in the mesh; choose what to split with --virtualservice, or use "
			"--traffic replicas",
			object_name(virtualservice), object_namespace(virtualservice));
	if (is_public(json_path(virtualservice, "spec", "exportTo", NULL)))
		return 1;
	add_note(notes,
		mem_format("virtualservice \"%s\" in namespace \"%s\" is not exported to all "
			   "namespaces: clients elsewhere get virtualservice \"" OWN_PREFIX
			   "%s\" for the time of the release",
			object_name(virtualservice), object_namespace(virtualservice),
			intent->service));
	return 0;
}

/* One that the user did not choose stays as it is. */
static int leave_alone(const json *virtualservice, const struct record *record,
	const struct intent *intent, struct str_list *notes, struct err *err)
{
	int code = virtualservice_check_left_alone(
		virtualservice, record->destinationrules, intent, err);
	if (code == 0)
		add_note(notes,
			mem_format(
				"virtualservice \"%s\" in namespace \"%s\" routes to the Service "
				"too and is left alone: its requests reach pods of both versions",
				object_name(virtualservice), object_namespace(virtualservice)));
	return code;
}

static int take_one(const json *virtualservice, const struct istio *istio, struct record *record,
	struct str_list *notes, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	if (intent.selection != NULL && selection_of(virtualservice, &intent) == NULL)
		return leave_alone(virtualservice, record, &intent, notes, err);
	int code = virtualservice_check(virtualservice, list_items(istio->virtualservices),
		record->destinationrules, &intent, err);
	if (code == 0)
		json_append(record->virtualservices, snapshot_of(virtualservice));
	return code;
}

static int take_virtualservices(const struct istio *istio, struct record *record,
	struct str_list *notes, bool *ret_served, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	bool served = intent.selection != NULL;
	record->virtualservices = json_array();
	json_for_each (selected, intent.selection) {
		int code = check_selected(selected, istio->virtualservices, record, err);
		if (code != 0)
			return code;
	}
	json_for_each (virtualservice, list_items(istio->virtualservices)) {
		if (is_own(virtualservice))
			continue;
		int code = intent.selection == NULL
				   ? serves_everybody(virtualservice, istio, &intent, notes, err)
				   : 0;
		served = served || code > 0;
		if (code >= 0 && virtualservice_routes_to(virtualservice, &intent))
			code = take_one(virtualservice, istio, record, notes, err);
		if (code < 0)
			return code;
	}
	*ret_served = served;
	return 0;
}

/* --- one of our own ------------------------------------------------------------------------- */

/* Adds the ports whose connections a tcp route can split; the others that are not HTTP are noted.
 */
static void sort_ports(const json *service, json *tcp_ports, struct str_list *notes)
{
	static const char *const TCP[] = {"tcp", "mongo", "mysql", "redis"};
	static const char *const OTHERS[] = {"tls", "https", "udp"};
	json_for_each (port, json_path(service, "spec", "ports", NULL)) {
		AUTO_STRING protocol = port_protocol(port);
		int64_t number = json_get_integer(port, "port", 0);
		bool tcp = str_index(TCP, COUNT_OF(TCP), protocol) >= 0;
		if (tcp && tcp_ports != NULL)
			json_append(tcp_ports, json_number((double)number));
		else if (tcp || str_index(OTHERS, COUNT_OF(OTHERS), protocol) >= 0)
			add_note(notes,
				mem_format("port %d of the Service is not HTTP to Istio (%s), and "
					   "no route of yours is for it: its connections follow "
					   "the ratio of replicas, not the weights",
					(int)number, protocol));
	}
}

/* Whether the user routes connections, and so knows about them. */
static bool routes_connections(const json *virtualservices)
{
	json_for_each (virtualservice, virtualservices)
		if (json_count(routes_of(virtualservice, "tcp")) +
				json_count(routes_of(virtualservice, "tls")) >
			0)
			return true;
	return false;
}

static void make_own(const struct target *target, struct record *record, struct str_list *notes)
{
	struct intent intent = plan_intent(&record->plan);
	AUTO_STRING name = own_object_name(record->plan.service);
	AUTO_JSON tcp_ports = json_array();
	sort_ports(target->service, tcp_ports, notes);
	record->own_virtualservice = virtualservice_new(name, tcp_ports,
		destinationrules_exports(record->destinationrules, &intent), &intent);
}

/* While routes name the versions of one Deployment, pods of others behind the Service get requests
 * only where the user's routes name those pods' subsets. */
static int check_others(const struct target *target, const struct record *record, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	bool open = record->own_virtualservice != NULL;
	json_for_each (virtualservice, record->virtualservices)
		open = open || virtualservice_is_open(virtualservice, &intent);
	if (!target->shared || !open)
		return 0;
	return err_set(err, ERR_FAILED,
		"other Deployments than \"%s\" are behind service \"%s\" too, and would get none "
		"of its requests during the release: route to them by subsets, or use --traffic "
		"replicas",
		record->plan.deployment, record->plan.service);
}

int istio_take(const struct istio *istio, const struct target *target, struct record *record,
	struct str_list *notes, struct err *err)
{
	bool served = false;
	int code = take_destinationrules(istio, record, err);
	if (code == 0)
		code = take_virtualservices(istio, record, notes, &served, err);
	if (code == 0 && !served)
		make_own(target, record, notes);
	else if (code == 0 && !routes_connections(record->virtualservices))
		sort_ports(target->service, NULL, notes);
	return code == 0 ? check_others(target, record, err) : code;
}
