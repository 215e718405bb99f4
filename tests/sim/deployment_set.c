/* The Deployment controller's ReplicaSet for the current template: getNewReplicaSet of sync.go, and
 * util/deployment_util.go. */
#include <stdlib.h>

#include "sim/deployment.h"

#define HASH_LABEL "pod-template-hash"
#define REVISION_HISTORY_MAXIMUM 2000

static const json *template_of(const json *tree)
{
	return json_path(tree, "spec", "template", NULL);
}

/* Everything in two maps is equal, but for what is under one key. */
static bool others_equal(const json *a, const json *b, const char *key)
{
	size_t left = 0, right = 0;
	json_for_each (member, a) {
		if (str_equal(json_key(member), key))
			continue;
		if (!json_equal(member, json_get(b, json_key(member))))
			return false;
		left++;
	}
	json_for_each (member, b)
		right += !str_equal(json_key(member), key);
	return left == right;
}

/* EqualIgnoreHash */
bool same_template(const json *a, const json *b)
{
	const json *left = json_get(a, "metadata");
	const json *right = json_get(b, "metadata");
	return others_equal(a, b, "metadata") && others_equal(left, right, "labels") &&
	       others_equal(json_get(left, "labels"), json_get(right, "labels"), HASH_LABEL);
}

void find_new_set(struct rollout *rollout)
{
	/* The oldest, should there be several. */
	rollout->new = NULL;
	for (size_t i = 0; i < rollout->count && rollout->new == NULL; i++)
		if (same_template(
			    template_of(rollout->sets[i].tree), template_of(rollout->deployment)))
			rollout->new = &rollout->sets[i];
}

static int newest_old_revision(const struct rollout *rollout)
{
	int newest = 0;
	for (size_t i = 0; i < rollout->count; i++) {
		int revision = annotation_number(rollout->sets[i].tree, REVISION);
		if (&rollout->sets[i] != rollout->new && revision > newest)
			newest = revision;
	}
	return newest;
}

/* --- annotations ---------------------------------------------------------------------------- */

static bool is_copied(const char *key)
{
	static const char *const SKIPPED[] = {"kubectl.kubernetes.io/last-applied-configuration",
		REVISION, REVISION_HISTORY, DESIRED, MAXIMUM, "deprecated.deployment.rollback.to"};
	return str_index(SKIPPED, COUNT_OF(SKIPPED), key) < 0;
}

/* The revision that it had before, when the Deployment comes back to it. */
static void note_revision(json *set, const char *old)
{
	const char *history = object_annotation(set, REVISION_HISTORY);
	AUTO_STRING text = str_empty(history) ? mem_strdup(old) : mem_format("%s,%s", history, old);
	object_set_annotation(set, REVISION_HISTORY, text);
}

/* Whether annotate_new would change anything. */
static bool is_annotated(const struct rollout *rollout, const json *set, int revision)
{
	json_for_each (pair, json_path(rollout->deployment, "metadata", "annotations", NULL))
		if (is_copied(json_key(pair)) &&
			!str_equal(object_annotation(set, json_key(pair)), json_text(pair)))
			return false;
	return annotation_number(set, REVISION) >= revision;
}

/* SetNewReplicaSetAnnotations, without what only a ReplicaSet gets that is made now. */
static void annotate_new(const struct rollout *rollout, json *set, int revision)
{
	json_for_each (pair, json_path(rollout->deployment, "metadata", "annotations", NULL)) {
		const char *key = json_key(pair);
		if (is_copied(key))
			object_set_annotation(set, key, json_text(pair));
	}
	AUTO_STRING old = mem_strdup(object_annotation(set, REVISION));
	if (annotation_number(set, REVISION) >= revision)
		return;
	set_annotation_number(set, REVISION, revision);
	if (old != NULL)
		note_revision(set, old);
}

/* --- a new one ------------------------------------------------------------------------------ */

static uint32_t hash_text(const char *text)
{
	uint32_t hash = 2166136261U;
	for (const char *p = text; *p != '\0'; p++)
		hash = (hash ^ (unsigned char)*p) * 16777619U;
	return hash;
}

/* The same for equal trees, whatever the order of their keys. */
static uint32_t hash_tree(const json *tree)
{
	uint32_t hash = 2166136261U;
	if (json_is_object(tree)) {
		json_for_each (member, tree)
			hash += (hash_text(json_key(member)) ^ hash_tree(member)) * 16777619U;
		return hash;
	}
	json_for_each (element, tree)
		hash = (hash ^ hash_tree(element)) * 16777619U;
	if (json_is_string(tree))
		return hash_text(json_text(tree));
	return (hash ^ (uint32_t)json_integer(tree, json_is_true(tree))) * 16777619U;
}

static char *template_hash(const struct rollout *rollout)
{
	int collisions = status_of(rollout->deployment, "collisionCount");
	uint32_t hash = hash_tree(template_of(rollout->deployment)) ^ (uint32_t)collisions;
	return mem_format("%08x", hash * 2654435761U);
}

/* NewRSNewReplicas for one that has none yet. */
static int first_replicas(const struct rollout *rollout)
{
	int wanted = spec_replicas(rollout->deployment);
	if (!is_rolling_update(rollout))
		return wanted;
	int room = wanted + max_surge(rollout) - total_replicas(rollout);
	return room <= 0 ? 0 : room < wanted ? room : wanted;
}

static void copy_seconds(json *to, const struct rollout *rollout)
{
	json_set(to, "minReadySeconds",
		json_copy(json_path(rollout->deployment, "spec", "minReadySeconds", NULL)));
}

static json *make_set(struct rollout *rollout, const char *hash)
{
	const json *deployment = rollout->deployment;
	AUTO_STRING name = mem_format("%s-%s", rollout->object->name, hash);
	json *set = object_new(&KIND_REPLICA_SET, rollout->object->namespace, name);
	json *spec = json_ensure_object(set, "spec");
	json *template = json_copy(template_of(deployment));
	map_set_text(json_get(template, "metadata"), "labels", HASH_LABEL, hash);
	json_set_integer(spec, "replicas", first_replicas(rollout));
	copy_seconds(spec, rollout);
	json_set(spec, "template", template);
	json_set(spec, "selector", json_copy(json_path(deployment, "spec", "selector", NULL)));
	map_set_text(json_get(spec, "selector"), "matchLabels", HASH_LABEL, hash);
	json_set(json_get(set, "metadata"), "labels",
		json_copy(json_path(template, "metadata", "labels", NULL)));
	sim_add_owner(set, rollout->object);
	annotate_new(rollout, set, newest_old_revision(rollout) + 1);
	int wanted = spec_replicas(deployment);
	set_annotation_number(set, DESIRED, wanted);
	set_annotation_number(set, MAXIMUM, wanted + max_surge(rollout));
	return set;
}

/* The name is taken. It may be our own, when the cache is late; another's template is counted as a
 * collision, so that the next hash differs. */
static bool take_existing(struct rollout *rollout, struct object *there)
{
	const json *cached = there->views[VIEW_CONTROLLERS];
	if (cached == NULL)
		return false;
	if (str_equal(object_controller_uid(cached), rollout->object->uid) &&
		same_template(template_of(cached), template_of(rollout->deployment))) {
		rollout->sets[rollout->count] = (struct set){there, cached};
		return true;
	}
	json *status = json_ensure_object(draft_of(rollout), "status");
	json_set_integer(
		status, "collisionCount", json_get_integer(status, "collisionCount", 0) + 1);
	(void)update_status(rollout);
	return false;
}

static bool set_revision(struct rollout *rollout, const char *revision)
{
	const json *now = rollout->draft != NULL ? rollout->draft : rollout->deployment;
	if (str_equal(object_annotation(now, REVISION), revision))
		return false;
	object_set_annotation(draft_of(rollout), REVISION, revision);
	return true;
}

static bool create_set(struct rollout *rollout)
{
	AUTO_STRING hash = template_hash(rollout);
	AUTO_JSON set = make_set(rollout, hash);
	AUTO_STRING revision = mem_format("%d", newest_old_revision(rollout) + 1);
	struct object *there = sim_find(
		rollout->sim, &KIND_REPLICA_SET, rollout->object->namespace, object_name(set));
	bool created = there == NULL;
	if (rollout->count == SETS_MAXIMUM || (!created && !take_existing(rollout, there)))
		return false;
	if (created) {
		there = sim_create(rollout->sim, &KIND_REPLICA_SET, TAKE(set));
		rollout->sets[rollout->count] = (struct set){there, there->now};
	}
	rollout->new = &rollout->sets[rollout->count++];
	bool changed = set_revision(rollout, revision);
	if (created && has_deadline(rollout))
		changed |= set_condition(
			draft_of(rollout), "Progressing", "True", "NewReplicaSetReason");
	return !changed || update_status(rollout);
}

bool sync_new_set(struct rollout *rollout, bool create)
{
	struct set *set = rollout->new;
	if (set == NULL)
		return !create || create_set(rollout);
	/* Each time from what is cached: a second look of the same sync does not know what the
	 * first has written, and meets a conflict. */
	set->tree = set->object->views[VIEW_CONTROLLERS];
	int revision = newest_old_revision(rollout) + 1;
	if (!is_annotated(rollout, set->tree, revision) ||
		!json_equal(json_path(rollout->deployment, "spec", "minReadySeconds", NULL),
			json_path(set->tree, "spec", "minReadySeconds", NULL))) {
		json *after = json_copy(set->tree);
		annotate_new(rollout, after, revision);
		copy_seconds(json_get(after, "spec"), rollout);
		return update_set(rollout, set, after);
	}
	bool changed = set_revision(rollout, object_annotation(set->tree, REVISION));
	const json *now = rollout->draft != NULL ? rollout->draft : rollout->deployment;
	bool has_progress = false;
	json_for_each (condition, json_path(now, "status", "conditions", NULL))
		has_progress |= str_equal(json_get_text(condition, "type"), "Progressing");
	if (has_deadline(rollout) && !has_progress)
		changed |= set_condition(
			draft_of(rollout), "Progressing", "True", "FoundNewReplicaSet");
	return !changed || update_status(rollout);
}
