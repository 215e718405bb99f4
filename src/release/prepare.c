#include "release/prepare.h"

#include <ctype.h>
#include <stdlib.h>

#include "api/object.h"
#include "base/buf.h"
#include "base/parse.h"
#include "release/autoscaler_take.h"
#include "release/canary.h"
#include "release/configs.h"
#include "release/gitops.h"
#include "release/handover.h"
#include "release/preflight.h"
#include "release/recovery.h"
#include "release/routing.h"
#include "release/stable_version.h"
#include "release/target.h"
#include "release/template.h"
#include "release/workload.h"

/* What the record was before: keeps its history; refuses while a release is on its way. */
static int take_history(const struct api_port *api, struct record *record, struct err *err)
{
	CLEANUP(record_release) struct record old = {0};
	const struct plan *plan = &record->plan;
	int code = find_release(api, plan->namespace, plan->service, &old, err);
	if (code == ERR_NOT_FOUND) {
		record->history = json_array();
		return 0;
	}
	if (code != 0)
		return code;
	if (!phase_has_ended(old.phase))
		return err_set(err, ERR_BUSY,
			"service \"%s\" has a release to %s on its way (%s, batch %d of %d): go on "
			"with `kubectl batchrollout next %s -n %s`, or `kubectl batchrollout "
			"abort %s -n %s`",
			plan->service, old.plan.canary_version, phase_name(old.phase), old.batch,
			old.plan.batch_count, plan->service, plan->namespace, plan->service,
			plan->namespace);
	record->history = json_copy(old.history);
	record->configmap = json_copy(old.configmap);
	return 0;
}

/* A copy that stays takes the place of the old version's name in its own. */
static int name_canary(struct plan *plan, struct err *err)
{
	AUTO_STRING base = plan->handover == HANDOVER_SWAP ? plan_name_without_version(plan)
							   : mem_strdup(plan->deployment);
	return plan_name_copy(plan, base, &plan->canary_deployment, err);
}

static int check_name_is_free(const struct api_port *api, const struct plan *plan, struct err *err)
{
	AUTO_JSON list = NULL;
	struct query query = {.kind = &KIND_DEPLOYMENT,
		.namespace = plan->namespace,
		.name = plan->canary_deployment};
	int code = api->list(api->context, &query, &list, err);
	if (code == 0 && json_count(list_items(list)) > 0)
		return err_set(err, ERR_EXISTS,
			"deployment.apps/%s exists already, and the copy of deployment \"%s\" "
			"would "
			"have this name: delete it, or choose another --version",
			plan->canary_deployment, plan->deployment);
	return code;
}

static int take_durations(const struct start_options *options, struct plan *plan, struct err *err)
{
	const char *settle = options->settle == NULL ? "2s" : options->settle;
	const char *timeout = options->timeout == NULL ? "10m" : options->timeout;
	if (parse_duration(settle, &plan->settle_ms, err) != 0)
		return err_wrap(err, "--settle");
	if (parse_duration(timeout, &plan->timeout_ms, err) != 0)
		return err_wrap(err, "--timeout");
	if (plan->timeout_ms == 0)
		return err_set(err, ERR_USAGE, "--timeout: must be more than 0");
	return 0;
}

/* Batches come after the traffic mode, which decides what they can be. */
static int take_batches(const struct start_options *options, struct plan *plan, struct err *err)
{
	plan->asked_batches = mem_strdup(options->batches);
	plan->asked_steps = mem_strdup(options->steps);
	if (options->steps != NULL) {
		int code = plan_set_steps(plan, options->steps, err);
		/* Of an earlier release: the Deployment may have another size by now. */
		if (code != 0 && options->template != NULL)
			return err_set(err, code,
				"the steps of the release that is undone cannot be taken back the "
				"same way (%s); --now goes back in one",
				err == NULL ? "" : err->message);
		return code == 0 ? 0 : err_wrap(err, "--steps");
	}
	int64_t count = 4;
	if (options->batches != NULL &&
		parse_int(options->batches, 1, BATCHES_MAXIMUM, &count, err) != 0)
		return err_wrap(err, "--batches");
	return plan_set_batches(plan, count, err);
}

/* The version and the moment: another release of the same version is another round. */
static char *make_sticky_round(const struct start_options *options, const struct plan *plan)
{
	AUTO_BUF round = BUF_INIT(BUF_OWN_TEXT);
	buf_addf(&round, "%s.", plan->canary_version);
	for (const char *p = options->now; p != NULL && *p != '\0'; p++)
		if (isdigit((unsigned char)*p))
			buf_add_char(&round, *p);
	return buf_take(&round);
}

/* Everything that needs no cluster to be refused. */
static int take_flags(const struct start_options *options, struct plan *plan, struct err *err)
{
	plan->keep_stable = options->keep_stable;
	plan->hold = options->hold;
	if (options->steps != NULL && options->batches != NULL)
		return err_set(err, ERR_USAGE, "--batches and --steps exclude each other");
	const char *pause = options->pause == NULL ? "each" : options->pause;
	if (pause_mode_parse(pause, &plan->pause, err) != 0)
		return err_wrap(err, "--pause");
	const char *hpa = options->hpa == NULL ? "freeze" : options->hpa;
	if (hpa_mode_parse(hpa, &plan->hpa, err) != 0)
		return err_wrap(err, "--hpa");
	plan->sticky = options->sticky;
	if (plan_set_match(plan, &options->match, err) != 0)
		return err_wrap(err, "--match");
	if (plan_set_selection(plan, &options->virtualservices, err) != 0)
		return err_wrap(err, "--virtualservice");
	if (options->selection != NULL)
		plan->selection = json_copy(options->selection);
	return take_durations(options, plan, err);
}

/* Lets the API server look at the copy without storing it: its admission may refuse it, and its
 * defaults complete a template that came from a file, so that it can be compared later. */
static int try_copy(const struct api_port *api, struct record *record, struct err *err)
{
	AUTO_JSON canary = canary_new(record, record->plan.batches[0].canary);
	AUTO_JSON answer = NULL;
	struct write write = {.verb = WRITE_CREATE,
		.kind = &KIND_DEPLOYMENT,
		.namespace = record->plan.namespace,
		.name = record->plan.canary_deployment,
		.after = canary,
		.dry_run = true};
	int code = api->write(api->context, &write, &answer, err);
	/* There was none a moment ago. */
	if (code == ERR_EXISTS)
		return err_set(err, ERR_BUSY,
			"deployment.apps/%s has just been made: somebody else began a release of "
			"service \"%s\" at the same moment",
			record->plan.canary_deployment, record->plan.service);
	if (code != 0)
		return code;
	json *template = json_detach(json_get(answer, "spec"), "template");
	if (template == NULL)
		return err_set(err, ERR_FAILED, "the server answered without a template");
	bool labeled =
		json_path(record->template, "metadata", "labels", VERSION_LABEL, NULL) != NULL;
	json_free(record->template);
	record->template = template;
	if (!labeled)
		map_set_text(json_get(template, "metadata"), "labels", VERSION_LABEL, NULL);
	return 0;
}

static int prepare(const struct api_port *api, const struct start_options *options,
	struct record *record, struct str_list *notes, struct err *err)
{
	CLEANUP(target_release) struct target target = {0};
	CLEANUP(autoscaler_lists_release) struct autoscaler_lists autoscalers = {0};
	struct plan *plan = &record->plan;
	plan->namespace = mem_strdup(options->namespace);
	plan->service = mem_strdup(options->service);
	int code = take_flags(options, plan, err);
	if (code == 0)
		code = take_history(api, record, err);
	if (code == 0)
		code = target_find(api, options->namespace, options->service, options->deployment,
			&target, err);
	if (code != 0)
		return code;
	record->stable = target.deployment;
	target.deployment = NULL;
	plan->deployment = mem_strdup(object_name(record->stable));
	plan->replicas = wanted_replicas(record->stable);
	plan->manager = gitops_manager(record->stable, target.managers);
	code = handover_choose(options, record, err);
	if (code == 0)
		code = autoscalers_take(api, record, &autoscalers, notes, err);
	if (code == 0)
		code = template_make(options, target.service, record, err);
	if (code == 0)
		code = stable_version_choose(api, record, err);
	if (code == 0)
		code = configs_prepare(api, options, record, notes, err);
	if (code == 0)
		code = template_check(record, err);
	if (code == 0 && plan->sticky)
		plan->sticky_round = make_sticky_round(options, plan);
	if (code == 0)
		code = name_canary(plan, err);
	if (code == 0)
		code = check_name_is_free(api, plan, err);
	if (code == 0)
		code = routing_choose(api, options, &target, record, notes, err);
	if (code == 0)
		code = take_batches(options, plan, err);
	if (code == 0)
		code = try_copy(api, record, err);
	if (code == 0)
		code = routing_rehearse(api, record, err);
	if (code == 0)
		code = preflight(api, options, record, &autoscalers, notes, err);
	if (code == 0)
		gitops_expect(record, target.managers, notes);
	return code;
}

int prepare_release(const struct api_port *api, const struct start_options *options,
	struct record *ret, struct str_list *ret_notes, struct err *err)
{
	CLEANUP(record_release) struct record record = {0};
	CLEANUP(str_list_release) struct str_list notes = {0};
	int code = prepare(api, options, &record, &notes, err);
	if (code != 0)
		return code;
	record.phase = PHASE_PROGRESSING;
	record.goal = GOAL_BATCH;
	record.goal_batch = 1;
	record.through = record.plan.pause == PAUSE_NONE ? record.plan.batch_count : 1;
	*ret = record;
	record = (struct record){0};
	*ret_notes = notes;
	notes = (struct str_list){0};
	return 0;
}
