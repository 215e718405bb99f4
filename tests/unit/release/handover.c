#include "release/handover.h"

#include "unit/traffic/trees.h"

#define APP "{'matchLabels': {'app': 'web'}}"
#define VERSIONED "{'matchLabels': {'app': 'web', 'version': 'v1'}}"
#define ABSENT                                                                                     \
	"{'matchLabels': {'app': 'web'}, 'matchExpressions': [{'key': 'version', 'operator': "     \
	"'DoesNotExist'}]}"
/* Matches pods whatever their labels: nothing can be taken off them. */
#define ALL "{'matchExpressions': [{'key': 'other', 'operator': 'DoesNotExist'}]}"

static json *deployment(const char *selector, const char *labels)
{
	AUTO_STRING text =
		mem_format("{'metadata': {'name': 'web'}, 'spec': {'selector': %s, 'template': "
			   "{'metadata': {'labels': %s}}}}",
			selector, labels);
	return tree(text);
}

static void chosen_by_what_the_selector_allows(void **state)
{
	(void)state;
	static const struct {
		const char *selector, *labels, *asked;
		int code;
		enum handover_mode chosen;
		const char *said;
	} CASES[] = {
		{APP, "{'app': 'web'}", NULL, 0, HANDOVER_TAKEOVER, NULL},
		{APP, "{'app': 'web'}", "auto", 0, HANDOVER_TAKEOVER, NULL},
		{APP, "{'app': 'web'}", "swap", 0, HANDOVER_SWAP, NULL},
		{APP, "{'app': 'web'}", "rolling", 0, HANDOVER_ROLLING, NULL},
		{VERSIONED, "{'app': 'web', 'version': 'v1'}", NULL, 0, HANDOVER_SWAP, NULL},
		{VERSIONED, "{'app': 'web', 'version': 'v1'}", "swap", 0, HANDOVER_SWAP, NULL},
		{VERSIONED, "{'app': 'web', 'version': 'v1'}", "takeover", ERR_FAILED, 0,
			"only --handover swap can be done"},
		{VERSIONED, "{'app': 'web', 'version': 'v1'}", "rolling", ERR_FAILED, 0,
			"can never own pods of another version"},
		{ABSENT, "{'app': 'web'}", NULL, ERR_FAILED, 0,
			"by the absence of the label \"version\""},
		{ALL, "{'app': 'web'}", NULL, 0, HANDOVER_ROLLING, NULL},
		{ALL, "{'app': 'web'}", "takeover", ERR_FAILED, 0,
			"would never let go of its old ReplicaSets"},
		{APP, "{'app': 'web'}", "magic", ERR_USAGE, 0,
			"is not one of auto, takeover, swap, rolling"},
	};
	for (size_t i = 0; i < COUNT_OF(CASES); i++) {
		CLEANUP(record_release)
		struct record record = {.stable = deployment(CASES[i].selector, CASES[i].labels)};
		struct start_options options = {.handover = CASES[i].asked};
		struct err err = {0};
		assert_int_equal(handover_choose(&options, &record, &err), CASES[i].code);
		if (CASES[i].code == 0)
			assert_int_equal(record.plan.handover, CASES[i].chosen);
		else
			assert_contains(err.message, CASES[i].said);
	}
}

static void labels_that_are_needed(void **state)
{
	(void)state;
	AUTO_JSON plain = deployment(APP, "{'tier': 'front', 'app': 'web'}");
	AUTO_JSON expression = deployment("{'matchExpressions': [{'key': 'tier', 'operator': 'In', "
					  "'values': ['front']}]}",
		"{'app': 'web', 'tier': 'front'}");
	AUTO_JSON all = deployment(ALL, "{'app': 'web'}");
	assert_string_equal(handover_key(plain), "app");
	assert_string_equal(handover_key(expression), "tier");
	assert_null(handover_key(all));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(chosen_by_what_the_selector_allows),
		cmocka_unit_test(labels_that_are_needed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
