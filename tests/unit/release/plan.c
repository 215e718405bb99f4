#include "release/plan.h"

#include <stdio.h>

#include "base/buf.h"
#include "unit/traffic/trees.h"

static struct plan plan_of(int replicas, enum traffic_mode traffic)
{
	return (struct plan){.replicas = replicas, .traffic = traffic};
}

/* "canary/stable@weight" of each batch, as the plan has them. */
static void assert_batches(const struct plan *plan, const char *expected)
{
	char text[1024] = "";
	size_t used = 0;
	for (int i = 0; i < plan->batch_count; i++)
		used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%d/%d@%d",
			i > 0 ? " " : "", plan->batches[i].canary, plan->batches[i].stable,
			plan->batches[i].weight);
	assert_string_equal(text, expected);
}

static void assert_count(
	int replicas, enum traffic_mode traffic, int64_t count, const char *expected)
{
	struct plan plan = plan_of(replicas, traffic);
	assert_int_equal(plan_set_batches(&plan, count, NULL), 0);
	assert_batches(&plan, expected);
}

static void batches_by_count(void **state)
{
	(void)state;
	assert_count(10, TRAFFIC_ISTIO, 4, "2/8@25 5/5@50 7/3@75 10/0@100");
	assert_count(10, TRAFFIC_ISTIO, 3, "3/7@33 6/4@67 10/0@100");
	assert_count(10, TRAFFIC_ISTIO, 1, "10/0@100");
	assert_count(4, TRAFFIC_ISTIO, 2, "2/2@50 4/0@100");
	/* Never fewer pods than before, also where the weight would need fewer. */
	assert_count(7, TRAFFIC_ISTIO, 4, "1/6@25 3/4@50 5/2@75 7/0@100");
	/* More batches than pods: at least one pod from the first batch on. */
	assert_count(2, TRAFFIC_ISTIO, 4, "1/2@25 1/1@50 1/1@75 2/0@100");
	assert_count(1, TRAFFIC_ISTIO, 3, "1/1@33 1/1@67 1/0@100");
}

static void batches_by_ratio(void **state)
{
	(void)state;
	/* Without Istio, the weight is what the ratio gives, rounded down. */
	assert_count(10, TRAFFIC_REPLICAS, 4, "2/8@20 5/5@50 7/3@70 10/0@100");
	assert_count(3, TRAFFIC_REPLICAS, 2, "1/2@33 3/0@100");
	assert_count(1, TRAFFIC_REPLICAS, 2, "1/0@100 1/0@100");
}

static void stable_can_be_kept(void **state)
{
	(void)state;
	struct plan plan = plan_of(10, TRAFFIC_ISTIO);
	plan.keep_stable = true;
	assert_int_equal(plan_set_batches(&plan, 2, NULL), 0);
	assert_batches(&plan, "5/10@50 10/10@100");
	plan.traffic = TRAFFIC_REPLICAS;
	assert_int_equal(plan_set_batches(&plan, 2, NULL), 0);
	assert_batches(&plan, "5/10@33 10/10@50");
}

static void bad_counts(void **state)
{
	(void)state;
	struct plan plan = plan_of(10, TRAFFIC_ISTIO);
	assert_int_equal(plan_set_batches(&plan, 0, NULL), ERR_USAGE);
	assert_int_equal(plan_set_batches(&plan, -1, NULL), ERR_USAGE);
	assert_int_equal(plan_set_batches(&plan, BATCHES_MAXIMUM + 1, NULL), ERR_USAGE);
	assert_int_equal(plan.batch_count, 0);
	assert_int_equal(plan_set_batches(&plan, BATCHES_MAXIMUM, NULL), 0);
}

/* For all sizes: never fewer pods than before, each version has what its weight needs, nothing goes
 * down on the way, and the end is everything. */
static void batches_keep_their_promises(void **state)
{
	(void)state;
	for (int replicas = 1; replicas <= 120; replicas++)
		for (int count = 1; count <= BATCHES_MAXIMUM; count++) {
			struct plan plan = plan_of(replicas, TRAFFIC_ISTIO);
			assert_int_equal(plan_set_batches(&plan, count, NULL), 0);
			assert_int_equal(plan.batch_count, count);
			for (int i = 0; i < count; i++) {
				const struct batch *batch = &plan.batches[i];
				assert_true(batch->canary >= 1 && batch->canary <= replicas);
				assert_true(batch->canary + batch->stable >= replicas);
				assert_true(
					batch->stable * 100 >= replicas * (100 - batch->weight));
				assert_true(batch->weight < 100 || i == count - 1);
				assert_true(i == 0 || (batch->canary >= batch[-1].canary &&
							      batch->weight >= batch[-1].weight &&
							      batch->stable <= batch[-1].stable));
			}
			assert_int_equal(plan.batches[count - 1].canary, replicas);
			assert_int_equal(plan.batches[count - 1].stable, 0);
			assert_int_equal(plan.batches[count - 1].weight, 100);
		}
}

static void assert_steps(
	int replicas, enum traffic_mode traffic, const char *steps, const char *expected)
{
	struct plan plan = plan_of(replicas, traffic);
	struct err err = {0};
	if (plan_set_steps(&plan, steps, &err) != 0)
		fail_msg("%s: %s", steps, err.message);
	assert_batches(&plan, expected);
}

static void steps(void **state)
{
	(void)state;
	assert_steps(10, TRAFFIC_ISTIO, "1,25%,50%,100%", "1/9@10 2/8@25 5/5@50 10/0@100");
	assert_steps(10, TRAFFIC_ISTIO, "1@5%,100%", "1/10@5 10/0@100");
	assert_steps(10, TRAFFIC_ISTIO, "1@1%,5@20%,10", "1/10@1 5/8@20 10/0@100");
	assert_steps(10, TRAFFIC_ISTIO, "20%@5%,100%@50%,100%", "2/10@5 10/5@50 10/0@100");
	assert_steps(3, TRAFFIC_ISTIO, "10%,100%", "1/3@10 3/0@100");
	assert_steps(3, TRAFFIC_ISTIO, "1,3", "1/3@33 3/0@100");
	assert_steps(10, TRAFFIC_ISTIO, "100%", "10/0@100");
	assert_steps(10, TRAFFIC_ISTIO, "50%,50%,100%", "5/5@50 5/5@50 10/0@100");
	assert_steps(10, TRAFFIC_REPLICAS, "1,25%,100%", "1/9@10 2/8@20 10/0@100");
}

static void assert_bad_steps(enum traffic_mode traffic, const char *steps, const char *part)
{
	struct plan plan = plan_of(10, traffic);
	struct err err = {0};
	if (plan_set_steps(&plan, steps, &err) != ERR_USAGE)
		fail_msg("\"%s\" is taken", steps);
	assert_contains(err.message, part);
	assert_int_equal(plan.batch_count, 0);
}

static void bad_steps(void **state)
{
	(void)state;
	assert_bad_steps(TRAFFIC_ISTIO, "", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "1,,100%", "step 2");
	assert_bad_steps(TRAFFIC_ISTIO, "0,100%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "0%,100%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "-1,100%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "11", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "101%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "x,100%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "1 ,100%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "1%%,100%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "%,100%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "1@5%@6%,100%", "more than one");
	assert_bad_steps(TRAFFIC_ISTIO, "1@5,100%", "not a percentage");
	assert_bad_steps(TRAFFIC_ISTIO, "1@,100%", "not a percentage");
	assert_bad_steps(TRAFFIC_ISTIO, "1@0%,100%", "step 1");
	assert_bad_steps(TRAFFIC_ISTIO, "50%,25%,100%", "step 2");
	assert_bad_steps(TRAFFIC_ISTIO, "1@50%,5@20%,100%", "step 2");
	assert_bad_steps(TRAFFIC_ISTIO, "50%", "everything");
	assert_bad_steps(TRAFFIC_ISTIO, "9", "everything");
	assert_bad_steps(TRAFFIC_ISTIO, "100%@50%", "everything");
	/* All requests on fewer pods than all of them had: there is no such batch. */
	assert_bad_steps(TRAFFIC_ISTIO, "5@100%,100%", "100%");
	assert_bad_steps(TRAFFIC_REPLICAS, "1@5%,100%", "needs Istio");
}

/* One pod of 101 is no whole percent by the ratio, and no batch of its own kind for that. */
static void match_only_batches(void **state)
{
	(void)state;
	CLEANUP(plan_release) struct plan plan = plan_of(101, TRAFFIC_REPLICAS);
	assert_int_equal(plan_set_steps(&plan, "1,100%", NULL), 0);
	assert_batches(&plan, "1/100@0 101/0@100");
	assert_false(batch_is_match_only(&plan, &plan.batches[0]));
	CLEANUP(str_list_release) struct str_list rules = {0};
	str_list_add(&rules, "cookie:user=tester");
	plan.traffic = TRAFFIC_ISTIO;
	assert_int_equal(plan_set_match(&plan, &rules, NULL), 0);
	assert_int_equal(plan_set_steps(&plan, "1,100%", NULL), 0);
	assert_batches(&plan, "1/101@0 1/100@1 101/0@100");
	assert_true(batch_is_match_only(&plan, &plan.batches[0]));
	assert_false(batch_is_match_only(&plan, &plan.batches[1]));
}

static void too_many_steps(void **state)
{
	(void)state;
	AUTO_BUF many = BUF_INIT(BUF_OWN_TEXT);
	for (size_t i = 0; i < BATCHES_MAXIMUM; i++)
		buf_add_text(&many, "1,");
	buf_add_text(&many, "100%");
	assert_bad_steps(TRAFFIC_ISTIO, buf_text(&many), "more than 100 steps");
}

static struct plan whole_plan(void)
{
	struct plan plan = {
		.service = mem_strdup("web"),
		.namespace = mem_strdup("shop"),
		.deployment = mem_strdup("web"),
		.canary_deployment = mem_strdup("web-v2"),
		.stable_version = mem_strdup("v1"),
		.canary_version = mem_strdup("v2"),
		.replicas = 10,
		.traffic = TRAFFIC_ISTIO,
		.pause = PAUSE_FIRST,
		.settle_ms = 2000,
		.timeout_ms = 600000,
		.keep_stable = true,
		.hold = true,
	};
	assert_int_equal(plan_set_batches(&plan, 3, NULL), 0);
	return plan;
}

static void json_and_back(void **state)
{
	(void)state;
	CLEANUP(plan_release) struct plan plan = whole_plan();
	AUTO_JSON spec = plan_to_json(&plan);
	CLEANUP(plan_release) struct plan back = {0};
	assert_int_equal(plan_from_json(spec, &back, NULL), 0);
	AUTO_JSON again = plan_to_json(&back);
	assert_same(again, spec);
	assert_int_equal(back.batch_count, 3);
	assert_string_equal(back.canary_deployment, "web-v2");
	assert_true(back.hold && back.keep_stable);
	struct intent intent = plan_intent(&plan);
	assert_string_equal(intent.namespace, "shop");
	AUTO_STRING name = own_object_name("web");
	assert_string_equal(name, "batchrollout-web");
}

static void damaged_json(void **state)
{
	(void)state;
	static const struct {
		const char *key, *value;
	} damages[] = {{"service", "''"}, {"deployment", "null"}, {"version", "1"},
		{"batches", "[]"}, {"batches", "null"}, {"batches", "[{}]"},
		{"batches", "[{'canary': 0, 'stable': 1, 'weight': 1}]"},
		{"batches", "[{'canary': 1, 'stable': -1, 'weight': 1}]"},
		{"batches", "[{'canary': 1, 'stable': 1, 'weight': 101}]"},
		{"batches", "[{'canary': 1e10, 'stable': 1, 'weight': 1}]"},
		{"batches", "[{'canary': 4294967297, 'stable': 1, 'weight': 1}]"},
		{"replicas", "0"}, {"replicas", "1e10"}, {"replicas", "4294967297"},
		{"traffic", "'auto'"}, {"pause", "null"}, {"hpa", "'melt'"}, {"hpa", "1"},
		{"settleMilliseconds", "-1"}, {"timeoutMilliseconds", "0"}};
	for (size_t i = 0; i < COUNT_OF(damages); i++) {
		CLEANUP(plan_release) struct plan plan = whole_plan();
		AUTO_JSON spec = plan_to_json(&plan);
		json_set(spec, damages[i].key, tree(damages[i].value));
		CLEANUP(plan_release) struct plan back = {0};
		struct err err = {0};
		if (plan_from_json(spec, &back, &err) != ERR_INVALID)
			fail_msg("%s: %s is taken", damages[i].key, damages[i].value);
		assert_contains(err.message, damages[i].key);
		assert_null(back.service);
	}
}

static void pauses(void **state)
{
	(void)state;
	enum pause_mode mode = PAUSE_EACH;
	assert_int_equal(pause_mode_parse("none", &mode, NULL), 0);
	assert_int_equal(mode, PAUSE_NONE);
	assert_int_equal(pause_mode_parse("", &mode, NULL), ERR_USAGE);
	assert_int_equal(pause_mode_parse("Each", &mode, NULL), ERR_USAGE);
	assert_int_equal(mode, PAUSE_NONE);
}

static void what_to_do_with_autoscalers(void **state)
{
	(void)state;
	enum hpa_mode mode = HPA_FREEZE;
	assert_int_equal(hpa_mode_parse("ignore", &mode, NULL), 0);
	assert_int_equal(mode, HPA_IGNORE);
	assert_int_equal(hpa_mode_parse("", &mode, NULL), ERR_USAGE);
	assert_int_equal(mode, HPA_IGNORE);
	CLEANUP(plan_release) struct plan plan = whole_plan();
	plan.hpa = HPA_REFUSE;
	AUTO_JSON spec = plan_to_json(&plan);
	CLEANUP(plan_release) struct plan back = {0};
	assert_int_equal(plan_from_json(spec, &back, NULL), 0);
	assert_int_equal(back.hpa, HPA_REFUSE);
	/* Records of before there was a choice. */
	json_remove(spec, "hpa");
	CLEANUP(plan_release) struct plan old = {0};
	assert_int_equal(plan_from_json(spec, &old, NULL), 0);
	assert_int_equal(old.hpa, HPA_FREEZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(batches_by_count),
		cmocka_unit_test(batches_by_ratio),
		cmocka_unit_test(stable_can_be_kept),
		cmocka_unit_test(bad_counts),
		cmocka_unit_test(batches_keep_their_promises),
		cmocka_unit_test(steps),
		cmocka_unit_test(bad_steps),
		cmocka_unit_test(match_only_batches),
		cmocka_unit_test(too_many_steps),
		cmocka_unit_test(json_and_back),
		cmocka_unit_test(damaged_json),
		cmocka_unit_test(pauses),
		cmocka_unit_test(what_to_do_with_autoscalers),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
