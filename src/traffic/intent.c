#include "traffic/intent.h"

#include <string.h>

#include "base/mem.h"
#include "base/str.h"

char *service_host(const struct intent *intent)
{
	return mem_format(
		"%s.%s.svc.%s", intent->service, intent->namespace, intent->cluster_domain);
}

bool host_is_service(const char *host, const char *object_namespace, const struct intent *intent)
{
	if (str_empty(host))
		return false;
	if (strchr(host, '.') == NULL)
		return str_equal(host, intent->service) &&
		       str_equal(object_namespace, intent->namespace);
	AUTO_STRING full = service_host(intent);
	return str_equal(host, full);
}

bool host_is_partial(const char *host, const struct intent *intent)
{
	AUTO_STRING with_namespace = mem_format("%s.%s", intent->service, intent->namespace);
	AUTO_STRING with_svc = mem_format("%s.svc", with_namespace);
	return str_equal(host, with_namespace) || str_equal(host, with_svc);
}

bool host_covers_service(const char *host, const struct intent *intent)
{
	AUTO_STRING service = service_host(intent);
	return host != NULL && host[0] == '*' && str_ends(service, host + 1);
}

const char *namespace_of(const json *object, const struct intent *intent)
{
	const char *namespace = json_path_text(object, "metadata", "namespace", NULL);
	return namespace != NULL ? namespace : intent->namespace;
}

bool is_public(const json *exports)
{
	json_for_each (namespace, exports) {
		if (str_equal(json_text(namespace), "*"))
			return true;
	}
	return json_count(exports) == 0;
}

/* --- the cluster's domain ------------------------------------------------------------------- */

#define USUAL_DOMAIN "cluster.local"
/* The Service in all clusters of a set (the Multi-Cluster Services API): another host. */
#define CLUSTER_SET_DOMAIN "clusterset.local"

struct domain_search {
	char *prefix; /* "web.shop.svc." */
	const char *found;
	const char *other;
};

/* Takes in every string below node: hosts stand in many places, and nothing else begins so. */
static void look_for_domain(const json *node, struct domain_search *search)
{
	const char *text = json_text(node);
	if (text != NULL && str_starts(text, search->prefix)) {
		const char *domain = text + strlen(search->prefix);
		if (domain[0] == '\0' || str_equal(domain, CLUSTER_SET_DOMAIN))
			return;
		if (search->found == NULL)
			search->found = domain;
		else if (!str_equal(search->found, domain))
			search->other = domain;
	}
	json_for_each (child, node)
		look_for_domain(child, search);
}

int find_cluster_domain(const json *virtualservices, const json *destinationrules,
	const char *service, const char *namespace, char **ret, struct err *err)
{
	AUTO_STRING prefix = mem_format("%s.%s.svc.", service, namespace);
	struct domain_search search = {.prefix = prefix};
	json_for_each (virtualservice, virtualservices)
		look_for_domain(json_get(virtualservice, "spec"), &search);
	json_for_each (destinationrule, destinationrules)
		look_for_domain(json_get(destinationrule, "spec"), &search);
	if (search.other != NULL)
		return err_set(err, ERR_FAILED,
			"Istio's objects name the Service both %s%s and %s%s, and only one can be "
			"it; give the cluster's domain with --cluster-domain",
			prefix, search.found, prefix, search.other);
	*ret = mem_strdup(search.found != NULL ? search.found : USUAL_DOMAIN);
	return 0;
}
