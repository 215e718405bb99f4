#include "release/preflight.h"

#include <stdio.h>

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

static void assert_release(enum handover_mode handover, int replicas, bool keep_stable,
	const char *strategy, const char *forward, const char *back)
{
	CLEANUP(record_release)
	struct record record = {
		.plan = {.replicas = replicas,
			.traffic = TRAFFIC_ISTIO,
			.handover = handover,
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

/* Batches 5/5 and 10/0; by a rolling update, stable has its full size beside the copy then. */
static void moments(void **state)
{
	(void)state;
	assert_release(HANDOVER_TAKEOVER, 10, false, "{}", "10+5 5+10", "10+5 10+10");
	assert_release(HANDOVER_TAKEOVER, 10, true, "{}", "10+5 10+10", "10+5 10+10");
	assert_release(HANDOVER_ROLLING, 10, false, "{'type': 'RollingUpdate'}", "10+5 5+10 0+20",
		"10+5 10+10");
	assert_release(HANDOVER_ROLLING, 1, false, "{}", "1+1 1+1 0+2", "1+1 1+1");
}

/* The old pods are replaced while the copy is whole, a few more at a time than there were. */
static void moments_with_a_kept_stable(void **state)
{
	(void)state;
	assert_release(HANDOVER_ROLLING, 10, true, "{'type': 'Recreate'}", "10+5 10+10 10+10",
		"10+5 10+10");
	assert_release(HANDOVER_ROLLING, 10, true, "{'rollingUpdate': {'maxSurge': 2}}",
		"10+5 10+10 10+12", "10+5 10+10");
	assert_release(HANDOVER_ROLLING, 10, true, "{'rollingUpdate': {'maxSurge': '25%'}}",
		"10+5 10+10 10+13", "10+5 10+10");
	assert_release(HANDOVER_ROLLING, 10, true, "{}", "10+5 10+10 10+13", "10+5 10+10");
}

/* --- the reader ----------------------------------------------------------------------------- */

/* A cluster of which each kind answers with a code, or with these items. */
struct answers {
	const struct answer {
		const struct kind *kind;
		int code;
		const char *items;
	} *rows;
	size_t count;
	char asked[2048]; /* plural names, a space in front of each */
};

static int list_answers(void *context, const struct query *query, json **ret, struct err *err)
{
	struct answers *answers = context;
	size_t length = strlen(answers->asked);
	(void)snprintf(answers->asked + length, sizeof(answers->asked) - length, " %s%s",
		query->namespace == NULL ? "all-" : "", query->kind->plural);
	for (size_t i = 0; i < answers->count; i++) {
		if (answers->rows[i].kind != query->kind)
			continue;
		if (answers->rows[i].code != 0)
			return err_set(err, answers->rows[i].code, "no %s", query->kind->plural);
		*ret = json_object();
		json_set(*ret, "items", tree(answers->rows[i].items));
		return 0;
	}
	*ret = json_object();
	json_set(*ret, "items", json_array());
	return 0;
}

#define TEMPLATE(image, requests)                                                                  \
	"{'metadata': {'labels': {'app': 'web'}}, 'spec': {'containers': [{'name': 'web', "        \
	"'image': '" image "', 'resources': {'requests': {" requests "}}}]}}"

static struct record new_record(const char *requests)
{
	struct record record = {
		.plan = {.replicas = 4,
			.service = mem_strdup("web"),
			.namespace = mem_strdup("shop"),
			.deployment = mem_strdup("web"),
			.canary_deployment = mem_strdup("web-v2"),
			.stable_version = mem_strdup("v1"),
			.canary_version = mem_strdup("v2")},
	};
	AUTO_STRING template = mem_format(TEMPLATE("web:v2", "%s"), requests);
	AUTO_STRING stable = mem_format(
		"{'metadata': {'name': 'web'}, 'spec': {'replicas': 4, 'selector': {'matchLabels': "
		"{'app': 'web'}}, 'template': " TEMPLATE("web:v1", "%s") "}}",
		requests);
	record.template = tree(template);
	record.stable = tree(stable);
	assert_int_equal(plan_set_batches(&record.plan, 2, NULL), 0);
	return record;
}

static const char NEIGHBOURS[] =
	" poddisruptionbudgets networkpolicies services verticalpodautoscalers servicemonitors "
	"podmonitors peerauthentications authorizationpolicies requestauthentications sidecars "
	"envoyfilters";

static int look(struct answers *answers, const char *requests, const struct start_options *options,
	struct str_list *notes, struct err *err)
{
	CLEANUP(record_release) struct record record = new_record(requests);
	struct api_port api = {.context = answers, .list = list_answers};
	static const struct autoscaler_lists NO_AUTOSCALERS = {0};
	return preflight(&api, options, &record, &NO_AUTOSCALERS, notes, err);
}

/* Nodes, and pods of all namespaces, only where the pods ask for something. */
static void only_what_is_needed_is_read(void **state)
{
	(void)state;
	const struct start_options options = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	struct answers plain = {0};
	assert_int_equal(look(&plain, "", &options, &notes, NULL), 0);
	AUTO_STRING expected = mem_format(" resourcequotas limitranges%s", NEIGHBOURS);
	assert_string_equal(plain.asked, expected);

	static const struct answer ROWS[] = {{&KIND_NODE, 0,
		"[{'metadata': {'name': 'a'}, 'status': {'allocatable': {'cpu': '99', 'pods': "
		"'99'}}}]"}};
	struct answers asking = {.rows = ROWS, .count = COUNT_OF(ROWS)};
	assert_int_equal(look(&asking, "'cpu': '1'", &options, &notes, NULL), 0);
	AUTO_STRING more =
		mem_format(" resourcequotas limitranges all-nodes all-pods%s", NEIGHBOURS);
	assert_string_equal(asking.asked, more);
	assert_int_equal(notes.count, 0);
}

static void what_cannot_be_read_is_done_without(void **state)
{
	(void)state;
	static const struct answer ROWS[] = {
		{&KIND_RESOURCE_QUOTA, ERR_FORBIDDEN, NULL},
		{&KIND_NODE, ERR_FORBIDDEN, NULL},
		{&KIND_SERVICE_MONITOR, ERR_NOT_FOUND, NULL},
		{&KIND_POD_MONITOR, 0,
			"[{'metadata': {'name': 'm'}, 'spec': {'selector': {'matchLabels': "
			"{'version': 'v2'}}}}]"},
		{&KIND_VERTICAL_POD_AUTOSCALER, ERR_UNAVAILABLE, NULL},
		{&KIND_PEER_AUTHENTICATION, ERR_NOT_FOUND, NULL},
		{&KIND_SIDECAR, ERR_NOT_FOUND, NULL},
	};
	const struct start_options options = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	struct answers answers = {.rows = ROWS, .count = COUNT_OF(ROWS)};
	assert_int_equal(look(&answers, "'cpu': '1'", &options, &notes, NULL), 0);
	/* Of a group that lacks one kind, the others may be there. */
	AUTO_STRING expected = mem_format(" resourcequotas limitranges all-nodes%s", NEIGHBOURS);
	assert_string_equal(answers.asked, expected);
	assert_int_equal(notes.count, 3);
	assert_string_equal(notes.items[0], "may not list resourcequotas, nodes: what they mean to "
					    "the release could not be looked at");
	assert_string_equal(notes.items[1], "the server did not list verticalpodautoscalers: what "
					    "they mean to the release could not be looked at");
	assert_contains(notes.items[2], "podmonitor.monitoring.coreos.com/m scrapes pods");
}

static void other_errors_are_errors(void **state)
{
	(void)state;
	static const struct {
		const struct kind *kind;
		int code;
	} ROWS[] = {{&KIND_LIMIT_RANGE, ERR_UNAVAILABLE}, {&KIND_SERVICE, ERR_INTERRUPTED}};
	for (size_t i = 0; i < COUNT_OF(ROWS); i++) {
		const struct answer answer = {ROWS[i].kind, ROWS[i].code, NULL};
		const struct start_options options = {0};
		CLEANUP(str_list_release) struct str_list notes = {0};
		struct answers answers = {.rows = &answer, .count = 1};
		struct err err = {0};
		assert_int_equal(look(&answers, "", &options, &notes, &err), ROWS[i].code);
		assert_true(err.message[0] != '\0');
	}
}

/* An error, a note with --force, and both listed for who only shows a plan. */
static void refusals(void **state)
{
	(void)state;
	static const struct answer ROWS[] = {{&KIND_RESOURCE_QUOTA, 0,
		"[{'metadata': {'name': 'q'}, 'status': {'hard': {'pods': '4'}, 'used': {'pods': "
		"'4'}}}]"}};
	struct answers answers = {.rows = ROWS, .count = COUNT_OF(ROWS)};
	CLEANUP(str_list_release) struct str_list notes = {0};
	CLEANUP(str_list_release) struct str_list found = {0};
	struct start_options options = {0};
	struct err err = {0};
	assert_int_equal(look(&answers, "", &options, &notes, &err), ERR_FAILED);
	assert_string_equal(err.message,
		"resourcequota/q allows 4 of pods, 4 are used, and the release needs 2 more when "
		"there are 4 pods of v1 and 2 of v2: raise the quota; or go on all the same with "
		"--force");
	assert_int_equal(notes.count, 0);

	options.refusals = &found;
	assert_int_equal(look(&answers, "", &options, &notes, NULL), 0);
	assert_int_equal(found.count, 1);
	assert_int_equal(notes.count, 1);
	assert_contains(notes.items[0], "cannot work: resourcequota/q ");

	options = (struct start_options){.force = true};
	assert_int_equal(look(&answers, "", &options, &notes, NULL), 0);
	assert_int_equal(notes.count, 2);
	assert_int_equal(found.count, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moments),
		cmocka_unit_test(moments_with_a_kept_stable),
		cmocka_unit_test(only_what_is_needed_is_read),
		cmocka_unit_test(what_cannot_be_read_is_done_without),
		cmocka_unit_test(other_errors_are_errors),
		cmocka_unit_test(refusals),
	};
	return cmocka_run_group_tests_name("preflight", tests, NULL, NULL);
}
