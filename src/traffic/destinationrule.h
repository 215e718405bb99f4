/*
 * DestinationRules (networking.istio.io/v1): which pods a subset is.
 * https://istio.io/latest/docs/reference/config/networking/destination-rule/
 *
 * Istio merges several DestinationRules of one host in one namespace: the subsets add up, and ours
 * inherit the top trafficPolicy of the user's. So the subsets of a release stand in an object of
 * our own, and the user's is not touched, except at the end where it names the old version.
 *
 * A client looks for a DestinationRule in its own namespace first, then in the Service's, then in
 * the root namespace, and uses the first namespace that has one, with the closest host there. So
 * each namespace that has one for the Service gets an object of ours.
 *
 * `destinationrules` is always an array of the users' objects as they were before the release, of
 * all namespaces: each function picks those that it is about. The trees that are made of them are
 * keyed for merge_to_goal (merge.h).
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
 * subsets would be unknown to some clients (503): with a workloadSelector, with differing exportTo
 * in one namespace; subsets that have the names of ours, or that are one version for some clients
 * and another one for others. */
int destinationrules_check(
	const json *destinationrules, const struct intent *intent, struct err *err);

/* The exportTo of those of the Service in its own namespace, which is that of ours too: who sees
 * the subsets of a release. NULL for everybody. */
const json *destinationrules_exports(const json *destinationrules, const struct intent *intent);

/* The subset of that name among the DestinationRules of the Service, or NULL. Where several have
 * it, the one that Istio takes: the oldest object's. */
const json *find_subset(
	const json *destinationrules, const char *name, const struct intent *intent);

/* The version that a user's subset stands for: the value of VERSION_LABEL among its labels. NULL
 * where it has none, so that it selects the pods of every version. */
const char *subset_version(const json *subset);

/* True where a user's subset stands for the stable version. */
bool subset_is_stable(const json *subset, const struct intent *intent);

/* The DestinationRules of a release, an array: one in the Service's namespace, and one in each
 * other that has one for the Service. They have subsets for the stable and the canary version, the
 * canary with the trafficPolicy of the user's own stable subset where there is one. Where Istio
 * merges one with the user's, it has the same exportTo; where it hides one, for a wildcard host or
 * in the root namespace, it has that one's trafficPolicy and subsets too. The caller frees. */
json *destinationrules_new(const json *destinationrules, const struct intent *intent);

/* The same at the end of a release, or on the way back from there, when the users' have become
 * `now`, an array as well: what ours says in the place of one that it hides is what that one says
 * now. The caller frees. */
json *destinationrules_beside(
	const json *destinationrules, const json *now, const struct intent *intent);

/* The user's DestinationRule itself, keyed. The caller frees. */
json *destinationrule_original(const json *snapshot);

/* The user's DestinationRule at the end of a release: a subset that names the stable version names
 * the new one: its label changes, and its name too where the name is the version (v1 -> v2) and the
 * new version can be a name (v2.0 cannot). With keep_old a renamed subset's old entry stays in
 * front of the new one, for the time in which proxies may still use it. A subset that is named
 * after the stable version stays as it is where the object has one for the canary version already.
 * Equal to the snapshot where it names no version, or is not for the Service. The caller frees. */
json *destinationrule_finished(const json *snapshot, const struct intent *intent, bool keep_old);

/* The user's DestinationRule on the way back from there: its subsets as they were, and each renamed
 * one behind its old one, for the time in which proxies may still use those. The caller frees. */
json *destinationrule_returning(const json *snapshot, const struct intent *intent);

/* The name by which routes reach the new version at the end, where they used the subset `name`
 * before: another one only for a stable subset named after its version. Never NULL; lives as long
 * as name and intent. */
const char *finished_subset(
	const json *destinationrules, const char *name, const struct intent *intent);

#endif
