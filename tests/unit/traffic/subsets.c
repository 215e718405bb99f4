/*
 * What must hold for the DestinationRules of a release, on generated ones: whatever a client saw of
 * the users' it sees with ours beside them, and the subsets that routes name, at each time that
 * they name them. Where a client looks is said here by itself, as istiod does it.
 */
#include "traffic/destinationrule.h"
#include "unit/traffic/generate.h"

#define RELEASES MANY(20000)
#define HOST "web.shop.svc.cluster.local"
#define ROOT "istio-system"

/* --- what a client sees --------------------------------------------------------------------- */

static const char *namespace_here(const json *rule)
{
	return json_path_text(rule, "metadata", "namespace", NULL);
}

/* How well its host fits: the length of what is the same; -1: not at all. */
static int fit_of(const json *rule)
{
	const char *host = json_path_text(rule, "spec", "host", NULL);
	if (str_equal(host, HOST) ||
		(str_equal(host, "web") && str_equal(namespace_here(rule), "shop")))
		return 1000;
	bool covers = host[0] == '*' && str_ends(HOST, host + 1);
	return covers ? (int)strlen(host) : -1;
}

static bool is_private_only(const json *rule)
{
	const json *exports = json_path(rule, "spec", "exportTo", NULL);
	return json_count(exports) == 1 && str_equal(json_text(json_first(exports)), ".");
}

static bool is_exported(const json *rule, const char *client)
{
	const json *exports = json_path(rule, "spec", "exportTo", NULL);
	bool exported = json_count(exports) == 0;
	json_for_each (element, exports) {
		const char *to = json_text(element);
		exported = exported || str_equal(to, "*") || str_equal(to, client) ||
			   (str_equal(to, ".") && str_equal(namespace_here(rule), client));
	}
	return exported;
}

/* Whether the client considers this rule when it looks into its namespace, as the first place that
 * it looks into or a later one. */
static bool is_candidate(const json *rule, const char *client, bool first)
{
	if (!first)
		return is_exported(rule, client) &&
		       !(is_private_only(rule) && str_equal(namespace_here(rule), ROOT));
	return !str_equal(client, ROOT) || is_private_only(rule);
}

/* Adds a rule to what is seen: subsets with new names, and the policy where there was none. */
static void merge_rule(json *seen, const json *rule)
{
	if (json_get(seen, "policy") == NULL)
		json_set(seen, "policy", json_copy(json_path(rule, "spec", "trafficPolicy", NULL)));
	json *subsets = json_ensure_object(seen, "subsets");
	json_for_each (subset, json_path(rule, "spec", "subsets", NULL)) {
		const char *name = json_get_text(subset, "name");
		if (json_get(subsets, name) == NULL)
			json_set(subsets, name, json_copy(subset));
	}
}

/* What the client finds in a namespace: the rules with the closest host, the oldest first, which is
 * their order here. NULL: nothing. */
static json *seen_in(const json *rules, const char *namespace, const char *client, bool first)
{
	int best = 0;
	json_for_each (rule, rules) {
		bool here = str_equal(namespace_here(rule), namespace);
		if (here && is_candidate(rule, client, first) && fit_of(rule) > best)
			best = fit_of(rule);
	}
	if (best == 0)
		return NULL;
	json *seen = json_object();
	json_for_each (rule, rules) {
		bool here = str_equal(namespace_here(rule), namespace);
		if (here && is_candidate(rule, client, first) && fit_of(rule) == best)
			merge_rule(seen, rule);
	}
	return seen;
}

/* {"policy", "subsets": {name: subset}}, as the client's proxies have it. The caller frees. */
static json *seen_by(const json *rules, const char *client)
{
	json *seen = seen_in(rules, client, client, true);
	if (seen == NULL)
		seen = seen_in(rules, "shop", client, false);
	if (seen == NULL)
		seen = seen_in(rules, ROOT, client, false);
	return seen != NULL ? seen : json_object();
}

/* --- rules by chance ------------------------------------------------------------------------ */

static void add_subsets(struct random *random, json *spec)
{
	static const char *const SUBSETS[] = {"{'name': 'v1', 'labels': {'version': 'v1'}}",
		"{'name': 'v2', 'labels': {'version': 'v2'}}",
		"{'name': 'v0', 'labels': {'version': 'v0'}}",
		"{'name': 'prod', 'labels': {'version': 'v1', 'a': 'b'}}",
		"{'name': 'all', 'labels': {'a': 'b'}}"};
	for (size_t i = 0; i < COUNT_OF(SUBSETS); i++) {
		if (once_in(random, 3))
			json_append(json_ensure_array(spec, "subsets"), tree(SUBSETS[i]));
	}
}

static json *any_rule(struct random *random, int number)
{
	static const char *const NAMESPACES[] = {"shop", "shop", "clients", "batch", ROOT};
	static const char *const HOSTS[] = {"web", HOST, HOST, "*.shop.svc.cluster.local",
		"*.local", "*.prod.svc.cluster.local", "api"};
	json *rule = json_object(), *metadata = json_ensure_object(rule, "metadata");
	AUTO_STRING name = mem_format("r%d", number);
	AUTO_STRING created = mem_format("2026-01-0%dT00:00:00Z", number);
	json_set_text(metadata, "name", name);
	json_set_text(metadata, "namespace", ANY_OF(random, NAMESPACES));
	json_set_text(metadata, "creationTimestamp", created);
	json *spec = json_ensure_object(rule, "spec");
	json_set_text(spec, "host", ANY_OF(random, HOSTS));
	if (once_in(random, 2))
		json_set_integer(json_ensure_object(spec, "trafficPolicy"), "by", number);
	if (fit_of(rule) == 1000)
		add_subsets(random, spec);
	/* What some clients see and others do not cannot be hidden from those only: no such
	 * wildcards in the Service's namespace, and nothing of the kind in the root namespace. */
	bool root = str_equal(namespace_here(rule), ROOT);
	bool whole = !str_equal(namespace_here(rule), "shop") || fit_of(rule) == 1000;
	if (whole && once_in(random, 4))
		json_set(spec, "exportTo",
			tree(root || once_in(random, 2) ? "['.']" : "['.', 'clients']"));
	return rule;
}

/* Rules with which a release may begin, the oldest first. */
static json *any_rules(struct random *random)
{
	for (;;) {
		json *rules = json_array();
		int count = (int)below(random, 5);
		for (int i = 1; i <= count; i++)
			json_append(rules, any_rule(random, i));
		if (destinationrules_check(rules, &web, NULL) == 0)
			return rules;
		json_free(rules);
	}
}

/* --- the properties ------------------------------------------------------------------------- */

static const char *const CLIENTS[] = {"shop", "clients", "batch", "elsewhere", ROOT};

static json *together(const json *users, const json *ours)
{
	json *all = json_copy(users);
	json_for_each (rule, ours)
		json_append(all, json_copy(rule));
	merge_strip_keys(all);
	return all;
}

static void fail_with(const char *client, const char *what, const json *users, const json *ours)
{
	AUTO_STRING users_text = json_print(users);
	AUTO_STRING ours_text = json_print(ours);
	fail_msg("clients in %s: %s\nusers' %s\nours   %s", client, what, users_text, ours_text);
}

static bool selects(const json *seen, const char *name, const char *version)
{
	const json *subset = json_get(json_get(seen, "subsets"), name);
	return subset != NULL && str_equal(subset_version(subset), version);
}

/* Whether clients there may have routes of the release, which must not be seen by more. */
static bool has_routes(const json *users, const char *client)
{
	const json *exports = destinationrules_exports(users, &web);
	bool has = is_public(exports);
	json_for_each (element, exports)
		has = has || str_equal(json_text(element), client) ||
		      (str_equal(json_text(element), ".") && str_equal(client, "shop"));
	return has;
}

static void ours_add_two_subsets_and_change_nothing(void **state)
{
	(void)state;
	struct random random = {first_seed};
	for (int i = 0; i < RELEASES; i++) {
		AUTO_JSON users = any_rules(&random);
		AUTO_JSON ours = destinationrules_new(users, &web);
		AUTO_JSON all = together(users, ours);
		for (size_t c = 0; c < COUNT_OF(CLIENTS); c++) {
			AUTO_JSON before = seen_by(users, CLIENTS[c]);
			AUTO_JSON during = seen_by(all, CLIENTS[c]);
			if (!json_equal(json_get(during, "policy"), json_get(before, "policy")))
				fail_with(CLIENTS[c], "another policy", users, ours);
			json_for_each (subset, json_get(before, "subsets"))
				if (!json_equal(subset, json_get(json_get(during, "subsets"),
								json_key(subset))))
					fail_with(CLIENTS[c], json_key(subset), users, ours);
			if (has_routes(users, CLIENTS[c]) &&
				(!selects(during, STABLE_SUBSET, "v1") ||
					!selects(during, CANARY_SUBSET, "v2")))
				fail_with(CLIENTS[c], "no subsets of ours", users, ours);
		}
	}
}

/* The users' rules, each as it is at the end with the old names, or on the way back. */
static json *users_then(const json *users, bool back)
{
	json *then = json_array();
	json_for_each (rule, users)
		json_append(then, back ? destinationrule_returning(rule, &web)
				       : destinationrule_finished(rule, &web, true));
	merge_strip_keys(then);
	return then;
}

/* While routes go from the names of before to those of the end, or back, there are both. Where a
 * name stays and selects the new version, that happens when there are no other pods. */
static void names_of_before_and_of_the_end_are_there_together(void **state)
{
	(void)state;
	struct random random = {first_seed + 1};
	for (int i = 0; i < RELEASES; i++) {
		AUTO_JSON users = any_rules(&random);
		bool back = once_in(&random, 2);
		AUTO_JSON then = users_then(users, back);
		AUTO_JSON ours = destinationrules_beside(users, then, &web);
		AUTO_JSON all = together(then, ours);
		for (size_t c = 0; c < COUNT_OF(CLIENTS); c++) {
			AUTO_JSON before = seen_by(users, CLIENTS[c]);
			AUTO_JSON during = seen_by(all, CLIENTS[c]);
			json_for_each (subset, json_get(before, "subsets")) {
				const char *name = json_key(subset);
				const char *end = finished_subset(users, name, &web);
				bool stays = str_equal(name, end);
				const char *version = subset_version(subset);
				if (stays && !back && str_equal(version, "v1"))
					version = "v2";
				if (!selects(during, name, version) ||
					(!stays && !selects(during, end, "v2")))
					fail_with(CLIENTS[c], name, then, ours);
			}
		}
	}
}

/* From each state of a rule to each other; each gives the snapshot back. */
static void any_state_leads_to_any_other(void **state)
{
	(void)state;
	struct random random = {first_seed + 2};
	for (int i = 0; i < RELEASES; i++) {
		AUTO_JSON rule = any_rule(&random, 1);
		json *states[] = {destinationrule_original(rule),
			destinationrule_finished(rule, &web, true),
			destinationrule_finished(rule, &web, false),
			destinationrule_returning(rule, &web)};
		AUTO_JSON current = json_copy(rule);
		for (int step = 0; step < 4; step++) {
			size_t goal = step == 3 ? 0 : below(&random, COUNT_OF(states));
			AUTO_JSON expected = json_copy(states[goal]);
			merge_strip_keys(expected);
			struct err err = {0};
			if (merge_to_goal(current, states[goal], (const json *const *)states,
				    COUNT_OF(states), &err) != 0)
				fail_msg("%s", err.message);
			assert_same(current, expected);
		}
		assert_same(current, rule);
		for (size_t s = 0; s < COUNT_OF(states); s++)
			json_free(states[s]);
	}
}

int main(int argc, char **argv)
{
	take_seed(argc, argv);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ours_add_two_subsets_and_change_nothing),
		cmocka_unit_test(names_of_before_and_of_the_end_are_there_together),
		cmocka_unit_test(any_state_leads_to_any_other),
	};
	return cmocka_run_group_tests_name("traffic/subsets", tests, NULL, NULL);
}
