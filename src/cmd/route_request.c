#include "cmd/route_request.h"

#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "base/buf.h"
#include "base/mem.h"
#include "base/parse.h"
#include "simulate/hostname.h"
#include "simulate/protocol.h"
#include "simulate/resolve.h"
#include "simulate/visible.h"

void inquiry_release(struct inquiry *inquiry)
{
	free(inquiry->host);
	free(inquiry->namespace);
	free(inquiry->gateway);
	json_free(inquiry->headers);
	json_free(inquiry->labels);
}

/* --- headers -------------------------------------------------------------------------------- */

/* A header that is given twice has both values. */
static void add_value(json *headers, const char *name, const char *value)
{
	json *given = json_get(headers, name);
	if (given == NULL) {
		json_set_text(headers, name, value);
		return;
	}
	if (!json_is_array(given)) {
		json *values = json_array();
		json_append(values, json_copy(given));
		json_set(headers, name, values);
		given = values;
	}
	json_append(given, json_string(value));
}

/* Without the blanks around it, as it comes from the wire. */
static char *trimmed(const char *text)
{
	text += strspn(text, " \t");
	size_t length = strlen(text);
	while (length > 0 && (text[length - 1] == ' ' || text[length - 1] == '\t'))
		length--;
	return mem_strndup(text, length);
}

static int add_header(json *headers, const char *text, struct err *err)
{
	const char *colon = strchr(text, ':');
	if (colon == NULL || colon == text)
		return err_set(err, ERR_USAGE, "--header: \"%s\" is not NAME:VALUE", text);
	AUTO_STRING name = mem_strndup(text, (size_t)(colon - text));
	AUTO_STRING lower = hostname_lower(name);
	AUTO_STRING value = trimmed(colon + 1);
	if (str_equal(lower, "host"))
		return err_set(err, ERR_USAGE, "--header: the host is given with --host");
	add_value(headers, lower, value);
	return 0;
}

/* One header, as browsers send it. */
static void add_cookies(json *headers, const struct str_list *cookies)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	for (size_t i = 0; i < cookies->count; i++)
		buf_addf(&text, "%s%s", i == 0 ? "" : "; ", cookies->items[i]);
	if (cookies->count > 0)
		add_value(headers, "cookie", buf_text(&text));
}

static int read_headers(const struct route_flags *flags, json *headers, struct err *err)
{
	for (size_t i = 0; i < flags->headers.count; i++) {
		int code = add_header(headers, flags->headers.items[i], err);
		if (code != 0)
			return code;
	}
	add_cookies(headers, &flags->cookies);
	return 0;
}

static int read_labels(const struct str_list *list, json **ret, struct err *err)
{
	if (list->count == 0)
		return 0;
	AUTO_JSON labels = json_object();
	for (size_t i = 0; i < list->count; i++) {
		const char *equals = strchr(list->items[i], '=');
		if (equals == NULL || equals == list->items[i])
			return err_set(
				err, ERR_USAGE, "--label: \"%s\" is not KEY=VALUE", list->items[i]);
		AUTO_STRING key = mem_strndup(list->items[i], (size_t)(equals - list->items[i]));
		json_set_text(labels, key, equals + 1);
	}
	*ret = TAKE(labels);
	return 0;
}

/* --- who asks for what ---------------------------------------------------------------------- */

static int read_from(
	const char *from, const char *own_namespace, struct inquiry *inquiry, struct err *err)
{
	const char *slash = from == NULL ? NULL : strchr(from, '/');
	if (from != NULL && (slash == NULL || slash == from || slash[1] == '\0'))
		return err_set(err, ERR_USAGE,
			"--from: \"%s\" is not NAMESPACE/GATEWAY or NAMESPACE/mesh", from);
	inquiry->namespace = from == NULL ? mem_strdup(own_namespace)
					  : mem_strndup(from, (size_t)(slash - from));
	bool mesh = from == NULL || str_equal(slash + 1, MESH_GATEWAY);
	inquiry->gateway = mem_strdup(mesh ? MESH_GATEWAY : from);
	return 0;
}

/* What can be known before the cluster is asked. */
int inquiry_read(const struct route_flags *flags, const char *service, const char *own_namespace,
	struct inquiry *inquiry, struct err *err)
{
	int64_t port = 0;
	inquiry->headers = json_object();
	if (flags->path != NULL && flags->path[0] != '/')
		return err_set(err, ERR_USAGE, "--path: \"%s\" does not begin with /", flags->path);
	if (flags->port != NULL && parse_int(flags->port, 1, 65535, &port, err) != 0)
		return err_wrap(err, "--port");
	int code = read_headers(flags, inquiry->headers, err);
	if (code == 0)
		code = read_labels(&flags->labels, &inquiry->labels, err);
	if (code == 0)
		code = read_from(flags->from, own_namespace, inquiry, err);
	inquiry->request = (struct request){
		.service = service,
		.service_namespace = own_namespace,
		.port = (int)port,
		.path = flags->path != NULL ? flags->path : "/",
		.method = flags->method != NULL ? flags->method : "GET",
		.headers = inquiry->headers,
		.gateway = inquiry->gateway,
		.client_namespace = inquiry->namespace,
		.labels = inquiry->labels,
	};
	return code;
}

/* The port of the Service that http goes to, or else its first. */
static int first_port(const json *service)
{
	const json *ports = json_path(service, "spec", "ports", NULL);
	json_for_each (port, ports)
		if (protocol_is_http(service_port_protocol(port)))
			return (int)json_get_integer(port, "port", 0);
	return (int)json_get_integer(json_first(ports), "port", 0);
}

static int choose_port(
	const struct route_cluster *cluster, struct request *request, struct err *err)
{
	const json *service =
		mesh_object(cluster->mesh.services, request->service_namespace, request->service);
	if (request->port == 0)
		request->port = first_port(service);
	if (service_port(service, request->port) == NULL)
		return err_set(err, ERR_USAGE, "--port: service \"%s\" has no TCP port %d",
			request->service, request->port);
	return 0;
}

static bool routes_to(const json *virtualservice, const char *host)
{
	static const char *const PROTOCOLS[] = {"http", "tls", "tcp"};
	for (size_t i = 0; i < COUNT_OF(PROTOCOLS); i++)
		json_for_each (route, json_path(virtualservice, "spec", PROTOCOLS[i], NULL))
			json_for_each (entry, json_get(route, "route"))
				if (str_equal(json_path_text(entry, "destination", "host", NULL),
					    host))
					return true;
	return false;
}

/* The first host under which the gateway has the Service; NULL where there is none to see. */
static char *host_at_gateway(const struct mesh *mesh, const struct request *request)
{
	AUTO_STRING service = mem_format(
		"%s.%s.svc.%s", request->service, request->service_namespace, mesh->cluster_domain);
	AUTO_JSON resolved = virtualservices_resolve(mesh->virtualservices, mesh->cluster_domain);
	CLEANUP(object_list_release)
	struct object_list visible = visible_virtualservices(resolved, request);
	for (size_t i = 0; i < visible.count; i++) {
		if (!routes_to(visible.items[i], service))
			continue;
		json_for_each (host, json_path(visible.items[i], "spec", "hosts", NULL))
			if (!hostname_is_wildcard(json_text(host)))
				return mem_strdup(json_text(host));
	}
	return NULL;
}

/* Clients name the port where it is not the one of their protocol. */
static char *host_in_mesh(const struct mesh *mesh, const struct request *request)
{
	AUTO_STRING name = mem_format(
		"%s.%s.svc.%s", request->service, request->service_namespace, mesh->cluster_domain);
	const json *service =
		mesh_object(mesh->services, request->service_namespace, request->service);
	const json *port = service_port(service, request->port);
	if (request->port == 80 || !protocol_is_http(service_port_protocol(port)))
		return TAKE(name);
	return mem_format("%s:%d", name, request->port);
}

static int choose_host(const struct route_cluster *cluster, const char *given,
	struct inquiry *inquiry, struct err *err)
{
	struct request *request = &inquiry->request;
	if (given != NULL)
		inquiry->host = mem_strdup(given);
	else if (request_is_from_mesh(request))
		inquiry->host = host_in_mesh(&cluster->mesh, request);
	else
		inquiry->host = host_at_gateway(&cluster->mesh, request);
	request->host = inquiry->host;
	if (inquiry->host == NULL)
		return err_set(err, ERR_USAGE,
			"no VirtualService of gateway %s routes to service \"%s\" under a host "
			"without a wildcard: say with --host what is asked for",
			request->gateway, request->service);
	return 0;
}

static const json *gateway_named(const struct route_cluster *cluster, const char *name)
{
	json_for_each (gateway, cluster->mesh.gateways) {
		AUTO_STRING own =
			mem_format("%s/%s", object_namespace(gateway), object_name(gateway));
		if (str_equal(own, name))
			return gateway;
	}
	return NULL;
}

/* Which VirtualServices a gateway gets depends on where its pods are. */
static int find_gateway(struct session *session, const struct route_cluster *cluster,
	struct inquiry *inquiry, struct err *err)
{
	struct request *request = &inquiry->request;
	if (!cluster->has_istio)
		return err_set(err, ERR_FAILED,
			"--from: the cluster does not serve Istio's API, there is no gateway %s",
			request->gateway);
	const json *gateway = gateway_named(cluster, request->gateway);
	if (gateway == NULL)
		return err_set(err, ERR_NOT_FOUND, "gateway.networking.istio.io %s not found",
			request->gateway);
	const json *server = json_first(json_path(gateway, "spec", "servers", NULL));
	if (request->port == 0)
		request->port = (int)json_get_integer(json_get(server, "port"), "number", 0);
	AUTO_JSON pod = route_cluster_gateway_pod(session, gateway);
	if (pod == NULL)
		return 0;
	free(inquiry->namespace);
	inquiry->namespace = mem_strdup(object_namespace(pod));
	request->client_namespace = inquiry->namespace;
	if (request->labels == NULL)
		inquiry->labels = json_copy(json_path(pod, "metadata", "labels", NULL));
	request->labels = inquiry->labels;
	return 0;
}

int inquiry_complete(struct session *session, const struct route_cluster *cluster,
	const struct route_flags *flags, struct inquiry *inquiry, struct err *err)
{
	int code = request_is_from_mesh(&inquiry->request)
			   ? choose_port(cluster, &inquiry->request, err)
			   : find_gateway(session, cluster, inquiry, err);
	return code != 0 ? code : choose_host(cluster, flags->host, inquiry, err);
}
