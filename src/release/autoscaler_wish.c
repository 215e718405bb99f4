#include "release/autoscaler_wish.h"

#include <limits.h>
#include <stdlib.h>

#include "base/str.h"
#include "preflight/quantity.h"

/* The controller's default: so little is no reason to scale. */
#define TOLERANCE 0.1

/* The controller computes in thousandths, and rounds what is finer up. */
#define THOUSANDTH (QUANTITY_ONE / 1000)

/* A quantity or a number, in thousandths; negative where it is neither. */
static quantity amount_of(const json *node)
{
	quantity value = 0;
	if (quantity_read(node, &value, NULL) != 0 || value < 0)
		return -1;
	return (value + THOUSANDTH - 1) / THOUSANDTH;
}

/* How metrics of each type stand in the spec and in the status, and what they are about. */
static const struct metric_type {
	const char *name;
	const char *member;
	bool of_pods; /* an average over pods; or else of something else */
} METRIC_TYPES[] = {
	{"Resource", "resource", true},
	{"ContainerResource", "containerResource", true},
	{"Pods", "pods", true},
	{"Object", "object", false},
	{"External", "external", false},
};

static const struct metric_type *type_of(const json *metric)
{
	for (size_t i = 0; i < COUNT_OF(METRIC_TYPES); i++)
		if (str_equal(json_get_text(metric, "type"), METRIC_TYPES[i].name))
			return &METRIC_TYPES[i];
	return NULL;
}

/* What a target of each type is compared with; both stand under this name. */
static const char *member_of(const json *target)
{
	static const struct {
		const char *type, *member;
	} MEMBERS[] = {
		{"Utilization", "averageUtilization"},
		{"AverageValue", "averageValue"},
		{"Value", "value"},
	};
	for (size_t i = 0; i < COUNT_OF(MEMBERS); i++)
		if (str_equal(json_get_text(target, "type"), MEMBERS[i].type))
			return MEMBERS[i].member;
	return "";
}

static double tolerance_of(const json *autoscaler, double ratio)
{
	quantity tolerance = 0;
	const json *own = json_path(autoscaler, "spec", "behavior",
		ratio > 1 ? "scaleUp" : "scaleDown", "tolerance", NULL);
	return quantity_read(own, &tolerance, NULL) == 0 ? (double)tolerance / (double)QUANTITY_ONE
							 : TOLERANCE;
}

static int round_up(double number)
{
	if (number >= INT_MAX)
		return INT_MAX;
	return (int)number + ((int)number < number ? 1 : 0);
}

/* The controller goes by a total and shows what each pod has of it, rounded up. Of the totals that
 * this may have been the least is taken: others would be a pod too many for a total that comes out
 * even. */
static int wish_by_share(quantity share, quantity wanted, int pods)
{
	quantity total = share * pods - (pods - 1);
	quantity wish = total <= 0 ? 0 : (total + wanted - 1) / wanted;
	return wish > INT_MAX ? INT_MAX : (int)wish;
}

/* How many pods this metric asks for; -1 where the status does not say. */
static int wish_by(
	const json *autoscaler, const json *metric, const json *status, const struct scaled *scaled)
{
	const struct metric_type *type = type_of(metric);
	if (type == NULL || type_of(status) != type)
		return -1;
	const json *target = json_path(metric, type->member, "target", NULL);
	const char *member = member_of(target);
	quantity wanted = amount_of(json_get(target, member));
	quantity now = amount_of(json_path(status, type->member, "current", member, NULL));
	if (wanted <= 0 || now < 0)
		return -1;
	/* An average over something that is not the pods' is one over stable's pods. */
	bool shared = !type->of_pods && str_equal(member, "averageValue");
	int pods = shared ? scaled->stable : scaled->ready;
	if (pods == 0)
		return -1;
	double ratio = (double)now / (double)wanted;
	double tolerance = tolerance_of(autoscaler, ratio);
	if (ratio >= 1 - tolerance && ratio <= 1 + tolerance)
		return shared ? scaled->stable : scaled->pods;
	return shared ? wish_by_share(now, wanted, pods) : round_up(ratio * pods);
}

static char *condition_message(const json *autoscaler, const char *type)
{
	json_for_each (condition, json_path(autoscaler, "status", "conditions", NULL))
		if (str_equal(json_get_text(condition, "type"), type) &&
			str_equal(json_get_text(condition, "status"), "False") &&
			!str_empty(json_get_text(condition, "message")))
			return mem_strdup(json_get_text(condition, "message"));
	return NULL;
}

/* Why the controller could not compute anything. */
static char *explain(const json *autoscaler)
{
	char *message = condition_message(autoscaler, "AbleToScale");
	if (message == NULL)
		message = condition_message(autoscaler, "ScalingActive");
	return message != NULL ? message : mem_strdup("it shows no current metrics");
}

int autoscaler_wish(
	const json *autoscaler, const json *limits, const struct scaled *scaled, char **ret_reason)
{
	const json *statuses = json_path(autoscaler, "status", "currentMetrics", NULL);
	int wish = -1;
	bool unknown = false;
	size_t index = 0;
	json_for_each (metric, json_path(autoscaler, "spec", "metrics", NULL)) {
		int one = wish_by(autoscaler, metric, json_at(statuses, index++), scaled);
		unknown = unknown || one < 0;
		wish = one > wish ? one : wish;
	}
	/* One that is not known may ask for more: then nothing is taken away. */
	if (wish < 0 || (unknown && wish < scaled->pods)) {
		*ret_reason = explain(autoscaler);
		return -1;
	}
	int64_t minimum = json_get_integer(limits, "minReplicas", 1);
	int64_t maximum = json_get_integer(limits, "maxReplicas", INT_MAX);
	int64_t limited = wish < minimum ? minimum : wish;
	return (int)(limited > maximum ? maximum : limited);
}
