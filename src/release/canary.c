#include "release/canary.h"

#include "api/object.h"
#include "api/selector.h"
#include "base/str.h"

/* Annotations that say something of the one object they stand on, and would be wrong on a copy:
 * what kubectl applied, the revision, and who a deployment tool believes owns it. */
static const char *const NOT_COPIED[] = {
	"kubectl.kubernetes.io/",
	"deployment.kubernetes.io/",
	"meta.helm.sh/",
	"argocd.argoproj.io/",
	"kustomize.toolkit.fluxcd.io/",
	"helm.toolkit.fluxcd.io/",
};

/* Labels by which such a tool finds what it owns: Argo CD would prune a copy that has its label.
 * They stay on the pods, where selectors may want them. */
static const char *const LABELS_NOT_COPIED[] = {
	INSTANCE_LABEL,
	"argocd.argoproj.io/instance",
	"kustomize.toolkit.fluxcd.io/name",
	"kustomize.toolkit.fluxcd.io/namespace",
	"helm.toolkit.fluxcd.io/name",
	"helm.toolkit.fluxcd.io/namespace",
};

void drop_labels(json *object)
{
	for (size_t i = 0; i < COUNT_OF(LABELS_NOT_COPIED); i++)
		object_set_label(object, LABELS_NOT_COPIED[i], NULL);
}

void drop_annotations(json *object)
{
	AUTO_JSON annotations = json_detach(json_get(object, "metadata"), "annotations");
	json_for_each (annotation, annotations) {
		bool copied = true;
		for (size_t i = 0; i < COUNT_OF(NOT_COPIED); i++)
			copied = copied && !str_starts(json_key(annotation), NOT_COPIED[i]);
		if (copied)
			object_set_annotation(object, json_key(annotation), json_text(annotation));
	}
}

void mark_as_own(json *object, const struct record *record)
{
	object_set_label(object, MANAGED_BY_LABEL, MANAGED_BY);
	object_set_label(object, SERVICE_LABEL, record->plan.service);
	if (!str_equal(object_namespace(object), record->plan.namespace))
		object_set_label(object, NAMESPACE_LABEL, record->plan.namespace);
}

void mark_as_copy(json *canary, const struct record *record)
{
	AUTO_STRING release = record_to_annotation(record);
	mark_as_own(canary, record);
	if (release != NULL)
		object_set_annotation(canary, RELEASE_ANNOTATION, release);
}

int check_is_own(
	const struct kind *kind, const json *object, const struct record *record, struct err *err)
{
	bool near = str_equal(object_namespace(object), record->plan.namespace);
	if (str_equal(object_label(object, MANAGED_BY_LABEL), MANAGED_BY) &&
		str_equal(object_label(object, SERVICE_LABEL), record->plan.service) &&
		(near || str_equal(object_label(object, NAMESPACE_LABEL), record->plan.namespace)))
		return 0;
	return err_set(err, ERR_FOREIGN,
		"%s/%s is not of this release (its label %s is not \"%s\"): somebody else made it; "
		"rename or delete it, then go on",
		kind->singular, object_name(object), SERVICE_LABEL, record->plan.service);
}

void unmark(json *object)
{
	object_set_label(object, MANAGED_BY_LABEL, NULL);
	object_set_label(object, SERVICE_LABEL, NULL);
	object_set_label(object, NAMESPACE_LABEL, NULL);
	object_set_annotation(object, RELEASE_ANNOTATION, NULL);
}

json *canary_template(const struct record *record)
{
	json *template = json_copy(record->template);
	map_set_text(json_ensure_object(template, "metadata"), "labels", VERSION_LABEL,
		record->plan.canary_version);
	return template;
}

json *canary_new(const struct record *record, int replicas)
{
	json *canary = json_copy(record->stable);
	object_strip_server_fields(canary);
	drop_annotations(canary);
	drop_labels(canary);
	/* Whoever waits for its deletion does not know the copy, and would never let it go. */
	json_remove(json_get(canary, "metadata"), "finalizers");
	json_set_text(json_get(canary, "metadata"), "name", record->plan.canary_deployment);
	mark_as_copy(canary, record);
	json *spec = json_get(canary, "spec");
	json_remove(spec, "paused");
	json_set_integer(spec, "replicas", replicas);
	json_set(spec, "selector", selector_without(json_get(spec, "selector"), VERSION_LABEL));
	map_set_text(json_get(spec, "selector"), "matchLabels", VERSION_LABEL,
		record->plan.canary_version);
	if (object_label(canary, VERSION_LABEL) != NULL)
		object_set_label(canary, VERSION_LABEL, record->plan.canary_version);
	json_set(spec, "template", canary_template(record));
	return canary;
}
