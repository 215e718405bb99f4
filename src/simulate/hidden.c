#include "simulate/hidden.h"

#include "base/str.h"
#include "simulate/hostname.h"
#include "simulate/resolve.h"

bool is_for_host(const json *virtualservice, const struct mesh *mesh, const struct request *request)
{
	AUTO_STRING host = looked_up_host(request);
	AUTO_STRING service = mem_format(
		"%s.%s.svc.%s", request->service, request->service_namespace, mesh->cluster_domain);
	json_for_each (element, json_path(virtualservice, "spec", "hosts", NULL)) {
		AUTO_STRING own = hostname_lower(json_text(element));
		if (hostname_overlaps(own, host) ||
			(request_is_from_mesh(request) && hostname_overlaps(own, service)))
			return true;
	}
	return false;
}

void add_hidden(json *hidden, const json *virtualservice, const char *reason)
{
	json *entry = json_object();
	json_set_text(entry, "namespace", object_space(virtualservice));
	json_set_text(entry, "name", object_title(virtualservice));
	json_set_text(entry, "reason", reason);
	json_append(hidden, entry);
}

static bool has_host(const json *virtualservice, const char *host)
{
	return array_has_text(json_path(virtualservice, "spec", "hosts", NULL), host);
}

static bool shares_host(const json *a, const json *b)
{
	json_for_each (host, json_path(a, "spec", "hosts", NULL))
		if (has_host(b, json_text(host)))
			return true;
	return false;
}

static char *why_without_routes(const json *virtualservice, const struct request *request)
{
	CLEANUP(routing_table_release) struct routing_table table = {0};
	if (routing_table_add(&table, virtualservice, request) > 0)
		return NULL;
	if (table.count == 0)
		return mem_strdup("it has no http rules");
	return mem_format("none of its http rules is for this client: of the first, %s",
		table.items[0].unfit);
}

static char *why_behind(const json *virtualservice, const json *winner)
{
	if (!shares_host(virtualservice, winner))
		return mem_format("virtualservice %s/%s has a host that is closer to the request's",
			object_space(winner), object_title(winner));
	return mem_format("virtualservice %s/%s has the same host, and %s", object_space(winner),
		object_title(winner),
		compare_age(winner, virtualservice) < 0 ? "is older"
							: "its exportTo makes it come first");
}

static bool is_used(const struct virtual_host *host, const json *virtualservice)
{
	for (size_t i = 0; i < host->merged.count; i++)
		if (host->merged.items[i] == virtualservice)
			return true;
	return host->virtualservice == virtualservice;
}

void hidden_behind(const struct virtual_host *host, const struct mesh *mesh,
	const struct object_list *visible, const struct request *request, json *hidden)
{
	for (size_t i = 0; i < visible->count; i++) {
		const json *virtualservice = visible->items[i];
		if (is_used(host, virtualservice) || !is_for_host(virtualservice, mesh, request))
			continue;
		AUTO_STRING reason = why_without_routes(virtualservice, request);
		if (reason == NULL && host->virtualservice != NULL)
			reason = why_behind(virtualservice, host->virtualservice);
		if (reason == NULL)
			reason = mem_strdup(request_is_from_mesh(request)
						    ? "its hosts are for another Service or port"
						    : "the gateway has none of its hosts on this "
						      "port");
		add_hidden(hidden, virtualservice, reason);
	}
}
