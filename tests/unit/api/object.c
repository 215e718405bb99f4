#include "api/object.h"

#include "unit/traffic/trees.h"

static void new_objects(void **state)
{
	(void)state;
	AUTO_JSON object = object_new(&KIND_DEPLOYMENT, "shop", "web");
	assert_tree(object, "{'apiVersion': 'apps/v1', 'kind': 'Deployment', 'metadata': {'name': "
			    "'web', 'namespace': 'shop'}}");
	AUTO_JSON namespace = object_new(&KIND_NAMESPACE, NULL, "shop");
	assert_tree(namespace,
		"{'apiVersion': 'v1', 'kind': 'Namespace', 'metadata': {'name': 'shop'}}");
}

static void labels_come_and_go(void **state)
{
	(void)state;
	AUTO_JSON object = tree("{'metadata': {}}");
	object_set_label(object, "a", "1");
	object_set_label(object, "b", "2");
	object_set_annotation(object, "n", "3");
	assert_tree(object, "{'metadata': {'labels': {'a': '1', 'b': '2'}, 'annotations': {'n': "
			    "'3'}}}");
	assert_string_equal(object_label(object, "a"), "1");
	assert_null(object_label(object, "n"));
	object_set_label(object, "a", NULL);
	object_set_label(object, "absent", NULL);
	object_set_annotation(object, "n", NULL);
	object_set_annotation(object, "n", NULL);
	assert_tree(object, "{'metadata': {'labels': {'b': '2'}}}");
	object_set_label(object, "b", NULL);
	assert_tree(object, "{'metadata': {}}");
	/* A map that was empty before is not ours to remove. */
	AUTO_JSON empty = tree("{'metadata': {'labels': {}}}");
	object_set_label(empty, "a", NULL);
	assert_tree(empty, "{'metadata': {'labels': {}}}");
}

static void owners(void **state)
{
	(void)state;
	AUTO_JSON object = tree("{'metadata': {'ownerReferences': [{'uid': 'x'}, {'uid': 'y', "
				"'controller': true}]}}");
	assert_string_equal(object_controller_uid(object), "y");
	AUTO_JSON free_one = tree("{'metadata': {'ownerReferences': [{'uid': 'x'}]}}");
	assert_null(object_controller_uid(free_one));
	assert_null(object_controller_uid(NULL));
}

static void apply(json *list, const json *event)
{
	AUTO_JSON copy = json_copy(event);
	list_apply_event(list, copy);
}

static void events_change_lists(void **state)
{
	(void)state;
	AUTO_JSON list = tree("{'items': [{'metadata': {'uid': '1', 'name': 'a'}}]}");
	AUTO_JSON added = tree("{'type': 'ADDED', 'object': {'metadata': {'uid': '2', 'name': "
			       "'b'}}}");
	AUTO_JSON modified =
		tree("{'type': 'MODIFIED', 'object': {'metadata': {'uid': '1', 'name': "
		     "'a'}, 'x': 1}}");
	AUTO_JSON deleted = tree("{'type': 'DELETED', 'object': {'metadata': {'uid': '1', 'name': "
				 "'a'}}}");
	apply(list, added);
	apply(list, modified);
	/* Seen twice is seen once. */
	apply(list, modified);
	assert_tree(list, "{'items': [{'metadata': {'uid': '1', 'name': 'a'}, 'x': 1}, "
			  "{'metadata': {'uid': '2', 'name': 'b'}}]}");
	assert_int_equal(json_get_integer(list_find(list, "a"), "x", 0), 1);
	apply(list, deleted);
	apply(list, deleted);
	assert_tree(list, "{'items': [{'metadata': {'uid': '2', 'name': 'b'}}]}");
	assert_null(list_find(list, "a"));
	/* A new object under an old name is another one. */
	AUTO_JSON again = tree("{'type': 'ADDED', 'object': {'metadata': {'uid': '3', 'name': "
			       "'b'}}}");
	apply(list, again);
	assert_int_equal(json_count(list_items(list)), 2);
}

static void server_fields(void **state)
{
	(void)state;
	AUTO_JSON object = tree(
		"{'metadata': {'name': 'a', 'uid': '1', 'resourceVersion': '2', 'generation': 3, "
		"'creationTimestamp': 't', 'managedFields': [], 'selfLink': '/', "
		"'ownerReferences': "
		"[], 'deletionTimestamp': 't', 'labels': {'a': 'b'}}, 'spec': {}, 'status': {}}");
	assert_true(object_is_deleting(object));
	assert_string_equal(object_version(object), "2");
	object_strip_server_fields(object);
	assert_tree(object, "{'metadata': {'name': 'a', 'labels': {'a': 'b'}}, 'spec': {}}");
	assert_false(object_is_deleting(object));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(new_objects),
		cmocka_unit_test(labels_come_and_go),
		cmocka_unit_test(owners),
		cmocka_unit_test(events_change_lists),
		cmocka_unit_test(server_fields),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
