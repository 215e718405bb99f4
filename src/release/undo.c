#include "release/undo.h"

#include <stdio.h>
#include <stdlib.h>

#include "api/object.h"
#include "api/selector.h"
#include "base/buf.h"
#include "base/parse.h"
#include "release/handover.h"
#include "release/workload.h"

static const char *released_deployment(const struct record *last)
{
	return last->phase == PHASE_COMPLETED ? handover_final_name(last) : last->plan.deployment;
}

/* Where the last release was aborted, what ran before it is there; a revision can still be said. */
static int check_ended(const struct record *last, const char *revision, struct err *err)
{
	const struct plan *plan = &last->plan;
	if (last->phase == PHASE_COMPLETED || (last->phase == PHASE_ABORTED && revision != NULL))
		return 0;
	if (last->phase == PHASE_ABORTED)
		return err_set(err, ERR_FAILED,
			"the release of service \"%s\" to %s was aborted: there is nothing to "
			"undo; `kubectl batchrollout undo %s -n %s --to-revision REVISION` goes to "
			"another version of the history (see `kubectl rollout history "
			"deployment/%s -n %s`)",
			plan->service, plan->canary_version, plan->service, plan->namespace,
			released_deployment(last), plan->namespace);
	return err_set(err, ERR_FAILED,
		"the release of service \"%s\" to %s has not ended (%s): take it back with "
		"`kubectl batchrollout abort %s -n %s`",
		plan->service, plan->canary_version, phase_name(last->phase), plan->service,
		plan->namespace);
}

static int find_deployment(
	const struct api_port *api, const struct record *last, json **ret, struct err *err)
{
	AUTO_JSON list = NULL;
	const char *name = released_deployment(last);
	struct query query = {
		.kind = &KIND_DEPLOYMENT, .namespace = last->plan.namespace, .name = name};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	const json *found = list_find(list, name);
	if (found == NULL)
		return err_set(err, ERR_NOT_FOUND,
			"deployment.apps/%s is gone: somebody deleted it; apply its manifest again",
			name);
	*ret = json_copy(found);
	return 0;
}

static int take_version_before(
	const struct record *last, const json *deployment, json **ret, struct err *err)
{
	if (!templates_equal(pod_template(deployment), last->template, true))
		return err_set(err, ERR_FAILED,
			"deployment.apps/%s does not run %s any more, which the last release of "
			"service \"%s\" brought: say where to go back to, with `kubectl "
			"batchrollout undo %s -n %s --to-revision REVISION` (see `kubectl rollout "
			"history deployment/%s -n %s`)",
			object_name(deployment), last->plan.canary_version, last->plan.service,
			last->plan.service, last->plan.namespace, object_name(deployment),
			last->plan.namespace);
	*ret = json_copy(pod_template(last->stable));
	return 0;
}

static int take_revision(const struct api_port *api, const struct record *last,
	const json *deployment, const char *revision, json **ret, struct err *err)
{
	AUTO_JSON list = NULL;
	AUTO_BUF known = BUF_INIT(BUF_OWN_TEXT);
	AUTO_STRING selector = selector_text(json_path(deployment, "spec", "selector", NULL));
	int64_t number = 0;
	if (parse_int(revision, 1, INT32_MAX, &number, err) != 0)
		return err_wrap(err, "--to-revision");
	struct query query = {.kind = &KIND_REPLICA_SET,
		.namespace = last->plan.namespace,
		.label_selector = selector};
	int code = api->list(api->context, &query, &list, err);
	if (code != 0)
		return code;
	json_for_each (set, list_items(list)) {
		const char *its = object_annotation(set, REVISION_ANNOTATION);
		if (!str_equal(object_controller_uid(set), object_uid(deployment)) || its == NULL)
			continue;
		if (strtoll(its, NULL, 10) == number) {
			*ret = json_copy(pod_template(set));
			return 0;
		}
		buf_addf(&known, "%s%s", known.length > 0 ? ", " : "", its);
	}
	return err_set(err, ERR_FAILED,
		"--to-revision %s: deployment.apps/%s has no such revision in its history; there "
		"is: "
		"%s",
		revision, object_name(deployment), buf_text(&known));
}

/* The same plan again, in numbers of what there is now. */
static struct start_options same_plan(const struct plan *plan, const struct undo_options *undo)
{
	return (struct start_options){
		.namespace = plan->namespace,
		.service = plan->service,
		.batches = undo->at_once ? "1" : plan->asked_batches,
		.steps = undo->at_once ? NULL : plan->asked_steps,
		.pause = pause_mode_name(undo->at_once ? PAUSE_NONE : plan->pause),
		.traffic = traffic_mode_name(plan->traffic),
		.handover = handover_mode_name(plan->handover),
		.hpa = hpa_mode_name(plan->hpa),
		.cluster_domain = plan->cluster_domain,
		.match = undo->at_once ? (struct str_list){0} : plan->match,
		.selection = plan->selection,
		.sticky = plan->sticky && !undo->at_once,
		.keep_stable = plan->keep_stable,
		.hold = plan->hold && !undo->at_once,
		.force = undo->force,
		.refusals = undo->refusals,
		.now = undo->now,
	};
}

int undo_prepare(const struct api_port *api, const struct record *last,
	const struct undo_options *options, struct record *ret, struct str_list *ret_notes,
	struct err *err)
{
	AUTO_JSON deployment = NULL;
	AUTO_JSON template = NULL;
	char settle[32], timeout[32];
	struct start_options start = same_plan(&last->plan, options);
	start.settle = format_duration(last->plan.settle_ms, settle);
	start.timeout = format_duration(last->plan.timeout_ms, timeout);
	int code = check_ended(last, options->revision, err);
	if (code == 0)
		code = find_deployment(api, last, &deployment, err);
	if (code == 0)
		code = options->revision == NULL
			       ? take_version_before(last, deployment, &template, err)
			       : take_revision(
					 api, last, deployment, options->revision, &template, err);
	if (code != 0)
		return code;
	AUTO_STRING unnamed =
		options->revision == NULL ? NULL : mem_format("revision-%s", options->revision);
	start.deployment = object_name(deployment);
	start.template = template;
	start.version = options->version;
	start.template_version = options->revision == NULL ? last->plan.stable_version : NULL;
	start.unnamed = unnamed;
	return prepare_release(api, &start, ret, ret_notes, err);
}
