#include "release/handover.h"

#include "api/object.h"
#include "api/selector.h"
#include "base/str.h"
#include "release/workload.h"

/* Whether labels without this one are not selected any more: not so where the selector asks for its
 * absence, or for other values. */
static bool is_needed(const json *selector, const json *labels, const char *key)
{
	AUTO_JSON without = json_copy(labels);
	json_remove(without, key);
	return !selector_matches(selector, without);
}

const char *handover_key(const json *deployment)
{
	const json *selector = json_path(deployment, "spec", "selector", NULL);
	const json *labels = template_labels(deployment);
	json_for_each (label, labels)
		if (is_needed(selector, labels, json_key(label)))
			return json_key(label);
	return NULL;
}

/* The only modes that a selector with the version label allows. */
static int choose_for_versions(
	const struct record *record, int asked, enum handover_mode *ret, struct err *err)
{
	const char *name = object_name(record->stable);
	if (json_get(template_labels(record->stable), VERSION_LABEL) == NULL)
		return err_set(err, ERR_FAILED,
			"deployment \"%s\" selects its pods by the absence of the label \"%s\", "
			"which "
			"a release gives them",
			name, VERSION_LABEL);
	if (asked >= 0 && asked != HANDOVER_SWAP)
		return err_set(err, ERR_FAILED,
			"--handover %s: deployment \"%s\" has the label \"%s\" in its selector and "
			"can never own pods of another version; only --handover swap can be done",
			handover_mode_name((enum handover_mode)asked), name, VERSION_LABEL);
	*ret = HANDOVER_SWAP;
	return 0;
}

int handover_choose(const struct start_options *options, struct record *record, struct err *err)
{
	struct plan *plan = &record->plan;
	const char *text = options->handover == NULL ? "auto" : options->handover;
	int asked = handover_mode_parse(text);
	if (asked < 0 && !str_equal(text, "auto"))
		return err_set(err, ERR_USAGE,
			"--handover: \"%s\" is not one of auto, takeover, swap, rolling", text);
	if (selector_has_key(json_path(record->stable, "spec", "selector", NULL), VERSION_LABEL))
		return choose_for_versions(record, asked, &plan->handover, err);
	bool possible = handover_key(record->stable) != NULL;
	if (asked == HANDOVER_TAKEOVER && !possible)
		return err_set(err, ERR_FAILED,
			"--handover takeover: the selector of deployment \"%s\" needs no label, so "
			"that it would never let go of its old ReplicaSets; use --handover rolling",
			object_name(record->stable));
	if (asked >= 0)
		plan->handover = (enum handover_mode)asked;
	else
		plan->handover = possible ? HANDOVER_TAKEOVER : HANDOVER_ROLLING;
	return 0;
}

bool handover_keeps_copy(const struct record *record)
{
	return record->plan.handover == HANDOVER_SWAP;
}

const char *handover_final_name(const struct record *record)
{
	const struct plan *plan = &record->plan;
	return handover_keeps_copy(record) ? plan->canary_deployment : plan->deployment;
}
