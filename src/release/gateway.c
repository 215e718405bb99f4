#include "release/gateway.h"

#include "api/object.h"
#include "release/gateway_check.h"
#include "release/mesh.h"
#include "release/users.h"
#include "traffic/httproute.h"
#include "traffic/route_check.h"

void gateway_release(struct gateway *gateway)
{
	if (gateway == NULL)
		return;
	json_free(gateway->httproutes);
	*gateway = (struct gateway){0};
}

int gateway_look(const struct api_port *api, const struct plan *plan, struct gateway *ret,
	struct str_list *notes, struct err *err)
{
	AUTO_JSON list = NULL;
	int code = list_widely(api, &KIND_HTTP_ROUTE, plan, &list, notes, err);
	if (code == ERR_NOT_FOUND)
		return 0;
	if (code != 0)
		return code;
	ret->served = true;
	ret->httproutes = json_array();
	json_for_each (httproute, list_items(list))
		if (!is_own(httproute))
			json_append(ret->httproutes, json_copy(httproute));
	return 0;
}

const json *gateway_route(const struct gateway *gateway, const struct plan *plan)
{
	struct intent intent = plan_intent(plan);
	json_for_each (httproute, gateway->httproutes)
		if (httproute_routes_to(httproute, &intent))
			return httproute;
	return NULL;
}

static int take_one(const struct api_port *api, const json *httproute,
	const struct gateway *gateway, struct record *record, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	int code = httproute_check(httproute, gateway->httproutes, &intent, err);
	if (code == 0)
		code = gateway_check_grants(api, httproute, record, err);
	if (code == 0)
		code = gateway_check_regex(httproute, record, err);
	if (code == 0)
		json_append(record->httproutes, snapshot_of(httproute));
	return code;
}

/* --- those of our own ----------------------------------------------------------------------- */

/* Whether an HTTPRoute is for connections of this kind. */
static bool is_http(const char *protocol)
{
	/* "": whoever has a mesh finds out. */
	static const char *const HTTP[] = {
		"", "http", "http2", "grpc", "kubernetes.io/h2c", "kubernetes.io/ws"};
	return str_index(HTTP, COUNT_OF(HTTP), protocol) >= 0;
}

/* The numbers of the Service's ports that HTTPRoutes can be for; notes the others. */
static json *http_ports(const json *service, struct str_list *notes)
{
	json *numbers = json_array();
	json_for_each (port, json_path(service, "spec", "ports", NULL)) {
		AUTO_STRING protocol = port_protocol(port);
		int64_t number = json_get_integer(port, "port", 0);
		if (is_http(protocol))
			json_append(numbers, json_number((double)number));
		else
			add_note(notes,
				mem_format("port %d of the Service is not HTTP (%s): in the mesh "
					   "its connections follow the ratio of replicas, not the "
					   "weights",
					(int)number, protocol));
	}
	return numbers;
}

static void make_own(const struct target *target, struct record *record, struct str_list *notes)
{
	struct intent intent = plan_intent(&record->plan);
	AUTO_JSON ports = http_ports(target->service, notes);
	size_t count = json_count(json_path(target->service, "spec", "ports", NULL));
	AUTO_STRING name = own_object_name(record->plan.service);
	record->own_httproutes = json_array();
	json_for_each (port, ports) {
		int number = (int)json_integer(port, 0);
		AUTO_STRING of_port = mem_format("%s-%d", name, number);
		json_append(record->own_httproutes,
			httproute_new(json_count(ports) == 1 ? name : of_port, number, count == 1,
				&intent));
	}
}

/* The mesh has HTTPRoutes of its own, with the Service as their parent. Where the user has none,
 * its clients would reach the pods of both versions. */
static int take_mesh(const struct api_port *api, const struct gateway *gateway,
	const struct target *target, struct record *record, struct str_list *notes, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	json_for_each (httproute, gateway->httproutes)
		if (httproute_serves_mesh(httproute, &intent))
			return 0;
	struct mesh mesh = find_mesh(api, target, record);
	bool headless =
		str_equal(json_path_text(target->service, "spec", "clusterIP", NULL), "None");
	if (mesh.sign == NULL || headless) {
		add_note(notes,
			mem_format("requests to service \"%s\" that come by no HTTPRoute, as from "
				   "other pods, follow the ratio of replicas",
				record->plan.service));
		return 0;
	}
	make_own(target, record, notes);
	if (json_count(record->own_httproutes) == 0)
		return 0;
	add_note(notes, mem_format("%s: the mesh gets httproute/%s for the time of the release",
				mesh.sign, object_name(json_first(record->own_httproutes))));
	return mesh.is_istio ? 0 : gateway_check_regex(NULL, record, err);
}

/* --- the whole ------------------------------------------------------------------------------ */

int gateway_take(const struct api_port *api, const struct gateway *gateway,
	const struct target *target, struct record *record, struct str_list *notes, struct err *err)
{
	struct intent intent = plan_intent(&record->plan);
	record->virtualservices = json_array();
	record->destinationrules = json_array();
	record->httproutes = json_array();
	record->service = snapshot_of(target->service);
	json_for_each (httproute, gateway->httproutes) {
		if (!httproute_routes_to(httproute, &intent))
			continue;
		int code = take_one(api, httproute, gateway, record, err);
		if (code != 0)
			return code;
	}
	int code = gateway_check_others(api, target, record, err);
	if (code != 0)
		return code;
	code = take_mesh(api, gateway, target, record, notes, err);
	if (code != 0)
		return code;
	if (json_count(record->httproutes) + json_count(record->own_httproutes) > 0)
		return 0;
	return err_set(err, ERR_FAILED,
		"no HTTPRoute sends requests to service \"%s\", and no mesh is seen that would "
		"follow "
		"one: there is nothing to split; use --traffic replicas",
		record->plan.service);
}
