#include "simulate/simulate.h"

#include <strings.h>

#include "base/str.h"
#include "simulate/connection.h"
#include "simulate/destination.h"
#include "simulate/hidden.h"
#include "simulate/protocol.h"
#include "simulate/resolve.h"
#include "simulate/virtualhost.h"

/* What one question works with. */
struct question {
	const struct mesh *mesh;
	const struct request *request;
	const json *service; /* that the client asks; NULL through a gateway */
	const json *gateway; /* the object; NULL for the mesh, and where it is not known */
	const struct object_list *visible;
	json *answer;
};

static void set_outcome(json *answer, const char *outcome, int status)
{
	json_set_text(answer, "outcome", outcome);
	if (status != 0)
		json_set_integer(answer, "status", status);
}

/* --- http ----------------------------------------------------------------------------------- */

static void answer_redirect(json *answer, const json *route)
{
	const json *redirect = json_get(route, "redirect");
	set_outcome(answer, "redirect", (int)json_get_integer(redirect, "redirectCode", 301));
	json_set(answer, "redirect", json_copy(redirect));
}

static void answer_directly(json *answer, const json *route)
{
	const json *response = json_get(route, "directResponse");
	set_outcome(answer, "directResponse", (int)json_get_integer(response, "status", 200));
	json_set(answer, "directResponse", json_copy(response));
}

/* What is done is decided in istiod's order: redirect, direct response, destinations. */
static void answer_route(const struct question *question, const struct candidate *candidate)
{
	json *answer = question->answer;
	const json *route = candidate->route;
	json_set(answer, "rule", candidate_to_json(candidate));
	json_set(answer, "fault", json_copy(json_get(route, "fault")));
	if (json_is_object(json_get(route, "redirect"))) {
		answer_redirect(answer, route);
		return;
	}
	if (json_is_object(json_get(route, "directResponse"))) {
		answer_directly(answer, route);
		return;
	}
	set_outcome(answer, "route", 0);
	json_set(answer, "destinations",
		destinations_of(question->mesh, question->request, json_get(route, "route"), true));
}

static void answer_host(const struct question *question, const struct virtual_host *host)
{
	json *answer = question->answer;
	json *passed_over = json_get(answer, "passedOver");
	bool from_mesh = request_is_from_mesh(question->request);
	if (host->redirects_to_https && str_equal(question->request->scheme, "http")) {
		set_outcome(answer, "redirect", 301);
		return;
	}
	if (host->virtualservice == NULL && host->service != NULL) {
		set_outcome(answer, "route", 0);
		json_set(answer, "destinations",
			destination_of_service(question->mesh, question->request, host->service));
		return;
	}
	const struct candidate *candidate =
		routing_table_find(&host->table, question->request, passed_over);
	if (candidate != NULL)
		answer_route(question, candidate);
	else if (host->found || !from_mesh)
		set_outcome(answer, "notFound", 404);
	else
		set_outcome(answer, "passthrough", 0);
}

static void answer_http(const struct question *question)
{
	json_set_text(question->answer, "protocol", "http");
	CLEANUP(virtual_host_release)
	struct virtual_host host =
		request_is_from_mesh(question->request)
			? sidecar_host(question->mesh, question->visible, question->request)
			: gateway_host(question->gateway, question->visible, question->request);
	answer_host(question, &host);
	hidden_behind(&host, question->mesh, question->visible, question->request,
		json_get(question->answer, "hidden"));
}

/* --- connections ---------------------------------------------------------------------------- */

static json *connection_rule(const struct connection *connection, const char *protocol)
{
	json *rule = json_object();
	json *virtualservice = json_ensure_object(rule, "virtualService");
	json_set_text(virtualservice, "namespace", object_space(connection->virtualservice));
	json_set_text(virtualservice, "name", object_title(connection->virtualservice));
	json_set_text(rule, "protocol", protocol);
	json_set_integer(rule, "index", (int64_t)connection->index);
	return rule;
}

static void answer_connection(const struct question *question, enum protocol protocol)
{
	const struct request *request = question->request;
	json *answer = question->answer;
	json *passed_over = json_get(answer, "passedOver");
	const char *name = protocol == PROTOCOL_TLS ? "tls" : "tcp";
	json_set_text(answer, "protocol", name);
	struct connection connection =
		request_is_from_mesh(request)
			? sidecar_connection(question->mesh, question->visible, question->service,
				  protocol, request, passed_over)
			: gateway_connection(question->gateway, question->visible, protocol,
				  request, passed_over);
	set_outcome(answer, connection.found ? "route" : "closed", 0);
	if (connection.virtualservice != NULL) {
		json_set(answer, "rule", connection_rule(&connection, name));
		json_set(answer, "destinations",
			destinations_of(question->mesh, request,
				json_get(connection.route, "route"), false));
	} else if (connection.found) {
		json_set(answer, "destinations",
			destination_of_service(question->mesh, request, question->service));
	}
}

/* --- which of the two ----------------------------------------------------------------------- */

/* A gateway's server decides by its own protocol, a sidecar by the Service's port. */
static enum protocol protocol_of(const struct question *question)
{
	const struct request *request = question->request;
	if (request_is_from_mesh(request)) {
		const json *port = service_port(question->service, request->port);
		return port == NULL ? PROTOCOL_HTTP : service_port_protocol(port);
	}
	json_for_each (server, json_path(question->gateway, "spec", "servers", NULL)) {
		const json *port = json_get(server, "port");
		if (json_get_integer(port, "number", 0) == request->port)
			return gateway_server_protocol(server);
	}
	return PROTOCOL_HTTP;
}

static const json *gateway_of(const struct mesh *mesh, const struct request *request)
{
	json_for_each (gateway, mesh->gateways) {
		AUTO_STRING name =
			mem_format("%s/%s", object_space(gateway), object_title(gateway));
		if (str_equal(name, request->gateway))
			return gateway;
	}
	return NULL;
}

/* VirtualServices for the host that the proxy is not told. */
static void add_invisible(const struct question *question, const json *resolved)
{
	json_for_each (virtualservice, resolved) {
		AUTO_STRING reason = why_not_visible(virtualservice, question->request);
		if (reason != NULL &&
			is_for_host(virtualservice, question->mesh, question->request))
			add_hidden(json_get(question->answer, "hidden"), virtualservice, reason);
	}
}

/* The scheme where the question leaves it out: https where a gateway's server ends TLS. */
static struct request complete(const struct mesh *mesh, const struct request *asked)
{
	struct request request = *asked;
	const json *gateway = gateway_of(mesh, asked);
	if (request.scheme != NULL)
		return request;
	request.scheme = "http";
	json_for_each (server, json_path(gateway, "spec", "servers", NULL)) {
		const char *protocol = json_path_text(server, "port", "protocol", NULL);
		if (json_get_integer(json_get(server, "port"), "number", 0) == request.port &&
			protocol != NULL && strcasecmp(protocol, "https") == 0)
			request.scheme = "https";
	}
	return request;
}

json *simulate(const struct mesh *mesh, const struct request *asked)
{
	struct request completed = complete(mesh, asked);
	const struct request *request = &completed;
	AUTO_JSON resolved = virtualservices_resolve(mesh->virtualservices, mesh->cluster_domain);
	CLEANUP(object_list_release)
	struct object_list visible = visible_virtualservices(resolved, request);
	struct question question = {
		.mesh = mesh,
		.request = request,
		.service =
			mesh_object(mesh->services, request->service_namespace, request->service),
		.gateway = gateway_of(mesh, request),
		.visible = &visible,
		.answer = json_object(),
	};
	(void)json_ensure_array(question.answer, "destinations");
	(void)json_ensure_array(question.answer, "passedOver");
	(void)json_ensure_array(question.answer, "hidden");
	enum protocol protocol = protocol_of(&question);
	if (protocol_is_http(protocol))
		answer_http(&question);
	else
		answer_connection(&question, protocol);
	add_invisible(&question, resolved);
	return question.answer;
}
