/*
 * DestinationRules (networking.istio.io/v1): which pods a subset is.
 * https://istio.io/latest/docs/reference/config/networking/destination-rule/
 *
 * Istio merges several DestinationRules of one host in one namespace: the subsets add up, and ours
 * inherit the top trafficPolicy of the user's. So the subsets of a release stand in an object of
 * our own, and the user's is not touched, except at the end where it names the old version.
 *
 * `destinationrules` is always an array of the users' objects as they were before the release. It
 * may hold all of the namespace: each function picks those that it is about.
 */
#ifndef TRAFFIC_DESTINATIONRULE_H
#define TRAFFIC_DESTINATIONRULE_H

#include "base/err.h"
#include "data/json.h"
#include "traffic/intent.h"

/* True where its host is the Service. */
bool destinationrule_is_for(const json *destinationrule, const struct intent *intent);

/* True where its host is a wildcard that matches the Service. */
bool destinationrule_covers(const json *destinationrule, const struct intent *intent);

/* Refuses DestinationRules of the Service that Istio would not merge with ours, so that the new
 * subsets would be unknown to some clients (503): in another namespace, with a workloadSelector,
 * with differing exportTo; and subsets that have the names of ours. */
int destinationrules_check(
	const json *destinationrules, const struct intent *intent, struct err *err);

/* The subset of that name among the DestinationRules of the Service, or NULL. Where several have
 * it, the one that Istio takes: the oldest object's. */
const json *find_subset(
	const json *destinationrules, const char *name, const struct intent *intent);

/* The version that a user's subset stands for: the value of VERSION_LABEL among its labels. NULL
 * where it has none, so that it selects the pods of every version. */
const char *subset_version(const json *subset);

/* True where a user's subset stands for the stable version. */
bool subset_is_stable(const json *subset, const struct intent *intent);

/* The DestinationRule of a release: subsets for the stable and the canary version; exportTo as in
 * the user's (else Istio would not merge them), the canary with the trafficPolicy of the user's own
 * stable subset where there is one. Where no DestinationRule is for the Service itself, ours would
 * hide one for a wildcard host that covers it, and has that one's trafficPolicy instead. The caller
 * frees. */
json *destinationrule_new(
	const char *name, const json *destinationrules, const struct intent *intent);

/* The user's DestinationRule at the end of a release: a subset that names the stable version names
 * the new one: its label changes, and its name too where the name is the version (v1 -> v2). With
 * keep_old a renamed subset's old entry stays in front of the new one, for the time in which
 * proxies may still use it. A subset that is named after the stable version stays as it is where
 * the object has one for the canary version already. Equal to the snapshot where it names no
 * version, or is not for the Service. The caller frees. */
json *destinationrule_finished(const json *snapshot, const struct intent *intent, bool keep_old);

/* The user's DestinationRule on the way back from there: its subsets as they were, and the renamed
 * ones behind them, for the time in which proxies may still use those. The caller frees. */
json *destinationrule_returning(const json *snapshot, const struct intent *intent);

/* The name by which routes reach the new version at the end, where they used the subset `name`
 * before: another one only for a stable subset named after its version. Never NULL; lives as long
 * as name and intent. */
const char *finished_subset(
	const json *destinationrules, const char *name, const struct intent *intent);

#endif
