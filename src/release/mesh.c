#include "release/mesh.h"

#include <string.h>

#include "api/object.h"
#include "release/workload.h"

const char *sign_of_sidecar(const json *deployment, const json *labels)
{
	const json *template = pod_template(deployment);
	const char *label =
		json_path_text(template, "metadata", "labels", "sidecar.istio.io/inject", NULL);
	if (label == NULL)
		label = json_path_text(
			template, "metadata", "annotations", "sidecar.istio.io/inject", NULL);
	if (str_equal(label, "false"))
		return NULL;
	if (str_equal(label, "true"))
		return "the pods are labeled sidecar.istio.io/inject=true";
	static const char *const LISTS[] = {"containers", "initContainers"};
	for (size_t i = 0; i < COUNT_OF(LISTS); i++)
		json_for_each (container, json_path(template, "spec", LISTS[i], NULL))
			if (str_equal(json_get_text(container, "name"), "istio-proxy"))
				return "the pods have a container istio-proxy";
	if (str_equal(json_get_text(labels, "istio-injection"), "enabled"))
		return "the namespace is labeled istio-injection=enabled";
	if (json_get(labels, "istio.io/rev") != NULL)
		return "the namespace is labeled istio.io/rev";
	return NULL;
}

/* The metadata of the namespace; NULL where it may not be read, which is common. */
static json *namespace_metadata(const struct api_port *api, const char *namespace)
{
	AUTO_JSON list = NULL;
	struct query query = {.kind = &KIND_NAMESPACE, .name = namespace};
	if (api->list(api->context, &query, &list, NULL) != 0)
		return NULL;
	return json_copy(json_get(list_find(list, namespace), "metadata"));
}

json *namespace_labels(const struct api_port *api, const char *namespace)
{
	AUTO_JSON metadata = namespace_metadata(api, namespace);
	return json_detach(metadata, "labels");
}

/* Istio's ambient mode: who looks at the requests there. */
enum ambient { AMBIENT_NOT, AMBIENT_WITHOUT_WAYPOINT, AMBIENT_WITH_WAYPOINT };

static enum ambient find_ambient(
	const json *labels, const struct target *target, const struct record *record)
{
	static const char MODE[] = "istio.io/dataplane-mode", WAYPOINT[] = "istio.io/use-waypoint";
	const char *mode =
		json_path_text(pod_template(record->stable), "metadata", "labels", MODE, NULL);
	if (mode == NULL)
		mode = json_get_text(labels, MODE);
	const char *waypoint = object_label(target->service, WAYPOINT);
	if (waypoint == NULL)
		waypoint = json_get_text(labels, WAYPOINT);
	if (!str_equal(mode, "ambient"))
		return AMBIENT_NOT;
	return waypoint != NULL && !str_equal(waypoint, "none") ? AMBIENT_WITH_WAYPOINT
								: AMBIENT_WITHOUT_WAYPOINT;
}

int check_ambient(const struct api_port *api, const struct target *target,
	const struct record *record, struct err *err)
{
	AUTO_JSON labels = namespace_labels(api, record->plan.namespace);
	if (find_ambient(labels, target, record) != AMBIENT_WITHOUT_WAYPOINT)
		return 0;
	return err_set(err, ERR_FAILED,
		"namespace \"%s\" is in Istio's ambient mode without a waypoint, so that nothing "
		"follows a VirtualService there: set one up (`istioctl waypoint apply -n %s "
		"--enroll-namespace`), or use --traffic replicas",
		record->plan.namespace, record->plan.namespace);
}

struct mesh find_mesh(
	const struct api_port *api, const struct target *target, const struct record *record)
{
	static const char LINKERD[] = "linkerd.io/inject";
	AUTO_JSON metadata = namespace_metadata(api, record->plan.namespace);
	const json *labels = json_get(metadata, "labels");
	struct mesh mesh = {.sign = sign_of_sidecar(record->stable, labels), .is_istio = true};
	if (mesh.sign == NULL && find_ambient(labels, target, record) == AMBIENT_WITH_WAYPOINT)
		mesh.sign = "a waypoint of Istio looks at its requests";
	if (mesh.sign != NULL)
		return mesh;
	const char *inject = json_path_text(
		pod_template(record->stable), "metadata", "annotations", LINKERD, NULL);
	if (inject == NULL)
		inject = json_path_text(metadata, "annotations", LINKERD, NULL);
	mesh.is_istio = false;
	if (str_equal(inject, "enabled") || str_equal(inject, "ingress"))
		mesh.sign = "the pods have Linkerd's sidecar";
	return mesh;
}

char *port_protocol(const json *port)
{
	const char *protocol = json_get_text(port, "appProtocol");
	if (protocol == NULL)
		protocol = json_get_text(port, "name");
	if (str_equal(json_get_text(port, "protocol"), "UDP"))
		protocol = "udp";
	return protocol == NULL ? mem_strdup("") : mem_strndup(protocol, strcspn(protocol, "-"));
}
