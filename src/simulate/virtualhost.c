#include "simulate/virtualhost.h"

#include <string.h>

#include "base/str.h"
#include "simulate/hostname.h"
#include "simulate/protocol.h"
#include "simulate/resolve.h"

void virtual_host_release(struct virtual_host *host)
{
	object_list_release(&host->merged);
	routing_table_release(&host->table);
}

/* What is looked at for one request. */
struct lookup {
	const struct mesh *mesh;
	const struct object_list *visible;
	const struct request *request;
	const char *host; /* lower case, no port */
};

static const json *hosts_of(const json *virtualservice)
{
	return json_path(virtualservice, "spec", "hosts", NULL);
}

/* --- Services ------------------------------------------------------------------------------- */

static bool is_on_port(const struct lookup *lookup, const json *service)
{
	return service_port(service, lookup->request->port) != NULL;
}

static bool is_http(const struct lookup *lookup, const json *service)
{
	const json *port = service_port(service, lookup->request->port);
	return port != NULL && protocol_is_http(service_port_protocol(port));
}

static int best(int a, int b)
{
	return a > b ? a : b;
}

static bool is_address(const json *service, const char *host)
{
	if (array_has_text(json_path(service, "spec", "clusterIPs", NULL), host))
		return true;
	const char *address = json_path_text(service, "spec", "clusterIP", NULL);
	return str_equal(address, host) && !str_equal(address, "None");
}

static int name_fit(const json *service, const char *name, const char *host)
{
	bool headless = str_equal(json_path_text(service, "spec", "clusterIP", NULL), "None");
	AUTO_STRING pods = mem_format("*.%s", name);
	return best(hostname_fit(name, host), headless ? hostname_fit(pods, host) : 0);
}

/* How closely the host is one of the names under which the client may reach the Service. */
static int service_fit(const struct lookup *lookup, const json *service)
{
	const char *namespace = object_space(service);
	AUTO_STRING full = mesh_service_host(lookup->mesh, service);
	AUTO_STRING absolute = mem_format("%s.", full);
	AUTO_STRING with_svc = mem_format("%s.%s.svc", object_title(service), namespace);
	AUTO_STRING with_namespace = mem_format("%s.%s", object_title(service), namespace);
	const char *const names[] = {full, absolute, with_svc, with_namespace,
		str_equal(namespace, lookup->request->client_namespace) ? object_title(service)
									: full};
	int fit = is_address(service, lookup->host) ? HOST_FITS_EXACTLY : 0;
	for (size_t i = 0; i < COUNT_OF(names); i++)
		fit = best(fit, name_fit(service, names[i], lookup->host));
	return fit;
}

/* --- VirtualServices in a sidecar ----------------------------------------------------------- */

/* Of all that the proxy is told, the VirtualService with the closest host to a Service's name: a
 * wildcard host counts for the Service only there. */
static const json *closest_to(const struct lookup *lookup, const char *service_host)
{
	const json *closest = NULL;
	const char *closest_host = NULL;
	for (size_t i = 0; i < lookup->visible->count; i++)
		json_for_each (element, hosts_of(lookup->visible->items[i])) {
			const char *host = json_text(element);
			bool covers = hostname_is_wildcard(host) ? str_ends(service_host, host + 1)
								 : str_equal(service_host, host);
			if (!covers || (closest != NULL && !hostname_is_closer(host, closest_host)))
				continue;
			closest = lookup->visible->items[i];
			closest_host = host;
		}
	return closest;
}

/* How a VirtualService's claim to the host stands. */
struct claim {
	int fit;
	const json *service; /* by whose name */
	bool serves_port;    /* a Service of its is on the port, with http */
};

static void claim_service(const struct lookup *lookup, const json *service, struct claim *claim)
{
	int fit = service_fit(lookup, service);
	claim->serves_port = claim->serves_port || is_http(lookup, service);
	if (!is_http(lookup, service) || fit <= claim->fit)
		return;
	claim->fit = fit;
	claim->service = service;
}

/* A host that is no Service's is one of the proxy's own. */
static void claim_name(const struct lookup *lookup, const char *name, struct claim *claim)
{
	AUTO_STRING lower = hostname_lower(name);
	int fit = hostname_fit(lower, lookup->host);
	if (fit <= claim->fit)
		return;
	claim->fit = fit;
	claim->service = NULL;
}

static void claim_wildcard(const struct lookup *lookup, const json *virtualservice,
	const char *name, struct claim *claim)
{
	bool covers = false;
	json_for_each (service, lookup->mesh->services) {
		AUTO_STRING host = mesh_service_host(lookup->mesh, service);
		if (!is_on_port(lookup, service) || !hostname_overlaps(host, name))
			continue;
		covers = true;
		if (closest_to(lookup, host) == virtualservice)
			claim_service(lookup, service, claim);
	}
	if (!covers)
		claim_name(lookup, name, claim);
}

static void claim_exact(const struct lookup *lookup, const char *name, struct claim *claim)
{
	AUTO_STRING lower = hostname_lower(name);
	const json *service = mesh_service(lookup->mesh, lower);
	if (service != NULL && is_on_port(lookup, service))
		claim_service(lookup, service, claim);
	else
		claim_name(lookup, name, claim);
}

static struct claim claim_of(const struct lookup *lookup, const json *virtualservice)
{
	struct claim claim = {0};
	json_for_each (element, hosts_of(virtualservice)) {
		const char *name = json_text(element);
		if (hostname_is_wildcard(name))
			claim_wildcard(lookup, virtualservice, name, &claim);
		else
			claim_exact(lookup, name, &claim);
	}
	/* Without a Service, istiod gives a VirtualService port 80 only. */
	if (!claim.serves_port && lookup->request->port != 80)
		claim.fit = 0;
	return claim;
}

/* The Services without a VirtualService come last, and win only where none claims the host. */
static void find_plain_service(const struct lookup *lookup, int fit, struct virtual_host *found)
{
	json_for_each (service, lookup->mesh->services) {
		if (!is_http(lookup, service) || service_fit(lookup, service) <= fit)
			continue;
		fit = service_fit(lookup, service);
		found->found = true;
		found->virtualservice = NULL;
		found->service = service;
	}
}

/* On a port without a declared protocol, the address decides, not the Host header. */
static char *sidecar_lookup_host(const struct mesh *mesh, const struct request *request)
{
	const json *service =
		mesh_object(mesh->services, request->service_namespace, request->service);
	const json *port = service_port(service, request->port);
	if (port != NULL && service_port_protocol(port) == PROTOCOL_SNIFFED)
		return mesh_service_host(mesh, service);
	return looked_up_host(request);
}

char *looked_up_host(const struct request *request)
{
	AUTO_STRING name = hostname_without_port(request->host);
	return hostname_lower(name);
}

struct virtual_host sidecar_host(
	const struct mesh *mesh, const struct object_list *visible, const struct request *request)
{
	AUTO_STRING host = sidecar_lookup_host(mesh, request);
	struct lookup lookup = {mesh, visible, request, host};
	struct virtual_host found = {0};
	int fit = 0;
	for (size_t i = 0; i < visible->count; i++) {
		CLEANUP(routing_table_release) struct routing_table table = {0};
		if (routing_table_add(&table, visible->items[i], request) == 0)
			continue;
		struct claim claim = claim_of(&lookup, visible->items[i]);
		if (claim.fit <= fit)
			continue;
		fit = claim.fit;
		found.found = true;
		found.virtualservice = visible->items[i];
		found.service = claim.service;
	}
	find_plain_service(&lookup, fit, &found);
	if (found.virtualservice != NULL)
		(void)routing_table_add(&found.table, found.virtualservice, request);
	return found;
}
