#include "release/preflight.h"

#include "api/object.h"
#include "api/selector.h"
#include "base/buf.h"
#include "preflight/checks.h"
#include "preflight/pod_spec.h"
#include "release/configs.h"
#include "release/handover.h"
#include "release/router.h"
#include "release/users.h"
#include "release/workload.h"

/* In larger clusters, reading every pod costs more than it tells. */
#define NODES_MAXIMUM 50

/* --- the most pods at a time ---------------------------------------------------------------- */

/* The hand-over may be a rolling update of stable, behind a copy that is whole. */
static bool replaces_pods(const struct record *record)
{
	return record->plan.handover == HANDOVER_ROLLING;
}

void preflight_moments(
	const struct record *record, struct moments *ret_forward, struct moments *ret_back)
{
	const struct plan *plan = &record->plan;
	int stable = plan->replicas, canary = 0;
	*ret_forward = *ret_back = (struct moments){0};
	for (int i = 0; i < plan->batch_count; i++) {
		/* Make before break: the new pods come before the old ones go. */
		canary = plan->batches[i].canary;
		moments_add(ret_forward, stable, canary);
		moments_add(ret_back, plan->replicas, canary);
		stable = plan->batches[i].stable;
	}
	if (replaces_pods(record))
		moments_add(ret_forward, stable,
			canary + plan->replicas +
				(stable > 0 ? surge_of(record->stable) - stable : 0));
}

/* --- the subject ---------------------------------------------------------------------------- */

/* What a subject points to, and more lists that are read once. */
struct material {
	struct subject subject;
	json *labels[LABELS_COUNT];
	json *old_spec, *new_spec;
	json *quotas, *limit_ranges, *nodes, *pods;
};

static void material_release(struct material *material)
{
	for (size_t i = 0; i < LABELS_COUNT; i++)
		json_free(material->labels[i]);
	json_free(material->old_spec);
	json_free(material->new_spec);
	json_free(material->quotas);
	json_free(material->limit_ranges);
	json_free(material->nodes);
	json_free(material->pods);
	moments_release(&material->subject.forward);
	moments_release(&material->subject.back);
}

static void add_creation(struct subject *subject, const struct kind *kind, int count)
{
	if (count > 0 && subject->creation_count < CREATIONS_MAXIMUM)
		subject->creations[subject->creation_count++] = (struct creation){kind, count};
}

static bool is_near(const struct subject *subject, const json *object)
{
	return str_equal(object_namespace(object), subject->namespace);
}

static int count_copies_to_make(const struct record *record, const struct kind *kind)
{
	int count = 0;
	json_for_each (entry, config_copies(record))
		count += str_equal(json_get_text(entry, "kind"), kind->name) &&
			 json_is_true(json_get(entry, "made"));
	return count;
}

static void list_creations(struct subject *subject, const struct record *record)
{
	const struct router *router = router_of(record);
	add_creation(subject, &KIND_DEPLOYMENT, 1);
	add_creation(subject, &KIND_REPLICA_SET, replaces_pods(record) ? 2 : 1);
	add_creation(subject, &KIND_CONFIG_MAP,
		(record->configmap == NULL ? 1 : 0) +
			count_copies_to_make(record, &KIND_CONFIG_MAP));
	add_creation(subject, &KIND_SECRET, count_copies_to_make(record, &KIND_SECRET));
	if (router == NULL)
		return;
	AUTO_JSON versions = router->versions_new(record);
	int count = 0;
	json_for_each (own, versions)
		count += is_near(subject, own);
	add_creation(subject, router->versions_kind, count);
	count = 0;
	for (size_t i = 0; router->own(record, i) != NULL; i++)
		count += is_near(subject, router->own(record, i));
	add_creation(subject, router->kind, count);
}

static json *labels_with(const json *template, const char *version)
{
	const json *labels = json_path(template, "metadata", "labels", NULL);
	json *copy = labels == NULL ? json_object() : json_copy(labels);
	if (version != NULL)
		json_set_text(copy, VERSION_LABEL, version);
	return copy;
}

/* running: a pod of stable; or NULL. */
static void set_specs(struct material *material, const json *running)
{
	struct subject *subject = &material->subject;
	json_free(material->old_spec);
	json_free(material->new_spec);
	material->old_spec = pod_spec_admitted(
		subject->old_template, material->limit_ranges, running, subject->old_template);
	material->new_spec = pod_spec_admitted(
		subject->new_template, material->limit_ranges, running, subject->old_template);
	subject->old_spec = material->old_spec;
	subject->new_spec = material->new_spec;
}

static void set_subject(struct material *material, const struct record *record)
{
	const struct plan *plan = &record->plan;
	const json *old_template = pod_template(record->stable);
	const struct {
		const json *template;
		const char *version;
	} labels[LABELS_COUNT] = {
		[LABELS_BEFORE] = {old_template, NULL},
		[LABELS_TAGGED] = {old_template, plan->stable_version},
		[LABELS_COPY] = {record->template, plan->canary_version},
	};
	struct subject *subject = &material->subject;
	*subject = (struct subject){
		.namespace = plan->namespace,
		.service = plan->service,
		.deployment = plan->deployment,
		.copy = plan->canary_deployment,
		.successor = handover_keeps_copy(record) ? plan->canary_deployment : NULL,
		.old_version = plan->stable_version,
		.new_version = plan->canary_version,
		.replicas = plan->replicas,
		.by_weight = plan->traffic != TRAFFIC_REPLICAS,
		.old_template = old_template,
		.new_template = record->template,
	};
	for (size_t i = 0; i < LABELS_COUNT; i++) {
		material->labels[i] = labels_with(labels[i].template, labels[i].version);
		subject->labels[i] = material->labels[i];
	}
	preflight_moments(record, &subject->forward, &subject->back);
	list_creations(subject, record);
	set_specs(material, NULL);
}

/* --- reading -------------------------------------------------------------------------------- */

struct reader {
	const struct api_port *api;
	const char *namespace;
	/* Plural names of kinds that could not be looked at. */
	struct str_list forbidden, unavailable;
};

static void reader_release(struct reader *reader)
{
	str_list_release(&reader->forbidden);
	str_list_release(&reader->unavailable);
}

/* Sets *ret where the kind is served and may be read. That one kind of a group is not served says
 * nothing of the others: each is a CustomResourceDefinition by itself. */
static int read_list(struct reader *reader, const struct query *query, json **ret, struct err *err)
{
	struct err refused = {0};
	int code = reader->api->list(reader->api->context, query, ret, &refused);
	if (code == ERR_FORBIDDEN)
		str_list_add(&reader->forbidden, query->kind->plural);
	else if (code != 0 && code != ERR_NOT_FOUND)
		return err_set(err, code, "%s", refused.message);
	return 0;
}

static int read_near(struct reader *reader, const struct kind *kind, json **ret, struct err *err)
{
	const struct query query = {.kind = kind, .namespace = reader->namespace};
	return read_list(reader, &query, ret, err);
}

static int read_everywhere(
	struct reader *reader, const struct kind *kind, json **ret, struct err *err)
{
	const struct query query = {.kind = kind};
	return read_list(reader, &query, ret, err);
}

/* Of the stable Deployment, as far as its selector tells. */
static const json *find_running(const struct material *material, const struct record *record)
{
	const json *selector = json_path(record->stable, "spec", "selector", NULL);
	json_for_each (pod, list_items(material->pods))
		if (is_near(&material->subject, pod) && !object_is_deleting(pod) &&
			selector_matches(selector, json_path(pod, "metadata", "labels", NULL)))
			return pod;
	return NULL;
}

static int read_own_pods(struct reader *reader, struct material *material,
	const struct record *record, struct err *err)
{
	AUTO_STRING selector = selector_text(json_path(record->stable, "spec", "selector", NULL));
	const struct query query = {
		.kind = &KIND_POD, .namespace = reader->namespace, .label_selector = selector};
	return read_list(reader, &query, &material->pods, err);
}

/* What decides how many pods fit. Nodes and pods of all namespaces only where they can matter. */
static int read_room(struct reader *reader, struct material *material, const struct record *record,
	bool *ret_all_pods, struct err *err)
{
	struct subject *subject = &material->subject;
	int code = read_near(reader, &KIND_RESOURCE_QUOTA, &material->quotas, err);
	if (code == 0)
		code = read_near(reader, &KIND_LIMIT_RANGE, &material->limit_ranges, err);
	if (code != 0)
		return code;
	set_specs(material, NULL);
	bool capacity = needs_capacity(subject);
	if (capacity || needs_placement(subject))
		code = read_everywhere(reader, &KIND_NODE, &material->nodes, err);
	size_t nodes = json_count(list_items(material->nodes));
	if (code == 0 && capacity && nodes > 0 && nodes <= NODES_MAXIMUM)
		code = read_everywhere(reader, &KIND_POD, &material->pods, err);
	*ret_all_pods = material->pods != NULL;
	if (code == 0 && material->pods == NULL && quotas_count_resources(material->quotas))
		code = read_own_pods(reader, material, record, err);
	if (code == 0)
		set_specs(material, find_running(material, record));
	return code;
}

/* --- looking -------------------------------------------------------------------------------- */

static int look_at_room(struct reader *reader, struct material *material,
	const struct record *record, struct findings *findings, struct err *err)
{
	const struct subject *subject = &material->subject;
	AUTO_JSON claims = NULL;
	bool all_pods = false;
	int code = read_room(reader, material, record, &all_pods, err);
	if (code == 0 && needs_volumes(subject))
		code = read_near(reader, &KIND_PERSISTENT_VOLUME_CLAIM, &claims, err);
	if (code != 0)
		return code;
	check_quotas(subject, material->quotas, findings);
	check_limit_ranges(subject, material->limit_ranges, findings);
	if (material->nodes != NULL)
		check_placement(subject, material->nodes, findings);
	if (material->nodes != NULL && needs_capacity(subject))
		check_capacity(
			subject, material->nodes, all_pods ? material->pods : NULL, findings);
	check_volumes(subject, claims, findings);
	return 0;
}

/* Kinds that find pods, or the Deployment, and what is looked for in each; besides selectors. */
static const struct {
	const struct kind *kind;
	void (*check)(
		const struct subject *subject, const json *objects, struct findings *findings);
} NEIGHBOURS[] = {
	{&KIND_POD_DISRUPTION_BUDGET, check_disruption},
	{&KIND_NETWORK_POLICY, NULL},
	{&KIND_SERVICE, check_services},
	{&KIND_VERTICAL_POD_AUTOSCALER, check_vertical_autoscalers},
	{&KIND_SERVICE_MONITOR, NULL},
	{&KIND_POD_MONITOR, NULL},
	{&KIND_PEER_AUTHENTICATION, NULL},
	{&KIND_AUTHORIZATION_POLICY, NULL},
	{&KIND_REQUEST_AUTHENTICATION, NULL},
	{&KIND_SIDECAR, NULL},
	{&KIND_ENVOY_FILTER, NULL},
};

static int look_at_neighbours(struct reader *reader, const struct subject *subject,
	struct findings *findings, struct err *err)
{
	for (size_t i = 0; i < COUNT_OF(NEIGHBOURS); i++) {
		AUTO_JSON objects = NULL;
		int code = read_near(reader, NEIGHBOURS[i].kind, &objects, err);
		/* Kinds of others are served by others at times, whose trouble is not ours. */
		if (code == ERR_UNAVAILABLE)
			str_list_add(&reader->unavailable, NEIGHBOURS[i].kind->plural);
		else if (code != 0)
			return code;
		check_selectors(subject, NEIGHBOURS[i].kind, objects, findings);
		if (NEIGHBOURS[i].check != NULL)
			NEIGHBOURS[i].check(subject, objects, findings);
	}
	return 0;
}

/* --- telling -------------------------------------------------------------------------------- */

static void note_unseen(const struct str_list *kinds, const char *reason, struct str_list *notes)
{
	AUTO_BUF names = BUF_INIT(BUF_OWN_TEXT);
	for (size_t i = 0; i < kinds->count; i++)
		buf_addf(&names, "%s%s", i > 0 ? ", " : "", kinds->items[i]);
	if (names.length > 0)
		add_note(notes, mem_format("%s %s: what they mean to the release could not be "
					   "looked at",
					reason, buf_text(&names)));
}

static int refuse(const struct str_list *refusals, struct err *err)
{
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	if (refusals->count == 1)
		return err_set(err, ERR_FAILED, "%s; or go on all the same with --force",
			refusals->items[0]);
	for (size_t i = 0; i < refusals->count; i++)
		buf_addf(&text, "\n- %s", refusals->items[i]);
	return err_set(err, ERR_FAILED,
		"this release cannot work:%s\ngo on all the same with --force", buf_text(&text));
}

static int tell(const struct start_options *options, const struct findings *findings,
	struct str_list *notes, struct err *err)
{
	const struct str_list *refusals = &findings->refusals;
	if (refusals->count > 0 && !options->force && options->refusals == NULL)
		return refuse(refusals, err);
	for (size_t i = 0; i < refusals->count; i++) {
		add_note(notes, mem_format("cannot work: %s", refusals->items[i]));
		if (!options->force)
			str_list_add(options->refusals, refusals->items[i]);
	}
	for (size_t i = 0; i < findings->notes.count; i++)
		str_list_add(notes, findings->notes.items[i]);
	return 0;
}

int preflight(const struct api_port *api, const struct start_options *options,
	const struct record *record, const struct autoscaler_lists *autoscalers,
	struct str_list *notes, struct err *err)
{
	CLEANUP(material_release) struct material material = {0};
	CLEANUP(findings_release) struct findings findings = {0};
	CLEANUP(reader_release)
	struct reader reader = {.api = api, .namespace = record->plan.namespace};
	set_subject(&material, record);
	autoscalers_check_copy(autoscalers, &record->plan, &findings);
	int code = look_at_room(&reader, &material, record, &findings, err);
	if (code == 0)
		code = look_at_neighbours(&reader, &material.subject, &findings, err);
	if (code != 0)
		return code;
	note_unseen(&reader.forbidden, "may not list", notes);
	note_unseen(&reader.unavailable, "the server did not list", notes);
	return tell(options, &findings, notes, err);
}
