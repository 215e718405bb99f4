#include "sim/configs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "release/configs.h"
#include "sim/invariants.h"
#include "sim/scenarios.h"

static json *parse(const char *text)
{
	json *tree = NULL;
	return json_parse(text, strlen(text), &tree, NULL) == 0 ? tree : NULL;
}

static const char DOCUMENTS[] =
	"[{\"apiVersion\": \"v1\", \"kind\": \"ConfigMap\", \"metadata\": {\"name\": "
	"\"settings\"}, \"data\": {\"mode\": \"" NEW_SETTING
	"\"}}, {\"apiVersion\": \"v1\", \"kind\": "
	"\"Secret\", \"metadata\": {\"name\": \"token\"}, \"data\": {\"password\": \"" NEW_SECRET
	"\"}}]";

static void add(struct sim *sim, const struct kind *kind, const char *name, bool ours)
{
	json *tree = object_new(kind, NAMESPACE, name);
	json_set_text(json_ensure_object(tree, "data"), "old", "b2xk");
	if (ours) {
		object_set_label(tree, MANAGED_BY_LABEL, MANAGED_BY);
		object_set_label(tree, SERVICE_LABEL, "web");
		object_set_label(tree, CONFIG_LABEL, CONFIG_LABEL_COPY);
		object_set_annotation(tree, CONFIG_OF_ANNOTATION, "settings");
		object_set_annotation(tree, CONFIG_DEPLOYMENT_ANNOTATION, "web");
	}
	(void)sim_create(sim, kind, tree);
}

void configs_add(struct sim *sim)
{
	add(sim, &KIND_CONFIG_MAP, "settings", false);
	add(sim, &KIND_CONFIG_MAP, "settings-v0", true);
	add(sim, &KIND_SECRET, "token", false);
}

const json *configs_documents(void)
{
	static json *documents;
	if (documents == NULL)
		documents = parse(DOCUMENTS);
	return documents;
}

static bool exists(const struct sim *sim, const struct kind *kind, const char *name)
{
	return sim_find(sim, kind, NAMESPACE, name) != NULL;
}

bool configs_lack(const struct sim *sim)
{
	return !exists(sim, &KIND_CONFIG_MAP, "settings-v2") ||
	       !exists(sim, &KIND_SECRET, "token-v2");
}

/* Controllers may not know yet that a Deployment or ReplicaSet is gone; the garbage collector takes
 * what they make then. */
static bool is_wanted(const struct sim *sim, const struct object *pod)
{
	const struct object *object = pod;
	while (object != NULL && object->now != NULL && !object->deleting) {
		const char *uid = object_controller_uid(object->now);
		if (uid == NULL)
			return true;
		object = sim_find_uid(sim, uid);
	}
	return false;
}

static void check_pod(const struct sim *sim, const struct object *pod)
{
	if (!is_wanted(sim, pod))
		return;
	const json *containers = json_path(pod->now, "spec", "containers", NULL);
	json_for_each (from, json_get(json_first(containers), "envFrom")) {
		const char *setting = json_path_text(from, "configMapRef", "name", NULL);
		const char *secret = json_path_text(from, "secretRef", "name", NULL);
		if (setting != NULL && !exists(sim, &KIND_CONFIG_MAP, setting))
			sim_fail(sim, "%s is there without configmap/%s", pod->name, setting);
		if (secret != NULL && !exists(sim, &KIND_SECRET, secret))
			sim_fail(sim, "%s is there without secret/%s", pod->name, secret);
	}
}

void configs_check(const struct sim *sim, const struct event *event)
{
	const struct object *object = event->object;
	if (sim->invariants->unconfigured)
		return;
	if (object->kind == &KIND_POD)
		check_pod(sim, object);
	if ((object->kind == &KIND_CONFIG_MAP || object->kind == &KIND_SECRET) &&
		object->now == NULL)
		sim_each(pod, sim, &KIND_POD) check_pod(sim, pod);
}

bool is_config(const struct write *write)
{
	static const char *const MADE[] = {"settings-v2", "token-v2"};
	if (write->kind != &KIND_CONFIG_MAP && write->kind != &KIND_SECRET)
		return false;
	return str_index(MADE, COUNT_OF(MADE), write->name) >= 0 ||
	       (write->verb == WRITE_DELETE && str_equal(write->name, "settings-v0"));
}

void configs_forget_dropped(json *snapshot)
{
	json_remove(snapshot, "ConfigMap/settings-v0");
}

static void check_copy(
	const struct sim *sim, const json *copy, const json *document, const char *base)
{
	if (!json_equal(json_get(copy, "data"), json_get(document, "data")) ||
		!str_equal(object_annotation(copy, CONFIG_OF_ANNOTATION), base) ||
		!str_equal(object_annotation(copy, CONFIG_VERSION_ANNOTATION), "v2") ||
		!str_equal(object_label(copy, SERVICE_LABEL), "web"))
		sim_fail(sim, "the copy of %s is not as it should be", base);
}

void configs_expect(const struct sim *sim, json *expected, json *found)
{
	AUTO_JSON settings = json_detach(found, "ConfigMap/settings-v2");
	AUTO_JSON token = json_detach(found, "Secret/token-v2");
	check_copy(sim, settings, json_at(configs_documents(), 0), "settings");
	check_copy(sim, token, json_at(configs_documents(), 1), "token");
	configs_forget_dropped(expected);
	json_for_each (tree, expected) {
		if (!str_starts(json_key(tree), "Deployment/web"))
			continue;
		json *containers = json_path(tree, "spec", "template", "spec", "containers", NULL);
		json *from = json_get(json_first(containers), "envFrom");
		json_set_text(json_get(json_at(from, 0), "configMapRef"), "name", "settings-v2");
		json_set_text(json_get(json_at(from, 1), "secretRef"), "name", "token-v2");
	}
}

/* --- what others do to them ----------------------------------------------------------------- */

/* Paused at the first of two batches. */
static struct sim *paused_release(json **ret_before)
{
	const struct setting setting = {
		.world = WORLD_CONFIG, .batches = "2", .replicas = 4, .seed = first_seed()};
	struct sim *sim = world_new(&setting);
	*ret_before = world_snapshot(sim);
	must_start(sim, &setting, 0, NULL);
	return sim;
}

void deleted_configuration_is_reported(void **state)
{
	(void)state;
	AUTO_JSON before = NULL;
	AUTO_SIM sim = paused_release(&before);
	sim->invariants->unconfigured = true;
	sim_remove(sim, sim_find(sim, &KIND_SECRET, NAMESPACE, "token-v2"));
	must_run(sim, run_next, ERR_FOREIGN, "secret/token-v2 is not there");
	must_run(sim, run_abort, 0, NULL);
	world_assert_restored(sim, before, false);
}

/* Somebody lets stable itself have the new settings; that edit stays, and so does what it needs. */
void configuration_that_an_edit_needs_stays(void **state)
{
	(void)state;
	AUTO_JSON before = NULL;
	AUTO_SIM sim = paused_release(&before);
	struct object *stable = sim_find(sim, &KIND_DEPLOYMENT, NAMESPACE, "web");
	json *tree = json_copy(stable->now);
	json *containers = json_path(tree, "spec", "template", "spec", "containers", NULL);
	json *from = json_at(json_get(json_first(containers), "envFrom"), 0);
	sim->invariants->degraded = true;
	sim->invariants->stable_sets++;
	json_set_text(json_get(from, "configMapRef"), "name", "settings-v2");
	sim_put(sim, stable, tree);
	must_run(sim, run_abort, 0, NULL);
	assert_non_null(sim_find(sim, &KIND_CONFIG_MAP, NAMESPACE, "settings-v2"));
	assert_null(sim_find(sim, &KIND_SECRET, NAMESPACE, "token-v2"));
}
