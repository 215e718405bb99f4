/* Autoscalers before a release: what is frozen, what is refused, and what waits for the copy. */
#include "release/autoscaler_take.h"

#include "release/autoscaler.h"
#include "unit/traffic/trees.h"

#define WEB "'scaleTargetRef': {'kind': 'Deployment', 'name': 'web'}"
#define COPY "'scaleTargetRef': {'kind': 'Deployment', 'name': 'web-v2'}"
#define QUEUE(annotations)                                                                         \
	"[{'metadata': {'name': 'queue', 'annotations': {" annotations                             \
	"}}, 'spec': {'scaleTargetRef': {'name': 'web'}}}]"
#define KEDAS                                                                                      \
	"[{'metadata': {'name': 'keda-hpa-queue', 'ownerReferences': [{'kind': 'ScaledObject', "   \
	"'name': 'queue'}]}, 'spec': {" WEB "}}]"
#define PAUSED "'" PAUSED_ANNOTATION "': 'true'"

/* A namespace with these autoscalers; what is NULL may not be listed. */
struct world {
	const char *autoscalers, *scaled_objects;
};

static int list(void *context, const struct query *query, json **ret, struct err *err)
{
	const struct world *world = context;
	const char *items =
		query->kind == &KIND_SCALED_OBJECT ? world->scaled_objects : world->autoscalers;
	if (items == NULL)
		return err_set(err, ERR_FORBIDDEN, "no %s", query->kind->plural);
	*ret = json_object();
	json_set(*ret, "items", tree(items));
	return 0;
}

/* Dry runs only; the answer is what was asked for. */
static int write(void *context, const struct write *write, json **ret, struct err *err)
{
	(void)context;
	(void)err;
	assert_true(write->dry_run);
	if (ret != NULL)
		*ret = json_copy(write->after);
	return 0;
}

static struct record new_record(enum hpa_mode hpa)
{
	return (struct record){
		.plan = {.replicas = 4,
			.hpa = hpa,
			.service = mem_strdup("web"),
			.namespace = mem_strdup("shop"),
			.deployment = mem_strdup("web"),
			.canary_deployment = mem_strdup("web-v2")},
	};
}

static int take(struct world world, struct record *record, struct err *err)
{
	CLEANUP(autoscaler_lists_release) struct autoscaler_lists lists = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	const struct api_port api = {.context = &world, .list = list, .write = write};
	return autoscalers_take(&api, record, &lists, &notes, err);
}

/* part: of the error; NULL where there is none. */
static void assert_taken(const char *autoscalers, const char *scaled_objects, const char *part)
{
	CLEANUP(record_release) struct record record = new_record(HPA_FREEZE);
	struct err err = {0};
	int code = take((struct world){autoscalers, scaled_objects}, &record, &err);
	assert_int_equal(code, part == NULL ? 0 : ERR_FAILED);
	if (part != NULL)
		assert_contains(err.message, part);
}

#define STATUS(condition, value)                                                                   \
	"'status': {'conditions': [{'type': '" condition "', 'status': '" value "'}]}"

/* What could wake the Deployment up again from 0 cannot be frozen. */
static void those_that_scale_to_0(void **state)
{
	(void)state;
	static const char CANNOT[] =
		"horizontalpodautoscaler.autoscaling/x may scale deployment \"web\" to 0 and back "
		"from there, and cannot be frozen: set its minReplicas to 1 before, or use --hpa "
		"ignore";
	static const struct {
		const char *more;
		const char *error;
	} ROWS[] = {
		{"'spec': {" WEB "}", NULL},
		{"'spec': {" WEB ", 'minReplicas': 1}", NULL},
		{"'spec': {" WEB ", 'minReplicas': 0}", CANNOT},
		{"'spec': {" WEB "}, " STATUS("ScaledToZero", "True"), CANNOT},
		{"'spec': {" WEB "}, " STATUS("ScaledToZero", "False"), NULL},
		{"'spec': {" WEB "}, " STATUS("AbleToScale", "True"), NULL},
		{"'spec': {'minReplicas': 0, 'scaleTargetRef': {'kind': 'Deployment', 'name': "
		 "'other'}}",
			NULL},
	};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		AUTO_STRING items = mem_format("[{'metadata': {'name': 'x'}, %s}]", ROWS[i].more);
		assert_taken(items, "[]", ROWS[i].error);
	}
}

/* KEDA's own stands still with its ScaledObject, if that can be paused. */
static void those_that_keda_made(void **state)
{
	(void)state;
	assert_taken(KEDAS, QUEUE(""), NULL);
	assert_taken(KEDAS, QUEUE(PAUSED),
		"horizontalpodautoscaler.autoscaling/keda-hpa-queue was made by KEDA for "
		"scaledobject.keda.sh/queue, which is paused or gone: the release cannot freeze "
		"it");
	assert_taken(KEDAS, "[]", "which is paused or gone");
	assert_taken(KEDAS, NULL, "which you may not see");
	/* Only the ScaledObject is the release's to change. */
	CLEANUP(record_release) struct record record = new_record(HPA_FREEZE);
	assert_int_equal(take((struct world){KEDAS, QUEUE("")}, &record, NULL), 0);
	assert_int_equal(json_count(record.autoscalers), 0);
	assert_int_equal(json_count(record.scaled_objects), 1);
}

/* --- the copy's ----------------------------------------------------------------------------- */

#define REFUSED(what)                                                                              \
	what " is for deployment \"web-v2\", as the copy is called, and would scale it in the "    \
	     "middle of the release: delete it, point it to another Deployment, or choose "        \
	     "another "                                                                            \
	     "--version"

static void those_of_the_copy(void **state)
{
	(void)state;
	static const struct {
		const char *autoscalers, *scaled_objects, *refusal;
	} ROWS[] = {
		{"[{'metadata': {'name': 'x'}, 'spec': {" WEB "}}]", "[]", NULL},
		{"[{'metadata': {'name': 'x'}, 'spec': {'scaleTargetRef': {'kind': 'StatefulSet', "
		 "'name': 'web-v2'}}}]",
			"[]", NULL},
		{"[{'metadata': {'name': 'old'}, 'spec': {" COPY "}}]", "[]",
			REFUSED("horizontalpodautoscaler.autoscaling/old")},
		{"[]", "[{'metadata': {'name': 'old'}, 'spec': {" COPY "}}]",
			REFUSED("scaledobject.keda.sh/old")},
		{"[]",
			"[{'metadata': {'name': 'old', 'annotations': {" PAUSED "}}, 'spec': {" COPY
			"}}]",
			NULL},
		/* One refusal is enough for both. */
		{"[{'metadata': {'name': 'x', 'ownerReferences': [{'kind': 'ScaledObject', "
		 "'name': 'old'}]}, 'spec': {" COPY "}}]",
			"[{'metadata': {'name': 'old'}, 'spec': {" COPY "}}]",
			REFUSED("scaledobject.keda.sh/old")},
		{"[{'metadata': {'name': 'x', 'ownerReferences': [{'kind': 'ScaledObject', "
		 "'name': 'old'}]}, 'spec': {" COPY "}}]",
			NULL, REFUSED("horizontalpodautoscaler.autoscaling/x")},
	};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		CLEANUP(record_release) struct record record = new_record(HPA_IGNORE);
		CLEANUP(autoscaler_lists_release) struct autoscaler_lists lists = {0};
		CLEANUP(str_list_release) struct str_list notes = {0};
		CLEANUP(findings_release) struct findings findings = {0};
		struct world world = {ROWS[i].autoscalers, ROWS[i].scaled_objects};
		const struct api_port api = {.context = &world, .list = list};
		assert_int_equal(autoscalers_take(&api, &record, &lists, &notes, NULL), 0);
		autoscalers_check_copy(&lists, &record.plan, &findings);
		assert_int_equal(findings.refusals.count, ROWS[i].refusal == NULL ? 0 : 1);
		if (ROWS[i].refusal != NULL)
			assert_string_equal(findings.refusals.items[0], ROWS[i].refusal);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(those_that_scale_to_0),
		cmocka_unit_test(those_that_keda_made),
		cmocka_unit_test(those_of_the_copy),
	};
	return cmocka_run_group_tests_name("autoscaler take", tests, NULL, NULL);
}
