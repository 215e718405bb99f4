#include "release/references.h"

#include <string.h>

/* Paths below the pod's spec to the text that is a name; * is each element of a list. */
static const char *const CONFIG_MAP_PATHS[] = {
	"volumes.*.configMap.name",
	"volumes.*.projected.sources.*.configMap.name",
	"containers.*.env.*.valueFrom.configMapKeyRef.name",
	"containers.*.envFrom.*.configMapRef.name",
	"initContainers.*.env.*.valueFrom.configMapKeyRef.name",
	"initContainers.*.envFrom.*.configMapRef.name",
	NULL,
};
static const char *const SECRET_PATHS[] = {
	"volumes.*.secret.secretName",
	"volumes.*.projected.sources.*.secret.name",
	"containers.*.env.*.valueFrom.secretKeyRef.name",
	"containers.*.envFrom.*.secretRef.name",
	"initContainers.*.env.*.valueFrom.secretKeyRef.name",
	"initContainers.*.envFrom.*.secretRef.name",
	"imagePullSecrets.*.name",
	"volumes.*.csi.nodePublishSecretRef.name",
	"volumes.*.azureFile.secretName",
	"volumes.*.cephfs.secretRef.name",
	"volumes.*.cinder.secretRef.name",
	"volumes.*.flexVolume.secretRef.name",
	"volumes.*.iscsi.secretRef.name",
	"volumes.*.rbd.secretRef.name",
	"volumes.*.scaleIO.secretRef.name",
	"volumes.*.storageos.secretRef.name",
	NULL,
};

/* Is given the object that has the name as a member. */
typedef void visitor(json *parent, const char *member, void *context);

static void walk(json *node, const char *path, visitor *visit, void *context)
{
	const char *dot = strchr(path, '.');
	if (dot == NULL) {
		if (json_get_text(node, path) != NULL)
			visit(node, path, context);
		return;
	}
	AUTO_STRING step = mem_strndup(path, (size_t)(dot - path));
	if (!str_equal(step, "*")) {
		walk(json_get(node, step), dot + 1, visit, context);
		return;
	}
	if (json_is_array(node))
		json_for_each (element, node)
			walk(element, dot + 1, visit, context);
}

static void visit_all(const json *template, const struct kind *kind, visitor *visit, void *context)
{
	const char *const *paths = kind == &KIND_SECRET ? SECRET_PATHS : CONFIG_MAP_PATHS;
	for (; *paths != NULL; paths++)
		walk(json_get(template, "spec"), *paths, visit, context);
}

static void add_name(json *parent, const char *member, void *context)
{
	struct str_list *names = context;
	const char *name = json_get_text(parent, member);
	if (!str_list_has(names, name))
		str_list_add(names, name);
}

void references_list(const json *template, const struct kind *kind, struct str_list *ret)
{
	visit_all(template, kind, add_name, ret);
}

static void add_needed_name(json *parent, const char *member, void *context)
{
	if (!json_is_true(json_get(parent, "optional")))
		add_name(parent, member, context);
}

void references_list_needed(const json *template, const struct kind *kind, struct str_list *ret)
{
	AUTO_JSON copy = json_copy(template);
	json_remove(json_get(copy, "spec"), "imagePullSecrets");
	visit_all(copy, kind, add_needed_name, ret);
}

bool references_has(const json *template, const struct kind *kind, const char *name)
{
	struct str_list names CLEANUP(str_list_release) = {0};
	references_list(template, kind, &names);
	return str_list_has(&names, name);
}

static void rename_one(json *parent, const char *member, void *context)
{
	const json *names = context;
	const char *name = json_get_text(names, json_get_text(parent, member));
	if (name != NULL)
		json_set_text(parent, member, name);
}

void references_rename(json *template, const struct kind *kind, const json *names)
{
	AUTO_JSON copy = json_copy(names);
	visit_all(template, kind, rename_one, copy);
}
