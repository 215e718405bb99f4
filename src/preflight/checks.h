/*
 * What a preflight looks for, each in a file of its own. All add to the findings, and take lists as
 * the API gives them; NULL where a kind could not be read.
 */
#ifndef PREFLIGHT_CHECKS_H
#define PREFLIGHT_CHECKS_H

#include "preflight/subject.h"

/* quota.c: ResourceQuotas that have no room for the most that the release has at one time. */
void check_quotas(const struct subject *subject, const json *quotas, struct findings *findings);
/* Whether any of them counts what pods ask for. */
bool quotas_count_resources(const json *quotas);

/* limit_range.c: what a LimitRange says of the new pods, which admission would refuse. */
void check_limit_ranges(
	const struct subject *subject, const json *limit_ranges, struct findings *findings);

/* placement.c: nodes that the new pods may be on, and rules that let few of them be on a node. */
void check_placement(const struct subject *subject, const json *nodes, struct findings *findings);
/* Whether the new pods have such rules at all. */
bool needs_placement(const struct subject *subject);
/* Whether pods of this spec and these labels keep each other off their nodes. */
bool is_one_per_node(const struct subject *subject, const json *spec, const json *labels);

/* capacity.c: room on the nodes. pods: of all namespaces, or NULL. */
void check_capacity(const struct subject *subject, const json *nodes, const json *pods,
	struct findings *findings);
bool needs_capacity(const struct subject *subject);

/* volumes.c: claims that one node, or one pod, may use at a time. */
void check_volumes(const struct subject *subject, const json *claims, struct findings *findings);
bool needs_volumes(const struct subject *subject);

/* selectors.c: objects of a kind that find pods by labels, where it makes a difference to them that
 * a pod is of the one version or the other. */
void check_selectors(const struct subject *subject, const struct kind *kind, const json *objects,
	struct findings *findings);

/* bystanders.c: what knows the Deployment or its pods, and nothing of the release. */
void check_disruption(
	const struct subject *subject, const json *budgets, struct findings *findings);
void check_services(const struct subject *subject, const json *services, struct findings *findings);
void check_vertical_autoscalers(
	const struct subject *subject, const json *autoscalers, struct findings *findings);

#endif
