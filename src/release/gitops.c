#include "release/gitops.h"

#include <stdlib.h>
#include <string.h>

#include "api/object.h"
#include "release/autoscaler.h"
#include "release/canary.h"
#include "release/config_document.h"
#include "release/configs.h"
#include "release/handover.h"
#include "release/router.h"
#include "release/template.h"
#include "release/users.h"
#include "release/workload.h"
#include "traffic/intent.h"

#define ARGO_TRACKING "argocd.argoproj.io/tracking-id"
#define ARGO_INSTANCE "argocd.argoproj.io/instance"
#define FLUX_KUSTOMIZE "kustomize.toolkit.fluxcd.io/"
#define FLUX_HELM "helm.toolkit.fluxcd.io/"
#define HELM_NAME "meta.helm.sh/release-name"
#define HELM_NAMESPACE "meta.helm.sh/release-namespace"
/* PAUSED_ANNOTATION as a JSON pointer. */
#define PAUSED_POINTER "/metadata/annotations/autoscaling.keda.sh~1paused"

enum tool { TOOL_NONE, TOOL_ARGO_CD, TOOL_FLUX_KUSTOMIZE, TOOL_FLUX_HELM, TOOL_HELM, TOOL_COUNT };

static const struct {
	const char *called; /* what its unit is, for people */
	const char *writer; /* its name in managedFields */
} TOOLS[TOOL_COUNT] = {
	[TOOL_ARGO_CD] = {"Argo CD application", "argocd-controller"},
	[TOOL_FLUX_KUSTOMIZE] = {"Flux kustomization", "kustomize-controller"},
	[TOOL_FLUX_HELM] = {"Flux helmrelease", "helm-controller"},
	[TOOL_HELM] = {"Helm release", "helm"},
};

struct manager {
	enum tool tool;
	char *namespace; /* of the Application, the Kustomization …; NULL where that is not said */
	char *name;
};

static void manager_release(struct manager *manager)
{
	free(manager->namespace);
	free(manager->name);
}

static bool same_manager(const struct manager *a, const struct manager *b)
{
	return a->tool == b->tool && str_equal(a->namespace, b->namespace) &&
	       str_equal(a->name, b->name);
}

/* --- who ------------------------------------------------------------------------------------ */

/* "application:apps/Deployment:shop/web"; with "namespace_" in front where it is not Argo CD's own.
 * A copy of the annotation on another object says nothing. */
static bool read_tracking(const json *object, struct manager *ret)
{
	const char *id = object_annotation(object, ARGO_TRACKING);
	const char *colon = id == NULL ? NULL : strchr(id, ':');
	AUTO_STRING end = mem_format("/%s:%s/%s", json_get_text(object, "kind"),
		object_namespace(object), object_name(object));
	if (colon == NULL || !str_ends(id, end))
		return false;
	AUTO_STRING name = mem_strndup(id, (size_t)(colon - id));
	char *separator = strchr(name, '_');
	if (separator != NULL)
		*separator++ = '\0';
	*ret = (struct manager){TOOL_ARGO_CD, separator == NULL ? NULL : mem_strdup(name),
		mem_strdup(separator == NULL ? name : separator)};
	return true;
}

/* What Flux's controllers label: "<group>/name" and "<group>/namespace". */
static bool read_flux(const json *object, enum tool tool, const char *group, struct manager *ret)
{
	AUTO_STRING name = mem_format("%sname", group);
	AUTO_STRING namespace = mem_format("%snamespace", group);
	if (object_label(object, name) == NULL)
		return false;
	*ret = (struct manager){tool, mem_strdup(object_label(object, namespace)),
		mem_strdup(object_label(object, name))};
	return true;
}

static bool has_writer(const json *managers, const char *writer)
{
	json_for_each (entry, managers)
		if (str_equal(json_get_text(entry, "manager"), writer))
			return true;
	return false;
}

/* The label of the instance is Helm charts' too: only who writes the object makes it Argo CD's. */
static bool read_instance(const json *object, const json *managers, struct manager *ret)
{
	const char *name = object_label(object, ARGO_INSTANCE);
	if (name == NULL && has_writer(managers, TOOLS[TOOL_ARGO_CD].writer))
		name = object_label(object, INSTANCE_LABEL);
	if (name == NULL)
		return false;
	*ret = (struct manager){TOOL_ARGO_CD, NULL, mem_strdup(name)};
	return true;
}

static void find_manager(const json *object, const json *managers, struct manager *ret)
{
	*ret = (struct manager){0};
	if (object == NULL)
		return;
	if (managers == NULL)
		managers = json_path(object, "metadata", "managedFields", NULL);
	if (read_tracking(object, ret) || read_instance(object, managers, ret) ||
		read_flux(object, TOOL_FLUX_HELM, FLUX_HELM, ret) ||
		read_flux(object, TOOL_FLUX_KUSTOMIZE, FLUX_KUSTOMIZE, ret))
		return;
	if (object_annotation(object, HELM_NAME) != NULL &&
		str_equal(object_label(object, MANAGED_BY_LABEL), "Helm"))
		*ret = (struct manager){TOOL_HELM,
			mem_strdup(object_annotation(object, HELM_NAMESPACE)),
			mem_strdup(object_annotation(object, HELM_NAME))};
}

static char *called(const struct manager *manager)
{
	return mem_format("%s %s%s%s", TOOLS[manager->tool].called,
		manager->namespace == NULL ? "" : manager->namespace,
		manager->namespace == NULL ? "" : "/", manager->name);
}

char *gitops_manager(const json *object, const json *managers)
{
	CLEANUP(manager_release) struct manager manager;
	find_manager(object, managers, &manager);
	return manager.tool == TOOL_NONE ? NULL : called(&manager);
}

/* --- what the new version changes ----------------------------------------------------------- */

static bool has_other_image(const json *container, const json *old_template)
{
	const json *before = template_container(old_template, json_get_text(container, "name"));
	return before != NULL &&
	       !str_equal(json_get_text(container, "image"), json_get_text(before, "image"));
}

/* Whether the new version has more than other images in the containers that there were. */
static bool changes_more_than_images(const struct record *record)
{
	const json *old_template = pod_template(record->stable);
	AUTO_JSON template = json_copy(record->template);
	json_for_each (container, json_path(template, "spec", "containers", NULL)) {
		const json *before =
			template_container(old_template, json_get_text(container, "name"));
		if (before != NULL)
			json_set_text(container, "image", json_get_text(before, "image"));
	}
	return !templates_equal(template, old_template, true);
}

/* --- what to expect ------------------------------------------------------------------------- */

/* An object that the release changes, and what of it. */
struct touched {
	const struct kind *kind;
	const json *object;
	struct str_list pointers, expressions;
};

#define TOUCHED_MAXIMUM 64

struct touched_list {
	struct touched items[TOUCHED_MAXIMUM];
	size_t count;
};

static void touched_release(struct touched_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		str_list_release(&list->items[i].pointers);
		str_list_release(&list->items[i].expressions);
	}
}

static struct touched *touch(struct touched_list *list, const struct kind *kind, const json *object)
{
	if (list->count == TOUCHED_MAXIMUM)
		return NULL;
	struct touched *touched = &list->items[list->count++];
	*touched = (struct touched){.kind = kind, .object = object};
	return touched;
}

static void touch_deployment(struct touched_list *list, const struct record *record)
{
	struct touched *touched = touch(list, &KIND_DEPLOYMENT, record->stable);
	str_list_add(&touched->pointers, "/spec/replicas");
	str_list_add(&touched->pointers, "/spec/paused");
	if (changes_more_than_images(record)) {
		str_list_add(&touched->pointers, "/spec/template");
		return;
	}
	str_list_add(&touched->pointers, "/spec/template/metadata/labels/" VERSION_LABEL);
	json_for_each (container, json_path(record->template, "spec", "containers", NULL)) {
		if (!has_other_image(container, pod_template(record->stable)))
			continue;
		AUTO_STRING expression =
			mem_format(".spec.template.spec.containers[] | select(.name == \"%s\") | "
				   ".image",
				json_get_text(container, "name"));
		str_list_add(&touched->expressions, expression);
	}
}

/* The lists that a release edits, where the object has them. */
static void touch_lists(struct touched_list *list, const struct kind *kind, const json *objects)
{
	static const char *const LISTS[] = {"http", "tls", "tcp", "rules", "subsets"};
	json_for_each (object, objects) {
		struct touched *touched = touch(list, kind, object);
		for (size_t i = 0; touched != NULL && i < COUNT_OF(LISTS); i++) {
			AUTO_STRING pointer = mem_format("/spec/%s", LISTS[i]);
			if (json_path(object, "spec", LISTS[i], NULL) != NULL)
				str_list_add(&touched->pointers, pointer);
		}
	}
}

static bool differs(const json *a, const json *b, const char *member)
{
	return !json_equal(json_path(a, "spec", member, NULL), json_path(b, "spec", member, NULL));
}

/* frozen: as it is then; NULL for a ScaledObject, which gets an annotation. */
static void touch_autoscaler(struct touched_list *list, const struct record *record,
	const struct kind *kind, const json *object, const json *frozen)
{
	static const char *const FROZEN[] = {"minReplicas", "maxReplicas", "behavior"};
	struct touched *touched = touch(list, kind, object);
	if (touched == NULL)
		return;
	if (frozen == NULL)
		str_list_add(&touched->pointers, PAUSED_POINTER);
	for (size_t i = 0; frozen != NULL && i < COUNT_OF(FROZEN); i++) {
		AUTO_STRING pointer = mem_format("/spec/%s", FROZEN[i]);
		if (differs(object, frozen, FROZEN[i]))
			str_list_add(&touched->pointers, pointer);
	}
	if (handover_keeps_copy(record))
		str_list_add(&touched->pointers, "/spec/scaleTargetRef/name");
	/* One that stood still by itself. */
	if (touched->pointers.count == 0)
		list->count--;
}

static void touch_autoscalers(struct touched_list *list, const struct record *record)
{
	for (size_t i = 0; i < json_count(record->autoscalers); i++)
		touch_autoscaler(list, record, &KIND_HORIZONTAL_POD_AUTOSCALER,
			json_at(record->autoscalers, i), json_at(record->frozen_autoscalers, i));
	json_for_each (scaled_object, record->scaled_objects)
		touch_autoscaler(list, record, &KIND_SCALED_OBJECT, scaled_object, NULL);
}

static void list_touched(const struct record *record, struct touched_list *ret)
{
	const struct router *router = router_of(record);
	touch_deployment(ret, record);
	touch_autoscalers(ret, record);
	if (router == NULL)
		return;
	touch_lists(ret, router->kind, router->users(record));
	if (router->users_name_versions(record))
		touch_lists(ret, router->versions_kind, record->destinationrules);
}

static void add_argo_items(struct buf *text, const char *name, const struct str_list *items)
{
	if (items->count > 0)
		buf_addf(text, "    %s:\n", name);
	for (size_t i = 0; i < items->count; i++)
		buf_addf(text, "    - %s\n", items->items[i]);
}

static void add_argo_object(struct buf *text, const struct touched *touched)
{
	int group = (int)strcspn(touched->kind->version, "/");
	buf_addf(text, "  - group: %.*s\n    kind: %s\n    name: %s\n    namespace: %s\n", group,
		touched->kind->version, touched->kind->name, object_name(touched->object),
		object_namespace(touched->object));
	add_argo_items(text, "jsonPointers", &touched->pointers);
	add_argo_items(text, "jqPathExpressions", &touched->expressions);
}

/* The YAML that keeps Argo CD from what the release changes. */
static void add_argo_ignores(struct buf *text, const struct touched *const *objects, size_t count)
{
	buf_add_text(text, "Let the Application ignore what is the release's:\nspec:\n"
			   "  ignoreDifferences:\n");
	for (size_t i = 0; i < count; i++)
		add_argo_object(text, objects[i]);
	buf_add_text(text, "  syncPolicy:\n    syncOptions:\n    - RespectIgnoreDifferences=true\n"
			   "or, until the result is committed: ");
}

/* What follows "… is managed by …". deletes: the release deletes one of the objects. */
static void add_advice(struct buf *text, const struct manager *manager,
	const struct touched *const *objects, size_t count, bool deletes)
{
	const char *name = manager->name;
	AUTO_STRING namespace = manager->namespace == NULL
					? mem_strdup("")
					: mem_format(" -n %s", manager->namespace);
	switch (manager->tool) {
	case TOOL_ARGO_CD:
		buf_add_text(text, ", which undoes the release where it heals by itself, or is "
				   "synced meanwhile. ");
		if (deletes)
			buf_add_text(text, "Until the result is committed: ");
		else
			add_argo_ignores(text, objects, count);
		buf_addf(text, "argocd app set %s%s%s --sync-policy none",
			manager->namespace == NULL ? "" : manager->namespace,
			manager->namespace == NULL ? "" : "/", name);
		return;
	case TOOL_FLUX_KUSTOMIZE:
		buf_addf(text,
			", which undoes the release when it reconciles the next time. Until the "
			"result is committed: flux suspend kustomization %s%s\n(afterwards: flux "
			"resume kustomization %s%s)",
			name, namespace, name, namespace);
		return;
	case TOOL_FLUX_HELM:
		buf_addf(text,
			", which undoes the release at an upgrade, and at once where it corrects "
			"drift. Until the result is committed: flux suspend helmrelease %s%s\n"
			"(afterwards: flux resume helmrelease %s%s)",
			name, namespace, name, namespace);
		return;
	case TOOL_HELM:
		buf_addf(text, ": no `helm upgrade %s%s` until the release has ended", name,
			namespace);
		return;
	case TOOL_NONE:
	case TOOL_COUNT:
		return;
	}
}

/* One note for each manager: all of its objects, and what to do. What a swap deletes is missing
 * then, and no field of it can be ignored. */
static void note_manager(const struct record *record, const struct manager *manager,
	const struct touched *const *objects, size_t count, struct str_list *notes)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	AUTO_STRING who = called(manager);
	const struct plan *plan = &record->plan;
	bool deletes = handover_keeps_copy(record) && manager->tool != TOOL_HELM &&
		       objects[0]->kind == &KIND_DEPLOYMENT;
	for (size_t i = 0; i < count; i++)
		buf_addf(&text, "%s%s/%s",
			i == 0		 ? ""
			: i + 1 == count ? " and "
					 : ", ",
			objects[i]->kind->singular, object_name(objects[i]->object));
	buf_addf(&text, " %s managed by %s", count == 1 ? "is" : "are", who);
	add_advice(&text, manager, objects, count, deletes);
	if (deletes)
		buf_addf(&text,
			"\ndeployment.apps/%s is deleted at the end; what syncs makes it again: "
			"commit deployment.apps/%s in its place before automatic syncs are "
			"switched on",
			plan->deployment, plan->canary_deployment);
	str_list_add(notes, buf_text(&text));
}

void gitops_expect(const struct record *record, const json *managers, struct str_list *notes)
{
	CLEANUP(touched_release) struct touched_list list = {0};
	bool told[TOUCHED_MAXIMUM] = {false};
	list_touched(record, &list);
	for (size_t i = 0; i < list.count; i++) {
		const struct touched *objects[TOUCHED_MAXIMUM];
		size_t count = 0;
		CLEANUP(manager_release) struct manager manager;
		/* Snapshots of the others have none of their own; Argo CD is there for all or
		 * for none. */
		find_manager(list.items[i].object, managers, &manager);
		if (manager.tool == TOOL_NONE || told[i])
			continue;
		for (size_t j = i; j < list.count; j++) {
			CLEANUP(manager_release) struct manager other;
			find_manager(list.items[j].object, managers, &other);
			if (!same_manager(&manager, &other))
				continue;
			told[j] = true;
			objects[count++] = &list.items[j];
		}
		note_manager(record, &manager, objects, count, notes);
	}
}

/* --- what was put back ---------------------------------------------------------------------- */

/* Who changed the object last, besides us, by its managedFields; NULL where that is not known.
 * Controllers that write a status, or the revision of a Deployment, decide nothing. */
static const char *last_writer(const json *object)
{
	const json *newest = NULL;
	json_for_each (entry, json_path(object, "metadata", "managedFields", NULL)) {
		const char *writer = json_get_text(entry, "manager");
		const char *time = json_get_text(entry, "time");
		if (time == NULL || str_equal(json_get_text(entry, "subresource"), "status") ||
			str_equal(writer, MANAGED_BY) ||
			str_equal(writer, "kube-controller-manager"))
			continue;
		/* RFC 3339 in UTC: the greater text is the later time. */
		if (newest == NULL || strcmp(time, json_get_text(newest, "time")) >= 0)
			newest = entry;
	}
	return json_get_text(newest, "manager");
}

int gitops_explain(int code, const json *object, struct err *err)
{
	CLEANUP(manager_release) struct manager manager;
	find_manager(object, NULL, &manager);
	if (code != ERR_FOREIGN || err == NULL || manager.tool == TOOL_NONE)
		return code;
	const char *writer = last_writer(object);
	bool is_it = writer == NULL || str_equal(writer, TOOLS[manager.tool].writer);
	AUTO_STRING who = called(&manager);
	AUTO_STRING said = mem_strdup(err->message);
	if (!is_it)
		return err_set(err, code,
			"%s (the last to write it was %s, and not %s, which manages "
			"it)",
			said, writer, who);
	return err_set(err, code,
		"%s\n%s manages it and seems to have put it back: keep it from that, as "
		"`kubectl batchrollout plan` and docs/gitops.md say, before you go on",
		said, who);
}

/* --- what to commit ------------------------------------------------------------------------- */

/* As it was known at the begin, or by the Deployment as it is now, or as it was: a copy that stays
 * has no tool's marks. */
static char *find_who(const struct record *record, const struct observation *seen)
{
	if (record->plan.manager != NULL)
		return mem_strdup(record->plan.manager);
	char *who = gitops_manager(stable_deployment(seen), NULL);
	return who != NULL ? who : gitops_manager(record->stable, NULL);
}

static void add_rules(const struct record *record, struct buf *ret)
{
	const struct router *router = router_of(record);
	if (router == NULL || !router->users_name_versions(record))
		return;
	json_for_each (rule, record->destinationrules)
		buf_addf(ret, "\n- %s/%s: the subsets are those of %s now",
			router->versions_kind->singular, object_name(rule),
			record->plan.canary_version);
}

static void add_targets(const struct record *record, const struct kind *kind,
	const json *autoscalers, struct buf *ret)
{
	json_for_each (autoscaler, autoscalers)
		buf_addf(ret, "\n- %s/%s: it scales deployment.apps/%s now (spec.scaleTargetRef)",
			kind->singular, object_name(autoscaler), record->plan.canary_deployment);
}

static void add_autoscalers(const struct record *record, struct buf *ret)
{
	if (!handover_keeps_copy(record))
		return;
	add_targets(record, &KIND_HORIZONTAL_POD_AUTOSCALER, record->autoscalers, ret);
	add_targets(record, &KIND_SCALED_OBJECT, record->scaled_objects, ret);
}

/* What has the new version now: a copy that stays has another name, and the old one may have been
 * made again already. */
static const json *final_deployment(const struct record *record, const struct observation *seen)
{
	const json *deployment =
		handover_keeps_copy(record) ? canary_deployment(seen) : stable_deployment(seen);
	return deployment != NULL ? deployment : record->stable;
}

static void add_template(const struct record *record, const json *deployment, struct buf *ret)
{
	const json *old_template = pod_template(record->stable);
	const char *name = object_name(deployment);
	const char *before =
		json_path_text(old_template, "metadata", "labels", VERSION_LABEL, NULL);
	const char *label = json_get_text(template_labels(deployment), VERSION_LABEL);
	if (!str_equal(name, record->plan.deployment))
		buf_addf(ret,
			"\n- deployment.apps/%s in place of deployment.apps/%s, with its selector",
			name, record->plan.deployment);
	json_for_each (container, json_path(record->template, "spec", "containers", NULL))
		if (has_other_image(container, old_template))
			buf_addf(ret, "\n- deployment.apps/%s: the image of container \"%s\" is %s",
				name, json_get_text(container, "name"),
				json_get_text(container, "image"));
	if (label != NULL && !str_equal(label, before))
		buf_addf(ret, "\n- deployment.apps/%s: the label %s of the pod template is %s",
			name, VERSION_LABEL, label);
	if (changes_more_than_images(record))
		buf_addf(ret, "\n- deployment.apps/%s: the pod template, as it is now%s", name,
			json_count(config_copies(record)) == 0
				? ""
				: ", with your own names in place of those of the copies");
}

/* Copies are the release's: the repository has the objects that they are copies of. */
static void add_configs(const struct record *record, struct buf *ret)
{
	json_for_each (entry, config_copies(record))
		buf_addf(ret,
			"\n- %s/%s: the contents given by --config; the template names %s for "
			"them",
			config_kind(json_get_text(entry, "kind"))->singular,
			json_get_text(entry, "name"), json_get_text(entry, "copy"));
}

void gitops_commit(const struct record *record, const struct observation *seen, struct buf *ret)
{
	AUTO_STRING who = find_who(record, seen);
	if (who == NULL || record->phase != PHASE_COMPLETED)
		return;
	buf_addf(ret, "commit the new version, or %s will bring the old one back:", who);
	add_template(record, final_deployment(record, seen), ret);
	add_configs(record, ret);
	add_rules(record, ret);
	add_autoscalers(record, ret);
}
