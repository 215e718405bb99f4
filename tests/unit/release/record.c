#include "release/record.h"

#include "api/object.h"
#include "unit/traffic/trees.h"

/* A record as `start` makes it. */
static struct record new_record(void)
{
	struct record record = {
		.plan =
			{
				.service = mem_strdup("web"),
				.namespace = mem_strdup("shop"),
				.deployment = mem_strdup("web"),
				.canary_deployment = mem_strdup("web-v2"),
				.stable_version = mem_strdup("v1"),
				.canary_version = mem_strdup("v2"),
				.replicas = 4,
				.timeout_ms = 1000,
			},
		.phase = PHASE_PROGRESSING,
		.goal = GOAL_BATCH,
		.goal_batch = 1,
		.through = 1,
		.started_at = mem_strdup("2026-01-31T12:00:00Z"),
		.started_by = mem_strdup("ann@laptop"),
		.holder = {.id = "0123",
			.user = "ann@laptop",
			.verb = "start",
			.machine = "m",
			.process = "7",
			.renewals = 3},
		.stable = tree("{'metadata': {'name': 'web', 'uid': '1'}, 'spec': {'paused': "
			       "null, 'zero': 0}}"),
		.virtualservices = json_array(),
		.destinationrules = tree("[{'metadata': {'name': 'rule'}}]"),
		.template = tree("{'spec': {'containers': []}}"),
		.tagged = true,
		.own_virtualservice = json_object(),
		.history = json_array(),
	};
	assert_int_equal(plan_set_batches(&record.plan, 2, NULL), 0);
	return record;
}

/* What only gateway mode has. */
static void set_gateway(struct record *record)
{
	record->plan.traffic = TRAFFIC_GATEWAY;
	record->httproutes = tree("[{'metadata': {'name': 'front'}}]");
	record->service = tree("{'metadata': {'name': 'web'}}");
	record->own_httproutes = tree("[{'metadata': {'name': 'batchrollout-web'}}]");
}

static void round_trip_of_gateway_mode(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	set_gateway(&record);
	AUTO_JSON configmap = record_to_configmap(&record);
	CLEANUP(record_release) struct record back = {0};
	struct err err = {0};
	if (record_parse(configmap, &back, &err) != 0)
		fail_msg("%s", err.message);
	assert_int_equal(back.plan.traffic, TRAFFIC_GATEWAY);
	assert_same(back.httproutes, record.httproutes);
	assert_same(back.service, record.service);
	assert_same(back.own_httproutes, record.own_httproutes);
}

static void round_trip_of_autoscalers(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	record.autoscalers = tree("[{'metadata': {'name': 'web'}, 'spec': {'minReplicas': 2}}]");
	record.frozen_autoscalers =
		tree("[{'metadata': {'name': 'web'}, 'spec': {'minReplicas': 1}}]");
	record.scaled_objects = tree("[{'metadata': {'name': 'queue'}}]");
	AUTO_JSON configmap = record_to_configmap(&record);
	CLEANUP(record_release) struct record back = {0};
	assert_int_equal(record_parse(configmap, &back, NULL), 0);
	assert_same(back.autoscalers, record.autoscalers);
	assert_same(back.frozen_autoscalers, record.frozen_autoscalers);
	assert_same(back.scaled_objects, record.scaled_objects);
	/* Each has its frozen state, or the record is none. */
	json_free(json_detach_at(record.frozen_autoscalers, 0));
	AUTO_JSON damaged = record_to_configmap(&record);
	CLEANUP(record_release) struct record none = {0};
	struct err err = {0};
	assert_int_equal(record_parse(damaged, &none, &err), ERR_INVALID);
	assert_contains(err.message, "the autoscalers as they were before are damaged");
}

static void round_trip(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	record_set_settled(&record, "subsets");
	record.message = mem_strdup("line\nother \"line\" ä");
	AUTO_JSON configmap = record_to_configmap(&record);
	assert_string_equal(object_name(configmap), "batchrollout-web");
	assert_string_equal(object_namespace(configmap), "shop");
	assert_string_equal(object_label(configmap, SERVICE_LABEL), "web");
	assert_string_equal(object_label(configmap, MANAGED_BY_LABEL), MANAGED_BY);

	CLEANUP(record_release) struct record back = {0};
	struct err err = {0};
	if (record_parse(configmap, &back, &err) != 0)
		fail_msg("%s", err.message);
	assert_string_equal(back.plan.namespace, "shop");
	assert_string_equal(back.holder.id, "0123");
	assert_string_equal(back.holder.process, "7");
	assert_int_equal(back.holder.renewals, 3);
	assert_string_equal(back.message, record.message);
	assert_true(record_has_settled(&back, "subsets"));
	assert_false(record_has_settled(&back, "pinned"));
	assert_true(back.tagged && back.own_virtualservice);
	assert_same(back.stable, record.stable);
	assert_same(back.configmap, configmap);
	/* And what is written of it is the same again. */
	AUTO_JSON again = record_to_configmap(&back);
	assert_same(again, configmap);
}

static void changes_that_are_made_again_have_not_settled(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	assert_false(record_had_settled(&record, "subsets"));
	for (int i = 0; i < 3; i++) {
		record_set_settled(&record, "subsets");
		assert_true(record_has_settled(&record, "subsets"));
		assert_true(record_had_settled(&record, "subsets"));
		record_unset_settled(&record, "subsets");
		assert_false(record_has_settled(&record, "subsets"));
		assert_true(record_had_settled(&record, "subsets"));
	}
	assert_int_equal(json_count(record.settled), 1);
}

static void foreign_parts_are_kept(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	AUTO_JSON configmap = record_to_configmap(&record);
	object_set_label(configmap, "team", "shop");
	json_set_text(json_get(configmap, "data"), "note", "mine");
	CLEANUP(record_release) struct record back = {0};
	assert_int_equal(record_parse(configmap, &back, NULL), 0);
	AUTO_JSON again = record_to_configmap(&back);
	assert_same(again, configmap);
}

static void no_holder_is_nobody(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	record.holder = (struct holder){0};
	AUTO_JSON configmap = record_to_configmap(&record);
	CLEANUP(record_release) struct record back = {0};
	assert_int_equal(record_parse(configmap, &back, NULL), 0);
	assert_string_equal(back.holder.id, "");
	record_release(NULL);
}

/* The release of a ConfigMap as a tree, to be damaged. */
static json *take_release(const json *configmap)
{
	const char *text = json_path_text(configmap, "data", "release", NULL);
	json *release = NULL;
	assert_int_equal(json_parse(text, strlen(text), &release, NULL), 0);
	return release;
}

static void put_release(json *configmap, const json *release)
{
	AUTO_STRING text = json_print(release);
	json_set_text(json_get(configmap, "data"), "release", text);
}

static void assert_refused(const json *configmap, int code, const char *part)
{
	CLEANUP(record_release) struct record record = {0};
	struct err err = {0};
	if (record_parse(configmap, &record, &err) != code)
		fail_msg("it is taken, without %s", part);
	assert_contains(err.message, "configmap/batchrollout-web is not usable");
	assert_contains(err.message, part);
	assert_null(record.plan.service);
}

static void assert_unusable(const json *configmap, const char *part)
{
	assert_refused(configmap, ERR_INVALID, part);
}

static void damaged_records_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *map, *key, *value, *said;
	} damages[] = {{"status", "phase", "'Sleeping'", "phase"},
		{"status", "goal", "null", "goal"}, {"status", "goalBatch", "0", "batch"},
		{"status", "goalBatch", "3", "batch"},
		{"status", "goalBatch", "4294967297", "batch"}, {"status", "batch", "-1", "batch"},
		{"status", "batch", "3", "batch"}, {"status", "batch", "4294967296", "batch"},
		{"status", "through", "0", "batch"},
		/* Within bounds, and of no release: what comes after it is not in the plan. */
		{"status", "batch", "2", "batch"}, {"status", "goalBatch", "2", "batch"},
		{"status", "goal", "'finish'", "batch"}, {"before", "deployment", "'x'", "before"},
		{"before", "virtualservices", "{}", "before"},
		{"before", "destinationrules", "null", "before"},
		{"before", "httproutes", "null", "before"}, {"before", "service", "[]", "before"},
		{"spec", "batches", "[]", "spec.batches"},
		{"spec", "service", "''", "spec.service"}};
	CLEANUP(record_release) struct record record = new_record();
	set_gateway(&record);
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		AUTO_JSON configmap = record_to_configmap(&record);
		AUTO_JSON release = take_release(configmap);
		json_set(json_get(release, damages[i].map), damages[i].key, tree(damages[i].value));
		put_release(configmap, release);
		assert_unusable(configmap, damages[i].said);
	}
}

static void damaged_texts_are_refused(void **state)
{
	(void)state;
	static const char *const KEYS[] = {"release", "history"};
	CLEANUP(record_release) struct record record = new_record();
	for (size_t i = 0; i < COUNT_OF(KEYS); i++) {
		AUTO_JSON configmap = record_to_configmap(&record);
		json_set_text(json_get(configmap, "data"), KEYS[i], "{");
		assert_unusable(configmap, KEYS[i]);
		json_set_text(json_get(configmap, "data"), KEYS[i], "7");
		assert_unusable(configmap, i == 0 ? "spec" : KEYS[i]);
		json_set_text(json_get(configmap, "data"), KEYS[i], NULL);
		assert_unusable(configmap, KEYS[i]);
	}
	AUTO_JSON configmap = record_to_configmap(&record);
	json_set(configmap, "data", NULL);
	assert_unusable(configmap, "data.release");
}

/* Whose it is knows what it means: it is not damaged, and nobody is to mend it. */
static void newer_formats_are_refused(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	AUTO_JSON configmap = record_to_configmap(&record);
	AUTO_JSON release = take_release(configmap);
	json_set_integer(release, "format", 3);
	put_release(configmap, release);
	assert_refused(configmap, ERR_FAILED, "newer version");
	/* Also where nothing else of it can be understood. */
	json_set_text(json_get(configmap, "data"), "release", "{\"format\": 4}");
	assert_refused(configmap, ERR_FAILED, "newer version");
	json_set_text(json_get(configmap, "data"), "release", "{\"format\": 1e17}");
	assert_refused(configmap, ERR_FAILED, "newer version");
}

/* As the version before wrote it. */
static void older_formats_are_read(void **state)
{
	(void)state;
	AUTO_JSON configmap = tree("{'metadata': {'name': 'batchrollout-web', 'namespace': "
				   "'shop'}, 'data': {'history': '[]'}}");
	AUTO_JSON release = tree(
		"{'format':1,'spec':{'service':'web','deployment':'web','canaryDeployment':'web-v2'"
		",'stableVersion':'v1','version':'v2','replicas':4,'batches':[{'canary':2,"
		"'stable':2,'weight':50},{'canary':4,'stable':0,'weight':100}],'traffic':"
		"'replicas','sticky':false,'pause':'each','settleMilliseconds':0,"
		"'timeoutMilliseconds':1000,'keepStable':false,'hold':false},'status':{'phase':"
		"'Progressing','goal':'batch','goalBatch':1,'through':1,'batch':0,'settled':["
		"'subsets'],'startedAt':'2026-01-31T12:00:00Z','startedBy':'ann@laptop',"
		"'holder':{'id':'0123','user':'ann@laptop','verb':'start','machine':'m','process':"
		"'7','renewals':3}},'before':{'deployment':{'metadata':{'name':'web','uid':'1'},"
		"'spec':{'paused':null,'zero':0}},'virtualservices':[],'destinationrules':[{"
		"'metadata':{'name':'rule'}}]},'template':{'spec':{'containers':[]}},'tagged':true,"
		"'ownVirtualService':{}}");
	put_release(configmap, release);
	CLEANUP(record_release) struct record record = {0};
	struct err err = {0};
	if (record_parse(configmap, &record, &err) != 0)
		fail_msg("%s", err.message);
	/* The only one that it knew. */
	assert_int_equal(record.plan.handover, HANDOVER_ROLLING);
	assert_int_equal(record.plan.batch_count, 2);
	assert_string_equal(record.plan.canary_version, "v2");
	assert_string_equal(record.holder.id, "0123");
	assert_null(record.autoscalers);
	/* Written again, it is of the format of today. */
	AUTO_JSON again = record_to_configmap(&record);
	AUTO_JSON written = take_release(again);
	assert_int_equal(json_get_integer(written, "format", 0), 2);
	assert_string_equal(json_path_text(written, "spec", "handover", NULL), "rolling");
}

static void annotations_bring_it_back(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	record.plan.handover = HANDOVER_SWAP;
	record.configs =
		tree("{'copies': [{'kind': 'Secret', 'name': 'token', 'copy': 'token-v2', 'made': "
		     "true}], 'older': []}");
	AUTO_JSON copy =
		tree("{'metadata': {'name': 'web-v2', 'namespace': 'shop', 'annotations': {}}}");
	AUTO_STRING text = record_to_annotation(&record);
	object_set_annotation(copy, RELEASE_ANNOTATION, text);
	CLEANUP(record_release) struct record back = {0};
	struct err err = {0};
	if (record_from_annotation(copy, &back, &err) != 0)
		fail_msg("%s", err.message);
	assert_same(back.stable, record.stable);
	assert_same(back.template, record.template);
	assert_same(back.configs, record.configs);
	assert_string_equal(back.plan.namespace, "shop");
	assert_int_equal(back.plan.handover, HANDOVER_SWAP);
	/* How far it came is not known: as if all of it had happened, on the way back. */
	assert_true(back.progress_unknown);
	assert_int_equal(back.goal, GOAL_ABORT);
	assert_int_equal(back.batch, 2);
	assert_string_equal(back.holder.id, "");
	AUTO_JSON entry = record_history_entry(&back, "then");
	assert_tree(entry, "{'endedAt': 'then', 'from': 'v1', 'to': 'v2', 'batches': 2, "
			   "'result': 'Progressing'}");
}

static void annotations_that_bring_nothing_back(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record back = {0};
	struct err err = {0};
	AUTO_JSON copy =
		tree("{'metadata': {'name': 'web-v2', 'namespace': 'shop', 'annotations': {}}}");
	assert_int_equal(record_from_annotation(copy, &back, &err), ERR_NOT_FOUND);
	object_set_annotation(copy, RELEASE_ANNOTATION, "{");
	assert_int_equal(record_from_annotation(copy, &back, &err), ERR_INVALID);
	object_set_annotation(copy, RELEASE_ANNOTATION, "{\"format\": 2, \"spec\": {}}");
	assert_int_equal(record_from_annotation(copy, &back, &err), ERR_INVALID);
	object_set_annotation(copy, RELEASE_ANNOTATION, "{\"format\": 3}");
	assert_int_equal(record_from_annotation(copy, &back, &err), ERR_FAILED);
	/* Longer than the API server takes. */
	CLEANUP(record_release) struct record record = new_record();
	size_t size = (size_t)200 * 1024;
	AUTO_STRING text = mem_alloc(size + 1, 1);
	memset(text, 'x', size);
	json_set_text(record.stable, "long", text);
	assert_null(record_to_annotation(&record));
}

static void what_comes_after_a_batch(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	record_reached(&record, "now");
	assert_int_equal(record.phase, PHASE_PAUSED);
	assert_int_equal(record.batch, 1);
	/* On through the last: finish follows without a pause. */
	record.phase = PHASE_PROGRESSING;
	record.goal_batch = 2;
	record.through = 2;
	record_reached(&record, "now");
	assert_int_equal(record.phase, PHASE_PROGRESSING);
	assert_int_equal(record.goal, GOAL_FINISH);
	assert_int_equal(json_count(record.history), 0);
	record_reached(&record, "then");
	assert_int_equal(record.phase, PHASE_COMPLETED);
	assert_tree(record.history,
		"[{'startedAt': '2026-01-31T12:00:00Z', 'endedAt': 'then', 'by': 'ann@laptop', "
		"'from': 'v1', 'to': 'v2', 'batch': 2, 'batches': 2, 'result': 'Completed'}]");
}

static void holding_pauses_before_finish(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	record.plan.hold = true;
	record.through = 2;
	record_reached(&record, "now");
	assert_int_equal(record.phase, PHASE_PROGRESSING);
	assert_int_equal(record.goal_batch, 2);
	record_reached(&record, "now");
	assert_int_equal(record.phase, PHASE_PAUSED);
	assert_int_equal(record.goal, GOAL_BATCH);
	assert_false(phase_has_ended(record.phase));
}

static void history_has_a_limit(void **state)
{
	(void)state;
	CLEANUP(record_release) struct record record = new_record();
	record.goal = GOAL_ABORT;
	for (int i = 0; i < 25; i++) {
		AUTO_STRING now = mem_format("%d", i);
		record_reached(&record, now);
	}
	assert_int_equal(json_count(record.history), 20);
	assert_string_equal(json_get_text(json_at(record.history, 19), "endedAt"), "24");
	assert_string_equal(json_get_text(json_at(record.history, 0), "endedAt"), "5");
	assert_string_equal(json_get_text(json_at(record.history, 0), "result"), "Aborted");
	assert_string_equal(phase_name(record.phase), "Aborted");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(round_trip),
		cmocka_unit_test(round_trip_of_autoscalers),
		cmocka_unit_test(round_trip_of_gateway_mode),
		cmocka_unit_test(changes_that_are_made_again_have_not_settled),
		cmocka_unit_test(foreign_parts_are_kept),
		cmocka_unit_test(no_holder_is_nobody),
		cmocka_unit_test(damaged_records_are_refused),
		cmocka_unit_test(damaged_texts_are_refused),
		cmocka_unit_test(newer_formats_are_refused),
		cmocka_unit_test(older_formats_are_read),
		cmocka_unit_test(annotations_bring_it_back),
		cmocka_unit_test(annotations_that_bring_nothing_back),
		cmocka_unit_test(what_comes_after_a_batch),
		cmocka_unit_test(holding_pauses_before_finish),
		cmocka_unit_test(history_has_a_limit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
