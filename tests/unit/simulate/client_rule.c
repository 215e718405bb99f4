/* istiod: destinationRule (push_context.go), mergeDestinationRule (destination_rule.go) and
 * SidecarScope.DestinationRule (sidecar.go). */
#include "simulate/client_rule.h"

#include "base/buf.h"

#include "unit/traffic/trees.h"

#define RULE(namespace, name, created, spec)                                                       \
	"{'metadata': {'namespace': '" namespace "', 'name': '" name                               \
	"', 'creationTimestamp': '2025-01-0" created "T00:00:00Z'}, 'spec': {" spec "}}"
#define WEB "'host': 'web.shop.svc.cluster.local', "
#define SUBSET(name, version) "{'name': '" name "', 'labels': {'version': '" version "'}}"
#define HAS(name, version) "'subsets': [" SUBSET(name, version) "]"

/* The versions of the subsets that the client knows, as "name=version,…". */
static void assert_subsets(
	const char *rules, const char *client, const char *labels_text, const char *expected)
{
	AUTO_JSON destinationrules = tree(rules);
	AUTO_JSON labels = tree(labels_text);
	struct mesh mesh = {.destinationrules = destinationrules,
		.cluster_domain = "cluster.local",
		.root_namespace = "istio-system"};
	struct request request = {.client_namespace = client, .labels = labels};
	AUTO_JSON subsets = client_subsets(&mesh, &request, "web.shop.svc.cluster.local", "shop");
	AUTO_BUF found = BUF_INIT(BUF_OWN_TEXT);
	json_for_each (subset, subsets)
		buf_addf(&found, "%s%s=%s", found.length == 0 ? "" : ",",
			json_get_text(subset, "name"),
			json_path_text(subset, "labels", "version", NULL));
	if (strcmp(buf_text(&found), expected) != 0)
		fail_msg("%s for %s: %s, expected %s", rules, client, buf_text(&found), expected);
}

static void namespaces_in_their_order(void **state)
{
	(void)state;
	const char *all = "[" RULE("shop", "a", "1", WEB HAS("s", "service")) "," RULE(
		"istio-system", "b", "1", WEB HAS("s", "root")) "," RULE("client", "c", "1",
		WEB HAS("s", "client")) "]";
	assert_subsets(all, "client", "{}", "s=client");
	assert_subsets(all, "shop", "{}", "s=service");
	assert_subsets(all, "other", "{}", "s=service");
	/* The root namespace's own clients do not look there first. */
	assert_subsets(all, "istio-system", "{}", "s=service");
	const char *root = "[" RULE("istio-system", "b", "1", WEB HAS("s", "root")) "]";
	assert_subsets(root, "other", "{}", "s=root");
	assert_subsets("[]", "other", "{}", "");
}

/* A wildcard rule in the client's namespace hides the Service's own. */
static void closest_host_within_one_namespace(void **state)
{
	(void)state;
	assert_subsets(
		"[" RULE("client", "a", "1", "'host': '*.local', " HAS("s", "wide")) "," RULE(
			"shop", "b", "1", WEB HAS("s", "service")) "]",
		"client", "{}", "s=wide");
	assert_subsets(
		"[" RULE("shop", "a", "1", "'host': '*.local', " HAS("s", "wide")) "," RULE("shop",
			"c", "2", "'host': '*.shop.svc.cluster.local', " HAS("s", "narrow")) "]",
		"other", "{}", "s=narrow");
	assert_subsets("[" RULE("shop", "a", "1", "'host': '*.local', " HAS("s", "wide")) "," RULE(
			       "shop", "c", "2", "'host': 'web', " HAS("s", "exact")) "]",
		"other", "{}", "s=exact");
}

static void exports(void **state)
{
	(void)state;
	const char *private =
		"[" RULE("shop", "a", "1", WEB "'exportTo': ['.'], " HAS("s", "v")) "]";
	assert_subsets(private, "shop", "{}", "s=v");
	assert_subsets(private, "other", "{}", "");
	const char *named =
		"[" RULE("shop", "a", "1", WEB "'exportTo': ['client'], " HAS("s", "v")) "]";
	assert_subsets(named, "client", "{}", "s=v");
	assert_subsets(named, "other", "{}", "");
	/* Not for its own namespace, and yet exported from there. */
	assert_subsets(named, "shop", "{}", "");
	const char *root =
		"[" RULE("istio-system", "a", "1", WEB "'exportTo': ['.'], " HAS("s", "v")) "]";
	assert_subsets(root, "istio-system", "{}", "s=v");
	assert_subsets(root, "other", "{}", "");
}

static void merging(void **state)
{
	(void)state;
	/* The oldest counts where two have a subset of one name. */
	assert_subsets(
		"[" RULE("shop", "a", "2",
			WEB "'subsets': [" SUBSET("s", "young") "," SUBSET(
				"t", "t") "]") "," RULE("shop", "b", "1", WEB HAS("s", "old")) "]",
		"other", "{}", "s=old,t=t");
	/* By name where they are of one second. */
	assert_subsets("[" RULE("shop", "b", "1", WEB HAS("s", "b")) "," RULE(
			       "shop", "a", "1", WEB HAS("s", "a")) "]",
		"other", "{}", "s=a");
	/* Different exports are not merged; the last one counts. */
	assert_subsets("[" RULE("shop", "a", "1", WEB "'exportTo': ['*'], " HAS("s", "v")) "," RULE(
			       "shop", "b", "2", WEB "'exportTo': ['other'], " HAS("t", "v")) "]",
		"other", "{}", "t=v");
	assert_subsets("[" RULE("shop", "a", "1", WEB "'exportTo': ['*'], " HAS("s", "v")) "," RULE(
			       "shop", "b", "2", WEB "'exportTo': ['other'], " HAS("t", "v")) "]",
		"client", "{}", "s=v");
	/* A wider one is merged into the narrower. */
	assert_subsets("[" RULE("shop", "a", "1",
			       WEB "'exportTo': ['other'], " HAS("s", "v")) "," RULE("shop", "b",
			       "2", WEB "'exportTo': ['other', 'client'], " HAS("t", "v")) "]",
		"other", "{}", "s=v,t=v");
}

static void selectors(void **state)
{
	(void)state;
	const char *both = "[" RULE("shop", "a", "1", WEB HAS("s", "plain")) "," RULE("shop", "b",
		"2",
		WEB "'workloadSelector': {'matchLabels': {'app': 'x'}}, " HAS("t", "selected")) "]";
	assert_subsets(both, "shop", "{'app': 'x'}", "t=selected");
	assert_subsets(both, "shop", "{'app': 'y'}", "s=plain");
	assert_subsets(both, "other", "{'app': 'x'}", "s=plain");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(namespaces_in_their_order),
		cmocka_unit_test(closest_host_within_one_namespace),
		cmocka_unit_test(exports),
		cmocka_unit_test(merging),
		cmocka_unit_test(selectors),
	};
	return cmocka_run_group_tests_name("simulate/client_rule", tests, NULL, NULL);
}
