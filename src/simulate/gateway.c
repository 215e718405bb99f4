/* virtualhost.h: the part of gateways */
#include <string.h>
#include <strings.h>

#include "base/str.h"
#include "simulate/hostname.h"
#include "simulate/resolve.h"
#include "simulate/virtualhost.h"

/* Hosts that a gateway's server and a VirtualService have in common, each the narrower of the two.
 * A server's host may be for one namespace: "shop/web.example.com". */
static void add_common_hosts(struct str_list *list, const json *server, const char *gateway_space,
	const json *virtualservice)
{
	json_for_each (element, json_get(server, "hosts")) {
		const char *host = json_text(element);
		const char *slash = host == NULL ? NULL : strchr(host, '/');
		AUTO_STRING space =
			slash == NULL ? mem_strdup("*") : mem_strndup(host, (size_t)(slash - host));
		const char *wanted = str_equal(space, ".") ? gateway_space : space;
		if (host == NULL || (!str_equal(wanted, "*") &&
					    !str_equal(wanted, object_space(virtualservice))))
			continue;
		const char *name = slash == NULL ? host : slash + 1;
		json_for_each (own, json_path(virtualservice, "spec", "hosts", NULL)) {
			if (hostname_is_within(name, json_text(own)))
				str_list_add(list, name);
			else if (hostname_is_within(json_text(own), name))
				str_list_add(list, json_text(own));
		}
	}
}

enum protocol gateway_server_protocol(const json *server)
{
	const char *mode = json_path_text(server, "tls", "mode", NULL);
	const char *name = json_path_text(server, "port", "protocol", NULL);
	enum protocol protocol = protocol_named(name);
	if (str_equal(mode, "PASSTHROUGH") || str_equal(mode, "AUTO_PASSTHROUGH"))
		return PROTOCOL_TLS;
	if (protocol == PROTOCOL_TLS && strcasecmp(name, "https") == 0)
		return PROTOCOL_HTTP;
	return protocol == PROTOCOL_HTTP ? PROTOCOL_HTTP : PROTOCOL_TCP;
}

/* The servers that take the request, an array of borrowed ones; the port of the first counts where
 * the request has none. */
static struct object_list servers_of(const json *gateway, const struct request *request)
{
	struct object_list list = {0};
	json_for_each (server, json_path(gateway, "spec", "servers", NULL)) {
		int64_t port = json_get_integer(json_get(server, "port"), "number", 0);
		if (port != request->port || gateway_server_protocol(server) != PROTOCOL_HTTP)
			continue;
		list.items = mem_grow(list.items, list.count + 1, sizeof(*list.items));
		list.items[list.count++] = server;
	}
	return list;
}

/* How closely a VirtualService fits the host on a server. */
static int fit_on(
	const json *server, const char *gateway_space, const json *virtualservice, const char *host)
{
	CLEANUP(str_list_release) struct str_list common = {0};
	add_common_hosts(&common, server, gateway_space, virtualservice);
	int fit = 0;
	for (size_t i = 0; i < common.count; i++) {
		AUTO_STRING lower = hostname_lower(common.items[i]);
		int one = hostname_fit(lower, host);
		fit = one > fit ? one : fit;
	}
	return fit;
}

static void add_merged(struct virtual_host *found, const json *virtualservice)
{
	struct object_list *merged = &found->merged;
	for (size_t i = 0; i < merged->count; i++)
		if (merged->items[i] == virtualservice)
			return;
	merged->items = mem_grow(merged->items, merged->count + 1, sizeof(*merged->items));
	merged->items[merged->count++] = virtualservice;
}

/* Finds the VirtualServices with the closest host; those with equally close ones are merged. */
static void collect(struct virtual_host *found, const struct object_list *servers,
	const char *gateway_space, const struct object_list *visible, const struct request *request)
{
	AUTO_STRING host = looked_up_host(request);
	int closest = 1;
	for (size_t s = 0; s < servers->count; s++)
		for (size_t i = 0; i < visible->count; i++) {
			CLEANUP(routing_table_release) struct routing_table table = {0};
			int fit = fit_on(servers->items[s], gateway_space, visible->items[i], host);
			if (fit < closest ||
				routing_table_add(&table, visible->items[i], request) == 0)
				continue;
			if (fit > closest)
				object_list_release(&found->merged);
			closest = fit;
			found->found = true;
			found->redirects_to_https = json_is_true(
				json_path(servers->items[s], "tls", "httpsRedirect", NULL));
			add_merged(found, visible->items[i]);
		}
}

struct virtual_host gateway_host(
	const json *gateway, const struct object_list *visible, const struct request *request)
{
	struct virtual_host found = {0};
	AUTO_JSON any = json_object();
	json_append(json_ensure_array(any, "hosts"), json_string("*"));
	CLEANUP(object_list_release) struct object_list servers = {0};
	if (gateway != NULL) {
		servers = servers_of(gateway, request);
	} else {
		servers.items = mem_alloc(1, sizeof(*servers.items));
		servers.items[servers.count++] = any;
	}
	collect(&found, &servers, object_space(gateway), visible, request);
	for (size_t i = 0; i < found.merged.count; i++)
		(void)routing_table_add(&found.table, found.merged.items[i], request);
	if (found.merged.count > 0)
		found.virtualservice = found.merged.items[0];
	routing_table_sort(&found.table);
	return found;
}
