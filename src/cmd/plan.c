/* kubectl batchrollout plan, and what `start --dry-run` prints */
#include <stdio.h>
#include <string.h>

#include "api/object.h"
#include "base/mem.h"
#include "cmd/commands.h"
#include "cmd/start_options.h"
#include "release/config_document.h"
#include "release/configs.h"
#include "release/ladders.h"
#include "release/router.h"
#include "ui/escape.h"
#include "ui/table.h"

static void print_escaped(const char *text)
{
	AUTO_STRING escaped = escape_text(text);
	(void)printf("%s\n", escaped);
}

/* What goes to the canary: what matches, a share of the rest, everything. */
static void add_weight(struct table *table, const struct plan *plan, const struct batch *batch)
{
	if (batch_is_match_only(plan, batch))
		table_add(table, "match");
	else if (plan->match.count > 0 && batch->weight < 100)
		table_addf(table, "match+%d%%", batch->weight);
	else
		table_addf(table, "%d%%", batch->weight);
}

static void print_batches(const struct plan *plan)
{
	CLEANUP(table_release) struct table table = TABLE_INIT(5);
	static const char *const HEADER[] = {"BATCH", "CANARY", "STABLE", "WEIGHT", "THEN"};
	for (size_t i = 0; i < COUNT_OF(HEADER); i++)
		table_add(&table, HEADER[i]);
	for (int i = 0; i < plan->batch_count; i++) {
		bool last = i + 1 == plan->batch_count;
		bool pause = plan->pause == PAUSE_EACH || (plan->pause == PAUSE_FIRST && i == 0);
		table_addf(&table, "%d", i + 1);
		table_addf(&table, "%d", plan->batches[i].canary);
		table_addf(&table, "%d", plan->batches[i].stable);
		add_weight(&table, plan, &plan->batches[i]);
		table_add(&table, last && !plan->hold ? "finish"
				  : last || pause     ? "pause"
						      : "go on");
	}
	AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
	table_print(&table, &text);
	(void)fputs(buf_text(&text), stdout);
}

/* The rungs of the ladder for the record's goal, each once, without those that `known` has. */
static void print_ladder(
	const struct record *record, const struct str_list *known, struct str_list *ret_printed)
{
	const struct observation nothing = {0};
	const struct situation situation = {.record = record, .seen = &nothing};
	for (const struct rung *rung = ladder_for(record); rung->describe != NULL; rung++) {
		AUTO_BUF text = BUF_INIT(BUF_OWN_TEXT);
		rung->describe(&situation, &text);
		if (text.length == 0 || str_list_has(ret_printed, buf_text(&text)))
			continue;
		str_list_add(ret_printed, buf_text(&text));
		if (known != NULL && str_list_has(known, buf_text(&text)))
			continue;
		(void)printf("  - ");
		print_escaped(buf_text(&text));
	}
}

/* The first batch in full, of the others only what differs from it. */
static void print_ladders(const struct record *record)
{
	struct record walk = *record;
	CLEANUP(str_list_release) struct str_list first = {0};
	CLEANUP(str_list_release) struct str_list finish = {0};
	walk.goal = GOAL_BATCH;
	walk.goal_batch = 1;
	(void)printf("\nBatch 1 brings to hold, one after the other:\n");
	print_ladder(&walk, NULL, &first);
	while (++walk.goal_batch <= record->plan.batch_count) {
		CLEANUP(str_list_release) struct str_list printed = {0};
		(void)printf("\nBatch %d, where it differs:\n", walk.goal_batch);
		print_ladder(&walk, &first, &printed);
	}
	walk.goal = GOAL_FINISH;
	(void)printf("\nFinish:\n");
	print_ladder(&walk, NULL, &finish);
}

/* How the release ends. */
static void print_handover(const struct record *record)
{
	const struct plan *plan = &record->plan;
	switch (plan->handover) {
	case HANDOVER_TAKEOVER:
		(void)printf("hand-over: takeover, deployment.apps/%s takes the pods of "
			     "deployment.apps/%s over, none is restarted\n",
			plan->deployment, plan->canary_deployment);
		break;
	case HANDOVER_SWAP:
		(void)printf(
			"hand-over: swap, deployment.apps/%s stays and deployment.apps/%s goes\n",
			plan->canary_deployment, plan->deployment);
		break;
	case HANDOVER_ROLLING:
		(void)printf("hand-over: rolling, deployment.apps/%s is updated behind "
			     "deployment.apps/%s and starts its pods anew\n",
			plan->deployment, plan->canary_deployment);
		break;
	}
}

/* Whose requests go where, and by which objects. */
static void print_routes(const struct record *record)
{
	const struct plan *plan = &record->plan;
	for (size_t i = 0; i < plan->match.count; i++) {
		AUTO_STRING rule = escape_text(plan->match.items[i]);
		(void)printf("requests that match %s go to %s from the first batch on\n", rule,
			plan->canary_version);
	}
	if (plan->sticky)
		(void)printf("whoever gets a version by weight stays on it until it is this "
			     "person's turn, by a cookie\n");
	const struct router *router = router_of(record);
	if (router == NULL)
		return;
	/* "httproute" of "httproute.gateway.networking.k8s.io" */
	int length = (int)strcspn(router->kind->singular, ".");
	json_for_each (route, router->users(record))
		(void)printf("splits %.*s/%s in namespace %s\n", length, router->kind->singular,
			object_name(route), object_namespace(route));
	for (size_t i = 0; router->own(record, i) != NULL; i++)
		(void)printf("makes %.*s/%s for the time of the release\n", length,
			router->kind->singular, object_name(router->own(record, i)));
}

/* Which copies of ConfigMaps and Secrets there will be, and which no more. */
static void print_configs(const struct record *record)
{
	json_for_each (entry, config_copies(record)) {
		const char *kind = config_kind(json_get_text(entry, "kind"))->singular;
		(void)printf("%s %s/%s for %s, with new contents for %s\n",
			json_is_true(json_get(entry, "made")) ? "makes" : "has", kind,
			json_get_text(entry, "copy"), record->plan.canary_version,
			json_get_text(entry, "name"));
	}
	json_for_each (entry, config_older(record))
		(void)printf("drops %s/%s at the end\n",
			config_kind(json_get_text(entry, "kind"))->singular,
			json_get_text(entry, "copy"));
}

void print_plan(const struct record *record, const struct str_list *notes)
{
	const struct plan *plan = &record->plan;
	(void)printf("service/%s: deployment.apps/%s, %s to %s, %d replica%s\n", plan->service,
		plan->deployment, plan->stable_version, plan->canary_version, plan->replicas,
		plan->replicas == 1 ? "" : "s");
	for (size_t i = 0; i < notes->count; i++)
		print_escaped(notes->items[i]);
	print_routes(record);
	print_configs(record);
	print_handover(record);
	(void)putchar('\n');
	print_batches(plan);
	print_ladders(record);
	(void)printf("\nNothing was changed.\n");
}

static int run(
	struct session *session, const struct str_list *arguments, void *options, struct err *err)
{
	CLEANUP(record_release) struct record record = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	CLEANUP(str_list_release) struct str_list refusals = {0};
	struct start_flags *flags = options;
	flags->release.refusals = &refusals;
	int code = start_prepare(session, arguments, flags, &record, &notes, err);
	if (code != 0)
		return code;
	print_plan(&record, &notes);
	return check_refusals(&refusals, err);
}

const struct command COMMAND_PLAN = {
	.name = "plan",
	.arguments = "SERVICE",
	.summary = "Show what a release would do, and do nothing.",
	.details =
		"Shows what `start` with the same flags would do: the target, how requests would "
		"be\n"
		"split, the batches, and for each what is brought to hold, in order. Changes "
		"nothing.\n\n"
		"  kubectl batchrollout plan web --image web=registry.example/web:v2 --batches 4",
	.minimum_arguments = 1,
	.maximum_arguments = 1,
	.rows = PLAN_OPTIONS,
	.options_size = sizeof(struct start_flags),
	.run = run,
};
