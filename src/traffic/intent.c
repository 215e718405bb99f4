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

const char *namespace_of(const json *object, const struct intent *intent)
{
	const char *namespace = json_path_text(object, "metadata", "namespace", NULL);
	return namespace != NULL ? namespace : intent->namespace;
}
