#include "release/preflight.h"

#include "unit/traffic/trees.h"

/* "old+new" of each moment. */
static void assert_moments(const struct moments *moments, const char *expected)
{
	AUTO_STRING text = mem_strdup("");
	for (size_t i = 0; i < moments->count; i++) {
		char *longer = mem_format("%s%s%d+%d", text, i > 0 ? " " : "",
			moments->items[i].old_pods, moments->items[i].new_pods);
		mem_cleanup(&text);
		text = longer;
	}
	assert_string_equal(text, expected);
}

static void assert_release(
	int replicas, bool keep_stable, const char *strategy, const char *forward, const char *back)
{
	CLEANUP(record_release)
	struct record record = {
		.plan = {.replicas = replicas,
			.traffic = TRAFFIC_ISTIO,
			.keep_stable = keep_stable},
	};
	AUTO_STRING stable =
		mem_format("{'spec': {'replicas': %d, 'strategy': %s}}", replicas, strategy);
	record.stable = tree(stable);
	assert_int_equal(plan_set_batches(&record.plan, 2, NULL), 0);
	CLEANUP(moments_release) struct moments there = {0};
	CLEANUP(moments_release) struct moments again = {0};
	preflight_moments(&record, &there, &again);
	assert_moments(&there, forward);
	assert_moments(&again, back);
}

/* Batches 5/5 and 10/0, then stable has its full size beside the copy. */
static void moments(void **state)
{
	(void)state;
	assert_release(10, false, "{'type': 'RollingUpdate'}", "10+5 5+10 0+20", "10+5 10+10");
	assert_release(1, false, "{}", "1+1 1+1 0+2", "1+1 1+1");
}

/* The old pods are replaced while the copy is whole, a few more at a time than there were. */
static void moments_with_a_kept_stable(void **state)
{
	(void)state;
	assert_release(10, true, "{'type': 'Recreate'}", "10+5 10+10 10+10", "10+5 10+10");
	assert_release(
		10, true, "{'rollingUpdate': {'maxSurge': 2}}", "10+5 10+10 10+12", "10+5 10+10");
	assert_release(10, true, "{'rollingUpdate': {'maxSurge': '25%'}}", "10+5 10+10 10+13",
		"10+5 10+10");
	assert_release(10, true, "{}", "10+5 10+10 10+13", "10+5 10+10");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments),
		cmocka_unit_test(moments_with_a_kept_stable),
	};
	return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
