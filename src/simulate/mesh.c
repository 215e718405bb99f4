#include "simulate/mesh.h"

#include "base/str.h"
#include "simulate/resolve.h"

char *mesh_service_host(const struct mesh *mesh, const json *service)
{
	return mem_format(
		"%s.%s.svc.%s", object_title(service), object_space(service), mesh->cluster_domain);
}

const json *mesh_service(const struct mesh *mesh, const char *host)
{
	json_for_each (service, mesh->services) {
		AUTO_STRING full = mesh_service_host(mesh, service);
		if (str_equal(full, host))
			return service;
	}
	return NULL;
}

const json *mesh_object(const json *objects, const char *namespace, const char *name)
{
	json_for_each (object, objects)
		if (str_equal(object_title(object), name) &&
			str_equal(object_space(object), namespace))
			return object;
	return NULL;
}
