#include "release/plan.h"

#include <ctype.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "base/str.h"
#include "traffic/rule.h"

static const char *const TRAFFIC_NAMES[TRAFFIC_MODE_COUNT] = {
	[TRAFFIC_REPLICAS] = "replicas", [TRAFFIC_ISTIO] = "istio", [TRAFFIC_GATEWAY] = "gateway"};
static const char *const HANDOVER_NAMES[] = {
	[HANDOVER_TAKEOVER] = "takeover", [HANDOVER_SWAP] = "swap", [HANDOVER_ROLLING] = "rolling"};
static const char *const PAUSE_NAMES[] = {
	[PAUSE_EACH] = "each", [PAUSE_FIRST] = "first", [PAUSE_NONE] = "none"};

static const char *const HPA_NAMES[] = {
	[HPA_FREEZE] = "freeze", [HPA_IGNORE] = "ignore", [HPA_REFUSE] = "refuse"};

void plan_release(struct plan *plan)
{
	if (plan == NULL)
		return;
	free(plan->service);
	free(plan->namespace);
	free(plan->deployment);
	free(plan->canary_deployment);
	free(plan->stable_version);
	free(plan->canary_version);
	free(plan->cluster_domain);
	free(plan->sticky_round);
	free(plan->asked_batches);
	free(plan->asked_steps);
	free(plan->manager);
	str_list_release(&plan->match);
	json_free(plan->match_rules);
	json_free(plan->selection);
	*plan = (struct plan){0};
}

static int64_t round_up(int64_t number, int64_t by)
{
	return (number + by - 1) / by;
}

/* Completes a batch of which replicas and weight of the canary are given. */
static struct batch make_batch(const struct plan *plan, int64_t canary, int64_t weight)
{
	int64_t all = plan->replicas;
	bool last = canary == all && weight == 100;
	if (!last && weight > 99)
		weight = 99;
	if (weight < 1)
		weight = 1;

	/* What the remaining weight needs, and never fewer pods in total than before. */
	int64_t stable = round_up(all * (100 - weight), 100);
	if (stable < all - canary)
		stable = all - canary;
	if (plan->traffic == TRAFFIC_REPLICAS)
		stable = all - canary;
	if (plan->keep_stable)
		stable = all;
	if (plan->traffic == TRAFFIC_REPLICAS)
		weight = canary * 100 / (canary + stable);
	return (struct batch){.canary = (int)canary, .stable = (int)stable, .weight = (int)weight};
}

/* --- which requests, and which routes ------------------------------------------------------- */

int plan_set_match(struct plan *plan, const struct str_list *rules, struct err *err)
{
	json *parsed = NULL;
	int code = rules_parse(rules, &parsed, err);
	if (code != 0)
		return code;
	json_free(plan->match_rules);
	plan->match_rules = parsed;
	str_list_release(&plan->match);
	for (size_t i = 0; i < rules->count; i++)
		str_list_add(&plan->match, rules->items[i]);
	return 0;
}

/* "[NS/]NAME[:ROUTE,…]" */
static int parse_selected(const struct plan *plan, const char *text, json **ret, struct err *err)
{
	AUTO_STRING whole = mem_strdup(text);
	char *routes = strchr(whole, ':');
	if (routes != NULL)
		*routes++ = '\0';
	char *name = strchr(whole, '/');
	if (name != NULL)
		*name++ = '\0';
	if (check_object_name(name != NULL ? name : whole, 253, err) != 0 ||
		(name != NULL && check_object_name(whole, 63, err) != 0))
		return err_wrap(err, "\"%s\"", text);
	AUTO_JSON selected = json_object();
	json_set_text(selected, "namespace", name != NULL ? whole : plan->namespace);
	json_set_text(selected, "name", name != NULL ? name : whole);
	json *list = json_ensure_array(selected, "routes");
	struct str_list names CLEANUP(str_list_release) = {0};
	if (routes != NULL)
		str_split(routes, ',', &names);
	for (size_t i = 0; i < names.count; i++) {
		if (names.items[i][0] == '\0')
			return err_set(err, ERR_USAGE,
				"\"%s\": the name of a route is missing; write it as "
				"[NAMESPACE/]NAME[:ROUTE,...]",
				text);
		json_append(list, json_string(names.items[i]));
	}
	*ret = TAKE(selected);
	return 0;
}

static bool is_selected(const json *selection, const json *selected)
{
	json_for_each (other, selection)
		if (str_equal(json_get_text(other, "name"), json_get_text(selected, "name")) &&
			str_equal(json_get_text(other, "namespace"),
				json_get_text(selected, "namespace")))
			return true;
	return false;
}

int plan_set_selection(struct plan *plan, const struct str_list *names, struct err *err)
{
	AUTO_JSON selection = names->count > 0 ? json_array() : NULL;
	for (size_t i = 0; i < names->count; i++) {
		json *selected = NULL;
		int code = parse_selected(plan, names->items[i], &selected, err);
		if (code != 0)
			return code;
		bool twice = is_selected(selection, selected);
		json_append(selection, selected);
		if (twice)
			return err_set(err, ERR_USAGE,
				"\"%s\": this VirtualService is named twice; give all its routes "
				"at once, as NAME:ROUTE,ROUTE",
				names->items[i]);
	}
	json_free(plan->selection);
	plan->selection = TAKE(selection);
	return 0;
}

/* --- batches -------------------------------------------------------------------------------- */

bool batch_is_match_only(const struct plan *plan, const struct batch *batch)
{
	return plan->match.count > 0 && batch->weight == 0;
}

/* In front of the others: as many pods of the canary as the first of them has, next to a whole
 * stable, for nobody knows how many requests will match. */
static void add_match_batch(struct plan *plan)
{
	if (plan->match.count == 0)
		return;
	memmove(&plan->batches[1], &plan->batches[0],
		(size_t)plan->batch_count * sizeof(plan->batches[0]));
	plan->batches[0].stable = plan->replicas;
	plan->batches[0].weight = 0;
	plan->batch_count++;
}

int plan_set_batches(struct plan *plan, int64_t count, struct err *err)
{
	if (count < 1 || count > BATCHES_MAXIMUM)
		return err_set(err, ERR_USAGE, "the number of batches must be from 1 to %d",
			BATCHES_MAXIMUM);
	for (int64_t i = 1; i <= count; i++) {
		int64_t canary = plan->replicas * i / count;
		int64_t weight = (200 * i + count) / (2 * count); /* rounded to the nearest */
		plan->batches[i - 1] = make_batch(plan, canary > 0 ? canary : 1, weight);
	}
	plan->batch_count = (int)count;
	add_match_batch(plan);
	return 0;
}

/* Reads "25%" or, where allowed, "3". */
static int parse_share(const char *text, bool number_allowed, int64_t maximum, int64_t *ret,
	bool *ret_percent, struct err *err)
{
	bool percent = str_ends(text, "%");
	if (!percent && !number_allowed)
		return err_set(err, ERR_USAGE, "\"%s\" is not a percentage like 5%%", text);
	AUTO_STRING digits = mem_strndup(text, strlen(text) - (percent ? 1 : 0));
	*ret_percent = percent;
	return parse_int(digits, 1, percent ? 100 : maximum, ret, err);
}

static int parse_step(const struct plan *plan, const char *text, struct batch *ret, struct err *err)
{
	struct str_list parts CLEANUP(str_list_release) = {0};
	str_split(text, '@', &parts);
	if (parts.count > 2)
		return err_set(err, ERR_USAGE, "\"%s\": more than one '@'", text);

	int64_t amount, weight;
	bool percent, weight_percent;
	int code = parse_share(parts.items[0], true, plan->replicas, &amount, &percent, NULL);
	if (code != 0)
		return err_set(err, code,
			"\"%s\" is neither a number of replicas (the Deployment has %d) nor a "
			"percentage from 1%% to 100%%",
			parts.items[0], plan->replicas);
	int64_t canary = percent ? plan->replicas * amount / 100 : amount;
	weight = percent ? amount : (200 * amount + plan->replicas) / (INT64_C(2) * plan->replicas);
	if (parts.count == 2) {
		if (plan->traffic == TRAFFIC_REPLICAS)
			return err_set(err, ERR_USAGE,
				"\"%s\": a weight apart from the replicas needs Istio or the "
				"Gateway API; without them the ratio of replicas is the weight",
				text);
		code = parse_share(parts.items[1], false, 100, &weight, &weight_percent, err);
		if (code != 0)
			return code;
	}
	if (parts.count == 2 && weight == 100 && canary < plan->replicas)
		return err_set(err, ERR_USAGE,
			"\"%s\": 100%% of the requests need all %d pods; send them fewer, or make "
			"it 100%%@100%%",
			text, plan->replicas);
	*ret = make_batch(plan, canary > 0 ? canary : 1, weight);
	return 0;
}

int plan_set_steps(struct plan *plan, const char *steps, struct err *err)
{
	struct str_list list CLEANUP(str_list_release) = {0};
	str_split(steps, ',', &list);
	if (list.count > BATCHES_MAXIMUM)
		return err_set(err, ERR_USAGE, "more than %d steps", BATCHES_MAXIMUM);
	for (size_t i = 0; i < list.count; i++) {
		struct batch *batch = &plan->batches[i];
		int code = parse_step(plan, list.items[i], batch, err);
		if (code != 0)
			return err_wrap(err, "step %zu", i + 1);
		if (i > 0 && (batch->canary < batch[-1].canary || batch->weight < batch[-1].weight))
			return err_set(err, ERR_USAGE,
				"step %zu: \"%s\" is less than the step before it", i + 1,
				list.items[i]);
	}
	const struct batch *last = &plan->batches[list.count - 1];
	bool everything = last->canary == plan->replicas &&
			  (plan->traffic == TRAFFIC_REPLICAS || last->weight == 100);
	if (!everything)
		return err_set(err, ERR_USAGE,
			"the last step must be everything, 100%%, not \"%s\"",
			list.items[list.count - 1]);
	plan->batch_count = (int)list.count;
	add_match_batch(plan);
	return 0;
}

int traffic_mode_parse(const char *text)
{
	return str_index(TRAFFIC_NAMES, COUNT_OF(TRAFFIC_NAMES), text);
}

const char *traffic_mode_name(enum traffic_mode mode)
{
	return TRAFFIC_NAMES[mode];
}

int handover_mode_parse(const char *text)
{
	return str_index(HANDOVER_NAMES, COUNT_OF(HANDOVER_NAMES), text);
}

const char *handover_mode_name(enum handover_mode mode)
{
	return HANDOVER_NAMES[mode];
}

const char *pause_mode_name(enum pause_mode mode)
{
	return PAUSE_NAMES[mode];
}

int pause_mode_parse(const char *text, enum pause_mode *ret, struct err *err)
{
	int index = str_index(PAUSE_NAMES, COUNT_OF(PAUSE_NAMES), text);
	if (index < 0)
		return err_set(err, ERR_USAGE, "\"%s\" is not one of each, first, none", text);
	*ret = (enum pause_mode)index;
	return 0;
}

int hpa_mode_parse(const char *text, enum hpa_mode *ret, struct err *err)
{
	int index = str_index(HPA_NAMES, COUNT_OF(HPA_NAMES), text);
	if (index < 0)
		return err_set(err, ERR_USAGE, "\"%s\" is not one of freeze, ignore, refuse", text);
	*ret = (enum hpa_mode)index;
	return 0;
}

const char *hpa_mode_name(enum hpa_mode mode)
{
	return HPA_NAMES[mode];
}

char *plan_name_without_version(const struct plan *plan)
{
	AUTO_STRING suffix = mem_format("-%s", plan->stable_version);
	size_t length = strlen(plan->deployment);
	if (str_ends(plan->deployment, suffix) && length > strlen(suffix))
		length -= strlen(suffix);
	return mem_strndup(plan->deployment, length);
}

int plan_name_copy(const struct plan *plan, const char *base, char **ret, struct err *err)
{
	AUTO_STRING name = mem_format("%s-%s", base, plan->canary_version);
	for (char *p = name; *p != '\0'; p++)
		*p = *p == '_' ? '-' : (char)tolower((unsigned char)*p);
	if (check_object_name(name, 253, err) != 0)
		return err_wrap(err, "the name of the copy (use --version)");
	*ret = TAKE(name);
	return 0;
}

json *plan_to_json(const struct plan *plan)
{
	json *spec = json_object();
	json_set_text(spec, "service", plan->service);
	json_set_text(spec, "deployment", plan->deployment);
	json_set_text(spec, "canaryDeployment", plan->canary_deployment);
	json_set_text(spec, "stableVersion", plan->stable_version);
	json_set_text(spec, "version", plan->canary_version);
	json_set_text(spec, "managedBy", plan->manager);
	json_set_integer(spec, "replicas", plan->replicas);
	json_set_text(spec, "askedBatches", plan->asked_batches);
	json_set_text(spec, "askedSteps", plan->asked_steps);
	json *batches = json_ensure_array(spec, "batches");
	for (int i = 0; i < plan->batch_count; i++) {
		json *batch = json_object();
		json_set_integer(batch, "canary", plan->batches[i].canary);
		json_set_integer(batch, "stable", plan->batches[i].stable);
		json_set_integer(batch, "weight", plan->batches[i].weight);
		json_append(batches, batch);
	}
	json_set_text(spec, "traffic", TRAFFIC_NAMES[plan->traffic]);
	json_set_text(spec, "clusterDomain", plan->cluster_domain);
	for (size_t i = 0; i < plan->match.count; i++)
		json_append(json_ensure_array(spec, "match"), json_string(plan->match.items[i]));
	json_set(spec, "virtualServices", json_copy(plan->selection));
	json_set_bool(spec, "sticky", plan->sticky);
	json_set_text(spec, "stickyRound", plan->sticky_round);
	json_set_text(spec, "pause", PAUSE_NAMES[plan->pause]);
	json_set_text(spec, "handover", HANDOVER_NAMES[plan->handover]);
	json_set_text(spec, "hpa", HPA_NAMES[plan->hpa]);
	json_set_integer(spec, "settleMilliseconds", plan->settle_ms);
	json_set_integer(spec, "timeoutMilliseconds", plan->timeout_ms);
	json_set_bool(spec, "keepStable", plan->keep_stable);
	json_set_bool(spec, "hold", plan->hold);
	return spec;
}

static int take_texts(const json *spec, struct plan *plan, struct err *err)
{
	const struct {
		const char *key;
		char **place;
	} texts[] = {
		{"service", &plan->service},
		{"deployment", &plan->deployment},
		{"canaryDeployment", &plan->canary_deployment},
		{"stableVersion", &plan->stable_version},
		{"version", &plan->canary_version},
	};
	for (size_t i = 0; i < COUNT_OF(texts); i++) {
		const char *text = json_get_text(spec, texts[i].key);
		if (str_empty(text))
			return err_set(err, ERR_INVALID, "spec.%s is missing", texts[i].key);
		*texts[i].place = mem_strdup(text);
	}
	return 0;
}

static int take_batches(const json *spec, struct plan *plan, struct err *err)
{
	json_for_each (batch, json_get(spec, "batches")) {
		if (plan->batch_count == PLAN_BATCHES_MAXIMUM)
			return err_set(err, ERR_INVALID, "spec.batches has more than %d elements",
				PLAN_BATCHES_MAXIMUM);
		struct batch *place = &plan->batches[plan->batch_count++];
		place->canary = json_get_int(batch, "canary", 1, INT_MAX);
		place->stable = json_get_int(batch, "stable", 0, INT_MAX);
		place->weight = json_get_int(batch, "weight", 0, 100);
		if (place->canary < 0 || place->stable < 0 || place->weight < 0)
			return err_set(err, ERR_INVALID, "spec.batches[%d] is damaged",
				plan->batch_count - 1);
	}
	if (plan->batch_count == 0)
		return err_set(err, ERR_INVALID, "spec.batches is missing");
	return 0;
}

static int take_routing(const json *spec, struct plan *plan, struct err *err)
{
	struct str_list rules CLEANUP(str_list_release) = {0};
	json_for_each (rule, json_get(spec, "match"))
		str_list_add(&rules, json_text(rule) != NULL ? json_text(rule) : "");
	if (plan_set_match(plan, &rules, err) != 0)
		return err_set(err, ERR_INVALID, "spec.match is damaged");
	plan->manager = mem_strdup(json_get_text(spec, "managedBy"));
	plan->asked_batches = mem_strdup(json_get_text(spec, "askedBatches"));
	plan->asked_steps = mem_strdup(json_get_text(spec, "askedSteps"));
	plan->cluster_domain = mem_strdup(json_get_text(spec, "clusterDomain"));
	plan->selection = json_copy(json_get(spec, "virtualServices"));
	plan->sticky = json_is_true(json_get(spec, "sticky"));
	plan->sticky_round = mem_strdup(json_get_text(spec, "stickyRound"));
	return 0;
}

int plan_from_json(const json *spec, struct plan *ret, struct err *err)
{
	CLEANUP(plan_release) struct plan plan = {0};
	int code = take_texts(spec, &plan, err);
	if (code == 0)
		code = take_batches(spec, &plan, err);
	if (code == 0)
		code = take_routing(spec, &plan, err);
	if (code != 0)
		return code;
	int traffic = traffic_mode_parse(json_get_text(spec, "traffic"));
	int pause = str_index(PAUSE_NAMES, COUNT_OF(PAUSE_NAMES), json_get_text(spec, "pause"));
	/* A release that began before there was a choice ends as it was meant to. */
	const char *handover_text = json_get_text(spec, "handover");
	int handover =
		handover_text == NULL ? HANDOVER_ROLLING : handover_mode_parse(handover_text);
	/* Records of before there was a choice are of Deployments without an autoscaler. */
	const char *hpa_text =
		json_get(spec, "hpa") == NULL ? HPA_NAMES[HPA_FREEZE] : json_get_text(spec, "hpa");
	int hpa = str_index(HPA_NAMES, COUNT_OF(HPA_NAMES), hpa_text);
	plan.replicas = json_get_int(spec, "replicas", 1, INT_MAX);
	plan.settle_ms = json_get_integer(spec, "settleMilliseconds", -1);
	plan.timeout_ms = json_get_integer(spec, "timeoutMilliseconds", -1);
	const char *damaged = traffic < 0	    ? "traffic"
			      : pause < 0	    ? "pause"
			      : handover < 0	    ? "handover"
			      : hpa < 0		    ? "hpa"
			      : plan.replicas < 0   ? "replicas"
			      : plan.settle_ms < 0  ? "settleMilliseconds"
			      : plan.timeout_ms < 1 ? "timeoutMilliseconds"
						    : NULL;
	if (damaged != NULL)
		return err_set(err, ERR_INVALID, "spec.%s is damaged", damaged);
	plan.traffic = (enum traffic_mode)traffic;
	plan.pause = (enum pause_mode)pause;
	plan.handover = (enum handover_mode)handover;
	plan.hpa = (enum hpa_mode)hpa;
	plan.keep_stable = json_is_true(json_get(spec, "keepStable"));
	plan.hold = json_is_true(json_get(spec, "hold"));
	*ret = plan;
	plan = (struct plan){0};
	return 0;
}

struct intent plan_intent(const struct plan *plan)
{
	struct intent intent = {
		.service = plan->service,
		.namespace = plan->namespace,
		.cluster_domain = plan->cluster_domain != NULL ? plan->cluster_domain : "",
		.stable_version = plan->stable_version,
		.canary_version = plan->canary_version,
		.match_rules = plan->match_rules,
		.selection = plan->selection,
		.sticky_round = plan->sticky_round,
	};
	for (int i = 0; plan->sticky && i < plan->batch_count; i++)
		intent.sticky_steps[intent.sticky_step_count++] = plan->batches[i].weight;
	/* The user's objects are checked before the batches are known, which depend on what they
	 * allow: that there are steps is enough for that. */
	if (plan->sticky && plan->batch_count == 0)
		intent.sticky_steps[intent.sticky_step_count++] = 100;
	return intent;
}

char *own_object_name(const char *service)
{
	return mem_format("batchrollout-%s", service);
}
