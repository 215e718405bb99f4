/* --config: documents, names of copies, what is refused, and what the record gets. */
#include "release/configs.h"

#include "api/object.h"
#include "base/base64.h"
#include "release/config_document.h"
#include "unit/traffic/trees.h"

/* --- documents ------------------------------------------------------------------------------ */

static json *read_document(const char *text)
{
	AUTO_JSON document = tree(text);
	struct err err = {0};
	json *object = NULL;
	if (config_document_read(document, "shop", &object, &err) != 0)
		fail_msg("%s", err.message);
	return object;
}

static void documents_become_objects(void **state)
{
	(void)state;
	AUTO_JSON map = read_document(
		"{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'settings', 'uid': "
		"'1', 'resourceVersion': '7', 'labels': {'team': 'shop'}, 'finalizers': ['x'], "
		"'ownerReferences': [{}], 'generateName': 's'}, 'data': {'a': '1'}, 'binaryData': "
		"{'b': 'AA\\n=='}}");
	assert_tree(map, "{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': "
			 "'settings', 'labels': {'team': 'shop'}, 'namespace': 'shop'}, 'data': "
			 "{'a': '1'}, 'binaryData': {'b': 'AA=='}}");
	AUTO_JSON secret = read_document(
		"{'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'token', 'namespace': "
		"'shop'}, 'type': 'Opaque', 'immutable': false, 'data': {'a': 'Yg==', 'b': 'Yg=='},"
		" 'stringData': {'a': 'hidden'}}");
	assert_tree(json_get(secret, "data"), "{'a': 'aGlkZGVu', 'b': 'Yg=='}");
	assert_null(json_get(secret, "stringData"));
}

static void bad_documents_are_refused(void **state)
{
	(void)state;
#define MAP "'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'm'}"
#define SECRET "'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 's'}"
	static const struct {
		const char *document, *says;
	} CASES[] = {
		{"{}", "is of kind \"\", not a ConfigMap or Secret"},
		{"['x']", "is of kind \"\""},
		{"{'kind': 'Deployment'}", "is of kind \"Deployment\""},
		{"{'kind': 'Secret', 'apiVersion': 'v1'}", "a Secret has no metadata.name"},
		{"{'kind': 'Secret', 'metadata': {'name': 's'}}",
			"secret/s is not of apiVersion v1"},
		{"{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'm', 'namespace': "
		 "'other'}}",
			"configmap/m is of namespace \"other\", and the release of \"shop\""},
		{"{" MAP ", 'datas': {}}", "configmap/m: a ConfigMap has no field \"datas\""},
		{"{" MAP ", 'stringData': {}}", "a ConfigMap has no field \"stringData\""},
		{"{" SECRET ", 'binaryData': {}}", "a Secret has no field \"binaryData\""},
		{"{" MAP ", 'data': {'port': 80}}", "configmap/m: data.port must be a string"},
		{"{" MAP ", 'data': {'port': null}}", "data.port must be a string"},
		{"{" MAP ", 'data': ['x']}", "data must be an object"},
		{"{" MAP ", 'binaryData': {'b': '%'}}", "binaryData.b: is not base64"},
		{"{" SECRET ", 'data': {'p': 'hunter2!'}}", "secret/s: data.p: is not base64"},
		{"{" SECRET ", 'data': {'p': 12345}}", "secret/s: data.p must be a string"},
		{"{" SECRET ", 'type': 1}", "type must be a string"},
		{"{" MAP ", 'immutable': 'yes'}", "immutable must be true or false"},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO_JSON document = tree(CASES[i].document);
		AUTO_JSON object = NULL;
		struct err err = {0};
		int code = config_document_read(document, "shop", &object, &err);
		assert_int_equal(code, ERR_FAILED);
		assert_contains(err.message, CASES[i].says);
		assert_null(object);
		assert_null(strstr(err.message, "hunter2"));
		assert_null(strstr(err.message, "12345"));
	}
}

static json *with_bytes(const char *text, const char *member, size_t count)
{
	json *document = tree(text);
	char *bytes = mem_alloc(count + 1, 1);
	memset(bytes, 'x', count);
	json_set_text(json_ensure_object(document, member), "big", bytes);
	mem_cleanup(&bytes);
	return document;
}

static void contents_have_a_limit(void **state)
{
	(void)state;
	AUTO_JSON object = NULL;
	AUTO_JSON whole = with_bytes("{" MAP "}", "data", CONFIG_MAXIMUM_BYTES);
	assert_int_equal(config_document_read(whole, "shop", &object, NULL), 0);
	struct err err = {0};
	AUTO_JSON more = with_bytes("{" MAP "}", "data", CONFIG_MAXIMUM_BYTES + 1);
	AUTO_JSON none = NULL;
	assert_int_equal(config_document_read(more, "shop", &none, &err), ERR_FAILED);
	assert_contains(err.message, "configmap/m: holds 1048577 bytes, more than the limit");
	AUTO_JSON strings = with_bytes("{" SECRET "}", "stringData", CONFIG_MAXIMUM_BYTES + 1);
	assert_int_equal(config_document_read(strings, "shop", &none, &err), ERR_FAILED);
}

static void same_contents_are_seen(void **state)
{
	(void)state;
	static const struct {
		const char *a, *b;
		bool same;
	} CASES[] = {
		{"{'data': {'a': '1'}, 'metadata': {}}", "{'data': {'a': '1'}}", true},
		{"{'data': {'a': '1'}}", "{'data': {'a': '2'}}", false},
		{"{'data': {}}", "{}", true},
		{"{'type': 'Opaque'}", "{}", true},
		{"{'type': 'x'}", "{}", false},
		{"{'immutable': true}", "{}", false},
		{"{'immutable': false}", "{}", true},
		{"{'binaryData': {'a': 'AA=='}}", "{'data': {'a': 'AA=='}}", false},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		AUTO_JSON a = tree(CASES[i].a);
		AUTO_JSON b = tree(CASES[i].b);
		assert_int_equal(config_same_contents(a, b), CASES[i].same);
	}
}

/* --- before a release ----------------------------------------------------------------------- */

/* A cluster that has some objects. */
struct fake {
	json *objects;
	const struct kind *forbidden; /* to list by label */
	int rehearsed;
};

static int fake_list(void *context, const struct query *query, json **ret, struct err *err)
{
	const struct fake *fake = context;
	if (query->name == NULL && query->kind == fake->forbidden)
		return err_set(err, ERR_FORBIDDEN, "no");
	assert_string_equal(query->namespace, "shop");
	json *list = json_object();
	json *items = json_ensure_array(list, "items");
	json_for_each (object, fake->objects) {
		bool labeled = object_label(object, CONFIG_LABEL) != NULL;
		if (str_equal(json_get_text(object, "kind"), query->kind->name) &&
			(query->name == NULL || str_equal(query->name, object_name(object))) &&
			(query->label_selector == NULL || labeled))
			json_append(items, json_copy(object));
	}
	*ret = list;
	return 0;
}

static int fake_write(void *context, const struct write *write, json **ret_object, struct err *err)
{
	struct fake *fake = context;
	(void)ret_object;
	(void)err;
	assert_true(write->dry_run);
	assert_int_equal(write->verb, WRITE_CREATE);
	fake->rehearsed++;
	return 0;
}

#define TEMPLATE(map, secret)                                                                      \
	"{'metadata': {'labels': {'app': 'web'}}, 'spec': {'volumes': [{'name': 'c', "             \
	"'configMap': {'name': '" map "'}}], 'containers': [{'name': 'web', 'image': 'web:1', "    \
	"'envFrom': [{'secretRef': {'name': '" secret "'}}]}]}}"

static struct record new_record(const char *template, const char *version)
{
	struct record record = {
		.plan = {.service = mem_strdup("web"),
			.namespace = mem_strdup("shop"),
			.deployment = mem_strdup("web"),
			.stable_version = mem_strdup("v2"),
			.canary_version = mem_strdup(version)},
		.stable = tree("{'metadata': {'name': 'web'}, 'spec': {}}"),
		.template = tree(template),
	};
	json_set(json_get(record.stable, "spec"), "template", json_copy(record.template));
	return record;
}

/* A copy that an earlier release of the Service has made. */
#define COPY(kind, name, of, rest)                                                                 \
	"{'apiVersion': 'v1', 'kind': '" kind "', 'metadata': {'name': '" name                     \
	"', 'namespace': 'shop', 'labels': {'app.kubernetes.io/managed-by': "                      \
	"'kubectl-batchrollout', 'batchrollout/service': 'web', 'batchrollout/config': 'copy'}, "  \
	"'annotations': {'batchrollout/config-of': '" of                                           \
	"', 'batchrollout/config-deployment': 'web'}}" rest "}"

struct prepared {
	struct fake fake;
	struct record record;
	struct str_list notes;
	struct err err;
};

static void prepared_release(struct prepared *prepared)
{
	json_free(prepared->fake.objects);
	record_release(&prepared->record);
	str_list_release(&prepared->notes);
}

static int prepare(struct prepared *prepared, const char *documents)
{
	AUTO_JSON configs = tree(documents);
	struct api_port api = {.context = &prepared->fake, .list = fake_list, .write = fake_write};
	struct start_options options = {.configs = configs};
	return configs_prepare(&api, &options, &prepared->record, &prepared->notes, &prepared->err);
}

#define PREPARED CLEANUP(prepared_release) struct prepared

#define SETTINGS                                                                                   \
	"{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': {'name': 'settings', 'labels': "    \
	"{'team': 'shop', 'app.kubernetes.io/instance': 'argo'}, 'annotations': "                  \
	"{'kubectl.kubernetes.io/last-applied-configuration': '{}', 'note': 'mine'}}, 'data': "    \
	"{'a': '2'}}"
#define TOKEN                                                                                      \
	"{'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'token'}, 'stringData': "     \
	"{'t': 'hunter2'}}"

static void copies_are_named_by_version(void **state)
{
	(void)state;
	PREPARED done = {.fake = {.objects = json_array()},
		.record = new_record(TEMPLATE("settings", "token"), "V3_rc.1")};
	if (prepare(&done, "[" SETTINGS ", {'kind': 'List', 'items': [" TOKEN "]}]") != 0)
		fail_msg("%s", done.err.message);
	assert_tree(done.record.template, TEMPLATE("settings-v3-rc.1", "token-v3-rc.1"));
	assert_tree(done.record.configs,
		"{'copies': [{'kind': 'ConfigMap', 'name': 'settings', 'copy': 'settings-v3-rc.1', "
		"'made': true}, {'kind': 'Secret', 'name': 'token', 'copy': 'token-v3-rc.1', "
		"'made': true}], 'older': []}");
	assert_int_equal(done.fake.rehearsed, 2);
	assert_tree(json_get(json_first(done.record.contents), "metadata"),
		"{'name': 'settings-v3-rc.1', 'namespace': 'shop', 'labels': {'team': 'shop', "
		"'app.kubernetes.io/managed-by': 'kubectl-batchrollout', 'batchrollout/service': "
		"'web', 'batchrollout/config': 'copy'}, 'annotations': {'note': 'mine', "
		"'batchrollout/config-of': 'settings', 'batchrollout/config-version': 'V3_rc.1', "
		"'batchrollout/config-deployment': 'web'}}");
}

static void earlier_copies_are_known(void **state)
{
	(void)state;
	static const char *const NAMES[] = {"settings", "settings-v2"};
	for (size_t i = 0; i < COUNT_OF(NAMES); i++) {
		PREPARED done = {
			.fake = {.objects = tree("[" COPY("ConfigMap", "settings-v2", "settings",
					 "") ", " COPY("ConfigMap", "settings-v1", "settings",
					 "") ", " COPY("Secret", "token-v1", "token", "") "]")},
			.record = new_record(TEMPLATE("settings-v2", "token"), "v3")};
		AUTO_STRING documents =
			mem_format("[{'apiVersion': 'v1', 'kind': 'ConfigMap', 'metadata': "
				   "{'name': '%s'}}]",
				NAMES[i]);
		if (prepare(&done, documents) != 0)
			fail_msg("%s", done.err.message);
		assert_tree(done.record.template, TEMPLATE("settings-v3", "token"));
		/* Of the kinds that the release has; the one of the version before stays. */
		assert_tree(json_get(done.record.configs, "older"),
			"[{'kind': 'ConfigMap', 'copy': 'settings-v1'}]");
	}
}

static void copies_of_others_stay(void **state)
{
	(void)state;
	PREPARED done = {.record = new_record(TEMPLATE("settings", "token"), "v3")};
	done.fake.objects = tree("[" COPY("ConfigMap", "a", "a", "") ", " COPY(
		"ConfigMap", "b", "b", "") ", " COPY("ConfigMap", "c", "c", "") "]");
	object_set_annotation(json_at(done.fake.objects, 0), CONFIG_DEPLOYMENT_ANNOTATION, "other");
	object_set_label(json_at(done.fake.objects, 1), SERVICE_LABEL, "other");
	json *deployment = tree("{'kind': 'Deployment', 'metadata': {'name': 'x'}, 'spec': {}}");
	json_set(json_get(deployment, "spec"), "template", tree(TEMPLATE("c", "token")));
	json_append(done.fake.objects, deployment);
	assert_int_equal(prepare(&done, "[" SETTINGS "]"), 0);
	assert_tree(config_older(&done.record), "[]");
}

static void equal_copy_is_used_again(void **state)
{
	(void)state;
	PREPARED done = {.fake = {.objects = tree("[" COPY("ConfigMap", "settings-v3", "settings",
					  ", 'data': {'a': '2'}") "]")},
		.record = new_record(TEMPLATE("settings", "token"), "v3")};
	assert_int_equal(prepare(&done, "[" SETTINGS "]"), 0);
	assert_tree(config_copies(&done.record), "[{'kind': 'ConfigMap', 'name': 'settings', "
						 "'copy': 'settings-v3', 'made': false}]");
	assert_tree(config_older(&done.record), "[]");
	assert_int_equal(json_count(done.record.contents), 0);
	assert_int_equal(done.fake.rehearsed, 0);
}

static void assert_refused(const char *objects, const char *documents, int code, const char *says)
{
	PREPARED done = {.fake = {.objects = tree(objects)},
		.record = new_record(TEMPLATE("settings", "token"), "v3")};
	assert_int_equal(prepare(&done, documents), code);
	assert_contains(done.err.message, says);
	assert_tree(done.record.template, TEMPLATE("settings", "token"));
	assert_null(done.record.configs);
	assert_null(strstr(done.err.message, "hunter2"));
}

/* `undo` to a template of which some is gone. */
static void what_is_missing_is_told(void **state)
{
	(void)state;
	PREPARED done = {.fake = {.objects = tree("[{'kind': 'Secret', 'metadata': {'name': "
						  "'token'}}]")},
		.record = new_record("{'spec': {'imagePullSecrets': [{'name': 'pull'}]}}", "v1")};
	AUTO_JSON template = tree(
		"{'spec': {'imagePullSecrets': [{'name': 'pull'}, {'name': 'pull-2'}, {'name': "
		"'token'}], 'volumes': [{'name': 'v', 'configMap': {'name': 'maybe', 'optional': "
		"true}}, {'name': 'w', 'secret': {'secretName': 'both', 'optional': true}}], "
		"'containers': [{'name': 'web', 'envFrom': [{'configMapRef': {'name': "
		"'settings'}}, {'secretRef': {'name': 'token'}}, {'secretRef': {'name': "
		"'both'}}]}]}}");
	json_free(done.record.template);
	done.record.template = json_copy(template);
	const struct api_port api = {.context = &done.fake, .list = fake_list};
	const struct start_options options = {.template = template};
	assert_int_equal(configs_prepare(&api, &options, &done.record, &done.notes, &done.err), 0);
	static const char *const EXPECTED[] = {
		"configmap/settings, which the template of v1 names, is not there: its pods will "
		"not start without it",
		"secret/both, which the template of v1 names, is not there: its pods will not "
		"start without it",
		"secret/pull-2, which the template of v1 names, is not there: its images are "
		"pulled without it",
	};
	assert_int_equal(done.notes.count, COUNT_OF(EXPECTED));
	for (size_t i = 0; i < COUNT_OF(EXPECTED); i++)
		assert_string_equal(done.notes.items[i], EXPECTED[i]);
}

static void what_does_not_fit_is_refused(void **state)
{
	(void)state;
	assert_refused("[]", "[]", ERR_FAILED, "there is no document");
	assert_refused("[]",
		"[{'apiVersion': 'v1', 'kind': 'Secret', 'metadata': {'name': 'settings'}}]",
		ERR_FAILED,
		"the pod template names no Secret \"settings\"; of this kind it names: token");
	assert_refused("[]", "[" SETTINGS ", " SETTINGS "]", ERR_FAILED,
		"there are two documents for configmap/settings");
	assert_refused("[{'kind': 'Secret', 'metadata': {'name': 'token-v3'}}]", "[" TOKEN "]",
		ERR_EXISTS, "secret/token-v3 exists already, and the copy of token");
	assert_refused("[" COPY("ConfigMap", "settings-v3", "settings", ", 'data': {}") "]",
		"[" SETTINGS "]", ERR_EXISTS, "of an earlier release and with other contents");
	assert_refused("[" COPY("ConfigMap", "settings-v3", "set", ", 'data': {'a': '2'}") "]",
		"[" SETTINGS "]", ERR_EXISTS, "exists already, and");
}

static void long_names_are_refused(void **state)
{
	(void)state;
	AUTO_STRING name = mem_alloc(252, 1);
	memset(name, 's', 251);
	AUTO_JSON configs = tree("[" SETTINGS "]");
	json_set_text(json_get(json_first(configs), "metadata"), "name", name);
	PREPARED done = {.fake = {.objects = json_array()},
		.record = new_record(TEMPLATE("settings", "token"), "v3")};
	json *volume = json_first(json_path(done.record.template, "spec", "volumes", NULL));
	json_set_text(json_get(volume, "configMap"), "name", name);
	AUTO_STRING text = json_print(configs);
	assert_int_equal(prepare(&done, text), ERR_USAGE);
	assert_contains(done.err.message, "the name of the copy (use --version)");
}

static void who_may_not_list_is_told(void **state)
{
	(void)state;
	PREPARED done = {.fake = {.objects = json_array(), .forbidden = &KIND_SECRET},
		.record = new_record(TEMPLATE("settings", "token"), "v3")};
	assert_int_equal(prepare(&done, "[" TOKEN "]"), 0);
	assert_int_equal(done.notes.count, 1);
	assert_contains(done.notes.items[0], "may not list secrets");
}

/* --- in the record -------------------------------------------------------------------------- */

static void contents_never_get_into_the_record(void **state)
{
	(void)state;
	PREPARED done = {.fake = {.objects = json_array()},
		.record = new_record(TEMPLATE("settings", "token"), "v3")};
	assert_int_equal(prepare(&done, "[" SETTINGS ", " TOKEN "]"), 0);
	assert_int_equal(json_count(done.record.contents), 2);
	AUTO_STRING held = json_print(done.record.contents);
	assert_contains(held, "aHVudGVyMg==");
	done.record.history = json_array();
	AUTO_JSON configmap = record_to_configmap(&done.record);
	AUTO_STRING text = json_print(configmap);
	AUTO_STRING annotation = record_to_annotation(&done.record);
	const char *texts[] = {text, annotation};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		assert_contains(texts[i], "token-v3");
		assert_null(strstr(texts[i], "aHVudGVyMg"));
		assert_null(strstr(texts[i], "hunter2"));
	}
}

static void damaged_names_are_refused(void **state)
{
	(void)state;
	static const char *const SOUND =
		"{'copies': [{'kind': 'Secret', 'copy': 'x'}], 'older': []}";
	static const char *const DAMAGED[] = {"{}", "[]", "{'copies': []}",
		"{'copies': [{}], 'older': []}",
		"{'copies': [{'kind': 'Pod', 'copy': 'x'}], 'older': []}",
		"{'copies': [], 'older': [{'kind': 'Secret', 'copy': ''}]}"};
	AUTO_JSON sound = tree(SOUND);
	assert_true(configs_are_sound(sound));
	assert_true(configs_are_sound(NULL));
	for (size_t i = 0; i < COUNT_OF(DAMAGED); i++) {
		AUTO_JSON damaged = tree(DAMAGED[i]);
		assert_false(configs_are_sound(damaged));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(documents_become_objects),
		cmocka_unit_test(bad_documents_are_refused),
		cmocka_unit_test(contents_have_a_limit),
		cmocka_unit_test(same_contents_are_seen),
		cmocka_unit_test(copies_are_named_by_version),
		cmocka_unit_test(earlier_copies_are_known),
		cmocka_unit_test(copies_of_others_stay),
		cmocka_unit_test(equal_copy_is_used_again),
		cmocka_unit_test(what_is_missing_is_told),
		cmocka_unit_test(what_does_not_fit_is_refused),
		cmocka_unit_test(long_names_are_refused),
		cmocka_unit_test(who_may_not_list_is_told),
		cmocka_unit_test(contents_never_get_into_the_record),
		cmocka_unit_test(damaged_names_are_refused),
	};
	return cmocka_run_group_tests_name("configs", tests, NULL, NULL);
}
