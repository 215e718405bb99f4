/* Where pod templates name ConfigMaps and Secrets: all places are found, nothing else is touched.
 */
#include "release/references.h"

#include "unit/traffic/random.h"
#include "unit/traffic/trees.h"

/* A template with a name in every place: A of ConfigMaps, B of Secrets. Others look alike. */
static const char EVERYWHERE[] =
	"{'metadata': {'labels': {'name': 'A-1'}}, 'spec': {"
	"'serviceAccountName': 'A-1',"
	"'imagePullSecrets': [{'name': 'B-1'}, {'name': 'B-2'}],"
	"'volumes': ["
	"{'name': 'A-1', 'configMap': {'name': 'A-1', 'items': [{'key': 'A-1', 'path': 'A-1'}]}},"
	"{'name': 'B-3', 'secret': {'secretName': 'B-3', 'optional': true}},"
	"{'name': 'p', 'projected': {'sources': [{'configMap': {'name': 'A-2'}}, {'secret': "
	"{'name': 'B-4'}}, {'serviceAccountToken': {'path': 'A-1'}}, {'downwardAPI': {}}]}},"
	"{'name': 'c', 'csi': {'driver': 'd', 'nodePublishSecretRef': {'name': 'B-5'}}},"
	"{'name': 'z', 'azureFile': {'secretName': 'B-6', 'shareName': 'B-6'}},"
	"{'name': 'f', 'flexVolume': {'driver': 'd', 'secretRef': {'name': 'B-7'}}},"
	"{'name': 'i', 'iscsi': {'secretRef': {'name': 'B-8'}}},"
	"{'name': 'r', 'rbd': {'image': 'i', 'secretRef': {'name': 'B-9'}}},"
	"{'name': 's', 'scaleIO': {'secretRef': {'name': 'B-10'}}},"
	"{'name': 'o', 'storageos': {'secretRef': {'name': 'B-11'}}},"
	"{'name': 'h', 'cephfs': {'secretRef': {'name': 'B-12'}}},"
	"{'name': 'n', 'cinder': {'secretRef': {'name': 'B-13'}}},"
	"{'name': 'e', 'persistentVolumeClaim': {'claimName': 'A-1'}}],"
	"'containers': [{'name': 'A-1', 'env': [{'name': 'A-1', 'value': 'A-1'},"
	"{'name': 'x', 'valueFrom': {'configMapKeyRef': {'name': 'A-3', 'key': 'A-1'}}},"
	"{'name': 'y', 'valueFrom': {'secretKeyRef': {'name': 'B-14', 'key': 'B-1'}}},"
	"{'name': 'z', 'valueFrom': {'fieldRef': {'fieldPath': 'A-1'}}}],"
	"'envFrom': [{'prefix': 'A-1', 'configMapRef': {'name': 'A-4'}}, {'secretRef': {'name': "
	"'B-15'}}]}, {'name': 'second', 'envFrom': [{'configMapRef': {'name': 'A-5'}}]}],"
	"'initContainers': [{'name': 'B-1', 'env': ["
	"{'name': 'x', 'valueFrom': {'configMapKeyRef': {'name': 'A-6', 'key': 'k'}}},"
	"{'name': 'y', 'valueFrom': {'secretKeyRef': {'name': 'B-16', 'key': 'k'}}}],"
	"'envFrom': [{'configMapRef': {'name': 'A-7'}}, {'secretRef': {'name': 'B-17'}}]}]}}";

#define CONFIG_MAP_PLACES 7
#define SECRET_PLACES 17

static void assert_lists(const json *template, const struct kind *kind, char letter, size_t count)
{
	struct str_list names CLEANUP(str_list_release) = {0};
	references_list(template, kind, &names);
	assert_int_equal(names.count, count);
	for (size_t i = 1; i <= count; i++) {
		AUTO_STRING name = mem_format("%c-%zu", letter, i);
		if (!str_list_has(&names, name))
			fail_msg("%s is not found", name);
		assert_true(references_has(template, kind, name));
	}
	assert_false(references_has(template, kind, "A"));
}

static void finds_every_place(void **state)
{
	(void)state;
	AUTO_JSON template = tree(EVERYWHERE);
	assert_lists(template, &KIND_CONFIG_MAP, 'A', CONFIG_MAP_PLACES);
	assert_lists(template, &KIND_SECRET, 'B', SECRET_PLACES);
}

static json *swap_names(char letter, size_t count)
{
	json *names = json_object();
	for (size_t i = 1; i <= count; i++) {
		AUTO_STRING name = mem_format("%c-%zu", letter, i);
		AUTO_STRING other = mem_format("%c-%zu", letter, count + 1 - i);
		json_set_text(names, name, other);
	}
	return names;
}

/* Each name with another one's: there is no chain, twice is as before, and the places of the other
 * kind and everything that only looks alike stay. */
static void renames_at_once(void **state)
{
	(void)state;
	AUTO_JSON before = tree(EVERYWHERE);
	AUTO_JSON template = json_copy(before);
	AUTO_JSON names = swap_names('A', CONFIG_MAP_PLACES);
	references_rename(template, &KIND_CONFIG_MAP, names);
	assert_false(json_equal(template, before));
	const json *spec = json_get(template, "spec");
	const json *volume = json_first(json_get(spec, "volumes"));
	assert_tree(volume, "{'name': 'A-1', 'configMap': {'name': 'A-7', 'items': [{'key': 'A-1', "
			    "'path': 'A-1'}]}}");
	assert_string_equal(json_get_text(spec, "serviceAccountName"), "A-1");
	assert_lists(template, &KIND_SECRET, 'B', SECRET_PLACES);
	references_rename(template, &KIND_CONFIG_MAP, names);
	assert_same(template, before);
}

static void without_names_nothing_changes(void **state)
{
	(void)state;
	AUTO_JSON before = tree(EVERYWHERE);
	AUTO_JSON template = json_copy(before);
	AUTO_JSON other = tree("{'A-8': 'x', 'B-1': 'x', 'name': 'x'}");
	references_rename(template, &KIND_CONFIG_MAP, other);
	references_rename(template, &KIND_CONFIG_MAP, NULL);
	references_rename(template, &KIND_SECRET, NULL);
	assert_same(template, before);
	references_rename(NULL, &KIND_SECRET, other);
	assert_false(references_has(NULL, &KIND_SECRET, "B-1"));
}

static void strange_templates_are_walked(void **state)
{
	(void)state;
	static const char VOLUMES[] = "{'spec': {'volumes': ['x', null, {'secret': 'x'}, "
				      "{'secret': {'secretName': 7}}]}}";
	static const char *const TEMPLATES[] = {"{}", "{'spec': null}", "{'spec': {'volumes': {}}}",
		VOLUMES, "{'spec': {'containers': {'env': {}}, 'imagePullSecrets': [[]]}}"};
	AUTO_JSON names = tree("{'x': 'y', '7': 'y'}");
	for (size_t i = 0; i < COUNT_OF(TEMPLATES); i++) {
		struct str_list found CLEANUP(str_list_release) = {0};
		AUTO_JSON template = tree(TEMPLATES[i]);
		references_list(template, &KIND_SECRET, &found);
		references_list(template, &KIND_CONFIG_MAP, &found);
		assert_int_equal(found.count, 0);
		references_rename(template, &KIND_SECRET, names);
		assert_tree(template, TEMPLATES[i]);
	}
}

/* --- templates by chance -------------------------------------------------------------------- */

static const char *const NAMES[] = {"a", "b", "c", "a-v2", "b-v2"};

static json *named(struct random *random, const char *member)
{
	json *node = json_object();
	json_set_text(node, member, ANY_OF(random, NAMES));
	if (once_in(random, 2))
		json_set_text(node, "key", ANY_OF(random, NAMES));
	return node;
}

static void add_environment(json *container, struct random *random)
{
	for (uint32_t i = below(random, 3); i > 0; i--) {
		bool secret = once_in(random, 2);
		json *variable = json_object();
		json_set_text(variable, "name", ANY_OF(random, NAMES));
		json_set(json_ensure_object(variable, "valueFrom"),
			secret ? "secretKeyRef" : "configMapKeyRef", named(random, "name"));
		json_append(json_ensure_array(container, "env"), variable);
		json *from = json_object();
		json_set(from, secret ? "configMapRef" : "secretRef", named(random, "name"));
		json_append(json_ensure_array(container, "envFrom"), from);
	}
}

static void add_volume(json *spec, struct random *random)
{
	json *volume = json_object();
	json_set_text(volume, "name", ANY_OF(random, NAMES));
	bool secret = once_in(random, 2);
	if (once_in(random, 2)) {
		json *source = json_object();
		json_set(source, secret ? "secret" : "configMap", named(random, "name"));
		json_append(json_ensure_array(json_ensure_object(volume, "projected"), "sources"),
			source);
	} else {
		json_set(volume, secret ? "secret" : "configMap",
			named(random, secret ? "secretName" : "name"));
	}
	json_append(json_ensure_array(spec, "volumes"), volume);
}

static json *any_template(struct random *random)
{
	json *template = json_object();
	json *spec = json_ensure_object(template, "spec");
	for (uint32_t i = below(random, 3); i > 0; i--) {
		json *container = json_object();
		json_set_text(container, "name", ANY_OF(random, NAMES));
		add_environment(container, random);
		const char *list = once_in(random, 3) ? "initContainers" : "containers";
		json_append(json_ensure_array(spec, list), container);
	}
	for (uint32_t i = below(random, 4); i > 0; i--)
		add_volume(spec, random);
	if (once_in(random, 2))
		json_append(json_ensure_array(spec, "imagePullSecrets"), named(random, "name"));
	return template;
}

/* What is renamed away is not found any more, the new name is where it was, the other kind's names
 * are the same, and back again it is the same template. */
static void names_go_there_and_back(void **state)
{
	(void)state;
	struct random random = {.state = 4711};
	AUTO_JSON there = tree("{'a': 'new'}");
	AUTO_JSON back = tree("{'new': 'a'}");
	for (int i = 0; i < 5000; i++) {
		AUTO_JSON before = any_template(&random);
		AUTO_JSON template = json_copy(before);
		bool secret = once_in(&random, 2);
		const struct kind *kind = secret ? &KIND_SECRET : &KIND_CONFIG_MAP;
		const struct kind *other = secret ? &KIND_CONFIG_MAP : &KIND_SECRET;
		bool has = references_has(before, kind, "a");
		references_rename(template, kind, there);
		assert_false(references_has(template, kind, "a"));
		assert_int_equal(references_has(template, kind, "new"), has);
		assert_false(references_has(template, other, "new"));
		for (size_t j = 0; j < COUNT_OF(NAMES); j++)
			assert_int_equal(references_has(template, other, NAMES[j]),
				references_has(before, other, NAMES[j]));
		assert_int_equal(json_equal(template, before), !has);
		references_rename(template, kind, back);
		assert_same(template, before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_every_place),
		cmocka_unit_test(renames_at_once),
		cmocka_unit_test(without_names_nothing_changes),
		cmocka_unit_test(strange_templates_are_walked),
		cmocka_unit_test(names_go_there_and_back),
	};
	return cmocka_run_group_tests_name("references", tests, NULL, NULL);
}
