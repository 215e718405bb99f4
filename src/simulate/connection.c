#include "simulate/connection.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/str.h"
#include "simulate/hostname.h"
#include "simulate/request_match.h"
#include "simulate/resolve.h"
#include "simulate/subnet.h"
#include "simulate/virtualhost.h"

/* --- filter chains -------------------------------------------------------------------------- */

/* A way that a connection can take in the proxy. */
struct chain {
	const json *virtualservice, *route;
	size_t index;
	const json *subnets; /* NULL: any address */
	const json *names;   /* NULL: any server name */
	const json *match;   /* NULL where the route has none */
	char *unfit;	     /* why the proxy does not have it; NULL where it does */
};

struct chains {
	struct chain *items;
	size_t count;
};

static void chains_release(struct chains *chains)
{
	for (size_t i = 0; i < chains->count; i++)
		free(chains->items[i].unfit);
	free(chains->items);
}

static struct chain *add_chain(
	struct chains *chains, const json *virtualservice, const json *route, size_t index)
{
	chains->items = mem_grow(chains->items, chains->count + 1, sizeof(*chains->items));
	struct chain *chain = &chains->items[chains->count++];
	*chain = (struct chain){.virtualservice = virtualservice, .route = route, .index = index};
	return chain;
}

static int address_fit(const struct chain *chain, const char *address)
{
	if (json_count(chain->subnets) == 0)
		return 0;
	int fit = -1;
	json_for_each (subnet, chain->subnets) {
		int one = subnet_fit(json_text(subnet), address);
		fit = one > fit ? one : fit;
	}
	return fit;
}

static int name_fit(const struct chain *chain, const char *name)
{
	if (json_count(chain->names) == 0)
		return 0;
	int fit = -1;
	json_for_each (element, chain->names) {
		AUTO_STRING lower = hostname_lower(json_text(element));
		int one = hostname_fit(lower, name);
		fit = one > 0 && one > fit ? one : fit;
	}
	return fit;
}

/* The chain with the closest address, and of those the one with the closest name. */
static const struct chain *closest_chain(
	const struct chains *chains, const char *address, const char *name)
{
	int closest_address = -1, closest_name = -1;
	const struct chain *closest = NULL;
	for (size_t i = 0; i < chains->count; i++)
		if (chains->items[i].unfit == NULL &&
			address_fit(&chains->items[i], address) > closest_address)
			closest_address = address_fit(&chains->items[i], address);
	if (closest_address < 0)
		return NULL;
	for (size_t i = 0; i < chains->count; i++) {
		const struct chain *chain = &chains->items[i];
		if (chain->unfit != NULL || address_fit(chain, address) != closest_address ||
			name_fit(chain, name) <= closest_name)
			continue;
		closest = chain;
		closest_name = name_fit(chain, name);
	}
	return closest;
}

static void add_texts(struct buf *buf, const json *texts)
{
	json_for_each (text, texts)
		buf_addf(buf, "%s%s", text == json_first(texts) ? "" : ", ", json_text(text));
}

static char *why_not_chosen(const struct chain *chain, const char *address, const char *name)
{
	AUTO_BUF reason = BUF_INIT(BUF_OWN_TEXT);
	if (address_fit(chain, address) < 0) {
		buf_add_text(&reason, "it is for the addresses ");
		add_texts(&reason, chain->subnets);
		buf_addf(&reason, "; the connection goes to %s", address);
	} else if (name_fit(chain, name) < 0) {
		buf_add_text(&reason, "it is for the server names ");
		add_texts(&reason, chain->names);
		buf_addf(&reason, "; the connection asks for %s", name);
	} else {
		buf_add_text(&reason, "another one fits the address or the server name closer");
	}
	return mem_strdup(buf_text(&reason));
}

static void pass_over(
	json *passed_over, const struct chain *chain, const char *protocol, const char *reason)
{
	json *entry = json_object();
	json *virtualservice = json_ensure_object(entry, "virtualService");
	json_set_text(virtualservice, "namespace", object_space(chain->virtualservice));
	json_set_text(virtualservice, "name", object_title(chain->virtualservice));
	json_set_text(entry, "protocol", protocol);
	json_set_integer(entry, "index", (int64_t)chain->index);
	json_set_text(entry, "reason", reason);
	json_append(passed_over, entry);
}

static struct connection choose(const struct chains *chains, const char *protocol,
	const char *address, const char *name, json *passed_over)
{
	const struct chain *chosen = closest_chain(chains, address, name);
	for (size_t i = 0; i < chains->count && &chains->items[i] != chosen; i++) {
		const struct chain *chain = &chains->items[i];
		AUTO_STRING reason = chain->unfit != NULL ? mem_strdup(chain->unfit)
							  : why_not_chosen(chain, address, name);
		if (chain->virtualservice != NULL)
			pass_over(passed_over, chain, protocol, reason);
	}
	if (chosen == NULL)
		return (struct connection){0};
	return (struct connection){
		.found = true,
		.virtualservice = chosen->virtualservice,
		.route = chosen->route,
		.index = chosen->index,
	};
}

/* Adds what a match block makes of a route; false where the proxy does not have it. */
static bool add_match(struct chains *chains, const json *virtualservice, const json *route,
	size_t index, const json *match, const struct request *request)
{
	struct chain *chain = add_chain(chains, virtualservice, route, index);
	chain->match = match;
	AUTO_BUF reason = BUF_INIT(BUF_OWN_TEXT);
	if (!connection_match_is_for_proxy(match, request, &reason)) {
		chain->unfit = mem_strdup(buf_text(&reason));
		return false;
	}
	if (json_count(json_get(match, "destinationSubnets")) > 0)
		chain->subnets = json_get(match, "destinationSubnets");
	return true;
}

/* --- sidecars ------------------------------------------------------------------------------- */

static bool covers(const json *virtualservice, const char *host)
{
	json_for_each (own, json_path(virtualservice, "spec", "hosts", NULL))
		if (hostname_overlaps(json_text(own), host))
			return true;
	return false;
}

/* True where the route takes any address, so that istiod leaves out the rest. */
static bool add_tcp_route(struct chains *chains, const json *virtualservice, const json *route,
	size_t index, const struct request *request)
{
	if (json_count(json_get(route, "route")) == 0)
		return false;
	if (json_count(json_get(route, "match")) == 0) {
		(void)add_chain(chains, virtualservice, route, index);
		return true;
	}
	json_for_each (match, json_get(route, "match"))
		if (add_match(chains, virtualservice, route, index, match, request) &&
			chains->items[chains->count - 1].subnets == NULL)
			return true;
	return false;
}

static void add_tcp_routes(struct chains *chains, const struct object_list *visible,
	const char *host, const struct request *request)
{
	for (size_t i = 0; i < visible->count; i++) {
		size_t index = 0;
		if (!covers(visible->items[i], host))
			continue;
		json_for_each (route, json_path(visible->items[i], "spec", "tcp", NULL))
			if (add_tcp_route(chains, visible->items[i], route, index++, request))
				return;
	}
	(void)add_chain(chains, NULL, NULL, 0);
}

static bool same_list(const json *a, const json *b)
{
	return (json_count(a) == 0 && json_count(b) == 0) || json_equal(a, b);
}

/* Two blocks with the same names and subnets would be one chain to Envoy: the first counts. */
static bool is_repeated(const struct chains *chains, const json *match)
{
	for (size_t i = 0; i + 1 < chains->count; i++) {
		const struct chain *chain = &chains->items[i];
		if (chain->unfit == NULL &&
			same_list(
				json_get(chain->match, "sniHosts"), json_get(match, "sniHosts")) &&
			same_list(json_get(chain->match, "destinationSubnets"),
				json_get(match, "destinationSubnets")))
			return true;
	}
	return false;
}

/* subnets: of the last block that had some. istiod gives them to all blocks behind it that have
 * none. */
static void add_tls_route(struct chains *chains, const json *virtualservice, const json *route,
	size_t index, const struct request *request, const json **subnets)
{
	if (json_count(json_get(route, "route")) == 0)
		return;
	json_for_each (match, json_get(route, "match")) {
		if (!add_match(chains, virtualservice, route, index, match, request))
			continue;
		struct chain *chain = &chains->items[chains->count - 1];
		if (chain->subnets != NULL)
			*subnets = chain->subnets;
		chain->subnets = *subnets;
		chain->names = json_get(match, "sniHosts");
		if (is_repeated(chains, match))
			chain->unfit = mem_strdup("a route before it has the same server names");
	}
}

/* A Service's own chain is there only where no tls route is for the proxy. */
static void add_tls_routes(struct chains *chains, const struct object_list *visible,
	const char *host, const struct request *request)
{
	bool any = false;
	const json *subnets = NULL;
	for (size_t i = 0; i < visible->count; i++) {
		size_t index = 0;
		if (!covers(visible->items[i], host))
			continue;
		json_for_each (route, json_path(visible->items[i], "spec", "tls", NULL))
			add_tls_route(chains, visible->items[i], route, index++, request, &subnets);
	}
	for (size_t i = 0; i < chains->count; i++)
		any = any || chains->items[i].unfit == NULL;
	if (!any)
		(void)add_chain(chains, NULL, NULL, 0);
}

struct connection sidecar_connection(const struct mesh *mesh, const struct object_list *visible,
	const json *service, enum protocol protocol, const struct request *request,
	json *passed_over)
{
	CLEANUP(chains_release) struct chains chains = {0};
	AUTO_STRING host = mesh_service_host(mesh, service);
	AUTO_STRING name = looked_up_host(request);
	bool tls = protocol == PROTOCOL_TLS;
	if (tls)
		add_tls_routes(&chains, visible, host, request);
	else
		add_tcp_routes(&chains, visible, host, request);
	const char *address = json_path_text(service, "spec", "clusterIP", NULL);
	return choose(
		&chains, tls ? "tls" : "tcp", address == NULL ? "" : address, name, passed_over);
}

/* --- gateways ------------------------------------------------------------------------------- */

/* The server of the port that is not for http. */
static const json *server_of(const json *gateway, const struct request *request)
{
	json_for_each (server, json_path(gateway, "spec", "servers", NULL))
		if (json_get_integer(json_get(server, "port"), "number", 0) == request->port)
			return server;
	return NULL;
}

static bool is_on_server(const json *virtualservice, const json *server, const json *gateway)
{
	json_for_each (element, json_get(server, "hosts")) {
		const char *host = json_text(element);
		const char *slash = strchr(host, '/');
		const char *name = slash == NULL ? host : slash + 1;
		AUTO_STRING space = slash == NULL || host[0] == '*'
					    ? mem_strdup(object_space(virtualservice))
					    : mem_strndup(host, (size_t)(slash - host));
		const char *wanted = str_equal(space, ".") ? object_space(gateway) : space;
		if (str_equal(wanted, object_space(virtualservice)) && covers(virtualservice, name))
			return true;
	}
	return false;
}

/* The first tcp route that is for the gateway takes all connections. */
static bool add_gateway_tcp(
	struct chains *chains, const json *virtualservice, const struct request *request)
{
	size_t index = 0;
	json_for_each (route, json_path(virtualservice, "spec", "tcp", NULL)) {
		bool fits = json_count(json_get(route, "match")) == 0;
		if (fits)
			(void)add_chain(chains, virtualservice, route, index);
		json_for_each (match, json_get(route, "match"))
			fits = fits ||
			       add_match(chains, virtualservice, route, index, match, request);
		index++;
		if (!fits || json_count(json_get(route, "route")) == 0)
			continue;
		chains->items[chains->count - 1].subnets = NULL;
		return true;
	}
	return false;
}

struct connection gateway_connection(const json *gateway, const struct object_list *visible,
	enum protocol protocol, const struct request *request, json *passed_over)
{
	CLEANUP(chains_release) struct chains chains = {0};
	const json *server = server_of(gateway, request);
	AUTO_STRING name = looked_up_host(request);
	bool tls = protocol == PROTOCOL_TLS;
	const json *subnets = NULL;
	for (size_t i = 0; i < visible->count; i++) {
		size_t index = 0;
		if (!is_on_server(visible->items[i], server, gateway))
			continue;
		if (!tls && add_gateway_tcp(&chains, visible->items[i], request))
			break;
		if (!tls)
			continue;
		json_for_each (route, json_path(visible->items[i], "spec", "tls", NULL))
			add_tls_route(
				&chains, visible->items[i], route, index++, request, &subnets);
	}
	/* What a gateway's connections go to is decided without their addresses. */
	for (size_t i = 0; i < chains.count; i++)
		chains.items[i].subnets = NULL;
	return choose(&chains, tls ? "tls" : "tcp", "", name, passed_over);
}
