/* kubectl batchrollout route */
#include <limits.h>
#include <stdio.h>

#include "base/mem.h"
#include "base/parse.h"
#include "cmd/commands.h"
#include "cmd/output.h"
#include "cmd/route_print.h"
#include "cmd/route_request.h"
#include "simulate/destination.h"
#include "simulate/simulate.h"
#include "ui/escape.h"

static const struct option_row ROWS[] = {
	{"path", 0, OPTION_TEXT, "PATH", "The path, with the query; / by default.",
		offsetof(struct route_flags, path)},
	{"method", 0, OPTION_TEXT, "METHOD", "The method; GET by default.",
		offsetof(struct route_flags, method)},
	{"header", 0, OPTION_LIST, "NAME:VALUE", "A header of the request; may be repeated.",
		offsetof(struct route_flags, headers)},
	{"cookie", 0, OPTION_LIST, "'A=B; C=D'", "Cookies of the request; may be repeated.",
		offsetof(struct route_flags, cookies)},
	{"host", 0, OPTION_TEXT, "HOST",
		"The Host header, or the server name of a TLS connection; the Service's full name "
		"by default.",
		offsetof(struct route_flags, host)},
	{"port", 0, OPTION_TEXT, "PORT",
		"The port of the Service, or of the gateway; the first by default.",
		offsetof(struct route_flags, port)},
	{"from", 0, OPTION_TEXT, "NAMESPACE/GATEWAY",
		"Where the request comes from: a gateway, or NAMESPACE/mesh for a client with a "
		"sidecar there; by default one in the Service's own namespace.",
		offsetof(struct route_flags, from)},
	{"label", 0, OPTION_LIST, "KEY=VALUE",
		"A label of the client's pod, for rules that look at them; may be repeated.",
		offsetof(struct route_flags, labels)},
	{"at-batch", 0, OPTION_TEXT, "K",
		"As it will be when batch K of the release that is under way is reached.",
		offsetof(struct route_flags, at_batch)},
	{"output", 'o', OPTION_TEXT, "json|yaml", "The format.",
		offsetof(struct route_flags, output)},
	{0},
};

/* kube-proxy chooses among the ready pods, whatever the request is. */
static json *answer_without_istio(const struct mesh *mesh, const struct request *request)
{
	json *answer = json_object();
	const json *service =
		mesh_object(mesh->services, request->service_namespace, request->service);
	json_set_text(answer, "outcome", "route");
	json_set_text(answer, "protocol", ROUTE_BY_KUBE_PROXY);
	json_set(answer, "destinations", destination_of_service(mesh, request, service));
	(void)json_ensure_array(answer, "passedOver");
	(void)json_ensure_array(answer, "hidden");
	return answer;
}

/* The Route object, apiVersion batchrollout/v1. */
static json *route_object(const struct request *request, json *answer)
{
	json *object = json_object();
	json_set_text(object, "apiVersion", "batchrollout/v1");
	json_set_text(object, "kind", "Route");
	json *metadata = json_ensure_object(object, "metadata");
	json_set_text(metadata, "name", request->service);
	json_set_text(metadata, "namespace", request->service_namespace);
	json *spec = json_ensure_object(object, "spec");
	json_set_text(spec, "host", request->host);
	json_set_integer(spec, "port", request->port);
	json_set_text(spec, "path", request->path);
	json_set_text(spec, "method", request->method);
	json_set(spec, "headers", json_copy(request->headers));
	json *from = json_ensure_object(spec, "from");
	json_set_text(from, "gateway", request->gateway);
	json_set_text(from, "namespace", request->client_namespace);
	json_set(from, "labels", json_copy(request->labels));
	json_set(object, "status", answer);
	return object;
}

static void print_people(const struct request *request, const json *answer)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	route_print(request, answer, &text);
	AUTO_STRING escaped = escape_text(buf_text(&text));
	(void)fputs(escaped, stdout);
}

static void answer_and_print(struct session *session, const struct route_cluster *cluster,
	const struct request *request, enum output output)
{
	json *answer = cluster->has_istio ? simulate(&cluster->mesh, request)
					  : answer_without_istio(&cluster->mesh, request);
	route_cluster_add_versions(session, cluster, answer);
	AUTO_JSON object = route_object(request, answer);
	if (output == OUTPUT_TABLE)
		print_people(request, answer);
	else
		output_print(output, object);
}

static int parse_output(const char *text, enum output *ret, struct err *err)
{
	int code = output_parse(text, ret, err);
	if (code == 0 && *ret == OUTPUT_NAME)
		return err_set(err, ERR_USAGE, "-o: a route has no name; take json or yaml");
	return code;
}

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	const struct route_flags *flags = options;
	enum output output;
	const char *service = session_service(arguments->items[0], err);
	if (service == NULL)
		return ERR_USAGE;
	int64_t at_batch = 0;
	int code = parse_output(flags->output, &output, err);
	if (code == 0 && flags->at_batch != NULL &&
		parse_int(flags->at_batch, 1, INT_MAX, &at_batch, err) != 0)
		code = err_wrap(err, "--at-batch");
	if (code == 0)
		code = session_connect(session, err);
	if (code != 0)
		return code;
	CLEANUP(inquiry_release) struct inquiry inquiry = {0};
	CLEANUP(route_cluster_release) struct route_cluster cluster = {0};
	code = inquiry_read(flags, service, session->namespace, &inquiry, err);
	if (code == 0)
		code = route_cluster_read(session, service, !request_is_from_mesh(&inquiry.request),
			(int)at_batch, &cluster, err);
	if (code == 0)
		code = inquiry_complete(session, &cluster, flags, &inquiry, err);
	if (code == 0)
		answer_and_print(session, &cluster, &inquiry.request, output);
	return code;
}

const struct command COMMAND_ROUTE = {
	.name = "route",
	.arguments = "SERVICE",
	.summary = "Show which rule and which version a request gets, and why.",
	.details = "Shows what a request to SERVICE gets now: which VirtualService, which of its "
		   "rules, which\n"
		   "version with which probability, and why the rules before did not match. "
		   "Nothing is sent.\n\n"
		   "  kubectl batchrollout route web --path /cart?id=7 --cookie 'user=tester'\n"
		   "  kubectl batchrollout route web --from ingress/public --host shop.example.com",
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.rows = ROWS,
	.options_size = sizeof(struct route_flags),
	.run = run,
};
