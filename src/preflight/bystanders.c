#include "api/object.h"
#include "api/selector.h"
#include "base/buf.h"
#include "preflight/checks.h"

/* A budget counts the pods of both versions, so that it has more room during a release than before;
 * but not where it has none at all. */
void check_disruption(const struct subject *subject, const json *budgets, struct findings *findings)
{
	json_for_each (budget, list_items(budgets)) {
		const json *selector = json_path(budget, "spec", "selector", NULL);
		const json *status = json_get(budget, "status");
		if (json_get_integer(status, "disruptionsAllowed", -1) != 0 ||
			json_get_integer(status, "expectedPods", 0) == 0 ||
			!selector_matches(selector, subject->labels[LABELS_BEFORE]))
			continue;
		add_finding(findings,
			mem_format(
				"poddisruptionbudget.policy/%s allows no disruption of these pods "
				"now: their nodes cannot be drained",
				object_name(budget)));
	}
}

/* Only routes to the released Service are split by weight. Where nothing is, another Service is no
 * worse off. */
void check_services(const struct subject *subject, const json *services, struct findings *findings)
{
	json_for_each (service, list_items(services)) {
		const json *selector = json_path(service, "spec", "selector", NULL);
		if (!subject->by_weight || str_equal(object_name(service), subject->service) ||
			!selector_map_matches(selector, subject->labels[LABELS_TAGGED]) ||
			!selector_map_matches(selector, subject->labels[LABELS_COPY]))
			continue;
		add_finding(findings,
			mem_format("service/%s selects the same pods: requests to it reach both "
				   "versions by the ratio of their pods, not by the weights",
				object_name(service)));
	}
}

static void check_its_own(
	const struct subject *subject, const char *name, struct findings *findings)
{
	add_finding(findings,
		mem_format(
			"verticalpodautoscaler.autoscaling.k8s.io/%s is for deployment \"%s\" and "
			"not for its copy: until the end, the new pods ask for what the "
			"template says",
			name, subject->deployment));
	if (subject->successor != NULL)
		add_finding(findings,
			mem_format(
				"verticalpodautoscaler.autoscaling.k8s.io/%s is for deployment "
				"\"%s\", which is gone at the end: point it to deployment \"%s\" "
				"then",
				name, subject->deployment, subject->successor));
}

void check_vertical_autoscalers(
	const struct subject *subject, const json *autoscalers, struct findings *findings)
{
	json_for_each (autoscaler, list_items(autoscalers)) {
		const json *target = json_path(autoscaler, "spec", "targetRef", NULL);
		const char *name = json_get_text(target, "name");
		const char *mode =
			json_path_text(autoscaler, "spec", "updatePolicy", "updateMode", NULL);
		if (!str_equal(json_get_text(target, "kind"), KIND_DEPLOYMENT.name) ||
			str_equal(mode, "Off"))
			continue;
		if (str_equal(name, subject->deployment))
			check_its_own(subject, object_name(autoscaler), findings);
		else if (str_equal(name, subject->copy))
			add_finding(findings,
				mem_format("verticalpodautoscaler.autoscaling.k8s.io/%s is for "
					   "deployment \"%s\", as the copy is called: it changes "
					   "what the new pods ask for",
					object_name(autoscaler), subject->copy));
	}
}
